"""Evaluates a model: `python -m oasis_tf.evaluate --model PATH --data_dir DIR --metrics LIST`."""

import argparse
import json
import sys

from data_pipeline.paths import PathAction
from oasis_tf.cli import add_model_argument, run
from oasis_tf.console import say
from oasis_tf.evaluation.metrics.features import FEATURES
from oasis_tf.evaluation.metrics.metric import in_short
from oasis_tf.evaluation.metrics.registry import METRICS
from oasis_tf.evaluation.protocols import PROTOCOLS, choose_protocol
from oasis_tf.metrics.frozen import weights_dir
from oasis_tf.model_path import local_model
from oasis_tf.outputs import check_directory, check_files
from oasis_tf.tf_setup import quiet_log


def parse_arguments(argv=None):
    """Parses the command line into an `argparse.Namespace`; exits with code 2 if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m oasis_tf.evaluate",
        description="Compares generated pictures with photographs, by a named protocol. Running "
        "the same command again goes on where it was interrupted.",
    )
    add_model_argument(parser)
    add = parser.add_argument
    add("--data_dir", required=True, action=PathAction, metavar="DIR", help="the records")
    add("--metrics", default=",".join(METRICS), help="with commas between; default: %(default)s")
    add("--protocol", choices=PROTOCOLS, help="default: that of the data set")
    add(
        "--segmenter",
        metavar="PATH",
        help="what miou, feature_diversity and --features segmenter are measured with; see "
        "docs/evaluation.md",
    )
    add(
        "--features",
        choices=tuple(FEATURES),
        default="inception",
        help="whose features fid and kid compare: Inception's, or those of the --segmenter, which "
        "need no download and compare only with themselves; default: %(default)s",
    )
    add("--weights_dir", action=PathAction, metavar="DIR", help="of the frozen networks' weights")
    add("--download_weights", action="store_true", help="fetch weights that are not there")
    add("--split", default="val", help="default: %(default)s")
    add("--seed", type=int, default=0, help="default: %(default)s")
    add(
        "--samples",
        type=int,
        default=20,
        help="pictures per label map for ms_ssim, lpips and feature_diversity; default: "
        "%(default)s",
    )
    add(
        "--diversity_maps",
        type=int,
        metavar="N",
        help="label maps for ms_ssim, lpips and feature_diversity; default: all",
    )
    add("--max_images", type=int, metavar="N", help="of the split; default: all")
    add("--out", action=PathAction, metavar="FILE", help="for the result, JSON")
    add("--report", action=PathAction, metavar="FILE", help="for a page with pictures, HTML")
    add("--cache_dir", action=PathAction, metavar="DIR", help="for what has been measured")
    return parser.parse_args(argv)


def main(argv=None):
    """Runs the command; returns the exit code."""
    return run(_evaluate, parse_arguments(argv))


def _evaluate(arguments):
    from data_pipeline.errors import DataError
    from data_pipeline.records.manifest import Manifest
    from oasis_tf.sampling.seeds import sample_seeds

    metrics = tuple(dict.fromkeys(name.strip() for name in arguments.metrics.split(",")))
    unknown = sorted(set(metrics) - set(METRICS))
    if unknown:
        raise DataError(
            f"--metrics must be some of {','.join(METRICS)}. Received: {', '.join(unknown)}"
        )
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
    outputs = []
    for flag, kind in (("out", ".json"), ("report", ".html")):
        path = getattr(arguments, flag)
        if path is None:
            continue
        if path.suffix.lower() in {".json", ".html"} - {kind}:
            raise DataError(f"--{flag} writes a {kind} file. Received: {path}")
        outputs.append(path)
    if len(outputs) == 2 and outputs[0].resolve() == outputs[1].resolve():
        raise DataError(f"--out and --report must be two files. Received: {outputs[0]} for both")
    check_files(*outputs)
    cache_dir = arguments.cache_dir or weights_dir() / "evaluation"
    check_directory(cache_dir, "--cache_dir")
    quiet_log()

    from data_pipeline.files import write_atomically
    from data_pipeline.reading.reader import READ_ERRORS, explain_read_error
    from oasis_tf.evaluation.evaluation import evaluate
    from oasis_tf.evaluation.request import Request
    from oasis_tf.sampling.loading import load

    request = Request(
        metrics=metrics,
        protocol=protocol,
        data_dir=arguments.data_dir,
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
    model_path = local_model(arguments.model, "--model")
    synthesizer = load(model_path)
    say(f"checkpoint: {synthesizer.source.title}")
    try:
        evaluation = evaluate(synthesizer, model_path, request, cache_dir, tell=say)
        print(_table(evaluation))  # first, so that it is seen whatever becomes of the files
        if arguments.out:
            write_atomically(arguments.out, json.dumps(evaluation.result, indent=1) + "\n")
        if arguments.report:
            from oasis_tf.evaluation.report import report

            write_atomically(arguments.report, report(evaluation, arguments.data_dir))
    except READ_ERRORS as error:
        raise explain_read_error(arguments.data_dir, error) from error
    for name in ("out", "report"):
        if path := getattr(arguments, name):
            print(f"{name:<12} {path}")
    return 0 if any(metric["computed"] for metric in evaluation.result["metrics"].values()) else 1


def _table(evaluation):
    """The result as lines to read."""
    result = evaluation.result
    data, protocol = result["data"], result["protocol"]
    height, width = data["image_size"]
    lines = [
        f"protocol     {protocol['name']}/{protocol['version']}",
        f"data         {data['dataset']}, {data['images']} of {data['images_in_split']} pictures "
        f"of {data['split']}, {height}x{width}",
        f"checkpoint   {result['model']['checkpoint']}, seed {result['seed']}",
        "",
    ]
    width = max(len(name) for name in ("protocol    ", *result["metrics"]))
    for name, value in result["metrics"].items():
        if not value["computed"]:
            lines.append(f"{name:<{width}} not computable: {value['reason']}")
            continue
        metric = evaluation.metrics[name]
        start = f"{name:<{width}} {in_short(value['value']):<10}"
        lines.append(f"{start} {', '.join(metric.details(value))}".rstrip())
        lines += [f"{'':<{len(start)}} {note}" for note in metric.notes(value)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
