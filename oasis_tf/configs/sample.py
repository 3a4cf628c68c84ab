"""OASIS on the project's own sample data set, N = 34: what `make train` trains, with `--toy`.

    python -m data_pipeline.sample --out data/sample
    python -m data_pipeline.build --dataset sample --source data/sample --out data/sample_64 \\
        --image_size 64 64
    python -m oasis_tf.train --dataset sample --data_dir data/sample_64 \\
        --model_dir runs/sample --toy

The settings are those of LVIS, whose layout and sparse labels it has. With --toy: minutes on two
CPU cores; what each part of the method is worth here is measured in docs/claims.md.
"""

from oasis_tf.config import Config

CONFIG = Config(dataset="sample", epochs=100)
