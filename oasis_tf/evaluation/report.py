"""One self-contained HTML page of an evaluation: numbers, bars, pictures, histograms."""

import base64
import html
import json

import numpy as np

from data_pipeline.records.manifest import Manifest
from data_pipeline.records.png import encode_image
from oasis_tf.evaluation.metrics.metric import in_short
from oasis_tf.evaluation.pictures import chunks
from oasis_tf.images import thumbnail

_EXTREMES = 4  # best, and worst, pictures
_STRIPS, _SAMPLES = 3, 6
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:1080px;margin:2em auto;padding:0 1em}
h1{font-size:1.6em} h2{font-size:1.2em;margin-top:2em;border-bottom:1px solid #ddd}
table{border-collapse:collapse} td,th{padding:.25em .8em .25em 0;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums} .note{color:#777}
figure{display:inline-block;margin:.3em .6em .3em 0} figcaption{font-size:12px;color:#555}
img{display:block;image-rendering:pixelated} svg{max-width:100%} svg text{font:11px sans-serif}
pre{background:#f6f6f6;padding:1em;overflow:auto;font-size:12px}
"""


def report(evaluation, data_dir):
    """The page.

    Args:
        evaluation: `oasis_tf.evaluation.evaluation.Evaluation`.
        data_dir: Path of the records.

    Returns:
        str; needs nothing from elsewhere.
    """
    result, parts = evaluation.result, evaluation.parts
    sections = [_head(result), _metrics(result["metrics"], evaluation.metrics)]
    ranked = []  # (heading, by what, [(number, value), ...])
    for name, metric in evaluation.metrics.items():
        if result["metrics"][name]["computed"]:
            sections += metric.sections(result["metrics"][name], parts)
            ranked += _extremes(metric, parts)
    total = result["data"]["images"]
    strips = [int(i) for i in np.linspace(0, total - 1, min(_STRIPS, total))]
    wanted = {i for _, _, pictures in ranked for i, _ in pictures} | set(strips)
    found = _find(wanted, data_dir, result["data"]["split"], evaluation.sampler, total)
    palette = np.array(Manifest.read(data_dir).palette, np.uint8)
    for heading, ranked_by, pictures in ranked:
        rows = [_row(i, value, found[i], palette, evaluation.sampler) for i, value in pictures]
        note = f"by {ranked_by}; label map, photograph, generated"
        sections.append(f"<h2>{heading}</h2><p class=note>{note}</p>{''.join(rows)}")
    sections.append(_diversity(strips, found, palette, evaluation.sampler))
    sections.append(
        f"<h2>Result file</h2><pre>{html.escape(json.dumps(_short(result), indent=1))}</pre>"
    )
    title = html.escape(f"Evaluation of {result['model']['path']}")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<style>{_STYLE}</style><h1>{title}</h1>{''.join(sections)}</html>\n"
    )


def _head(result):
    data, protocol = result["data"], result["protocol"]
    height, width = data["image_size"]
    rows = {
        "protocol": f"{protocol['name']}, version {protocol['version']}: {protocol['about']}",
        "data": f"{data['dataset']}: {data['images']} of the {data['images_in_split']} pictures of "
        f"{data['split']}, {height}x{width}, {data['num_classes']} classes with unlabelled",
        "sizes": data["resize"],
        "model": f"SHA-256 {result['model']['sha256'][:16]}…, seed {result['seed']}",
        "networks": "; ".join(
            f"{role}: {_network(about)}" for role, about in result["networks"].items()
        )
        or "none",
    }
    cells = "".join(f"<tr><th>{k}<td>{html.escape(v)}" for k, v in rows.items())
    return f"<table>{cells}</table>"


def _network(about):
    parts = [about.get("name") or f"version {about['version']}"]
    if "layer" in about:
        parts.append(f"layer {about['layer']}")
    if isinstance(about["sha256"], str):
        parts.append(f"SHA-256 {about['sha256'][:16]}…")
    return ", ".join(parts)


def _extremes(metric, parts):
    """Worst and best pictures by a metric, where it ranks them."""
    values = metric.ranking(parts)
    if values is None:
        return []
    order = [int(i) for i in np.argsort(values, kind="stable") if not np.isnan(values[i])]
    worst, best = order[:_EXTREMES], order[_EXTREMES:][-_EXTREMES:][::-1]
    return [
        (heading, metric.ranked_by, [(i, values[i]) for i in numbers])
        for heading, numbers in (("Worst pictures", worst), ("Best pictures", best))
        if numbers
    ]


def _metrics(results, metrics):
    rows = []
    for name, result in results.items():
        if result["computed"]:
            value = in_short(result["value"])
            details = ", ".join(metrics[name].details(result))
            notes = metrics[name].notes(result)
            if "about" in result and result["about"] not in notes:
                notes = [result["about"], *notes]
        else:
            value, details, notes = "-", "", [f"not computable: {result['reason']}"]
        rows.append(
            f"<tr><th>{name}<td class=n><b>{value}</b><td>{html.escape(details)}"
            f"<div class=note>{html.escape('; '.join(notes))}</div>"
        )
    return f"<h2>Metrics</h2><table>{''.join(rows)}</table>"


def _row(number, value, found, palette, sampler):
    name, label_map, real = found
    pictures = (palette[label_map], real, sampler.generate(label_map, number))
    images = "".join(_image(picture) for picture in pictures)
    return (
        f'<figure><div style="display:flex;gap:4px">{images}</div>'
        f"<figcaption>{html.escape(name)}: {value:.3f}</figcaption></figure>"
    )


def _diversity(numbers, found, palette, sampler):
    rows = []
    for number in numbers:
        _, label_map, _ = found[number]
        strips = {
            "resampled globally": sampler.resample(label_map, number, _SAMPLES),
            "largest class resampled": sampler.resample_locally(label_map, number, _SAMPLES),
        }
        for caption, pictures in strips.items():
            if pictures is None:
                continue
            images = "".join(_image(each) for each in [palette[label_map], *pictures])
            rows.append(
                f'<figure><div style="display:flex;gap:4px">{images}</div>'
                f"<figcaption>{caption}</figcaption></figure>"
            )
    return f"<h2>Diversity</h2>{''.join(rows)}"


def _find(numbers, data_dir, split, sampler, total):
    """{number: (name, label map, photograph)} of some pictures of a split."""
    found = {}
    for chunk in chunks(data_dir, split, sampler, total):
        for i in range(len(chunk.names)):
            if chunk.first + i in numbers:
                found[chunk.first + i] = (chunk.names[i], chunk.label_maps[i], chunk.real[i])
        if len(found) == len(numbers):
            break
    return found


def _image(picture):
    small = thumbnail(picture)
    height, width = small.shape[:2]
    data = base64.b64encode(encode_image(small)).decode()
    return f'<img width="{width}" height="{height}" src="data:image/png;base64,{data}" alt="">'


def _short(result):
    """Without the long lists, which the result file has."""
    if isinstance(result, dict):
        return {
            key: _short(value)
            for key, value in result.items()
            if key not in ("per_class", "shards", "classes")
        }
    return result
