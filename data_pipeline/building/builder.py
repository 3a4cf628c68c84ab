"""Disk to sharded TFRecords: what `python -m data_pipeline.build` does."""

import contextlib
import dataclasses
import functools
import os
import platform
import sys
from collections import Counter, deque
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path

from tqdm import tqdm

from data_pipeline.building import output
from data_pipeline.building.palettes import Palettes
from data_pipeline.building.plan import fingerprint, plan_shards
from data_pipeline.building.pool import ordered_map
from data_pipeline.building.prepare import prepare
from data_pipeline.building.preview import write_preview
from data_pipeline.building.shard import read_stats, write_shard
from data_pipeline.building.source_files import check_source_files, file_states, write_source_files
from data_pipeline.building.summary import Findings, summarise
from data_pipeline.errors import DataError, listing
from data_pipeline.labels.palette import default_palette
from data_pipeline.records.manifest import FILE_NAME, Manifest, Shard, Split

_PACKAGES = ("tensorflow", "numpy", "pillow", "pycocotools")


def build(request, out, *, workers=None, command=""):
    """Builds a data set, or finishes what a killed build of the same arguments left.

    Args:
        request: plan.Request.
        out: directory for the shards and `manifest.json`; new, empty, or of the same request.
        workers: processes. Defaults to one a core.
        command: the command line, to be kept in the manifest.

    Returns:
        (Manifest, list of lines that sum the build up).

    Raises:
        DataError: bad arguments or bad input. All bad files are looked for before it is raised;
            nothing of the build is left in `out`.
        BuildFailed: a full disk or a dead worker. Finished shards are left in `out`.
    """
    workers = os.cpu_count() if workers is None else workers
    if workers < 1:
        raise DataError(f"--workers must be 1 or more. Received: {workers}")
    request = request.resolve()
    out = Path(out)
    identity = request.identity()
    with output.claimed(out):
        if (out / FILE_NAME).exists():
            manifest = _complete(out, identity)
            note = check_source_files(out, request, manifest.class_names)
            why = f" ({note})" if note else ""
            return manifest, [f"{out} is complete already: nothing to do{why}."]
        output.check_free(out, identity)
        with output.emptied_on_bad_data(out):
            dataset = request.open(notes=out)
        states = file_states(dataset)
        plan = fingerprint(identity, dataset, states)
        output.begin(out, identity, plan)
        with output.emptied_on_bad_data(out):
            shards = {
                split: plan_shards(items, split, request.stored_size(split))
                for split, items in dataset.items.items()
            }
            stats = _write(out, request, dataset, plan, shards, workers)
            label_palette = dataset.label_palette or _agreed_palette(stats, dataset)
            _check_out_of_range(stats, request, dataset)
        manifest = _manifest(request, identity, dataset, shards, stats, label_palette, command)
        write_source_files(out, states, request.source)
        write_preview(out, manifest)
        manifest.write(out)
        output.tidy(out)
    return manifest, summarise(manifest, out, _findings(stats, dataset), gpu=_has_gpu())


def _has_gpu():
    # Late, for it takes seconds to import.
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _complete(out, identity):
    """Checks that the finished data set in `out` is what the same command would build."""
    manifest = Manifest.read(out)
    theirs = manifest.request
    if {**identity, "splits": identity["splits"] or theirs.get("splits")} != theirs:
        raise DataError(
            f"--out must be empty or hold a build of the same arguments. Received: {out} with the "
            f"complete build of {theirs}"
        )
    manifest.check_shards(out)
    output.tidy(out)  # a kill may have come between the manifest and the end
    return manifest


def _write(out, request, dataset, plan, shards, workers):
    """Writes the shards that are not finished yet; returns {shard name: ShardStats}."""
    every = list(chain.from_iterable(shards.values()))
    stats = {shard.name: read_stats(out / shard.name, plan) for shard in every}
    pending = [shard for shard in every if stats[shard.name] is None]
    total, left = (sum(len(shard.items) for shard in some) for some in (every, pending))
    bad = []
    with tqdm(total=total, initial=total - left, unit="image", file=sys.stderr) as bar:
        for split in shards:
            mine = [shard for shard in pending if shard.split == split]
            work = functools.partial(
                prepare,
                dataset=dataclasses.replace(dataset, items={}),
                size=request.stored_size(split),
                follow_exif=request.exif == "follow",
            )
            items = chain.from_iterable(shard.items for shard in mine)
            count = min(workers, max(1, sum(len(shard.items) for shard in mine)))
            with contextlib.closing(ordered_map(work, items, count)) as results:
                for shard in mine:
                    examples = _watched(islice(results, len(shard.items)), bad, bar)
                    if bad and not request.skip_broken:
                        deque(examples, maxlen=0)  # nothing will be published: only look for more
                        continue
                    stats[shard.name] = write_shard(
                        out / shard.name,
                        examples,
                        len(shard.items),
                        plan,
                        skip_broken=request.skip_broken,
                    )
    if bad and not request.skip_broken:
        raise DataError(
            f"{len(bad)} of {total} examples cannot be used (--skip_broken leaves them out):\n"
            f"{listing(bad)}"
        )
    empty = [split for split in shards if not any(stats[s.name].examples for s in shards[split])]
    if empty:
        broken = list(chain.from_iterable(stats[s.name].broken for s in shards[empty[0]]))
        raise DataError(f"{empty[0]} must have an example that can be used:\n{listing(broken)}")
    return stats


def _watched(results, bad, bar):
    for result in results:
        bar.update()
        if isinstance(result, DataError):
            bad.append(str(result))
        yield result


def _findings(stats, dataset):
    return Findings(
        out_of_range=_out_of_range(stats),
        turns=sum((Counter(shard.turns) for shard in stats.values()), Counter()),
        missing=dataset.missing,
        unpaired=dataset.unpaired,
        broken=tuple(chain.from_iterable(shard.broken for shard in stats.values())),
        broken_annotations=dataset.broken,
        left_out=dataset.left_out,
        doubt=dataset.doubt,
    )


def _out_of_range(stats):
    return sum((Counter(shard.out_of_range) for shard in stats.values()), Counter())


def _check_out_of_range(stats, request, dataset):
    found = _out_of_range(stats)
    foreign = [text for label, text in (dataset.foreign_ids or {}).items() if label in found]
    if not found or (request.out_of_range == "unlabelled" and not foreign):
        return
    ids = listing([f"id {label}: {found[label]} pixels" for label in sorted(found)])
    files = listing(chain.from_iterable(shard.out_of_range_files for shard in stats.values()))
    highest = len(dataset.class_names) - 1 - dataset.id_shift
    advice = foreign[0] if foreign else "--out_of_range unlabelled makes others unlabelled"
    raise DataError(
        f"label ids must be at most {highest}, the end of the class list ({advice}). "
        f"Received:\n{ids}\nin\n{files}"
    )


def _agreed_palette(stats, dataset):
    palettes = Palettes()
    for shard in stats.values():
        palettes.update(Palettes.from_json(shard.palettes))
    return palettes.agreed(dataset.label_ids or range(len(dataset.class_names)))


def _manifest(request, identity, dataset, shards, stats, label_palette, command):
    num_classes = len(dataset.class_names)
    palette = dataset.palette or default_palette(num_classes).tolist()
    splits = {}
    for split, plans in shards.items():
        mine = [stats[shard.name] for shard in plans]
        pixels = sum((Counter(shard.pixels) for shard in mine), Counter())
        splits[split] = Split(
            examples=sum(shard.examples for shard in mine),
            stored_size=request.stored_size(split),
            unlabelled_share=pixels[0] / pixels.total(),
            pixels_per_class=tuple(pixels[i] for i in range(num_classes)),
            out_of_range=sum(sum(shard.out_of_range.values()) for shard in mine),
            shards=tuple(
                Shard(plan.name, shard.examples, shard.bytes, shard.sha256)
                for plan, shard in zip(plans, mine, strict=True)
            ),
        )
    return Manifest(
        dataset=request.dataset,
        num_classes=num_classes,
        class_names=tuple(dataset.class_names),
        palette=tuple(tuple(colour) for colour in palette),
        label_ids=dataset.label_ids,
        image_size=request.image_size,
        splits=splits,
        command=command,
        request={**identity, "splits": list(splits)},
        versions={
            "python": platform.python_version(),
            **{package: version(package) for package in _PACKAGES},
        },
        label_palette=label_palette,
    )
