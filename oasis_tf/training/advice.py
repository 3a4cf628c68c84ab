"""What to say of a run's length: how long it is, whether it is too short, whether it takes hours.

Pure functions from numbers to lines; nothing of TensorFlow.
"""

from oasis_tf.configs.toy import toy

FEW_STEPS = 1000
LONG_HOURS = 2


def length(steps, examples, batch_size, devices):
    """The run in a line.

    Args:
        steps: of the whole run.
        examples: training pictures.
        batch_size: pictures of a step.
        devices: names, as from `devices.device_names`.

    >>> length(840, 600, 4, ["CPU"])
    '840 steps = 5.6 epochs on CPU'
    >>> length(63000, 20210, 32, ["A100", "A100"])
    '63,000 steps = 99.8 epochs on 2 x A100'
    """
    epochs = steps * batch_size / examples
    counts = {name: devices.count(name) for name in devices}
    where = ", ".join(name if n == 1 else f"{n} x {name}" for name, n in counts.items())
    return f"{steps:,} steps = {epochs:,.1f} epochs on {where}"


def warnings(config, examples):
    """Why a run would end before it has learnt much: list of lines, empty if it would not.

    A run that begins with the weights of another one may be as short as it likes.

    Args:
        config: `oasis_tf.config.Config`.
        examples: training pictures.
    """
    steps = config.total_steps(examples)
    if config.init_from is not None:
        return []
    lines = []
    if steps < FEW_STEPS and config.generator_lr < toy(config).generator_lr:
        lines.append(
            f"{steps:,} steps are too few for a learning rate of {config.generator_lr:g}: after "
            "500 pictures are mush, by 2,000 they take shape (docs/training_start.md). --toy is "
            f"the preset that learns in few steps; --steps {2 * FEW_STEPS} makes this run longer"
        )
    untrained = config.ema_decay**steps
    if config.start == "released" and untrained > 0.5:
        lines.append(
            f"after {steps:,} steps with --start released and --ema_decay {config.ema_decay:g} "
            f"{untrained:.0%} of the averaged generator are still its untrained weights; "
            "--start guarded lets the average warm up"
        )
    return lines


def long_run(seconds_left):
    """A line for a run on a CPU that takes long, or None.

    Args:
        seconds_left: of the whole run, at the speed so far.

    >>> long_run(37.2 * 3600).split(";")[0]
    'about 37 hours at this speed'
    """
    hours = seconds_left / 3600
    if hours <= LONG_HOURS:
        return None
    return (
        f"about {hours:,.0f} hours at this speed; on a CPU, --toy takes minutes, and narrower "
        "networks (--base_channels), smaller batches and smaller records shorten a run. Ctrl-C "
        "saves it"
    )
