"""The files of onnxruntime-web, the engine of the static page, from its package on npm.

Not kept in git: a package of 33 MB, of which a page takes these files. The version is fixed and its
content checked, since a page's pictures are compared with those of that version only.
"""

import base64
import hashlib
import importlib.util
import shutil
import subprocess
import tarfile
from pathlib import Path

from data_pipeline.errors import DataError

PACKAGE = "onnxruntime-web@1.30.0"
FILE = "onnxruntime-web-1.30.0.tgz"
_SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
# For the processor, and for the graphics card, which a page loads only where there is one. Named
# .js: some servers do not know that .mjs are programs, and then no browser runs them.
_FILES = {
    "ort.wasm.bundle.min.mjs": "ort.wasm.js",
    "ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
    "ort.webgpu.bundle.min.mjs": "ort.webgpu.js",
    "ort-wasm-simd-threaded.asyncify.wasm": "ort-wasm-simd-threaded.asyncify.wasm",
}
# The package on npm has none of them; that on PyPI, which is built of the same sources, has.
_NOTICES = ("LICENSE", "ThirdPartyNotices.txt")
_TIMEOUT = 600  # seconds


def fetch_package(directory):
    """Fetches the package with the npm client, whose settings know the registry and the proxy.

    Args:
        directory: where to put it.

    Returns:
        Path of the package.

    Raises:
        DataError: there is no npm, or it cannot fetch the package.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise _needed("no file, and no npm client to fetch it with")
    command = [npm, "pack", PACKAGE, "--pack-destination", str(directory), "--loglevel", "error"]
    # By itself it goes on for more than a minute where there is no network.
    command += ["--fetch-retry-mintimeout", "1000", "--fetch-retry-factor", "2"]
    try:
        # In a directory of its own: that of the caller may hold a project of npm's.
        done = subprocess.run(
            command,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        raise _needed(f"no answer to npm within {_TIMEOUT} s") from None
    if done.returncode:
        raise _needed(f"npm: {_reason(done.stderr)}")
    return Path(directory) / FILE


def unpack_runtime(package, directory):
    """Writes the files that a page needs, and their licence.

    Args:
        package: Path of `onnxruntime-web-1.30.0.tgz`.
        directory: made for them.

    Raises:
        DataError: the package cannot be read, or is not the one that this version was made for.
        OSError: the directory cannot be written.
    """
    try:
        content = Path(package).read_bytes()
    except OSError as error:
        raise _needed(f"{package} ({error.strerror})") from None
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != _SHA512:
        raise _needed(f"{package}, whose content is not that of {PACKAGE}")
    directory.mkdir()
    with tarfile.open(package) as archive:
        for name, ours in _FILES.items():
            with archive.extractfile(f"package/dist/{name}") as file:
                (directory / ours).write_bytes(file.read())
    notices = Path(importlib.util.find_spec("onnxruntime").origin).parent
    for name in _NOTICES:
        shutil.copyfile(notices / name, directory / name)


def _needed(received):
    return DataError(
        f"--format web needs {PACKAGE}: `npm pack {PACKAGE}`, where there is a network, makes "
        f"{FILE} for --onnxruntime_web. Received: {received}"
    )


def _reason(told):
    """The most telling line of what npm wrote."""
    lines = [line.removeprefix("npm error").strip() for line in told.splitlines()]
    lines = [line for line in lines if line and not line.startswith("A complete log")]
    telling = [line for line in lines if not line.startswith(("code ", "errno ", "syscall "))]
    return next(iter(telling or lines), "it failed without a word")
