"""OASIS on COCO-Stuff at 256x256, N = 183 (label + 1; 255 becomes 0).

    python -m data_pipeline.build --dataset coco_stuff --source DIR --out data/coco_stuff
    python -m oasis_tf.train --dataset coco_stuff --data_dir data/coco_stuff --model_dir runs/coco

Published: FID 17.0, mIoU 44.1 (as commonly quoted for Sushko et al., ICLR 2021); mIoU by DeepLabV2,
for which keras-hub has no stand-in. To measure them, see docs/reproduce.md:

    python -m oasis_tf.evaluate --model runs/coco --data_dir data/coco_stuff --metrics fid \\
        --download_weights

Hardware the authors recommend: four V100 GPUs of 32 GB. 369,647 steps. Hours: not published; not
measured here yet.
"""

from oasis_tf.config import Config

CONFIG = Config(dataset="coco_stuff", epochs=100)
