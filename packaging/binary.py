"""Builds ``dist/vorflug``, one file for this machine's glibc, and tries it.

PyInstaller follows imports; what is found by listing a package (areas, commands, live ports) it does not see, so those
are collected by name, and the smoke test compares the binary's list of areas with the source's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = ROOT / "dist" / "vorflug"
_LISTED = (
    "vorflug.areas",
    "vorflug.cli.commands",
    "vorflug.host",
    "vorflug.render",
    "vorflug.documents",
    "vorflug.attest",
    "vorflug.netprobe",
)
_UNUSED = (
    "tkinter",
    "setuptools",
    "pip",
    "babel",
    "pytest",
    "IPython",
    "numpy",
    "PIL",
    "pydoc_data",
    "lib2to3",
    "test",
)


def build() -> None:
    """Run PyInstaller; its output goes to build/ and dist/."""
    separator = os.pathsep
    command = [
        sys.executable, "-m", "PyInstaller", "--onefile", "--clean", "--noconfirm", "--log-level", "WARN",
        "--name", "vorflug", "--distpath", str(BINARY.parent), "--workpath", str(ROOT / "build"), "--specpath", str(ROOT / "build"),
        "--paths", str(ROOT / "src"),
        "--add-data", f"{ROOT / 'requirements_profiles'}{separator}vorflug/requirements_profiles",
        "--collect-data", "vorflug", "--collect-data", "certifi",
        *(f"--collect-submodules={package}" for package in _LISTED),
        *(f"--exclude-module={module}" for module in _UNUSED),
        str(ROOT / "packaging" / "entry.py"),
    ]  # fmt: skip
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "0"})


def smoke() -> None:
    """The binary knows every area, judges like the source, and says its version.  Raises SystemExit where it does not."""
    from vorflug import __version__
    from vorflug.engine import registry

    said = json.loads(_output(str(BINARY), "version", "--format", "json"))
    if said["vorflug"] != __version__:
        raise SystemExit(f"binary: wanted version {__version__}, saw {said['vorflug']}")
    if said["areas"] != list(registry.names()):
        missing = set(registry.names()) ^ set(said["areas"])
        raise SystemExit(f"binary: its areas differ from the source's: {', '.join(sorted(missing))}")
    with tempfile.TemporaryDirectory() as folder:
        facts = Path(folder) / "facts.json"
        subprocess.run([str(BINARY), "collect", "--out", str(facts)], check=True, stderr=subprocess.DEVNULL)
        outcomes = [
            [
                (f["id"], f["outcome"])
                for f in json.loads(_output(*program, "evaluate", str(facts), "--format", "json"))["findings"]
            ]
            for program in ((str(BINARY),), (sys.executable, "-m", "vorflug.cli"))
        ]
    if outcomes[0] != outcomes[1] or not outcomes[0]:
        raise SystemExit("binary: it judges the same facts otherwise than the source does")
    print(
        f"dist/vorflug: {BINARY.stat().st_size / 1e6:.1f} MB, {len(said['areas'])} areas, {len(outcomes[0])} findings as from source"
    )


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3, 5):
        raise SystemExit(f"{' '.join(command[:3])} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    build()
    smoke()
