#!/usr/bin/env bash
# Pillow 13.0.0: of the same picture with the same EXIF orientation, the TIFF comes turned, and its
# tag is gone once it is loaded; the JPEG, PNG and WebP come as stored and keep their tag.
#
# So a program that turns pictures by their tag (or decides not to, because labels were drawn on the
# stored pixels) treats a TIFF differently from all others unless it knows of this: pairs of a TIFF
# picture and a PNG label map no longer fit, or, at 180 degrees, fit wrongly without a word.
#
# Seen: a 30x20 picture with orientation 6 has the size (20, 30) as TIFF and (30, 20) in the other
# three; the tag after loading is None, 6, 6, 6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "pillow==13.0.0"
"$work/venv/bin/python" - <<'PYTHON'
import io
import sys

import PIL
from PIL import Image

ORIENTATION = 0x0112
found = {}
for kind in ("TIFF", "JPEG", "PNG", "WEBP"):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    file = io.BytesIO()
    Image.new("RGB", (30, 20), (200, 0, 0)).save(file, kind, exif=exif)
    picture = Image.open(io.BytesIO(file.getvalue()))
    picture.load()
    found[kind] = picture.size, picture.getexif().get(ORIENTATION)
print("pillow", PIL.__version__)
for kind, (size, tag) in found.items():
    print(f"{kind}: size {size}, orientation after loading {tag}")
stored = (30, 20), 6
sys.exit(found != {"TIFF": ((20, 30), None), "JPEG": stored, "PNG": stored, "WEBP": stored})
PYTHON
echo "as written above"
