"""OASIS on ADE20K (SceneParsing release) at 256x256, N = 151.

    python -m data_pipeline.build --dataset ade20k --source DIR --out data/ade20k
    python -m oasis_tf.train --dataset ade20k --data_dir data/ade20k --model_dir runs/ade20k

Published: FID 28.3, mIoU 48.8 (Sushko et al., ICLR 2021). Hardware the authors recommend: four
GPUs of 32 GB. Hours: not published; not measured here yet.
"""

from oasis_tf.config import Config

CONFIG = Config(dataset="ade20k")
