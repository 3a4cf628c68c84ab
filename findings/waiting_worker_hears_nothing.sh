#!/usr/bin/env bash
# TensorFlow 2.20.0, one worker of two that waits in MultiWorkerMirroredStrategy() for the other.
# Behaviour: Python's lock is held as long as it waits, so that no other thread of the process runs,
# and SIGTERM, which TensorFlow takes for itself, ends nothing: neither a handler that Python had
# before nor the signal's default action. SIGKILL ends the process.
# Guess before: the wait lets other threads run, as TensorFlow's other calls do.
# Seen: "ticks after 8 seconds of waiting: 0" (or 1, the first), "alive after SIGTERM: True".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet tensorflow==2.20.0 "setuptools<81"
cat > "$work/worker.py" <<'PY'
import json
import os
import threading
import time

workers = [f"127.0.0.1:{port}" for port in (34567, 34568)]
os.environ["TF_CONFIG"] = json.dumps(
    {"cluster": {"worker": workers}, "task": {"type": "worker", "index": 1}}
)
import tensorflow as tf


def tick():
    while True:
        print("tick", flush=True)
        time.sleep(1)


print("begin", flush=True)
threading.Thread(target=tick, daemon=True).start()
tf.distribute.MultiWorkerMirroredStrategy()
PY
cat > "$work/watch.py" <<'PY'
import subprocess
import sys
import threading
import time

command = [sys.executable, sys.argv[1]]
process = subprocess.Popen(
    command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
)
lines = []
threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True).start()
while "begin\n" not in lines:
    assert process.poll() is None
    time.sleep(0.1)
time.sleep(8)
ticks = lines.count("tick\n")
process.terminate()
time.sleep(8)
alive = process.poll() is None
process.kill()
process.wait()
print(f"ticks after 8 seconds of waiting: {ticks}")
print(f"alive after SIGTERM: {alive}")
assert ticks <= 2 and alive, "the behaviour has changed"
PY
"$work/venv/bin/python" "$work/watch.py" "$work/worker.py"
