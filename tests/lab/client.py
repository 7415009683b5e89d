"""Programs in the client's namespace, each with an environment and files of its own (resolv.conf, hosts, trust store).

`Client` starts this file once inside the namespace.  There it has the program's modules loaded already and forks for
every request, so that a diagnosis costs what it costs, not the start of an interpreter: the child is the program's own
``main`` with its own mount namespace, environment, output and exit code.  Other programs are executed the same way.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import selectors
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000


@dataclass(frozen=True)
class Done:
    """What came of one program."""

    code: int
    out: str
    err: str
    took_s: float
    rss: int
    """Bytes of memory at most."""

    def json(self):
        """Its output as JSON.  An assertion says what came instead."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError(f"no JSON, exit {self.code}: {self.out[:500]} {self.err[:2000]}") from None


class Client:
    """Asks the process in the namespace; safe to be used by many threads."""

    def __init__(self, namespace, folder: Path) -> None:
        self._folder = folder
        here = Path(__file__).resolve().parent
        paths = f"{here.parents[1] / 'src'}:{here.parent}"
        self._process = namespace.popen(
            sys.executable, "-X", "utf8", str(here / "client.py"), stdin=-1, stdout=-1, text=True,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        self._lock = threading.Lock()
        self._waiting: dict[int, SimpleQueue] = {}
        self._number = 0
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the client's process did not start"
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            answer = json.loads(line)
            self._waiting[answer["number"]].put(answer)
        for queue in self._waiting.values():
            queue.put(None)

    def run(self, *argv, environ=(), binds=(), timeout=60.0) -> Done:
        """Run *argv*; ``vorflug`` is the program itself.  *binds*: file → what lies there instead."""
        queue: SimpleQueue = SimpleQueue()
        with self._lock:
            self._number += 1
            number = self._number
            self._waiting[number] = queue
            base = str(self._folder / f"run{number}")
            asked = {"number": number, "argv": argv, "environ": dict(environ), "binds": dict(binds), "base": base}
            self._process.stdin.write(json.dumps({**asked, "timeout": timeout}) + "\n")
            self._process.stdin.flush()
        answer = queue.get(timeout=timeout + 30)
        assert answer is not None, "the client's process ended"
        out, err = (_taken(f"{base}.{end}") for end in ("out", "err"))
        return Done(answer["code"], out, err, answer["took_s"], answer["rss"])

    def close(self) -> None:
        """End the process and whatever it still runs."""
        self._process.stdin.close()
        self._process.wait(20)
        self._reader.join(5)
        self._process.stdout.close()


def _taken(path: str) -> str:
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    os.unlink(path)
    return text


# ---- inside the namespace --------------------------------------------------------------------------------------------


def _load() -> None:
    """Everything that a diagnosis imports, so that no child has to."""
    import certifi  # noqa: F401
    import cryptography.x509  # noqa: F401
    import dns.message
    import dns.query
    import dns.resolver  # noqa: F401
    import h11  # noqa: F401
    import OpenSSL.SSL  # noqa: F401
    import service_identity.cryptography  # noqa: F401

    import vorflug.cli.__main__
    import vorflug.cli.app
    import vorflug.cli.commands.diagnose
    import vorflug.documents.diagnosis
    import vorflug.host.live.net
    import vorflug.netprobe.probe
    import vorflug.netprobe.websocket
    import vorflug.render.diagnosis  # noqa: F401


def _child(asked: dict) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    libc = ctypes.CDLL(None, use_errno=True)
    if asked["binds"]:
        if libc.unshare(_CLONE_NEWNS) or libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None):
            raise OSError(ctypes.get_errno(), "unshare")
        for target, source in asked["binds"].items():
            if libc.mount(source.encode(), os.path.realpath(target).encode(), None, _MS_BIND, None):
                raise OSError(ctypes.get_errno(), f"mount {source} {target}")
    streams = {0: os.open("/dev/null", os.O_RDONLY)}
    for descriptor, end in ((1, "out"), (2, "err")):
        streams[descriptor] = os.open(f"{asked['base']}.{end}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for descriptor, opened in streams.items():
        os.dup2(opened, descriptor)
    os.environ.clear()
    os.environ.update({"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8"})
    os.environ.update(asked["environ"])
    argv = asked["argv"]
    if argv[0] != "vorflug":
        os.execvp(argv[0], argv)
    # the program closes none of them
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.argv = argv
    from vorflug.cli.__main__ import main

    main()


class _Server:
    def __init__(self, out) -> None:
        self._out = out
        self._running: dict[int, tuple[dict, float]] = {}

    def serve(self) -> None:
        reads, writes = os.pipe()
        os.set_blocking(writes, False)
        os.set_blocking(reads, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writes)
        waits = selectors.DefaultSelector()
        waits.register(0, selectors.EVENT_READ)
        waits.register(reads, selectors.EVENT_READ)
        rest = b""
        while True:
            for key, _ in waits.select(0.5):
                data = os.read(key.fd, 1 << 16)
                if key.fd != 0:
                    continue
                if not data:
                    self._kill_all()
                    return
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._start(json.loads(line))
            self._reap()
            self._kill_late()

    def _start(self, asked: dict) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                _child(asked)
            except BaseException as error:
                os.write(2, f"lab client: {type(error).__name__} {error}\n".encode())
            os._exit(99)
        self._running[pid] = asked, time.monotonic()

    def _reap(self) -> None:
        while self._running:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            asked, began = self._running.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            took = time.monotonic() - began
            said = {"number": asked["number"], "code": code, "took_s": took, "rss": usage.ru_maxrss * 1024}
            self._out.write(json.dumps(said) + "\n")
            self._out.flush()

    def _kill_late(self) -> None:
        for pid, (asked, began) in self._running.items():
            if time.monotonic() - began > asked["timeout"]:
                os.kill(pid, signal.SIGKILL)

    def _kill_all(self) -> None:
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)


def _serve() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    _load()
    import gc

    gc.freeze()
    out.write("ready\n")
    out.flush()
    _Server(out).serve()


if __name__ == "__main__":
    _serve()
