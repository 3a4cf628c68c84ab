"""OASIS on LVIS v1 at 256x256: sparse labels, 1203 classes with a long tail.

    python -m data_pipeline.build --dataset lvis --source DIR --out data/lvis
    python -m oasis_tf.train --dataset lvis --data_dir data/lvis --model_dir runs/lvis

Sushko et al., IJCV 2022, evaluate on LVIS; N = 1204: the category id, 0 = unlabelled, later
annotations over earlier ones. The settings are those of COCO-Stuff, as in the authors' branch.
To measure a run, with mIoU by frequency, which is a definition of this project:

    python -m oasis_tf.train_segmenter --data_dir data/lvis --out runs/lvis_segmenter
    python -m oasis_tf.evaluate --model runs/lvis --data_dir data/lvis --metrics fid,miou \\
        --segmenter runs/lvis_segmenter --download_weights

Hardware they recommend for such runs: four V100 GPUs of 32 GB. 313,032 steps. Hours and scores: not
published in a form we could read, and not measured here yet.
"""

from oasis_tf.config import Config

CONFIG = Config(dataset="lvis", epochs=100)
