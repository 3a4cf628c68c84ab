"""README.md of a repository on the Hub: the model's card with what the Hub reads above it."""

from oasis_tf.hub.library import open_library

_CARD = """\
---
{data}
---

{card}
## Files

| | |
|---|---|
{rows}

`sha256sum -c SHA256SUMS` checks them.

## Use

```python
import oasis_tf  # with its extra hub

model = oasis_tf.load("{address}")
pictures = model.synthesize(label_map, seed=7)  # label_map: (H, W), index into model.class_names
```
"""
_KINDS = {
    ".onnx": "for onnxruntime, OpenVINO and others, with its own card",
    ".tflite": "for LiteRT (TensorFlow Lite), with its own card",
}


def hub_card(address, content, card, version, engine_files, licence):
    """Writes the page.

    Args:
        address: `HubAddress`.
        content: dict, the model's `assets.extra/model.json`.
        card: str, the SavedModel's `MODEL_CARD.md`.
        version: str, the SavedModel's numbered directory.
        engine_files: Paths of the files for other engines.
        licence: str, as the Hub names it: "apache-2.0", "other".

    Returns:
        str, Markdown with YAML front matter.
    """
    data = open_library().ModelCardData(
        license=licence,
        library_name="oasis-tf",
        pipeline_tag="image-to-image",
        tags=[
            "oasis",
            "gan",
            "semantic-image-synthesis",
            "tensorflow",
            *(path.suffix[1:] for path in engine_files),
        ],
        # Not `datasets`, which are those of the Hub.
        training_data=content["dataset"],
    )
    rows = [f"| `{version}/` | SavedModel, for TensorFlow and TensorFlow Serving |"]
    rows += [f"| `{path.name}` | {_KINDS[path.suffix]} |" for path in engine_files]
    return _CARD.format(
        data=data.to_yaml().strip(), card=card, rows="\n".join(rows), address=address
    )
