"""Builds ``dist/vorflug``, one file for this machine's glibc, and tries it.

``python packaging/binary.py`` builds and tries; ``python packaging/binary.py smoke`` only tries what is there.
What PyInstaller does not find by itself stands in ``packaging/hooks``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "dist" / "vorflug"
SOURCE = (sys.executable, "-m", "vorflug.cli")
_UNUSED = (
    "IPython",
    "PIL",
    "_pyrepl",
    "_pytest",
    "ast_serialize",
    "babel",
    "curses",
    "doctest",
    "ensurepip",
    "hypothesis",
    "idlelib",
    "lib2to3",
    "librt",
    "markdown_it",
    "multiprocessing",
    "mypy",
    "numpy",
    "pdb",
    "pip",
    "pkg_resources",
    "pydoc",
    "pydoc_data",
    "pygments",
    "pytest",
    "readline",
    "setuptools",
    "sortedcontainers",
    "sqlite3",
    "test",
    "tkinter",
    "trio",
    "turtle",
    "unittest",
    "wheel",
    "xmlrpc",
)
"""Modules that some library imports if they are there, and that this program never uses."""
_ENDS = (0, 3, 5)
"""Exit codes of a verdict: ready, not ready, undetermined."""


def build() -> None:
    """Run PyInstaller; its output goes to build/ and dist/.  Raises CalledProcessError."""
    command = [
        sys.executable, "-m", "PyInstaller", "--onefile", "--clean", "--noconfirm", "--log-level", "WARN",
        "--name", BINARY.name, "--distpath", str(BINARY.parent),
        "--workpath", str(ROOT / "build"), "--specpath", str(ROOT / "build"),
        "--paths", str(ROOT / "src"), "--additional-hooks-dir", str(ROOT / "packaging" / "hooks"),
        "--add-data", f"{ROOT / 'requirements_profiles'}{os.pathsep}vorflug/requirements_profiles",
        *(f"--exclude-module={module}" for module in _UNUSED),
        # debugging symbols of libpython and of the compiled modules
        *(["--strip"] if shutil.which("strip") else []),
        str(ROOT / "packaging" / "entry.py"),
    ]  # fmt: skip
    # the order of sets would otherwise differ from build to build
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "0"})


def smoke() -> str:
    """Try the binary against the source; one line about it.  Raises SystemExit where they differ."""
    from vorflug.engine import registry

    said = _json(str(BINARY), "version", "--format", "json")
    _same("areas", said["areas"], list(registry.names()))
    _same("version", said, _json(*SOURCE, "version", "--format", "json"))
    with tempfile.TemporaryDirectory() as folder:
        facts = str(Path(folder) / "facts.json")
        _run(str(BINARY), "collect", "--out", facts)
        by_binary, by_source = (
            _json(*program, "evaluate", facts, "--format", "json") for program in ((str(BINARY),), SOURCE)
        )
        for document in (by_binary, by_source):
            document["times"].pop("evaluated")
        _same("report on one facts file", by_binary, by_source)
        # the page needs the templates, its German the compiled texts
        report = Path(folder) / "report.json"
        report.write_text(json.dumps(_json(str(BINARY), "evaluate", facts, "--format", "json")), encoding="utf-8")
        pages = [
            _run(*program, "render", str(report), "--format", "html", "--lang", "de")
            for program in ((str(BINARY),), SOURCE)
        ]
        _same("German page", pages[0], pages[1])
    began = time.perf_counter()
    _run(str(BINARY), "--version")
    took = time.perf_counter() - began
    return (
        f"{BINARY.relative_to(ROOT)}: {BINARY.stat().st_size / 1e6:.1f} MB, starts in {took:.2f} s, "
        f"{len(said['areas'])} areas, {len(by_binary['findings'])} findings as from source"
    )


def _same(what: str, binary: Any, source: Any) -> None:
    if not source:
        raise SystemExit(f"binary: the source itself gives no {what}")
    if (found := _difference(binary, source)) is not None:
        raise SystemExit(f"binary: its {what} is not the source's, {found}")


def _difference(saw: Any, wanted: Any, path: str = "") -> str | None:
    """The first place where two JSON values differ."""
    match saw, wanted:
        case dict(), dict() if list(saw) == list(wanted):
            pairs = [(saw[k], wanted[k], f"{path}.{k}") for k in wanted]
        case list(), list() if len(saw) == len(wanted):
            pairs = [(s, w, f"{path}[{n}]") for n, (s, w) in enumerate(zip(saw, wanted, strict=True))]
        case _:
            return None if saw == wanted else f"at {path or 'the top'}: wanted {wanted!s:.500}, saw {saw!s:.500}"
    return next((found for pair in pairs if (found := _difference(*pair)) is not None), None)


def _json(*command: str) -> Any:
    return json.loads(_run(*command))


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in _ENDS:
        raise SystemExit(f"binary: {' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    if sys.argv[1:] != ["smoke"]:
        build()
    print(smoke())
