"""OASIS on COCO panoptic segments of anyone's categories.

    python -m data_pipeline.build --dataset coco_panoptic --source DIR --out data/coco_panoptic
    python -m oasis_tf.train --dataset coco_panoptic --data_dir data/coco_panoptic \\
        --model_dir runs/coco_panoptic

The settings are those of `folder`; nobody has published others.
"""

from dataclasses import replace

from oasis_tf.configs.folder import CONFIG as FOLDER

CONFIG = replace(FOLDER, dataset="coco_panoptic")
