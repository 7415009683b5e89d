"""Shared fixtures: tiers that not every machine has, fake hosts, and a guard that judging does no I/O."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

# ---- tiers -----------------------------------------------------------------------------------------------------------

_armed = False
_IO = ("open", "socket.", "subprocess.", "os.", "time.sleep")


def _root() -> str | None:
    return None if os.geteuid() == 0 else "not root"


def _program(*names: str) -> str | None:
    missing = [n for n in names if shutil.which(n) is None]
    return f"missing programs: {', '.join(missing)}" if missing else None


def _namespaces() -> str | None:
    if (missing := _root() or _program("ip", "unshare")) is not None:
        return missing
    done = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return None if done.returncode == 0 else "this kernel or container allows no network namespaces"


def _mounts() -> str | None:
    if (missing := _root() or _program("mount", "unshare")) is not None:
        return missing
    done = subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    return None if done.returncode == 0 else "this kernel or container allows no mount namespaces"


def _fuse() -> str | None:
    if (missing := _mounts()) is not None:
        return missing
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"this kernel or container has no usable /dev/fuse ({error.strerror})"
    return None


TIERS: dict[str, Callable[[], str | None]] = {
    "root": _root,
    "docker": lambda: _root() or _program("dockerd", "docker"),
    "kubectl": lambda: _program("kubectl"),
    "chromium": lambda: _program("chromium"),
    "namespaces": _namespaces,
    "mounts": _mounts,
    "fuse": _fuse,
    "debootstrap": lambda: _root() or _program("debootstrap"),
    "xfs": lambda: _root() or _program("mkfs.xfs", "unshare"),
    "packet-filters": lambda: _program("nft", "iptables", "setpriv"),
    "openssl": lambda: _program("openssl"),
    "fio": lambda: _program("fio"),
    "sudo": lambda: _root() or _program("sudo", "setpriv"),
    "ssh-keygen": lambda: _program("ssh-keygen"),
    "binary": lambda: None if os.environ.get("VORFLUG_BINARY") else "VORFLUG_BINARY does not name a built binary",
    "rpm": lambda: _program("rpm", "rpmbuild", "setpriv"),
    "curl": lambda: _program("curl"),
    "wget": lambda: _program("wget") or _namespaces(),
    "go": lambda: _program("go"),
    "requests": lambda: None if find_spec("requests") or find_spec("pip") else "neither requests nor pip is installed",
    "dpkg": lambda: _program("dpkg", "dpkg-deb", "setpriv"),
    "systemd": lambda: _root() or _program("systemd-nspawn", "systemctl"),
    "image-registry": lambda: _program("docker-registry", "squid", "curl"),
    "lab": lambda: (
        _namespaces()
        or _program("nft", "sysctl", "squid", "haproxy", "nginx", "dnsdist", "dig", "curl", "openssl", "faketime")
        or _program("/usr/lib/squid/security_file_certgen")
    ),
    "ipv6": lambda: None if _has_ipv6() else "no IPv6 on loopback",
}
"""What a test may need, and a function that says what is missing (None: nothing)."""


def _has_ipv6() -> bool:
    import socket

    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    required = os.environ.get("VORFLUG_REQUIRE_TIERS") == "1"
    answers: dict[str, str | None] = {}
    for item in items:
        for mark in item.iter_markers("tier"):
            tier = mark.args[0]
            if tier not in answers:
                answers[tier] = TIERS[tier]()
            if answers[tier] is not None and not required:
                item.add_marker(pytest.mark.skip(reason=f"tier {tier} did not run: {answers[tier]}"))


def let_others_in(folder: Path) -> None:
    """pytest makes its folders for one user alone; open the way to *folder* for others.  What is open stays as it is."""
    for one in (folder, *folder.parents):
        if one.stat().st_mode & 0o077 == 0:
            one.chmod(0o755)


for _number in (signal.SIGINT, signal.SIGHUP):
    # a test run in the background of a shell, or under nohup, would hand down that these are ignored
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


# ---- several at once (make test) -------------------------------------------------------------------------------------

ALONE = (
    "tests/engine/test_collect.py",
    "tests/e2e/test_bad_days.py",
    "tests/e2e/test_hung_storage.py",
    "tests/e2e/test_storage_speed.py",
    "tests/host/live/test_storage_speed.py",
    "tests/lab/",
    "tests/meta/test_mirror.py",
    "tests/netprobe/",
)
"""Tests that hold a stopwatch to what they try, or take all processors: no other test runs meanwhile."""
TOGETHER = ("tests/lab/",)
"""Folders whose tests share what is dear to set up: one process has them all, as it has those of one file."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])

    return ByFile(config, log)


@contextmanager
def _locked(file: Path, how: int) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, how)
        yield


@contextmanager
def _turn(item: pytest.Item) -> Iterator[None]:
    """Wait until *item* may run.  Who wants to be alone stands in the door, so that nobody enters before."""
    if not hasattr(item.config, "workerinput"):  # not one of several processes
        yield
        return
    alone = item.nodeid.startswith(ALONE)
    folder = item.config._tmp_path_factory.getbasetemp().parent  # what xdist's documentation uses for locks
    with ExitStack() as room:
        with _locked(folder / "door", fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            room.enter_context(_locked(folder / "room", fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    with _turn(item):
        return (yield)


# ---- purity ----------------------------------------------------------------------------------------------------------


def _hook(event: str, args: object) -> None:
    if _armed and event.startswith(_IO):
        raise AssertionError(f"judging must be pure, but it caused {event!r} {args!r}")


sys.addaudithook(_hook)


@contextmanager
def _no_io() -> Iterator[None]:
    global _armed  # noqa: PLW0603
    _armed = True
    try:
        yield
    finally:
        _armed = False


@pytest.fixture
def no_io() -> Callable[[], AbstractContextManager[None]]:
    """A context in which any I/O fails the test."""
    return _no_io


# ---- fake hosts ------------------------------------------------------------------------------------------------------


class FakePort:
    """A port whose methods are given as plain values or functions; an exception as a value is raised."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self._answers:
            raise AssertionError(f"the test did not expect {name!r} to be asked")
        answer = self._answers[name]

        def call(*args: Any, **kwargs: Any) -> Any:
            value = answer(*args, **kwargs) if callable(answer) else answer
            if isinstance(value, Exception):
                raise value
            return value

        return call


def fake_host(**ports: FakePort) -> Any:
    """A whole host made of fake ports; a port that is not given may not be asked."""
    return SimpleNamespace(**ports)


def header(**changes: Any) -> dict[str, Any]:
    """The fields that every requirement needs and that no judge looks at."""
    return {
        "id": "T-1",
        "title": {"en": "Title", "de": "Titel"},
        "advice": {"en": "Advice", "de": "Rat"},
        "models": ["compose"],
        "phases": ["pre-install"],
        "team": "os-virtualisation",
        "basis": "derived",
        **changes,
    }
