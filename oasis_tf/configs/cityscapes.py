"""OASIS on Cityscapes at 256x512, N = 35 (labelIds).

    python -m data_pipeline.build --dataset cityscapes --source DIR --out data/cityscapes
    python -m oasis_tf.train --dataset cityscapes --data_dir data/cityscapes --model_dir runs/city

Published: FID 47.7, mIoU 69.3 (Sushko et al., ICLR 2021); mIoU by DRN-D-105, whose public weights
users found to give another number. To measure them, see docs/reproduce.md:

    python -m oasis_tf.evaluate --model runs/city --data_dir data/cityscapes --metrics fid,miou \\
        --segmenter keras_hub:segformer_b5_cityscapes_1024 --download_weights

Hardware the authors recommend: four V100 GPUs of 32 GB. 29,750 steps. Hours: not published; not
measured here yet.
"""

from oasis_tf.config import Config

CONFIG = Config(
    dataset="cityscapes",
    image_size=(256, 512),
    batch_size=20,
    generator_lr=4e-4,
    labelmix_weight=5.0,
    ema_decay=0.999,
    evaluate_every=2500,
)
