"""OASIS on masks in the layout of Pascal VOC, as CVAT exports them.

    python -m data_pipeline.build --dataset voc --source DIR --out data/voc
    python -m oasis_tf.train --dataset voc --data_dir data/voc --model_dir runs/voc

The settings are those of `folder`; nobody has published others.
"""

from dataclasses import replace

from oasis_tf.configs.folder import CONFIG as FOLDER

CONFIG = replace(FOLDER, dataset="voc")
