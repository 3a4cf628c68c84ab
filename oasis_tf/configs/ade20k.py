"""OASIS on ADE20K (SceneParsing release) at 256x256, N = 151.

    python -m data_pipeline.build --dataset ade20k --source DIR --out data/ade20k
    python -m oasis_tf.train --dataset ade20k --data_dir data/ade20k --model_dir runs/ade20k

Published: FID 28.3, mIoU 48.8 (Sushko et al., ICLR 2021); of the outdoor pictures alone 48.6 and
40.4, by a list that was not published. To measure them, see docs/reproduce.md:

    python -m oasis_tf.evaluate --model runs/ade20k --data_dir data/ade20k --metrics fid,miou \\
        --segmenter keras_hub:segformer_b4_ade20k_512 --download_weights

Hardware the authors recommend: four V100 GPUs of 32 GB. 126,313 steps. Hours: not published; not
measured here yet.
"""

from oasis_tf.config import Config

CONFIG = Config(dataset="ade20k")
