#!/usr/bin/env bash
# TensorFlow 2.20.0 on an x86 CPU, where its oneDNN operations are on as they are by default.
# Behaviour: oneDNN's presence puts an allocator of regions before malloc, also for tensors that no
# operation of oneDNN touches. Its regions are never given back: 2 GB of tensors that were dropped
# stay resident for the life of the process, though they serve the next tensors. With
# TF_ENABLE_ONEDNN_OPTS=0 all of it goes back at malloc_trim.
# Guess before: memory of dropped tensors goes back, or waits for malloc_trim, with either setting.
# Seen: "oneDNN 1: 2122 MB held, 2122 MB stay", "oneDNN 0: 2049 MB held, 0 MB stay".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet tensorflow==2.20.0 "setuptools<81"
cat > "$work/tensors.py" <<'PY'
import ctypes
import gc
import os
import re

import tensorflow as tf


def resident():
    """MB, less what malloc has to give back."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    with open("/proc/self/status") as file:
        return int(re.search(r"VmRSS:\s*(\d+)", file.read())[1]) / 1e3


tf.random.normal([16])
before = resident()
tensors = [tf.random.normal([1 << 20]) for _ in range(500)]
held = resident() - before
del tensors
stay = resident() - before
on = os.environ["TF_ENABLE_ONEDNN_OPTS"]
print(f"oneDNN {on}: {held:.0f} MB held, {stay:.0f} MB stay")
assert held > 1900 and (stay > 1900 if on == "1" else stay < 100)
PY
for on in 1 0; do
  TF_ENABLE_ONEDNN_OPTS=$on TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" "$work/tensors.py"
done
