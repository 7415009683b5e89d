"""Runs the real program as people do: as a process, in an environment and folder of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROGRAM = (sys.executable, "-m", "vorflug.cli.__main__")
WITH_BAD_DAYS = (sys.executable, str(HERE / "launcher.py"))
"""The same with the areas of ``extra_areas``."""

HEAD = """\
schema: vorflug/profile/1
name: {name}
version: "1.0.0"
title: {{en: Sample, de: Beispiel}}
published: "2026-11-25"
sizes:
  S: {{title: {{en: small, de: klein}}}}
  M: {{title: {{en: medium, de: mittel}}}}
  L: {{title: {{en: large, de: groß}}}}
sources: {{}}
parameters: {parameters}
requirements:
"""
ROW = """\
  - id: {id}
    title: {{en: "Row {id}", de: "Zeile {id}"}}
    advice: {{en: Mend it., de: Beheben.}}
    level: {level}
    models: [compose]
    phases: [pre-install]
    team: os-virtualisation
    basis: derived
    kind: {kind}
"""


def profile(folder: Path, *rows: tuple[str, Mapping[str, Any]], parameters: Mapping[str, Any] | None = None) -> Path:
    """Write a profile whose rows are a kind and its own fields; return its path."""
    text = HEAD.format(name="e2e", parameters=json.dumps(parameters or {}))
    for number, (kind, fields) in enumerate(rows, start=1):
        fields = dict(fields)
        text += ROW.format(id=f"E2E-{number}", kind=kind, level=fields.pop("level", "must"))
        text += "".join(f"    {name}: {json.dumps(value)}\n" for name, value in fields.items())
    file = folder / "profile.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def bad_days(folder: Path, *ways: str, hasty: bool = False) -> Path:
    """A profile that asks for one bad day after another; a way that stands there twice is asked twice."""
    return profile(
        folder,
        *(("bad_day", {"way": way, "number": number, "hasty": hasty}) for number, way in enumerate(ways)),
    )


@dataclass
class Ended:
    """How the program ended and what it left."""

    code: int
    out: str
    err: str
    took_s: float
    folders: tuple[Path, ...] = field(default=())

    @property
    def folder(self) -> Path:
        """The one report folder."""
        assert len(self.folders) == 1, self
        return self.folders[0]

    @property
    def report(self) -> dict[str, Any]:
        """The report that it wrote."""
        return dict(json.loads((self.folder / "report.json").read_bytes()))

    def unseen(self) -> list[str]:
        """Why each question has no answer."""
        return [row["unseen"]["reason"] for row in self.report["facts"] if row["unseen"]]


class Running:
    """The program, started; `wait` for its end."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        out: Path | None = None,
        program: Sequence[str] = PROGRAM,
        env: Mapping[str, str] | None = None,
        home: Path | None = None,
        preexec: Callable[[], None] | None = None,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.PIPE,
        wrapper: Sequence[str] = (),
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._out = out
        arguments = [*arguments, *(("--out", out) if out is not None else ())]
        environ = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore"}
        if home is not None:
            environ["HOME"] = str(home)

        def prepare() -> None:
            # a test run in the background of a shell would hand down that SIGINT is ignored
            for number in (signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            if preexec is not None:
                preexec()

        self._read = b""
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            [*wrapper, *program, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env={**environ, **(env or {})},
            preexec_fn=prepare,  # noqa: PLW1509 - the tests' own threads hold no lock that it needs
            pass_fds=pass_fds,
        )

    def wait_for_line(self, part: str, seconds: float = 15.0) -> None:
        """Until a line with *part* stands on stderr; what was read is not lost to `wait`."""
        assert self.process.stderr is not None
        ends = time.monotonic() + seconds
        while part.encode() not in self._read:
            left = ends - time.monotonic()
            ready = left > 0 and select.select([self.process.stderr], [], [], left)[0]
            chunk = os.read(self.process.stderr.fileno(), 1 << 16) if ready else b""
            assert chunk, self._read
            self._read += chunk

    def send(self, number: int, after_s: float) -> None:
        """Send a signal once *after_s* seconds have passed since the start."""
        time.sleep(max(0.0, self._began + after_s - time.monotonic()))
        self.process.send_signal(number)

    def wait(self, timeout: float = 30.0) -> Ended:
        """Until it ends; a program that does not is killed, and the test fails."""
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"did not end in {timeout} s: {err!r}") from None
        took = time.monotonic() - self._began
        folders = (
            sorted(p for p in self._out.glob("vorflug-*") if p.is_dir() and not p.is_symlink()) if self._out else []
        )
        ended = Ended(
            self.process.returncode,
            (out or b"").decode("utf-8", "backslashreplace"),
            (self._read + (err or b"")).decode("utf-8", "backslashreplace"),
            took,
            folders=tuple(folders),
        )
        assert "Traceback" not in ended.err + ended.out, ended.err
        return ended


def vorflug(*arguments: str | Path, **settings: Any) -> Ended:
    """Run the program to its end."""
    timeout = settings.pop("timeout", 30.0)
    return Running(arguments, **settings).wait(timeout)


def sound(ended: Ended) -> None:
    """The report folder is whole, private, and verifies with the key that made it; nothing half-written is about."""
    folder = ended.folder
    modes = {p.name: stat.S_IMODE(p.lstat().st_mode) for p in folder.iterdir()}
    assert modes == {
        "report.json": 0o600,
        "report.html": 0o600,
        "attestation.dsse.json": 0o600,
        "report-key.pub": 0o644,
    }, modes
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    trust = trusted(folder)
    checked = vorflug("verify", folder, "--trust", trust)
    assert checked.code == 0, checked
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert html.rstrip().endswith("</html>")


def trusted(folder: Path) -> Path:
    """The folder's public key, as one that came another way: verify takes none from the folder itself."""
    copy = folder.parent / f"{folder.name}.trusted.pub"
    copy.write_bytes((folder / "report-key.pub").read_bytes())
    return copy


def leftovers(folder: Path) -> list[str]:
    """Everything under *folder*; nothing where it is not there."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Until *condition* holds; the test fails where it does not."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        time.sleep(0.01)
