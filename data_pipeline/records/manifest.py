"""`manifest.json`: what a directory of shards holds. Written last, so it means "complete"."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from data_pipeline.errors import DataError
from data_pipeline.files import write_atomically
from data_pipeline.labels.legend import Legend

FORMAT_VERSION = 3
_READABLE = (2, FORMAT_VERSION)  # 2 has PNG photographs
FILE_NAME = "manifest.json"
PREVIEW = "preview.png"  # examples and legend, for people; there from this version on


@dataclass(frozen=True)
class Shard:
    """One TFRecord file.

    Attributes:
        name: file name inside the data directory.
        examples: number of records.
        bytes: file size.
        sha256: checksum of the file, hexadecimal.
    """

    name: str
    examples: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Split:
    """The part of a data set that is trained or evaluated on.

    Attributes:
        examples: number of images.
        stored_size: (height, width) of the stored images and label maps.
        unlabelled_share: share of stored pixels that are of class 0, in [0, 1].
        pixels_per_class: N counts of stored pixels.
        out_of_range: source pixels whose id was beyond the class list and which became 0.
        shards: in reading order.
    """

    examples: int
    stored_size: tuple[int, int]
    unlabelled_share: float
    pixels_per_class: tuple[int, ...]
    out_of_range: int
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class Manifest:
    """Everything a reader has to know about a built data set.

    Attributes:
        dataset: registered name, such as "lvis".
        num_classes: N, the unlabelled class 0 included.
        class_names: N names, the first is "unlabelled".
        palette: N colours (r, g, b) in 0..255.
        label_ids: {id in the source's label files: our id}, or None where they are the same.
        image_size: (height, width) that training sees.
        splits: {"train": Split, "val": Split}, or one of them.
        command: the command line that built it.
        request: the arguments that decide the content, to recognise the same command.
        versions: {package: version} of what wrote it.
        format_version: of this file and of the records.
        label_palette: as in `Legend`.
    """

    dataset: str
    num_classes: int
    class_names: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    label_ids: dict[int, int] | None
    image_size: tuple[int, int]
    splits: dict[str, Split]
    command: str
    request: dict
    versions: dict[str, str]
    format_version: int = FORMAT_VERSION
    label_palette: dict[int, tuple[int, int, int]] | None = None

    def write(self, data_dir):
        """Writes `data_dir/manifest.json` atomically."""
        write_atomically(Path(data_dir) / FILE_NAME, json.dumps(asdict(self), indent=1) + "\n")

    def check_shards(self, data_dir, splits=None):
        """Raises DataError naming a shard that is missing or has not its number of bytes.

        Args:
            data_dir: directory of the shards.
            splits: names of the splits to look at. Defaults to all.
        """
        for split in splits or self.splits:
            for shard in self.splits[split].shards:
                path = Path(data_dir) / shard.name
                if not path.is_file():
                    raise DataError(
                        f"shard {path} must exist, {FILE_NAME} names it. Received: no such file"
                    )
                size = path.stat().st_size
                if size != shard.bytes:
                    kind = "truncated" if size < shard.bytes else "too long"
                    raise DataError(
                        f"shard {path} is {kind}: it must have {shard.bytes} bytes. "
                        f"Received: {size}"
                    )

    @classmethod
    def read(cls, data_dir):
        """Reads `data_dir/manifest.json`.

        Raises:
            DataError: the file is missing, is not JSON, has another format version, or lacks
                or contradicts a field. The message names the file.
        """
        path = Path(data_dir) / FILE_NAME
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise DataError(
                f"no complete data set in {data_dir}: {path} does not exist. Build it with "
                f"`python -m data_pipeline.build --dataset NAME --source DIR --out {data_dir}`; "
                "after an interrupted build the same command finishes it."
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(f"{path} must be a readable JSON file. Received: {error}") from None
        version = content.get("format_version") if isinstance(content, dict) else None
        if version not in _READABLE:
            raise DataError(
                f"{path} must have format_version 2 or {FORMAT_VERSION}; build the data set again. "
                f"Received: {version}"
            )
        try:
            return cls(**_from_json(content))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{path} lacks or contradicts a field. Received: {error!r}") from None


def _from_json(content):
    """Turns JSON lists back into tuples and dataclasses, and checks what can contradict."""
    content = {"label_palette": None, **content}  # earlier versions did not keep it
    values = {field.name: content[field.name] for field in fields(Manifest)}
    num_classes = values["num_classes"]
    legend = Legend.from_json(content)
    values["class_names"], values["palette"] = legend.class_names, legend.palette
    values["label_ids"], values["label_palette"] = legend.label_ids, legend.label_palette
    values["image_size"] = _size(values["image_size"])
    values["splits"] = {name: _split(split) for name, split in values["splits"].items()}
    if not isinstance(values["dataset"], str):
        raise TypeError("dataset must be a string")
    lists = {"class_names": values["class_names"]}
    for name, split in values["splits"].items():
        lists[f"pixels_per_class of {name}"] = split.pixels_per_class
        if split.examples != sum(shard.examples for shard in split.shards):
            raise ValueError(f"examples of {name} differ from the sum over its shards")
    for name, entries in lists.items():
        if len(entries) != num_classes:
            raise ValueError(f"{name} has {len(entries)} entries, num_classes is {num_classes}")
    return values


def _split(content):
    values = {field.name: content[field.name] for field in fields(Split)}
    values["stored_size"] = _size(values["stored_size"])
    values["pixels_per_class"] = tuple(values["pixels_per_class"])
    values["shards"] = tuple(_shard(shard) for shard in values["shards"])
    for count in (values["examples"], values["out_of_range"], *values["pixels_per_class"]):
        _check_count(count)
    return Split(**values)


def _shard(content):
    shard = Shard(**{field.name: content[field.name] for field in fields(Shard)})
    # A name, not a way to files elsewhere.
    if Path(shard.name).name != shard.name or "\0" in shard.name:
        raise ValueError(f"{shard.name!r} is no file name")
    _check_count(shard.examples)
    _check_count(shard.bytes)
    return shard


def _check_count(value):
    if type(value) is not int or not 0 <= value < 2**63:
        raise TypeError(f"{value!r} is no count")


def _size(value):
    height, width = value
    _check_count(height)
    _check_count(width)
    return height, width
