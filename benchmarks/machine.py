"""Where and with what a figure was measured."""

import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

# What decides how fast small floats are.
_FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16")
ROOT = Path(__file__).parents[1]
# Which change while the parts run.
_RESULTS = (":!benchmarks/results", ":!docs/benchmarks.md")
_PACKAGES = ("tensorflow", "keras", "numpy")


def describe():
    """Device, versions, commit and date: a dict of JSON-able values."""
    return {
        "device": {**_cpu(), "gpus": _gpus()},
        "versions": {"python": platform.python_version(), **{p: version(p) for p in _PACKAGES}},
        "commit": commit(ROOT),
        "uncommitted_changes": bool(_git(ROOT, "status", "--porcelain", "--", ".", *_RESULTS)),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def commit(checkout):
    """The commit of a checkout, or None where git knows none."""
    text = _git(checkout, "rev-parse", "HEAD")
    return text.strip() if text else None


def _cpu():
    fields = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        fields[name.strip()] = value.strip()
    flags = fields.get("flags", "").split()
    return {
        "cpu": fields.get("model name", platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "flags": [flag for flag in _FLAGS if flag in flags],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
    }


def _gpus():
    import tensorflow as tf

    return [
        tf.config.experimental.get_device_details(device).get("device_name", device.name)
        for device in tf.config.list_physical_devices("GPU")
    ]


def _git(root, *arguments):
    """What git prints, or None where there is no git or no repository."""
    try:
        result = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout
