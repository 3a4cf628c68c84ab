"""One self-contained HTML page of an evaluation: numbers, bars, pictures, histograms."""

import base64
import html
import json

import numpy as np

from data_pipeline.records.manifest import Manifest
from data_pipeline.records.png import encode_image
from oasis_tf.evaluation.pictures import chunks
from oasis_tf.images import thumbnail
from oasis_tf.metrics.confusion import Confusion

_EXTREMES = 4  # best, and worst, pictures
_STRIPS, _SAMPLES = 3, 6
_BARS = 40
_REAL, _FAKE = "#4b6584", "#e07a3f"
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:1080px;margin:2em auto;padding:0 1em}
h1{font-size:1.6em} h2{font-size:1.2em;margin-top:2em;border-bottom:1px solid #ddd}
table{border-collapse:collapse} td,th{padding:.25em .8em .25em 0;text-align:left;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums} .note{color:#777}
figure{display:inline-block;margin:.3em .6em .3em 0} figcaption{font-size:12px;color:#555}
img{display:block;image-rendering:pixelated} svg{max-width:100%} svg text{font:11px sans-serif}
pre{background:#f6f6f6;padding:1em;overflow:auto;font-size:12px}
"""


def report(evaluation, data_dir):
    """The page.

    Args:
        evaluation: `oasis_tf.evaluation.evaluation.Evaluation`.
        data_dir: Path of the records.

    Returns:
        str; needs nothing from elsewhere.
    """
    result, parts = evaluation.result, evaluation.parts
    manifest = Manifest.read(data_dir)
    sections = [_head(result), _scores(result["metrics"])]
    chosen = {}
    if parts.get("judgement of fake"):
        scores = np.concatenate([part["picture_miou"] for part in parts["judgement of fake"]])
        order = [int(i) for i in np.argsort(scores, kind="stable") if not np.isnan(scores[i])]
        chosen = {
            "Worst pictures": [(i, scores[i]) for i in order[:_EXTREMES]],
            "Best pictures": [(i, scores[i]) for i in reversed(order[_EXTREMES:][-_EXTREMES:])],
        }
    total = result["data"]["images"]
    strips = [int(i) for i in np.linspace(0, total - 1, min(_STRIPS, total))]
    wanted = {i for pictures in chosen.values() for i, _ in pictures} | set(strips)
    found = _find(wanted, data_dir, result["data"]["split"], evaluation.sampler, total)
    palette = np.array(manifest.palette, np.uint8)
    miou = result["metrics"].get("miou", {})
    if miou.get("computed"):
        sections.append(_bars(miou["per_class"]))
        sections.append(_confusion(parts["judgement of fake"], manifest))
    for title, pictures in chosen.items():
        rows = [_row(i, score, found[i], palette, evaluation.sampler) for i, score in pictures]
        if rows:
            note = "by the segmenter's mIoU of the single picture; label map, photograph, generated"
            sections.append(f"<h2>{title}</h2><p class=note>{note}</p>{''.join(rows)}")
    sections.append(_diversity(strips, found, palette, evaluation.sampler))
    for name in ("colour", "texture"):
        if result["metrics"].get(name, {}).get("computed"):
            sections.append(_histograms(name, parts))
    sections.append(
        f"<h2>Result file</h2><pre>{html.escape(json.dumps(_short(result), indent=1))}</pre>"
    )
    title = html.escape(f"Evaluation of {result['model']['path']}")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<style>{_STYLE}</style><h1>{title}</h1>{''.join(sections)}</html>\n"
    )


def _head(result):
    data, protocol = result["data"], result["protocol"]
    height, width = data["image_size"]
    rows = {
        "protocol": f"{protocol['name']}, version {protocol['version']}: {protocol['about']}",
        "data": f"{data['dataset']}: {data['images']} of the {data['images_in_split']} pictures of "
        f"{data['split']}, {height}x{width}, {data['num_classes']} classes with unlabelled",
        "sizes": data["resize"],
        "model": f"SHA-256 {result['model']['sha256'][:16]}…, seed {result['seed']}",
        "networks": "; ".join(
            f"{role}: {_network(about)}" for role, about in result["networks"].items()
        )
        or "none",
    }
    cells = "".join(f"<tr><th>{k}<td>{html.escape(v)}" for k, v in rows.items())
    return f"<table>{cells}</table>"


def _network(about):
    parts = [about.get("name") or f"version {about['version']}"]
    if "layer" in about:
        parts.append(f"layer {about['layer']}")
    if isinstance(about["sha256"], str):
        parts.append(f"SHA-256 {about['sha256'][:16]}…")
    return ", ".join(parts)


def _scores(metrics):
    rows = []
    for name, metric in metrics.items():
        if metric["computed"]:
            flat = {
                key: value
                for key, value in metric.items()
                if isinstance(value, int | float) and key not in ("computed", "value")
            }
            details = ", ".join(f"{key} {_number(value)}" for key, value in flat.items())
            note = "; ".join(metric[key] for key in ("about", "warning") if key in metric)
            value = _number(metric["value"])
        else:
            value, details, note = "-", "", f"not computable: {metric['reason']}"
        rows.append(
            f"<tr><th>{name}<td class=n><b>{value}</b><td>{html.escape(details)}"
            f"<div class=note>{html.escape(note)}</div>"
        )
    return f"<h2>Scores</h2><table>{''.join(rows)}</table>"


def _bars(classes):
    """IoU per class, the classes with most pixels first."""
    shown = sorted(classes, key=lambda each: -each["pixels"])[:_BARS]
    height, left, length = 18, 150, 600
    lines = []
    for row, each in enumerate(shown):
        y = row * height
        name = html.escape(each["class"][:24])
        lines.append(f'<text x="{left - 6}" y="{y + 12}" text-anchor="end">{name}</text>')
        for key, colour, top, thick in (("iou_of_photographs", _REAL, 2, 5), ("iou", _FAKE, 8, 7)):
            # A number that is NaN would break the drawing; photographs have the same labels.
            bar = length * each[key]
            lines.append(
                f'<rect x="{left}" y="{y + top}" width="{bar:.1f}" height="{thick}" '
                f'fill="{colour}"/>'
            )
        end = left + length * max(each["iou"], each["iou_of_photographs"]) + 6
        numbers = (
            f'<tspan fill="{_FAKE}">{each["iou"]:.2f}</tspan> / '
            f'<tspan fill="{_REAL}">{each["iou_of_photographs"]:.2f}</tspan>'
        )
        lines.append(f'<text x="{end:.1f}" y="{y + 13}">{numbers}</text>')
    size = f'width="{left + length + 80}" height="{height * len(shown) + 4}"'
    more = f" (the {len(shown)} with most pixels of {len(classes)})" if len(classes) > _BARS else ""
    return (
        f"<h2>IoU per class{more}</h2><p class=note>{_legend()}</p>"
        f"<svg {size}>{''.join(lines)}</svg>"
    )


def _confusion(parts, manifest):
    """Rows = labels, columns = predictions, as shares of the row; the largest classes."""
    confusion = Confusion(manifest.num_classes)
    for part in parts:
        confusion.add(part["keys"], part["counts"])
    counts = confusion.counts
    labelled = counts.sum(axis=1)
    labelled[0] = 0
    shown = [int(i) for i in np.argsort(-labelled, kind="stable")[:_BARS] if labelled[i]]
    shares = counts[np.ix_(shown, shown)] / labelled[shown][:, None]
    cell, left, top = 16, 150, 110
    lines = []
    for row, i in enumerate(shown):
        name = html.escape(manifest.class_names[i][:22])
        y, x = top + row * cell, left + row * cell
        lines.append(f'<text x="{left - 6}" y="{y + 12}" text-anchor="end">{name}</text>')
        turned = f'transform="translate({x + 12},{top - 6}) rotate(-60)"'
        lines.append(f"<text {turned}>{name}</text>")
        for column, share in enumerate(shares[row]):
            if share >= 0.005:
                lines.append(
                    f'<rect x="{left + column * cell}" y="{y}" width="{cell - 1}" '
                    f'height="{cell - 1}" fill="{_FAKE}" fill-opacity="{share**0.5:.2f}">'
                    f"<title>{name}: {share:.1%}</title></rect>"
                )
    width, height = left + cell * len(shown) + 110, top + cell * len(shown) + 4
    frame = (
        f'<rect x="{left}" y="{top}" width="{cell * len(shown)}" height="{cell * len(shown)}" '
        'fill="none" stroke="#ddd"/>'
    )
    return (
        "<h2>Confusion</h2><p class=note>rows: label; columns: what the segmenter sees in the "
        "generated pictures; the darker, the larger its share of the row</p>"
        f'<svg width="{width}" height="{height}">{frame}{"".join(lines)}</svg>'
    )


def _row(number, score, found, palette, sampler):
    name, label_map, real = found
    pictures = (palette[label_map], real, sampler.generate(label_map, number))
    images = "".join(_image(picture) for picture in pictures)
    return (
        f'<figure><div style="display:flex;gap:4px">{images}</div>'
        f"<figcaption>{html.escape(name)}: {score:.3f}</figcaption></figure>"
    )


def _diversity(numbers, found, palette, sampler):
    rows = []
    for number in numbers:
        _, label_map, _ = found[number]
        strips = {
            "resampled globally": sampler.resample(label_map, number, _SAMPLES),
            "largest class resampled": sampler.resample_locally(label_map, number, _SAMPLES),
        }
        for caption, pictures in strips.items():
            if pictures is None:
                continue
            images = "".join(_image(each) for each in [palette[label_map], *pictures])
            rows.append(
                f'<figure><div style="display:flex;gap:4px">{images}</div>'
                f"<figcaption>{caption}</figcaption></figure>"
            )
    return f"<h2>Diversity</h2>{''.join(rows)}"


def _histograms(name, parts):
    real, fake = (
        sum(part[name] for part in parts[f"appearance of {side}"]).sum(axis=0).astype(float)
        for side in ("real", "fake")
    )
    titles = ("L*", "a*", "b*") if name == "colour" else ("1 pixel", "2 pixels", "4 pixels")
    plots = []
    for axis, title in enumerate(titles):
        sides = [each[axis] / each[axis].sum() for each in (real, fake)]
        top = max(side.max() for side in sides)
        width, height = 320, 120
        lines = []
        for side, colour in zip(sides, (_REAL, _FAKE), strict=True):
            step = width / len(side)
            # Each bin is a step of its own width.
            points = " ".join(
                f"{x:.1f},{height - height * share / top:.1f}"
                for i, share in enumerate(side)
                for x in (i * step, (i + 1) * step)
            )
            lines.append(
                f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
            )
        plots.append(
            f'<figure><svg width="{width}" height="{height + 2}">{"".join(lines)}</svg>'
            f"<figcaption>{title}</figcaption></figure>"
        )
    kind = "Colour: CIELAB" if name == "colour" else "Texture: local binary patterns"
    return f"<h2>{kind}</h2><p class=note>{_legend()}</p>{''.join(plots)}"


def _find(numbers, data_dir, split, sampler, total):
    """{number: (name, label map, photograph)} of some pictures of a split."""
    found = {}
    for chunk in chunks(data_dir, split, sampler, total):
        for i in range(len(chunk.names)):
            if chunk.first + i in numbers:
                found[chunk.first + i] = (chunk.names[i], chunk.label_maps[i], chunk.real[i])
        if len(found) == len(numbers):
            break
    return found


def _image(picture):
    small = thumbnail(picture)
    height, width = small.shape[:2]
    data = base64.b64encode(encode_image(small)).decode()
    return f'<img width="{width}" height="{height}" src="data:image/png;base64,{data}" alt="">'


def _legend():
    return (
        f'<b style="color:{_REAL}">photographs</b>, <b style="color:{_FAKE}">generated pictures</b>'
    )


def _short(result):
    """Without the long lists, which the result file has."""
    if isinstance(result, dict):
        return {
            key: _short(value)
            for key, value in result.items()
            if key not in ("per_class", "shards", "classes")
        }
    return result


def _number(value):
    return f"{value:.4g}"
