"""OASIS on anyone's pictures and label maps, with ADE20K's settings.

    python -m data_pipeline.build --dataset folder --source DIR --out data/mine
    python -m oasis_tf.train --dataset folder --data_dir data/mine --model_dir runs/mine

For a set of a few hundred pictures a shorter average (`--ema_decay 0.999`) pays, for it has to
forget the start within the run.
"""

from oasis_tf.config import Config

CONFIG = Config(dataset="folder")
