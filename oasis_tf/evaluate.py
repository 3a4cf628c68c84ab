"""Evaluates a model: `python -m oasis_tf.evaluate --model PATH --data_dir DIR --metrics LIST`."""

import argparse
import json
import sys
from pathlib import Path

from oasis_tf.cli import add_model_argument, run
from oasis_tf.config import FEATURES
from oasis_tf.evaluation.protocols import PROTOCOLS, choose_protocol
from oasis_tf.tf_setup import quiet_log

_METRICS = "fid,kid,miou,ms_ssim,lpips,colour,texture"


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.evaluate",
        description="Compares generated pictures with photographs, by a named protocol. Running "
        "the same command again goes on where it was interrupted.",
    )
    add_model_argument(parser)
    add = parser.add_argument
    add("--data_dir", required=True, type=Path, metavar="DIR", help="the records")
    add("--metrics", default=_METRICS, help="with commas between; default: %(default)s")
    add("--protocol", choices=PROTOCOLS, help="default: that of the data set")
    add("--segmenter", metavar="PATH", help="what mIoU is judged by; see docs/evaluation.md")
    add(
        "--features",
        choices=FEATURES,
        default=FEATURES[0],
        help="whose features fid and kid compare: Inception's, or those of the --segmenter, which "
        "need no download and compare only with themselves; default: %(default)s",
    )
    add("--weights_dir", type=Path, metavar="DIR", help="of the frozen networks' weights")
    add("--download_weights", action="store_true", help="fetch weights that are not there")
    add("--split", default="val", help="default: %(default)s")
    add("--seed", type=int, default=0, help="default: %(default)s")
    add(
        "--samples",
        type=int,
        default=20,
        help="pictures per label map for ms_ssim and lpips; default: %(default)s",
    )
    add(
        "--diversity_maps",
        type=int,
        metavar="N",
        help="label maps for ms_ssim and lpips; default: all",
    )
    add("--max_images", type=int, metavar="N", help="of the split; default: all")
    add("--out", type=Path, metavar="FILE", help="for the result, JSON")
    add("--report", type=Path, metavar="FILE", help="for a page with pictures, HTML")
    add("--cache_dir", type=Path, metavar="DIR", help="for what has been measured")
    return parser.parse_args(argv)


def main(argv=None):
    """Runs the command; returns the exit code."""
    return run(_evaluate, parse_arguments(argv))


def _evaluate(arguments):
    from data_pipeline.errors import DataError
    from data_pipeline.records.manifest import Manifest
    from oasis_tf.sampling.seeds import sample_seeds

    metrics = tuple(dict.fromkeys(name.strip() for name in arguments.metrics.split(",")))
    unknown = sorted(set(metrics) - set(_METRICS.split(",")))
    if unknown:
        raise DataError(f"--metrics must be some of {_METRICS}. Received: {', '.join(unknown)}")
    for name in ("samples", "diversity_maps", "max_images"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise DataError(f"--{name} must be 1 or more. Received: {value}")
    manifest = Manifest.read(arguments.data_dir)
    protocol = choose_protocol(arguments.protocol, manifest)
    if arguments.split not in manifest.splits:
        raise DataError(
            f"--split must be one of {', '.join(manifest.splits)}. Received: {arguments.split}"
        )
    sample_seeds(arguments.seed, manifest.splits[arguments.split].examples + arguments.samples)
    for path in (arguments.out, arguments.report):
        if path is not None and not path.absolute().parent.is_dir():
            raise DataError(f"{path} must be in a directory that exists")
    quiet_log()

    from data_pipeline.files import write_atomically
    from data_pipeline.reading.reader import READ_ERRORS, explain_read_error
    from oasis_tf.evaluation.evaluation import evaluate
    from oasis_tf.evaluation.scoring import Request
    from oasis_tf.metrics.frozen import weights_dir
    from oasis_tf.sampling.loading import load

    request = Request(
        metrics=metrics,
        protocol=protocol,
        split=arguments.split,
        features=arguments.features,
        seed=arguments.seed,
        samples=arguments.samples,
        diversity_maps=arguments.diversity_maps,
        max_images=arguments.max_images,
        segmenter=arguments.segmenter,
        weights_dir=weights_dir(arguments.weights_dir),
        download=arguments.download_weights,
    )
    cache_dir = arguments.cache_dir or weights_dir() / "evaluation"
    try:
        evaluation = evaluate(
            load(arguments.model), arguments.model, arguments.data_dir, request, cache_dir
        )
        if arguments.report:
            from oasis_tf.evaluation.report import report

            write_atomically(arguments.report, report(evaluation, arguments.data_dir))
    except READ_ERRORS as error:
        raise explain_read_error(arguments.data_dir, error) from error
    if arguments.out:
        write_atomically(arguments.out, json.dumps(evaluation.result, indent=1) + "\n")
    print(_table(evaluation.result))
    for name in ("out", "report"):
        if path := getattr(arguments, name):
            print(f"{name:<12} {path}")
    return 0 if any(metric["computed"] for metric in evaluation.result["metrics"].values()) else 1


def _table(result):
    """The result as lines to read."""
    data, protocol = result["data"], result["protocol"]
    height, width = data["image_size"]
    lines = [
        f"protocol     {protocol['name']}/{protocol['version']}",
        f"data         {data['dataset']}, {data['images']} of {data['images_in_split']} pictures "
        f"of {data['split']}, {height}x{width}",
        f"model        {result['model']['path']}, seed {result['seed']}",
        "",
    ]
    width = max(len(name) for name in ("protocol    ", *result["metrics"]))
    for name, metric in result["metrics"].items():
        if not metric["computed"]:
            lines.append(f"{name:<{width}} not computable: {metric['reason']}")
            continue
        value = f"{name:<{width}} {_number(metric['value']):<10}"
        lines.append(f"{value} {_details(name, metric)}".rstrip())
        for note in _notes(metric):
            lines.append(f"{'':<{len(value)}} {note}")
    return "\n".join(lines)


def _details(name, metric):
    if name == "miou":
        photographs = metric["of_photographs"]["miou"]
        rest = [
            f"pixel accuracy {_number(metric['pixel_accuracy'])}",
            f"{metric['classes_averaged']} classes",
            f"of photographs {_number(photographs)}",
            *(f"{key} {_number(g['miou'])}" for key, g in metric.get("groups", {}).items()),
        ]
    elif name == "lpips":
        rest = [
            f"{net}: global {_number(metric[net]['global'])}, local {_number(metric[net]['local'])}"
            for net in ("vgg", "alex")
            if net in metric
        ]
    elif name == "ms_ssim":
        rest = [f"local {_number(metric['local'])}", f"{metric['samples']} samples a label map"]
    elif name in ("colour", "texture"):
        rest = [
            "chi-square",
            f"mean of classes {_number(metric['mean_over_classes']['chi_square'])}",
        ]
        if "earth_movers" in metric["overall"]:
            rest.append(f"earth mover's {_number(metric['overall']['earth_movers'])}")
    else:
        rest = [f"{metric['real']} photographs, {metric['generated']} generated"]
    return ", ".join(rest)


def _notes(metric):
    if "network" in metric:
        network = metric["network"]
        yield f"{network['name']}, layer {network['layer']}, SHA-256 {network['sha256'][:16]}…"
        yield metric["about"]
    if "warning" in metric:
        yield metric["warning"]


def _number(value):
    return "-" if value is None else f"{value:.4g}"


if __name__ == "__main__":
    sys.exit(main())
