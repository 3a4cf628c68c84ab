"""Drawings: as many marks as there are numbers, and names that are no HTML."""

import re

import numpy as np

from oasis_tf.evaluation import charts


def test_bars_of_the_largest_classes():
    classes = [
        {"class": f"<{i}>", "iou": i / 100, "iou_of_photographs": 0.5, "pixels": i}
        for i in range(50)
    ]
    drawing = charts.iou_bars(classes)
    assert "(the 40 with most pixels of 50)" in drawing and "<49>" not in drawing
    assert drawing.count("<rect") == 80 and drawing.count("&lt;") == 40
    first = re.search(r'<rect x="150" y="8" width="([\d.]+)"', drawing)
    assert float(first[1]) == 600 * 0.49


def test_confusion_without_unlabelled_pixels():
    counts = np.array([[90, 5, 5], [0, 30, 10], [1, 0, 99]])
    drawing = charts.confusion_matrix(counts, ("unlabelled", "sky", "sea"))
    shares = re.findall(r"<title>(\w+): ([\d.]+)%", drawing)
    # Both ways the largest class first; the share of sea that is taken for sky is none.
    assert shares == [("sea", "99.0"), ("sky", "25.0"), ("sky", "75.0")]


def test_histograms_are_shares():
    real, fake = np.array([[1.0, 3.0]]), np.array([[2.0, 2.0]])
    drawing = charts.histograms("Heading", ["axis"], real, fake)
    lines = re.findall(r'points="([^"]*)"', drawing)
    # Two bins, 320 wide and 120 high; the highest share is 3/4.
    assert lines[0] == "0.0,80.0 160.0,80.0 160.0,0.0 320.0,0.0"
    assert lines[1] == "0.0,40.0 160.0,40.0 160.0,40.0 320.0,40.0"
