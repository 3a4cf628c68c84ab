import pytest

from data_pipeline.build import main
from tests.data_pipeline.sources import write_folder


@pytest.fixture
def run(capsys):
    """Runs the build command line in this process: (exit code, stdout, stderr)."""

    def run_build(dataset, source, out, *flags, image_size=(64, 128), workers=1):
        size = ["--image_size", *map(str, image_size)]
        flags = ["--workers", str(workers), *map(str, flags)]
        places = ["--source", str(source), "--out", str(out)]
        code = main(["--dataset", dataset, *places, *size, *flags])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_build


@pytest.fixture(scope="session")
def real(shared):
    """The directory of the real data sets."""
    return shared / "data"


@pytest.fixture
def source(tmp_path):
    return write_folder(tmp_path / "own")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"
