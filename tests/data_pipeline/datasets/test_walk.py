"""Links, loops, hidden names: what a tree is to every reader."""

import pytest

from data_pipeline.datasets.file_index import FileIndex
from data_pipeline.datasets.walk import walk
from data_pipeline.errors import DataError


@pytest.fixture
def tree(tmp_path):
    for name in ("b/2.txt", "a/1.txt", "0.txt", ".ipynb_checkpoints/0.txt", "a/._1.txt"):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "tree"


def names(tree, **options):
    return [path.relative_to(tree).as_posix() for path in walk(tree, **options)]


def test_hidden_names_are_left_out(tree):
    assert names(tree) == ["0.txt", "a/1.txt", "b/2.txt"]
    assert names(tree, without=[tree / "a"]) == ["0.txt", "b/2.txt"]


def test_links_to_directories_and_files_are_followed(tree, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/3.txt").write_text("")
    (tree / "a/part2").symlink_to(tmp_path / "disk")
    (tree / "b/3.txt").symlink_to(tmp_path / "disk/3.txt")
    assert names(tree) == ["0.txt", "a/1.txt", "a/part2/3.txt", "b/2.txt", "b/3.txt"]
    # For notes that only name it, it is one file.
    assert FileIndex(tree, (".txt",)).find("3.txt") == [tree / "a/part2/3.txt"]


def test_loops_end(tree, tmp_path):
    (tree / "a/up").symlink_to(tree)
    (tree / "a/far_up").symlink_to(tmp_path)
    (tmp_path / "disk/part").mkdir(parents=True)
    (tmp_path / "disk/part/up").symlink_to(tmp_path / "disk")
    (tree / "a/part").symlink_to(tmp_path / "disk/part")
    (tree / "b/self").symlink_to(tree / "b")
    (tree / "b/other").symlink_to(tree / "a")  # no loop: the files are there under two names
    assert names(tree) == ["0.txt", "a/1.txt", "b/2.txt", "b/other/1.txt"]


def test_links_that_lead_nowhere_are_all_named(tree):
    (tree / "a/gone.txt").symlink_to(tree / "absent.txt")
    (tree / "gone").symlink_to(tree / "absent")
    with pytest.raises(DataError, match=r"(?s)Received: 2 .*a/gone.txt -> .*absent.txt.*tree/gone"):
        names(tree)
