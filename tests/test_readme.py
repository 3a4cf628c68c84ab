"""The README's example does what it says."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

from data_pipeline.labels.legend import Legend
from tests.toy_model import write_model_dir

README = Path(__file__).parents[1] / "README.md"


def test_the_library_in_ten_lines(tmp_path, monkeypatch):
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for line in code.splitlines() if line]
    assert len([line for line in lines if "import" not in line]) <= 10
    names = ("unlabelled", "house", "lake")
    (tmp_path / "runs").mkdir()
    write_model_dir(tmp_path / "runs" / "sample", legend=Legend(names, ((0, 0, 0),) * 3))
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec(code, scope)  # the README is ours
    assert scope["pictures"].shape == (4, 64, 64, 3)
    assert scope["pictures"].dtype == np.uint8
    assert Image.open(tmp_path / "edits.png").size == (4 * 64, 64)
