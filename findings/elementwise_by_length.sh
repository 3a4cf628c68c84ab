#!/usr/bin/env bash
# TensorFlow 2.20.0, CPU: the same float32 has another logarithm, exponential, cosine or sine alone
# than among 64, by a unit in the last place. Vectorised code works on whole packets of numbers,
# other code on the rest, and they round differently. Square root, tanh and erf are not concerned.
#
# So a picture's numbers depend on the size of its batch where these functions are involved, and
# noise "of seed s" would differ alone and in a batch. In float64, rounded to float32 afterwards,
# nothing is left of it; that is how this project draws its noise.
#
# Seen with tensorflow-cpu 2.20.0 on x86-64 with AVX-512, values of 64 that differ:
#   log 7, cos 14, sin 7, exp 6; sqrt 0, tanh 0, erf 0; log, cos and sin by way of float64: 0
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "tensorflow-cpu==2.20.0"
TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).uniform(0.001, 6, 64).astype(np.float32)


def differing(function):
    together = function(tf.constant(x)).numpy()
    alone = np.concatenate([function(tf.constant(x[i : i + 1])).numpy() for i in range(64)])
    return int((together != alone).sum())


def by_float64(function):
    return lambda x: tf.cast(function(tf.cast(x, tf.float64)), tf.float32)


vectorised = {f.__name__: f for f in (tf.math.log, tf.cos, tf.sin, tf.exp)}
others = {f.__name__: f for f in (tf.sqrt, tf.tanh, tf.math.erf)}
others |= {f"{name} by way of float64": by_float64(f) for name, f in vectorised.items()}
print("tensorflow", tf.__version__)
found = {name: differing(f) for name, f in {**vectorised, **others}.items()}
for name, count in found.items():
    print(f"{name}: {count} of 64 differ")
sys.exit(not (all(found[n] for n in vectorised) and not any(found[n] for n in others)))
PYTHON
echo "as written above"
