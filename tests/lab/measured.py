"""Work in processes of its own, each forked from one in which everything is loaded: its time and its memory are the work's.

``python -m lab.measured`` reads one job a line (JSON) and writes one result a line.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

_AT_ONCE = 12


@contextmanager
def pool(folder):
    """Yields ``run(jobs)``: jobs by name, each ``(function, keywords)`` of `lab.measured_jobs`, to results by name."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "lab.measured", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    lock = threading.Condition()
    came, waiting = {}, set()

    def read():
        for line in process.stdout:
            result = json.loads(line)
            with lock:
                came[result["name"]] = result
                waiting.discard(result["name"])
                lock.notify_all()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()

    def run(jobs, *, at_once=_AT_ONCE, patience=60):
        for name, (function, keywords) in jobs.items():
            with lock:
                assert lock.wait_for(lambda: len(waiting) < at_once, patience), waiting
                waiting.add(name)
            process.stdin.write(json.dumps({"name": name, "function": function, "keywords": keywords}) + "\n")
            process.stdin.flush()
        with lock:
            assert lock.wait_for(lambda: not waiting & set(jobs), patience), waiting
        return {name: came[name] for name in jobs}

    try:
        yield run
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        reader.join(5)
        process.stdout.close()


def _memory(name):
    """VmRSS or VmHWM in KiB (proc_pid_status(5)); a child of fork(2) begins with the latter equal to the former."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise AssertionError(name)


def _child(job, out):
    """Do one job, and say what came of it."""
    with tempfile.TemporaryFile("w+") as errors:
        os.dup2(errors.fileno(), 2)
        jobs = importlib.import_module("lab.measured_jobs")
        before, began, worked = _memory("VmRSS"), time.monotonic(), time.process_time()
        failed = ""
        try:
            value = getattr(jobs, job["function"])(**job["keywords"])
        except BaseException as error:
            import traceback

            value, failed = None, "".join(traceback.format_exception(error))
        took, worked, grown = time.monotonic() - began, time.process_time() - worked, _memory("VmHWM") - before
        sys.stderr.flush()
        errors.seek(0)
        said = {"name": job["name"], "took_s": took, "cpu_s": worked, "grown_kib": grown, "failed": failed}
        if value is not None:
            said |= jobs.shown(value)
        os.write(out, (json.dumps(said | {"stderr": errors.read()}) + "\n").encode())


def main(folder):
    jobs = importlib.import_module("lab.measured_jobs")
    out = os.dup(1)
    os.dup2(2, 1)  # what a job prints must not get between the results
    with redirect_stdout(sys.stderr):
        jobs.warm(folder)
    lock = threading.Lock()

    def deliver(reads):
        with os.fdopen(reads, "rb") as pipe:
            line = pipe.read()
        with lock:
            os.write(out, line)

    children = []
    for line in sys.stdin:
        job = json.loads(line)
        reads, writes = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reads)
            _child(job, writes)
            os._exit(0)
        os.close(writes)
        children.append(child)
        thread = threading.Thread(target=deliver, args=(reads,), daemon=True)
        thread.start()
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1])
