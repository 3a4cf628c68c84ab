"""What the registry says agrees with the documentation, and it is light."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from oasis_tf.evaluation.metrics.registry import METRICS

ROOT = Path(__file__).parents[3]


def test_the_table_of_the_documentation():
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| (lower|higher)\b.*\| ([^|]*)\|$",
        (ROOT / "docs/evaluation.md").read_text(),
        re.MULTILINE,
    )
    assert [name for name, _, _ in rows] == list(METRICS)
    for name, better, needs in rows:
        metric = METRICS[name]
        assert metric.name == name
        # More diverse is better, though it is no quality of one picture.
        assert metric.higher_is_better == (better == "higher"), name
        assert metric.needs_segmenter == (needs.strip() == "`--segmenter`"), name


@pytest.mark.parametrize("module", ["oasis_tf.config", "oasis_tf.evaluate"])
def test_tensorflow_is_not_imported_for_it(module):
    code = f"import sys; import {module}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
