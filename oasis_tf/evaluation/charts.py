"""The drawings of the report: HTML fragments with SVG in them."""

import html

import numpy as np

_BARS = 40
_REAL, _FAKE = "#4b6584", "#e07a3f"
_LEGEND = (
    f'<b style="color:{_REAL}">photographs</b>, <b style="color:{_FAKE}">generated pictures</b>'
)


def iou_bars(classes):
    """IoU per class, the classes with most pixels first.

    Args:
        classes: list of {"class": name, "iou", "iou_of_photographs": float, "pixels": int}.
    """
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
        f"<h2>IoU per class{more}</h2><p class=note>{_LEGEND}</p><svg {size}>{''.join(lines)}</svg>"
    )


def confusion_matrix(counts, class_names):
    """Which classes are taken for which, as shares of the row; the largest classes.

    Args:
        counts: int (N, N), rows = labels, columns = predictions; class 0 is "unlabelled".
        class_names: N names.
    """
    labelled = counts.sum(axis=1)
    labelled[0] = 0
    shown = [int(i) for i in np.argsort(-labelled, kind="stable")[:_BARS] if labelled[i]]
    shares = counts[np.ix_(shown, shown)] / labelled[shown][:, None]
    cell, left, top = 16, 150, 110
    lines = []
    for row, i in enumerate(shown):
        name = html.escape(class_names[i][:22])
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


def histograms(heading, titles, real, fake):
    """Pairs of histograms, one pair a title.

    Args:
        heading, titles: str, and a str for each pair.
        real, fake: float (pairs, bins), not all 0; of photographs and of generated pictures.
    """
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
    return f"<h2>{heading}</h2><p class=note>{_LEGEND}</p>{''.join(plots)}"
