"""Fetching the data sets that have open links, into the layout their readers expect."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlparse

from data_pipeline.downloading.fetch import fetch
from data_pipeline.downloading.unpack import unpack
from data_pipeline.errors import DataError


@dataclass(frozen=True)
class Archive:
    """One ZIP file of a data set.

    Attributes:
        url: official address.
        holds: what is there once it is unpacked, relative to the source directory.
        into: where to unpack it, relative to the source directory.
    """

    url: str
    holds: str
    into: str = "."

    @property
    def name(self):
        """File name of the archive."""
        return Path(urlparse(self.url).path).name


_LVIS = "https://dl.fbaipublicfiles.com/LVIS"
_COCO = (
    Archive("http://images.cocodataset.org/zips/val2017.zip", "val2017"),
    Archive("http://images.cocodataset.org/zips/train2017.zip", "train2017"),
)
ARCHIVES = {
    "lvis": (
        *(
            Archive(f"{_LVIS}/{name}.zip", f"annotations/{name}", "annotations")
            for name in ("lvis_v1_val.json", "lvis_v1_train.json")
        ),
        *_COCO,
    ),
    "ade20k": (
        Archive(
            "http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip",
            "ADEChallengeData2016",
        ),
    ),
    "coco_stuff": (
        Archive(
            "http://calvin.inf.ed.ac.uk/wp-content/uploads/data/cocostuffdataset/"
            "stuffthingmaps_trainval2017.zip",
            "stuffthingmaps_trainval2017",
            "stuffthingmaps_trainval2017",
        ),
        *_COCO,
    ),
}
_BY_HAND = {
    "cityscapes": "Cityscapes needs a login: fetch leftImg8bit_trainvaltest.zip and "
    "gtFine_trainvaltest.zip from https://www.cityscapes-dataset.com/downloads/ and unpack both "
    "in {source}, so that {source}/leftImg8bit and {source}/gtFine exist",
    "folder": "a folder data set is your own: put pictures in {source}/images/train, label maps "
    "in {source}/labels/train and the class list in {source}/class_names.json",
    **dict.fromkeys(
        ("voc", "coco", "coco_panoptic", "labelme"),
        "an export of a labelling tool is your own: unpack it in {source} (docs/datasets.md)",
    ),
    "mapillary": "Mapillary Vistas needs a login: fetch it from "
    "https://www.mapillary.com/dataset/vistas and unpack it in {source}",
    "sample": "the sample is drawn: python -m data_pipeline.sample --out {source}",
}


def download(dataset, source):
    """Fetches and unpacks what is not there yet.

    An archive is taken for done when what it holds exists and the archive itself does not, because
    it is removed as the last step. So a killed download or unpacking goes on where it stopped, and
    an archive put into `source` by hand is used.

    Args:
        dataset: a name of `datasets.DATASETS`.
        source: Path of the directory; made if need be.

    Raises:
        DataError: the data set has no open link (the message says what to do by hand), an address
            cannot be reached, or an archive is damaged.
    """
    if dataset not in ARCHIVES:
        message = _BY_HAND[dataset].format(source=source)
        raise DataError(f"--download does not know this data set. {message}. Received: {dataset}")
    try:
        source.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"--source must be a directory. Received: {error}") from None
    for archive in ARCHIVES[dataset]:
        path = source / archive.name
        started = path.exists() or Path(f"{path}.part").exists()
        if (source / archive.holds).exists() and not started:
            continue
        if not path.exists():
            fetch(archive.url, path)
        unpack(path, source / archive.into)
        path.unlink()
