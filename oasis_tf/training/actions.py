"""What happens between steps: the live line, the pictures, the histograms."""

import sys
import time

import tensorflow as tf

from oasis_tf.console import say
from oasis_tf.images import save_png, titled_grid, to_uint8
from oasis_tf.training.randomness import Purpose, step_noise


class Progress:
    """A live line with step, pictures per second, losses and the time left.

    On a terminal the line is rewritten in place; into a file it is printed every ten seconds.
    The first exploding gradient of each network gets a line of warning; later ones are counted.

    Args:
        global_step: int64 variable.
        total: steps of the whole run.
    """

    _EVERY_SECONDS = 10
    _NAMES = (
        ("loss/generator", "G"),
        ("loss/discriminator_fake", "D fake"),
        ("loss/discriminator_real", "D real"),
        ("loss/labelmix", "LabelMix"),
    )

    def __init__(self, global_step, total):
        self._global_step = global_step
        self._total = total
        self._live = sys.stderr.isatty()
        self._begin = (time.monotonic(), int(global_step.numpy()))
        self._printed = float("-inf")
        self._line_open = False
        self._explosions = {}

    def __call__(self, output, explosions=()):
        """Prints the line, if it is due.

        Args:
            output, explosions: as `Trainer.train` returns them.
        """
        for explosion in explosions:
            self._tell(*explosion)
        step, now = int(self._global_step.numpy()), time.monotonic()
        due = now - self._printed >= self._EVERY_SECONDS or step >= self._total
        if not (self._live or due):
            return
        self._printed = now
        elapsed, done = now - self._begin[0], step - self._begin[1]
        left = _duration((self._total - step) * elapsed / max(done, 1))
        parts = [f"{label} {output[name]:.3f}" for name, label in self._NAMES]
        parts += [f"{network} exploded {n}x" for network, n in self._explosions.items()]
        line = (
            f"step {step}/{self._total}  {output['images_per_second']:.1f} images/s  "
            f"{'  '.join(parts)}  {left} left"
        )
        # Erase to the end of the line, for the next line may be shorter.
        say(f"\r{line}\033[K" if self._live else line, end="")
        self._line_open = True
        if not self._live or step >= self._total:
            self.close()

    def _tell(self, network, step, norm, multiple):
        self._explosions[network] = self._explosions.get(network, 0) + 1
        if self._explosions[network] == 1:
            self.close()
            say(
                f"warning: the gradient of the {network} has the norm {norm:.3g} at step {step}, "
                f"{multiple:.3g} times its running norm (docs/training_start.md)"
            )

    def close(self):
        """Ends the line, so that what is printed next has one of its own."""
        if self._line_open:
            say("")
        self._line_open = False


class Pictures:
    """Draws fixed validation label maps into a PNG grid and into TensorBoard.

    Args:
        generator: the `Generator` in training.
        ema_generator: the averaged one.
        samples: function giving a dict of arrays, `image` float (n, H, W, 3) in [-1, 1] and
            `label_map` int (n, H, W); called once, when the first grid is due.
        palette: uint8 (N, 3).
        directory: Path, for the PNG files.
        writer: function giving the TensorBoard writer.
        seed: int, of the noise, the same every time.
    """

    def __init__(self, generator, ema_generator, samples, *, palette, directory, writer, seed):
        self._generators = (generator, ema_generator)
        self._read_samples = samples
        self._samples = None
        self._palette = palette
        self._directory = directory
        self._writer = writer
        self._seed = seed

    def __call__(self, step):
        """Draws; the averaged generator's statistics must be its own by now.

        Returns:
            The path of the PNG file.
        """
        if self._samples is None:
            self._samples = self._read_samples()
        label_map = self._samples["label_map"]
        shape = (len(label_map), self._generators[0].noise_channels)
        noise = step_noise(shape, self._seed, 0, Purpose.VALIDATION)
        # Without a graph: two pictures' worth of operations are quicker than building it twice.
        drawn = [to_uint8(g(label_map, noise)) for g in self._generators]
        given = [self._palette[label_map], to_uint8(self._samples["image"])]
        grid = titled_grid([*given, *drawn])
        self._directory.mkdir(exist_ok=True)
        path = self._directory / f"step_{step:07d}.png"
        save_png(path, grid)
        with self._writer().as_default():
            tf.summary.image("labels | photograph | generated | averaged", grid[None], step=step)
        return path


class Histograms:
    """Writes histograms of all weights to TensorBoard.

    Args:
        models: dict from names to Keras models.
        writer: function giving the TensorBoard writer.
    """

    def __init__(self, models, writer):
        self._models = models
        self._writer = writer

    def __call__(self, step):
        with self._writer().as_default():
            for name, model in self._models.items():
                for i, variable in enumerate(model.trainable_variables):
                    label = f"{name}/{i:03d}_{variable.path}"
                    tf.summary.histogram(label, variable.value, step=step)


def _duration(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
