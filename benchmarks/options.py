"""What a run of the benchmarks is told."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.records import sample_records


@dataclass(frozen=True)
class Options:
    """Settings of every part.

    Attributes:
        data_dir: records built by `data_pipeline.build`; None = the project's sample set.
        repeats: how often each side is measured; the medians count.
        quick: toy widths and pictures, to see that everything runs. The figures mean nothing.
        against: checkout of another version to measure in the place of plain; None = plain.
    """

    data_dir: Path | None = None
    repeats: int = 5
    quick: bool = False
    against: Path | None = None

    @property
    def records(self):
        """Directory of the records; draws and builds the sample set where it is needed."""
        return self.data_dir or sample_records(64 if self.quick else 256)

    @property
    def classes(self):
        """(few, many): N of ADE20K and of LVIS."""
        return (9, 33) if self.quick else (151, 1204)

    @property
    def widths(self):
        """Arguments of both sides' generators; those of the paper unless quick."""
        if self.quick:
            return dict(base_channels=1, noise_channels=4, hidden=8)
        return dict(base_channels=64, noise_channels=64, hidden=128)
