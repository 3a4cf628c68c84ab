"""OASIS on Mapillary Vistas.

    python -m data_pipeline.build --dataset mapillary --source DIR --out data/mapillary
    python -m oasis_tf.train --dataset mapillary --data_dir data/mapillary \\
        --model_dir runs/mapillary

The settings are those of `folder`; nobody has published others.
"""

from dataclasses import replace

from oasis_tf.configs.folder import CONFIG as FOLDER

CONFIG = replace(FOLDER, dataset="mapillary")
