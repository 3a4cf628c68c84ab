"""Unpacking a ZIP archive: nothing outside the target, nothing twice."""

import os
import shutil
import zipfile
from pathlib import Path

from tqdm import tqdm

from data_pipeline.errors import DataError


def unpack(archive, target):
    """Unpacks `archive` into `target`, leaving out files that are there with the right size.

    Args:
        archive: Path of a ZIP file.
        target: Path of a directory; made if need be.

    Raises:
        DataError: the archive is damaged, or a member would lie outside `target` (checked for all
            before the first is written).
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = [member for member in content.infolist() if not member.is_dir()]
            paths = [_inside(target, member, archive) for member in members]
            for member, path in zip(
                tqdm(members, desc=archive.name, unit="file"), paths, strict=True
            ):
                if path.exists() and path.stat().st_size == member.file_size:
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                part = Path(f"{path}.part")
                with content.open(member) as source, open(part, "wb") as file:
                    shutil.copyfileobj(source, file)
                os.replace(part, path)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise DataError(
            f"{archive} must be a complete ZIP archive; delete it and run the same command again. "
            f"Received: {error}"
        ) from None


def _inside(target, member, archive):
    root = target.resolve()
    path = (root / member.filename).resolve()
    if not path.is_relative_to(root):
        raise DataError(
            f"{archive} must hold files below {target} only. Received: {member.filename}"
        )
    return path
