"""One file over HTTP, resumed after any interruption."""

import http.client
import os
import re
import time
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from data_pipeline.errors import DataError
from data_pipeline.files import publish

_ATTEMPTS = 4  # in a row without a byte
_TIMEOUT = 60  # seconds
_BLOCK = 1 << 18


def fetch(url, path):
    """Downloads `url` to `path`, through `path`.part, which a later call goes on with.

    Args:
        url: http or https address.
        path: Path of the file; there only when it is complete.

    Raises:
        DataError: the address cannot be reached, or the connection is cut again and again. Says
            where to put the file by hand. What has arrived is kept.
    """
    part = Path(f"{path}.part")
    failures = 0
    while True:
        before = _size(part)
        try:
            if _receive(url, part):
                return publish(part, path)
            reason = "the connection was cut"
        except urllib.error.HTTPError as error:
            if error.code < 500:
                raise _failed(url, path, error) from None
            reason = error
        except (OSError, http.client.HTTPException) as error:
            reason = error
        failures = 0 if _size(part) > before else failures + 1
        if failures == _ATTEMPTS:
            raise _failed(url, path, reason) from None
        time.sleep(2**failures - 1)


def _receive(url, part):
    """Appends what is missing; True when the file has the size the server announced."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        # 416: nothing is left to send. Complete, unless the file on the server became shorter.
        if error.code != 416:
            raise
        if _last_number(error.headers.get("Content-Range")) == have:
            return True
        part.unlink()
        return False
    with response:
        resumed = response.status == 206  # a server without ranges sends the whole file again
        if resumed:
            total = _last_number(response.headers.get("Content-Range"))
        else:
            have, total = 0, _last_number(response.headers.get("Content-Length"))
        with (
            open(part, "ab" if resumed else "wb") as file,
            tqdm(
                total=total, initial=have, unit="B", unit_scale=True, desc=part.stem, leave=True
            ) as bar,
        ):
            while block := response.read(_BLOCK):
                file.write(block)
                bar.update(len(block))
    return total is None or _size(part) == total


def _failed(url, path, reason):
    return DataError(
        f"{url} must be reachable. The same command goes on with what has arrived; or fetch it by "
        f"other means and put it at {path} (it is removed after unpacking). Received: {reason}"
    )


def _last_number(header):
    """The total of "bytes 5-9/10", or None."""
    found = re.search(r"(\d+)\s*$", header or "")
    return int(found[1]) if found else None


def _size(path):
    return os.path.getsize(path) if path.exists() else 0
