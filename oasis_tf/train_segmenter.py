"""Trains the segmenter that mIoU needs: `python -m oasis_tf.train_segmenter`."""

import argparse
import sys

from data_pipeline.paths import PathAction
from oasis_tf.cli import run
from oasis_tf.outputs import check_directory, check_files, make_directory
from oasis_tf.tf_setup import quiet_log


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.train_segmenter",
        description="Trains a small segmentation network on the real training pictures, so that "
        "mIoU means something on anyone's own data. Ctrl-C stops it and keeps what it has learnt.",
    )
    parser.add_argument(
        "--data_dir", required=True, action=PathAction, metavar="DIR", help="the records"
    )
    parser.add_argument(
        "--out", required=True, action=PathAction, metavar="DIR", help="for --segmenter"
    )
    parser.add_argument("--steps", type=int, default=2000, help="default: %(default)s")
    parser.add_argument("--batch_size", type=int, default=8, help="default: %(default)s")
    parser.add_argument(
        "--base_channels",
        type=int,
        default=32,
        help="width at full size; default: %(default)s",
    )
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    return parser.parse_args(argv)


def main(argv=None):
    """Runs the command; returns the exit code."""
    return run(_train, parse_arguments(argv))


def _train(arguments):
    from data_pipeline.errors import DataError
    from data_pipeline.records.manifest import Manifest

    for name in ("steps", "batch_size", "base_channels"):
        if getattr(arguments, name) < 1:
            raise DataError(f"--{name} must be 1 or more. Received: {getattr(arguments, name)}")
    manifest = Manifest.read(arguments.data_dir)
    if manifest.num_classes < 3:
        raise DataError(
            "a segmenter needs two classes or more, unlabelled apart. "
            f"Received: {', '.join(manifest.class_names)}"
        )
    check_directory(arguments.out)
    quiet_log()
    from data_pipeline.reading.reader import READ_ERRORS, explain_read_error, train_dataset
    from oasis_tf.keras_setup import keras
    from oasis_tf.segmenters.network import (
        BOTTLENECK,
        TrainingInterrupted,
        build_segmentation_network,
        train_segmentation_network,
    )
    from oasis_tf.segmenters.segmenter import (
        FILE_NAME,
        MODEL_NAME,
        load_segmenter,
        save_segmenter,
    )

    batches = train_dataset(
        arguments.data_dir, batch_size=arguments.batch_size, seed=arguments.seed
    )
    make_directory(arguments.out)
    check_files(arguments.out / MODEL_NAME, arguments.out / FILE_NAME)
    # Until the new one is complete there is none.
    (arguments.out / FILE_NAME).unlink(missing_ok=True)
    keras.utils.set_random_seed(arguments.seed)
    model = build_segmentation_network(manifest.num_classes - 1, arguments.base_channels)

    def save(steps):
        facts = {"features": BOTTLENECK, "steps": steps, "data": str(arguments.data_dir)}
        save_segmenter(arguments.out, model, manifest.class_names[1:], **facts)

    try:
        train_segmentation_network(model, batches, arguments.steps)
        save(arguments.steps)
        split = "val" if "val" in manifest.splits else "train"
        scores = _score(load_segmenter(arguments.out), arguments.data_dir, manifest, split)
    except TrainingInterrupted as stop:
        if not stop.steps:
            print(
                f"\ninterrupted before the first step; there is no segmenter in {arguments.out}",
                file=sys.stderr,
            )
            return 130
        save(stop.steps)
        print(
            f"\ninterrupted at step {stop.steps} of {arguments.steps}; what was learnt is kept",
            file=sys.stderr,
        )
        print(f"segmenter    {arguments.out}")
        return 130
    except ArithmeticError as error:
        raise DataError(str(error)) from None
    except READ_ERRORS as error:
        raise explain_read_error(arguments.data_dir, error) from error
    print(f"segmenter    {arguments.out}")
    print(
        f"on the photographs of {split}: mIoU {scores.miou:.3f}, "
        f"pixel accuracy {scores.pixel_accuracy:.3f} (labelled pixels)"
    )
    print(
        f"next         python -m oasis_tf.evaluate --model DIR --data_dir {arguments.data_dir} "
        f"--metrics miou --segmenter {arguments.out}"
    )
    return 0


def _score(segmenter, data_dir, manifest, split):
    from data_pipeline.reading.reader import eval_dataset
    from oasis_tf.metrics.confusion import Confusion, segmentation_scores

    table = segmenter.table(manifest.class_names)
    confusion = Confusion(manifest.num_classes)
    for batch in eval_dataset(data_dir, batch_size=1, split=split, as_bytes=True):
        predictions = segmenter(batch["image"].numpy(), table)
        confusion.update(batch["label_map"].numpy(), predictions)
    return segmentation_scores(confusion.counts)


if __name__ == "__main__":
    sys.exit(main())
