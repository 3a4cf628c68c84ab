"""Dispatchers and workers of a tf.data service as processes of their own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Servers:
    """Starts servers, and ends all that still run on `close`."""

    def __init__(self, work_dir):
        self._work_dir = work_dir
        self._processes = []
        self.port = 0
        self.dispatcher = None

    def start_dispatcher(self):
        """Starts the dispatcher; the second time on the same port and journal."""
        arguments = ["dispatcher", "--port", str(self.port), "--work_dir", str(self._work_dir)]
        self.dispatcher, line = self._start(arguments)
        self.port = int(line.split(";")[0].split()[-1])

    def start_worker(self, port=0):
        """Starts one more worker; returns its process."""
        arguments = ["--dispatcher", f"localhost:{self.port}", "--port", str(port)]
        return self._start(["worker", *arguments])[0]

    @property
    def url(self):
        return f"grpc://localhost:{self.port}"

    def close(self):
        for process in self._processes:
            process.kill()
            process.communicate()

    def _start(self, arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "data_pipeline.service", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        return process, line
