"""Training step: both updates, both Adams and the average, one picture.

Ours runs as `oasis_tf.train` runs it, by `Trainer.train(1)`: drawing the noise and reading back
the losses are in it.
"""

import itertools

from benchmarks import labels, ours, plain, versions
from benchmarks.floor import floor, matmul_side, step_multiply_adds
from benchmarks.measure import in_a_process, interleave
from benchmarks.rows import FASTER, SLOWER, ratio
from oasis_tf.tf_setup import quick_graphs

PLAIN, FLOAT32, MIXED = "plain", "float32", "mixed_bfloat16"
# Our precisions, and that of the matrix product for the floor.
OURS = {FLOAT32: "float32", MIXED: "bfloat16"}
# Options of a training run, beside ours without them; the last one is none of its flags.
OPTIONS = ("share_pictures", "rematerialize", "jit_compile", "index_in_step")


def run(options):
    """Measures; returns rows."""
    few, many = options.classes
    rows = []
    for num_classes, target in ((few, 2.2), (many, 3.0)):
        # A process each, for the networks and Adams of both would fill 20 GB.
        seconds = in_a_process(_measure, num_classes, options)
        rows += [_beside_plain(num_classes, seconds, x, target, options) for x in OURS]
    both = {f"{n} classes": _key(FLOAT32, n) for n in (many, few)}
    what = f"{many} classes beside {few}, {FLOAT32}"
    rows.append(ratio(what, seconds, both, SLOWER, at_most=1.15))
    seconds = in_a_process(_measure_options, few, options)
    return [*rows, *(_beside_ours(few, seconds, option) for option in OPTIONS)]


def against(options):
    """Measures the other version; returns rows."""
    return [
        versions.timed(f"{n} classes, {x}", options, _our_side, n, x, options, _batches(n, options))
        for n in options.classes
        for x in OURS
    ]


def _key(name, num_classes):
    return name, f"{num_classes} classes"


def _measure(num_classes, options):
    """Seconds of all sides with so many classes, and of ours with few, to compare with."""
    quick_graphs()
    few, _ = options.classes
    batches = _batches(num_classes, options)
    sides = {_key(PLAIN, num_classes): _plain_side(num_classes, options, batches)}
    for precision in OURS:
        sides[_key(precision, num_classes)] = _our_side(num_classes, precision, options, batches)
    if num_classes != few:
        sides[_key(FLOAT32, few)] = _our_side(few, FLOAT32, options, _batches(few, options))
    sides.update(matmul_side(dtype, options.quick) for dtype in OURS.values())
    return interleave(sides, options.repeats)


def _measure_options(num_classes, options):
    """Seconds of ours in float32, and of ours with each option."""
    quick_graphs()
    batches = _batches(num_classes, options)
    sides = {
        _key(name, num_classes): _our_side(num_classes, name, options, batches)
        for name in (FLOAT32, *OPTIONS)
    }
    return interleave(sides, options.repeats)


def _batches(num_classes, options):
    recorded = labels.recorded(options.records, options.repeats)
    # Ids are folded into the range: what counts here is how wide the networks are.
    return [
        {"image": b["image"].numpy(), "label_map": b["label_map"].numpy() % num_classes}
        for b in recorded
    ]


def _plain_side(num_classes, options, batches):
    training = plain.Training(num_classes, **options.widths)
    stream = itertools.cycle(batches)

    def side():
        batch = next(stream)
        return [float(loss) for loss in training.step(batch["image"], batch["label_map"])]

    return side


def _our_side(num_classes, name, options, batches):
    quick_graphs()
    chosen = {name: True} if name in OPTIONS else {"precision": name}
    trainer = ours.trainer(num_classes, batches, options.widths, **chosen)
    return lambda: trainer.train(1)


def _beside_plain(num_classes, seconds, precision, target, options):
    maps = [b["label_map"] for b in _batches(num_classes, options)]
    counts = [labels.count_patches(x) for x in maps]
    operations = [step_multiply_adds(c, num_classes, **options.widths) for c in counts]
    return ratio(
        f"{num_classes} classes, {precision}",
        seconds,
        {"plain": _key(PLAIN, num_classes), "ours": _key(precision, num_classes)},
        FASTER,
        at_least=target if precision == FLOAT32 else None,
        floor=floor(operations, seconds, OURS[precision], options.quick),
        distinct_patches=labels.shares(counts, maps[0].shape[1:]),
    )


def _beside_ours(num_classes, seconds, option):
    sides = {option: _key(option, num_classes), "ours": _key(FLOAT32, num_classes)}
    what = "the patch index in the step" if option == "index_in_step" else f"--{option}"
    return ratio(f"{num_classes} classes, {FLOAT32}, {what}", seconds, sides, SLOWER)
