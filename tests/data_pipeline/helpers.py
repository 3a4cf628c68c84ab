"""What several build tests do: look into an output, run a build that must fail, start one."""

import json
import subprocess
import sys

import tensorflow as tf

from data_pipeline.records.manifest import Manifest
from data_pipeline.records.schema import parse


def records(out, split):
    manifest = Manifest.read(out)
    paths = [str(out / shard.name) for shard in manifest.splits[split].shards]
    return [parse(record) for record in tf.data.TFRecordDataset(paths)]


def content(out):
    """All files but the manifest's note of the command."""
    found = {path.name: path.read_bytes() for path in out.iterdir()}
    manifest = json.loads(found.pop("manifest.json"))
    del manifest["command"]
    return found, manifest


def refused(run, out, *arguments, **keywords):
    """Runs a build that must fail on bad input, and returns what it says."""
    existed = out.exists()
    code, _, error = run(*arguments, **keywords)
    assert code == 2 and error.count("error: ") == 1 and "Traceback" not in error
    assert out.exists() == existed
    return error


def start(source, out):
    command = [sys.executable, "-m", "data_pipeline.build", "--dataset", "folder"]
    command += ["--source", str(source), "--out", str(out), "--workers", "2"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
