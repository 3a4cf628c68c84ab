#!/usr/bin/env bash
# TensorFlow 2.20.0 on a CPU, eagerly: variables that are made and dropped at once.
# Behaviour: the name of a variable is part of the key under which TensorFlow keeps the kernel that
# made it. A variable of a new name takes several times as long to make, and 35 kB stay when it is
# gone, until tf.random.set_seed, of all things, empties the cache of kernels. Keras 3 numbers the
# layers of a process, so each network that is built there has names of its own.
# Guess before: a name costs nothing, and nothing stays of a variable that is gone.
# Seen: "one name: 58 us, 0 kB stay", "new names: 462 us, 36 kB stay", "after set_seed: 4 kB stay".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet tensorflow==2.20.0 "setuptools<81"
cat > "$work/variables.py" <<'PY'
import ctypes
import gc
import re
import time

import tensorflow as tf

COUNT = 10_000


def resident():
    """kB, less what malloc has to give back."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    with open("/proc/self/status") as file:
        return int(re.search(r"VmRSS:\s*(\d+)", file.read())[1])


def make(names):
    """(microseconds, kB that stay) of a variable."""
    before, start = resident(), time.perf_counter()
    for name in names:
        tf.Variable(0.0, name=name)
    seconds = time.perf_counter() - start
    return seconds / COUNT * 1e6, (resident() - before) / COUNT


make(["kernel"] * COUNT)
begin = resident()
time_of_one, kept_of_one = make(["kernel"] * COUNT)
time_of_new, kept_of_new = make([f"kernel_{i}" for i in range(COUNT)])
tf.random.set_seed(0)
kept_at_last = (resident() - begin) / COUNT
print(f"one name: {time_of_one:.0f} us, {kept_of_one:.0f} kB stay")
print(f"new names: {time_of_new:.0f} us, {kept_of_new:.0f} kB stay")
print(f"after set_seed: {kept_at_last:.0f} kB stay")
assert kept_of_one < 1 and 20 < kept_of_new < 60 and kept_at_last < 10
assert time_of_new > 3 * time_of_one
PY
TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" "$work/variables.py"
