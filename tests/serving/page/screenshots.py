"""Takes the pictures of the editor that are in docs/.

python -m tests.serving.page.screenshots --model_base_path saved_models/sample \
    --labels data/sample/labels/val/000001.png --out docs
python -m tests.serving.page.screenshots --page DIR --labels ... --out docs

The first takes those of the served page, the second that of a static one.
"""

import argparse
import io
import tempfile
from pathlib import Path

from PIL import Image

from data_pipeline.paths import PathAction
from tests.serving.page.browser import Editor, chromium, resize
from tests.serving.page.plain_server import plain_server
from tests.serving.running import serving

SIZES = {
    "laptop": (1366, 768),
    "tablet": (1024, 768),
    "tablet_upright": (820, 1180),
    "phone": (390, 844),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model_base_path", action=PathAction)
    what.add_argument("--page", action=PathAction, help="what export --format web wrote")
    for name in ("labels", "out"):
        parser.add_argument(f"--{name}", action=PathAction, required=True)
    arguments = parser.parse_args()
    if arguments.page:
        with plain_server(arguments.page) as url, chromium() as chrome:
            _work(Editor(chrome, url), arguments.labels)
            with Image.open(io.BytesIO(chrome.get_screenshot_as_png())) as image:
                image.convert("RGB").save(arguments.out / "editor_static.jpg", quality=85)
        return
    base, name = arguments.model_base_path, arguments.model_base_path.resolve().name
    with (
        tempfile.TemporaryDirectory() as directory,
        serving(base, Path(directory), model=name) as server,
        chromium() as chrome,
    ):
        editor = Editor(chrome, server.url)
        _work(editor, arguments.labels)
        for size, (width, height) in SIZES.items():
            resize(chrome, width, height)
            chrome.save_screenshot(str(arguments.out / f"editor_{size}.png"))
        resize(chrome, *SIZES["laptop"])
        editor.click("#variants li:first-child .compare")
        chrome.save_screenshot(str(arguments.out / "editor_compare.png"))


def _work(editor, labels):
    """Opens a label map, paints on it and draws things anew, so that there is something to see."""
    editor.upload(labels.resolve())
    editor.wait("busy")
    editor.wait("ready")
    height, width = editor.pixels("#labels").shape[:2]
    for _ in range(4):
        editor.click("#all")
        editor.wait("ready")
    editor.drag("#mask", (width // 2, height // 8))
    editor.wait("ready")
    editor.keys("/")
    editor.keys("cloud\n", on="#search")
    editor.drag("#labels", (width * 5 // 8, height // 8), (width * 7 // 8, height // 8))
    editor.wait("ready")


if __name__ == "__main__":
    main()
