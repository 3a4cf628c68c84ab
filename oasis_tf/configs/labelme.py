"""OASIS on a folder of labelme's JSON files.

    python -m data_pipeline.build --dataset labelme --source DIR --out data/labelme
    python -m oasis_tf.train --dataset labelme --data_dir data/labelme --model_dir runs/labelme

The settings are those of `folder`; nobody has published others.
"""

from dataclasses import replace

from oasis_tf.configs.folder import CONFIG as FOLDER

CONFIG = replace(FOLDER, dataset="labelme")
