"""OASIS on anyone's pictures and label maps, with ADE20K's settings.

    python -m data_pipeline.build --dataset folder --source DIR --out data/mine
    python -m oasis_tf.train --dataset folder --data_dir data/mine --model_dir runs/mine

The average warms up with the run, so that a short one on a few hundred pictures has one that has
learnt (`oasis_tf/training/ema.py`).
"""

from oasis_tf.config import Config

CONFIG = Config(dataset="folder")
