"""Generator: one picture, in evaluation.

Recorded label maps and two worst cases: an independent label at every pixel, one single class.
All sides hold the same weights, with batch statistics estimated on the recorded maps, so that
their pictures can be compared.
"""

import itertools

import numpy as np
import tensorflow as tf

from benchmarks import labels, plain, versions
from benchmarks.floor import floor, generator_multiply_adds, matmul_side
from benchmarks.measure import interleave, say
from benchmarks.rows import FASTER, SLOWER, ratio, row
from oasis_tf.models.generator import Generator
from oasis_tf.training.ema import StatisticsEstimator

# Sides; the baseline is float32.
PLAIN, FLOAT32, BFLOAT16 = "plain", "float32", "bfloat16"
OURS = (FLOAT32, BFLOAT16)
RECORDED, RANDOM, SINGLE = "recorded maps", "random labels", "one class"
# On recorded maps, (precision, few = 0 or many = 1 classes): at least so many times faster.
TARGETS = {(FLOAT32, 0): 2.6, (BFLOAT16, 0): 4.5, (FLOAT32, 1): 4.0}
# Passes over the recorded maps.
STATISTICS_ROUNDS = 2


def run(options):
    """Measures; returns rows."""
    recorded = [b["label_map"] for b in labels.recorded(options.records, options.repeats)]
    noise = tf.random.stateless_normal((1, options.widths["noise_channels"]), (0, 0))
    maps, sides, draws = {}, {}, {}
    for num_classes in options.classes:
        # Ids are folded into the range: what counts here is how wide the networks are.
        maps[num_classes, RECORDED] = [x % num_classes for x in recorded]
        maps[num_classes, RANDOM] = labels.random_maps(recorded, num_classes)
        maps[num_classes, SINGLE] = labels.single_class(recorded)
        networks = _networks(num_classes, maps[num_classes, RECORDED], options)
        for name, network in networks.items():
            draws[name, num_classes] = draw = _graph(network)
            for case in (RECORDED, RANDOM, SINGLE):
                stream = itertools.cycle(maps[num_classes, case])
                sides[_key(name, num_classes, case)] = _side(draw, stream, noise)
    sides.update(matmul_side(precision, options.quick) for precision in OURS)
    seconds = interleave(sides, options.repeats)
    rows = [
        _beside_plain(options, seconds, precision, num_classes, case, batches)
        for (num_classes, case), batches in maps.items()
        for precision in OURS
    ]
    rows += _many_beside_few(options.classes, seconds)
    for n in options.classes:
        label_map = maps[n, RECORDED][0]
        pictures = {x: draws[x, n](label_map, noise).numpy() for x in (PLAIN, *OURS)}
        rows += _differences(n, pictures)
    return rows


def against(options):
    """Measures the other version on recorded maps; returns rows."""
    recorded = [b["label_map"] for b in labels.recorded(options.records, options.repeats)]
    return [
        versions.timed(
            f"{n} classes, {RECORDED}, {precision}",
            options,
            _one_side,
            n,
            policy,
            [x.numpy() % n for x in recorded],
            options,
        )
        for n in options.classes
        for precision, policy in ((FLOAT32, "float32"), (BFLOAT16, "mixed_bfloat16"))
    ]


def _one_side(num_classes, policy, maps, options):
    noise = tf.zeros((1, options.widths["noise_channels"]))
    network = Generator(num_classes, gain=1.0, dtype=policy, **options.widths)
    return _side(_graph(network), itertools.cycle([tf.constant(x) for x in maps]), noise)


def _key(name, num_classes, case):
    return name, f"{num_classes} classes", case


def _networks(num_classes, maps, options):
    """All sides with the same weights: dict from names to models."""

    def ours(policy):
        # A gain of 1 gives pictures with contrast; from the released 0.02 all are grey and alike.
        return Generator(num_classes, gain=1.0, dtype=policy, **options.widths)

    full, half = ours("float32"), ours("mixed_bfloat16")
    say(f"{num_classes} classes: estimating batch statistics")
    StatisticsEstimator(full, seed=0)(maps if options.quick else STATISTICS_ROUNDS * maps)
    half.set_weights(full.get_weights())
    base = plain.Generator(num_classes, **options.widths)
    plain.copy_weights(full, base)
    return {PLAIN: base, FLOAT32: full, BFLOAT16: half}


def _graph(network):
    # One graph serves all label maps.
    return tf.function(lambda label_map, noise: network(label_map, noise), autograph=False)


def _side(draw, maps, noise):
    return lambda: draw(next(maps), noise).numpy()


def _beside_plain(options, seconds, precision, num_classes, case, maps):
    counts = [labels.count_patches(x) for x in maps]
    operations = [generator_multiply_adds(count, **options.widths) for count in counts]
    what = f"{num_classes} classes, {case}, {precision}"
    base = {"plain": _key(PLAIN, num_classes, case)}
    ours = {"ours": _key(precision, num_classes, case)}
    details = dict(
        floor=floor(operations, seconds, precision, options.quick),
        distinct_patches=labels.shares(counts, maps[0].shape[1:]),
    )
    if case == RANDOM:
        bound = 1.15 if precision == FLOAT32 else None
        return ratio(what, seconds, {**ours, **base}, SLOWER, at_most=bound, **details)
    width = options.classes.index(num_classes)
    target = TARGETS.get((precision, width)) if case == RECORDED else None
    return ratio(what, seconds, {**base, **ours}, FASTER, at_least=target, **details)


def _many_beside_few(classes, seconds):
    few, many = classes
    return [
        ratio(
            f"{many} classes beside {few}, {precision}",
            seconds,
            {f"{n} classes": _key(precision, n, RECORDED) for n in (many, few)},
            SLOWER,
            at_most=bound,
        )
        for precision, bound in ((FLOAT32, 1.1), (BFLOAT16, None))
    ]


def _differences(num_classes, pictures):
    """How far the pictures of the sides lie apart, in [-1, 1]."""
    spread = {"standard deviation of a picture": (float(pictures[PLAIN].std()), "")}
    names = {PLAIN: "plain", FLOAT32: "ours float32", BFLOAT16: "ours bfloat16"}
    return [
        row(
            f"{num_classes} classes, pictures of {names[a]} and {names[b]}",
            np.abs(pictures[a] - pictures[b]).mean(),
            "mean absolute difference",
            spread,
            at_most=bound,
        )
        for a, b, bound in (
            (FLOAT32, PLAIN, None),
            (BFLOAT16, FLOAT32, None),
            (BFLOAT16, PLAIN, 0.02),
        )
    ]
