"""Watches a model's directory and keeps its newest version that loads ready."""

import gc
import logging
import threading
import time
import traceback
import weakref
from dataclasses import dataclass, field
from pathlib import Path

from data_pipeline.errors import first_line
from oasis_tf.serving.server.base_path import find_versions, why_none
from oasis_tf.serving.server.errors import ApiError

_LOG = logging.getLogger("oasis_tf.serving")


@dataclass
class _Version:
    """What is known of one version; the fields of TensorFlow Serving's ModelVersionStatus."""

    state: str = "START"
    error_code: str = "OK"
    error_message: str = ""
    # Of a directory that did not load, to see when it changes.
    fingerprint: object = field(default=None, repr=False)


class VersionManager:
    """Serves the highest version; a new one is loaded before the old one is let go.

    A version that does not load is reported and the next lower one serves; it is tried again as
    soon as something in its directory changes (a copy that was half done). A version whose
    directory is gone is unloaded. What is called stays in memory until its calls are done.

    Args:
        base_path: directory whose children named by whole numbers are the versions.
        load: function of (path, version) to a servable, any object; raises if it cannot.
        poll_seconds: between two looks at the directory.
        tell: function of a line for the person who started the server: that a version is ready,
            or why there is none. Defaults to telling nobody.
    """

    def __init__(self, base_path, load, *, poll_seconds=1.0, tell=lambda line: None):
        self._base_path = Path(base_path)
        self._load = load
        self._poll_seconds = poll_seconds
        self._tell = tell
        self._why_none = ""
        # Reentrant: the end of a servable may be noticed while this very thread holds the lock.
        self._lock = threading.RLock()
        self._versions = {}
        self._current = None  # (version, servable)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="versions", daemon=True)

    def start(self):
        """Begins to watch, in a thread of its own."""
        self._thread.start()

    def stop(self):
        """Stops watching, once a load that is under way is done."""
        self._stopping.set()
        self._thread.join()

    @property
    def current_version(self):
        """Number of the version that is served, or None."""
        with self._lock:
            return self._current[0] if self._current else None

    def get(self, version=None):
        """The servable of a version, by default of the newest.

        Raises:
            ApiError: 404, it is not loaded.
        """
        with self._lock:
            current = self._current
        if current is None:
            raise ApiError(404, f"no version of the model is loaded{self._reason}")
        if version not in (None, current[0]):
            raise ApiError(404, f"version {version} of the model is not loaded")
        return current[1]

    def status(self, version=None):
        """The state of one version or of all, highest first: list of dicts.

        Raises:
            ApiError: 404, there never was such a version.
        """
        with self._lock:
            known = sorted(self._versions.items(), reverse=True)
        chosen = [(number, v) for number, v in known if version in (None, number)]
        if not chosen:
            what = "no version" if version is None else f"no version {version}"
            raise ApiError(404, f"{what} of the model was found{self._reason}")
        return [
            {
                "version": str(number),
                "state": v.state,
                "status": {"error_code": v.error_code, "error_message": v.error_message},
            }
            for number, v in chosen
        ]

    def poll(self):
        """Looks at the directory once and acts on what is there."""
        try:
            found = find_versions(self._base_path)
            self._say_why_none("" if found else why_none(self._base_path))
        except OSError as error:
            # A file system that is away for a moment is no reason to stop serving.
            _LOG.warning("cannot list %s: %s", self._base_path, error)
            return
        for number in sorted(found, reverse=True):
            if self._current and self._current[0] == number:
                return
            if self._make_current(number, found[number]):
                return
        self._let_go()

    @property
    def _reason(self):
        # Not the reason itself: clients need not know where the server's files are.
        return "; the server has said what it found instead" if self._why_none else ""

    def _say_why_none(self, reason):
        """Says once what the directory holds instead of versions."""
        if reason and reason != self._why_none:
            _LOG.warning("%s", reason)
            self._tell(f"waiting   {reason}")
        self._why_none = reason

    def _watch(self):
        while not self._stopping.is_set():
            try:
                self.poll()
            except Exception:
                _LOG.error("while looking for versions: %s", traceback.format_exc())
            self._stopping.wait(self._poll_seconds)

    def _make_current(self, number, path):
        """Loads a version and puts it in the place of the old one; whether that went well."""
        fingerprint = _fingerprint(path)
        with self._lock:
            version = self._versions.setdefault(number, _Version())
            if version.state == "END" and version.fingerprint == fingerprint:
                return False
            self._set(number, "LOADING")
        start = time.monotonic()
        try:
            servable = self._load(path, number)
        # TensorFlow meets what is no SavedModel with exceptions of many kinds.
        except Exception as error:
            message = first_line(error)
            with self._lock:
                self._set(number, "END", _code_name(error), message, fingerprint)
            _LOG.error("version %d did not load: %s", number, message)
            self._tell(f"broken    version {number}: {message}")
            return False
        seconds = time.monotonic() - start
        _LOG.info("version %d loaded in %.1f s", number, seconds)
        with self._lock:
            self._set(number, "AVAILABLE")
        self._let_go((number, servable))
        self._tell(f"ready     version {number}, loaded in {seconds:.1f} s")
        return True

    def _let_go(self, successor=None):
        with self._lock:
            old, self._current = self._current, successor
            if old is not None:
                self._set(old[0], "UNLOADING")
        if old is None:
            return
        number, servable = old
        # Calls under way hold the servable; it ends when the last of them is done.
        weakref.finalize(servable, self._ended, number)
        del old, servable
        gc.collect()

    def _ended(self, number):
        with self._lock:
            if self._versions[number].state == "UNLOADING":
                self._set(number, "END")
        _LOG.info("version %d unloaded", number)

    def _set(self, number, state, code="OK", message="", fingerprint=None):
        self._versions[number] = _Version(state, code, message, fingerprint)


def _fingerprint(path):
    """Changes when a file below `path` is added, taken away or written."""
    entries = []
    for file in sorted(path.rglob("*")):
        try:
            stat = file.stat()
            entries.append((str(file), stat.st_mtime_ns, stat.st_size))
        except OSError:
            continue
    return tuple(entries)


def _code_name(error):
    """Name of the canonical code that fits an exception."""
    if isinstance(error, FileNotFoundError):
        return "NOT_FOUND"
    # tf.errors.NotFoundError -> NOT_FOUND, without importing TensorFlow here.
    code = getattr(error, "error_code", None)
    names = {3: "INVALID_ARGUMENT", 5: "NOT_FOUND", 8: "RESOURCE_EXHAUSTED", 15: "DATA_LOSS"}
    return names.get(code, "INVALID_ARGUMENT" if isinstance(error, ValueError) else "UNKNOWN")
