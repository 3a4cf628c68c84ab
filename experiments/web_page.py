"""Times of the static page in headless Chromium: the numbers of docs/engines.md.

    python -m oasis_tf.export --model saved_models/demo --format web --out DIR/demo
    python -m experiments.web_page --page DIR/demo
    python -m experiments.web_page --page DIR/full --full_width FILE.tgz --weights float16

Serves the page as a plain file server does and then with the two headers that allow threads; draws
everything anew several times; prints what that took, and the memory of the browser. `--full_width`
writes the page first: the paper's generator, 151 classes at 256x256, with random weights; FILE is
onnxruntime-web's package.
"""

import argparse
import dataclasses
import sys
import time
from pathlib import Path

from data_pipeline.paths import PathAction
from oasis_tf.tf_setup import quiet_log
from tests.serving.page.browser import Editor, chromium
from tests.serving.page.plain_server import ISOLATED, plain_server

PICTURES = 5
PATIENCE = 600  # seconds
WATCH = """
  const { dataset } = document.body;
  let begun = null;
  window.times = [];
  new MutationObserver(() => {
    if (dataset.state === "busy") begun ??= performance.now();
    else if (begun !== null) {
      window.times.push(performance.now() - begun);
      begun = null;
    }
  }).observe(document.body, { attributeFilter: ["data-state"] });
"""


def main(argv=None):
    """Writes the page if asked to, measures, prints a Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", required=True, action=PathAction, help="directory of the page")
    parser.add_argument("--full_width", action=PathAction, metavar="FILE")
    parser.add_argument("--weights", choices=("float32", "float16"), default="float32")
    arguments = parser.parse_args(argv)
    quiet_log()
    if arguments.full_width and not arguments.page.exists():
        _write_full_width(arguments)
    print("| engine | until ready | first picture | a picture | memory |")
    print("|---|---|---|---|---|")
    for headers in ({}, ISOLATED):
        with plain_server(arguments.page, **headers) as url, chromium() as chrome:
            found = _measure(chrome, url)
            memory = _peak_gigabytes(chrome.service.process.pid)
        print(
            f"| {found['engine']} | {found['ready']:.1f} s | {found['times'][0]:.2f} s | "
            f"{min(found['times']):.2f} s | {memory:.1f} GB |",
            flush=True,
        )
    return 0


def _write_full_width(arguments):
    import keras

    from data_pipeline.labels.legend import Legend
    from oasis_tf.configs import PRESETS
    from oasis_tf.models.build import build_generator
    from oasis_tf.serving.exporting.model_info import ModelInfo
    from oasis_tf.serving.exporting.web_page import write_web_page

    keras.utils.set_random_seed(0)
    # At the gain of training's start the pictures would be grey, and no engine could be wrong.
    config = dataclasses.replace(PRESETS["ade20k"], init_gain=1.0, spade_gain=1.0)
    legend = Legend.coloured(("unlabelled", *(f"class {i}" for i in range(1, 151))))
    write_web_page(
        build_generator(config, legend.num_classes),
        ModelInfo(legend, config),
        arguments.page,
        arguments.full_width,
        weights=arguments.weights,
    )


def _measure(chrome, url):
    chrome.set_script_timeout(PATIENCE)
    start = time.perf_counter()
    editor = Editor(chrome, url, expected="waiting")
    editor.wait("ready", "error", seconds=PATIENCE)
    ready, times = time.perf_counter() - start, []
    if error := editor.error():
        raise SystemExit(error)
    # Something to draw: a box of each of a dozen classes.
    editor.click("#live")
    height, width = editor.pixels("#labels").shape[:2]
    editor.click("[data-tool=rectangle]")
    for i in range(12):
        editor.click(f"#classes li:nth-child({i + 2})")
        left, top = i % 4 * width // 4, i // 4 * height // 3
        editor.drag("#labels", (left, top), (left + width // 5, top + height // 4))
    # The status says tenths of a second only.
    chrome.execute_script(WATCH)
    for number in range(PICTURES):
        editor.click("#all")
        end = time.monotonic() + PATIENCE
        while len(editor.all("#variants li")) <= number:
            if error := editor.error():
                raise SystemExit(error)
            assert time.monotonic() < end
            time.sleep(0.05)
        editor.wait("ready")
    times = chrome.execute_script("return window.times")
    return {
        "engine": editor.find("#model").text.split(" · ")[-1],
        "ready": ready,
        "times": [milliseconds / 1000 for milliseconds in times],
    }


def _peak_gigabytes(root):
    """The most that one process of the browser has held."""
    most = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:  # ended meanwhile
            continue
        if _descends(fields, root):
            most = max(most, int(fields.get("VmHWM", "0").split()[0]))
    return most / 1e6


def _descends(fields, root):
    while (parent := int(fields["PPid"])) not in (0, root):
        try:
            text = Path(f"/proc/{parent}/status").read_text()
        except OSError:
            return False
        fields = dict(line.split(":", 1) for line in text.splitlines())
    return parent == root


if __name__ == "__main__":
    sys.exit(main())
