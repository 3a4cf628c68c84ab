"""Memory: the peak of two training steps, each side in a process of its own.

On two pictures unless said otherwise. The peak is the resident memory of the process, Python,
TensorFlow and weights included. The worst case of the generator, an independent label at every
pixel, is in it too.
"""

import itertools
import re
from pathlib import Path

from benchmarks import versions
from benchmarks.measure import in_a_process, say
from benchmarks.rows import row

PLAIN, OURS, AGAIN = "plain", "ours", "ours, rematerialised"
BATCH, STEPS = 2, 2


def run(options):
    """Measures; returns rows."""
    few, many = options.classes
    found = {}
    for task, num_classes, side in [
        *itertools.product((training_step, random_labels), options.classes, (PLAIN, OURS)),
        *((training_step, num_classes, AGAIN) for num_classes in options.classes),
        *((one_picture, few, side) for side in (PLAIN, OURS, AGAIN)),
        (one_channel, few, OURS),
    ]:
        before, peak = in_a_process(_measure, task, side, num_classes, options)
        found[task, num_classes, side] = before, peak
        say(f"{task.__name__}, {num_classes} classes, {side}: {before:.2f}, then {peak:.2f} GB")

    def beside(what, sides, bound=None):
        first, second = (found[key][1] for key in sides.values())
        peaks = {name: (found[key][1], "GB") for name, key in sides.items()}
        before = {name: found[key][0] for name, key in sides.items()}
        return row(what, first / second, "x the memory", peaks, at_most=bound, gb_before=before)

    def ours_beside_plain(what, task, num_classes, bound=None):
        sides = {side: (task, num_classes, side) for side in (OURS, PLAIN)}
        return beside(f"{what}, {num_classes} classes", sides, bound)

    def again_beside_ours(what, task, num_classes):
        sides = {side: (task, num_classes, side) for side in (AGAIN, OURS)}
        return beside(f"{what}, {num_classes} classes, --rematerialize", sides)

    return [
        ours_beside_plain("training step", training_step, few),
        ours_beside_plain("training step", training_step, many, 0.45),
        beside(
            f"training step, {many} classes beside {few}, ours",
            {f"{n} classes": (training_step, n, OURS) for n in (many, few)},
            1.15,
        ),
        again_beside_ours("training step", training_step, few),
        again_beside_ours("training step", training_step, many),
        ours_beside_plain("training step on one picture", one_picture, few),
        again_beside_ours("training step on one picture", one_picture, few),
        beside(
            f"training step on one picture, {few} classes, networks one channel wide",
            {"one channel": (one_channel, few, OURS), OURS: (one_picture, few, OURS)},
        ),
        ours_beside_plain("generator on random labels", random_labels, few),
        ours_beside_plain("generator on random labels", random_labels, many),
    ]


def against(options):
    """Measures training steps of the other version; returns rows."""
    rows = []
    for n in options.classes:
        batches = _batches(n, options)
        peaks = {}
        for name, checkout in versions.checkouts(options).items():
            with versions.process_of(checkout) as process:
                arguments = training_step, OURS, n, options, batches
                peaks[name] = process.submit(_measure, *arguments).result()[1], "GB"
            say(f"{n} classes, {name}: {peaks[name][0]:.2f} GB")
        (there, _), (here, _) = peaks.values()
        rows.append(row(f"training step, {n} classes", here / there, "x the memory", peaks))
    return rows


def training_step(side, num_classes, options, batches=None, **widths):
    """Builds a side; returns a function that makes the steps."""
    from benchmarks import ours, plain
    from oasis_tf.tf_setup import quick_graphs

    quick_graphs()
    batches = batches or _batches(num_classes, options)
    widths = {**options.widths, **widths}
    if side == PLAIN:
        training = plain.Training(num_classes, **widths)
        return lambda: [training.step(b["image"], b["label_map"]) for b in batches]
    trainer = ours.trainer(num_classes, batches, widths, rematerialize=side == AGAIN)
    return lambda: trainer.train(STEPS)


def one_picture(side, num_classes, options, **widths):
    """The same with batches of one picture."""
    batches = _batches(num_classes, options, batch_size=1)
    return training_step(side, num_classes, options, batches, **widths)


def one_channel(side, num_classes, options):
    """The same with networks whose weights are next to nothing: TensorFlow and the step's graph."""
    return one_picture(side, num_classes, options, base_channels=1, hidden=1)


def _batches(num_classes, options, batch_size=BATCH):
    from benchmarks import labels

    return [
        {"image": b["image"].numpy(), "label_map": b["label_map"].numpy() % num_classes}
        for b in labels.recorded(options.records, STEPS, batch_size=batch_size)
    ]


def random_labels(side, num_classes, options):
    """Builds a side; returns a function that draws one picture, twice."""
    import tensorflow as tf

    from benchmarks import labels, plain
    from oasis_tf.models.generator import Generator

    like = labels.recorded(options.records, 1)[0]["label_map"]
    (label_map,) = labels.random_maps([like], num_classes)
    network = (Generator if side == OURS else plain.Generator)(num_classes, **options.widths)
    noise = tf.zeros((1, options.widths["noise_channels"]))
    draw = tf.function(lambda *inputs: network(*inputs), autograph=False)
    return lambda: [draw(label_map, noise).numpy() for _ in range(STEPS)]


def _measure(task, side, num_classes, options, *inputs):
    """(resident memory when all is built, peak when all is done), in GB."""
    go = task(side, num_classes, options, *inputs)
    before = _status("VmRSS")
    go()
    # Not getrusage: its maximum outlives exec, so that it may be the parent's.
    return before, _status("VmHWM")


def _status(name):
    text = Path("/proc/self/status").read_text()
    return int(re.search(rf"{name}:\s*(\d+) kB", text)[1]) * 1024 / 1e9
