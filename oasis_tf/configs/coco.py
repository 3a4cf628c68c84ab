"""OASIS on COCO instances of anyone's categories: CVAT, Label Studio, Roboflow, COCO itself.

    python -m data_pipeline.build --dataset coco --source DIR --out data/coco
    python -m oasis_tf.train --dataset coco --data_dir data/coco --model_dir runs/coco

The settings are those of `folder`; nobody has published others.
"""

from dataclasses import replace

from oasis_tf.configs.folder import CONFIG as FOLDER

CONFIG = replace(FOLDER, dataset="coco")
