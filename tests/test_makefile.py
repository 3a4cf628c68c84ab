"""`make train` ends with lines to paste: each is a command that parses, of files that are there."""

import importlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from data_pipeline.datasets.sample import LEGEND
from data_pipeline.labels.label_files import read_label_map
from data_pipeline.sample import draw_sample

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def commands():
    """What `make train` runs and prints: list of (module, arguments)."""
    if shutil.which("make") is None:
        pytest.skip("NO make: the lines of `make train` are not tested")
    done = subprocess.run(
        ["make", "-n", "train"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    text = done.stdout.replace("\\\n", " ")
    found = re.findall(r"python -m ((?:oasis_tf|data_pipeline)\.\w+)([^\"\n]*)", text)
    return [(module, shlex.split(arguments)) for module, arguments in found]


def test_the_lines_parse_and_their_files_are_there(commands, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # The validation scenes do not depend on how many are drawn to train on.
    draw_sample("data/sample", images=1)
    seen = []
    for module, arguments in commands:
        if module == "oasis_tf.serve":
            pytest.importorskip("fastapi")
        parse = getattr(importlib.import_module(module), "parse_arguments", None)
        if parse is None:
            continue
        flags = parse(arguments)
        seen.append(module.rpartition(".")[2])
        labels = getattr(flags, "labels", None)
        if labels is None:
            continue
        maps = sorted(labels.iterdir()) if labels.is_dir() else [labels]
        present = {
            LEGEND.class_names[i] for path in maps for i in set(read_label_map(path, LEGEND).flat)
        }
        assert present > {*LEGEND.split_names(getattr(flags, "classes", None) or "house")}
    assert {"train", "evaluate", "synthesize", "edit", "interpolate", "export", "serve"} <= {*seen}
