"""OASIS on COCO-Stuff at 256x256, N = 183 (label + 1; 255 becomes 0).

    python -m data_pipeline.build --dataset coco_stuff --source DIR --out data/coco_stuff
    python -m oasis_tf.train --dataset coco_stuff --data_dir data/coco_stuff --model_dir runs/coco

Published: FID 17.0, mIoU 44.1 (as commonly quoted for Sushko et al., ICLR 2021). Hardware the
authors recommend: four GPUs of 32 GB. Hours: not published; not measured here yet.
"""

from oasis_tf.config import Config

CONFIG = Config(dataset="coco_stuff", epochs=100)
