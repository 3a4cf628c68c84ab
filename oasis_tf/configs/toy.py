"""The toy twin of a preset: the same method, small enough for two CPU cores and minutes.

Where it differs from the paper, and why (measured with the judge of `make train`, one seed each):

- Narrow networks, 64x64 pictures, batches of 4: for speed. At 4 pictures a batch twice as many updates
  fit into a minute as at 8 (mIoU 0.48 beside 0.43).
- Learning rates of 1e-3: with the paper's the pictures are streaks after so few steps.
- Initial weights with gain 1, but SPADE's with the paper's 0.02. The larger start lets all other layers
  work from the first step on (everything at 0.02: 0.14). In SPADE it does harm: there the zeros beyond
  the border of the picture look like a class of its own, at each of six resolutions, and batch norm
  lifts what is left. An untrained generator shows it: its picture of one class and one noise vector,
  which nothing but the border can vary, is far from flat. That is where a coloured frame and a grid of
  fine lines come from.
- An average over about 200 steps, which is what a quarter of the run is.
"""

import dataclasses


def toy(config):
    """The twin of `config`: a `Config` that trains in minutes."""
    return dataclasses.replace(
        config,
        batch_size=4,
        steps=800,
        generator_lr=1e-3,
        discriminator_lr=1e-3,
        ema_decay=0.995,
        generator_channels=8,
        discriminator_channels=16,
        spade_channels=32,
        init_gain=1.0,
        spade_gain=0.02,
        evaluate_every=400,
        pictures_every=400,
        checkpoint_every=200,
    )
