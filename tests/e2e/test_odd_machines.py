"""Machines that hide things, made from this one with namespaces: nothing crashes, nothing hidden reads as a fault."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from conftest import let_others_in
from e2e.program import PROGRAM, vorflug

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
QUESTIONS_LEFT = {"denied", "unsupported", "not_asked", "timeout"}
"""Why a question may stay without an answer there; a crash is never one of the reasons."""


def collect(folder: Path, site: Path, *, inside: str = "", nobody: bool = False) -> Path:
    """The facts of this machine, asked in a mount and process namespace of its own where *inside* prepares one."""
    out = folder / ("inside" if inside else "here")
    out.mkdir()
    out.chmod(0o777)
    let_others_in(out)
    argv = [*(NOBODY if nobody else ()), *PROGRAM, "collect", "--site", str(site), "--deadline", "60"]
    argv += ["--out", str(out / "facts.json")]
    if inside:
        argv = ["unshare", "-m", "-p", "-n", "-f", "--mount-proc", "sh", "-ec", f'{inside}\nexec "$@"', "sh", *argv]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return out / "facts.json"


def findings(facts: Path) -> dict[str, dict]:
    ended = vorflug("evaluate", facts, "--format", "json")
    return {row["id"]: row for row in json.loads(ended.out)["findings"]}


def reasons(facts: Path) -> dict[str, str]:
    rows = json.loads(facts.read_bytes())["facts"]
    return {json.dumps(row["query"]): row["unseen"]["reason"] for row in rows if row["unseen"]}


@pytest.fixture
def tmp_path():
    """A folder that others may enter: pytest's own is closed again by every other run on this machine."""
    with TemporaryDirectory(prefix="vorflug-odd-") as folder:
        yield Path(folder)


@pytest.fixture
def site(tmp_path):
    file = tmp_path / "site.yaml"
    closed = tmp_path / "closed"
    (closed / "inner").mkdir(parents=True)
    file.write_text(f"schema: vorflug/site/1\nparameters:\n  storage.docker_root: {closed}/inner\n", encoding="utf-8")
    let_others_in(tmp_path)
    closed.chmod(0o700)
    return file


@pytest.mark.tier("mounts")
@pytest.mark.tier("namespaces")
def test_nobody_in_a_container_without_sys_and_with_hidden_processes(tmp_path, site):
    here = findings(collect(tmp_path, site))
    hidden = collect(
        tmp_path, site, nobody=True, inside="umount -l /sys\nmount -o remount,hidepid=2 /proc\nip link set lo up"
    )
    found = findings(hidden)
    why = reasons(hidden)
    assert set(why.values()) <= QUESTIONS_LEFT, {q: r for q, r in why.items() if r not in QUESTIONS_LEFT}
    failed = {
        id_: (row["seen"] or {}).get("en", "")
        for id_, row in found.items()
        if row["outcome"] == "unmet" and here[id_]["outcome"] != "unmet"
    }
    # what is truly otherwise there: another user, another network, and (said so) a container
    truly = {"OS-024", "OS-024.home", "OS-024.plugins", "NET-005", "OS-023.host"}
    assert set(failed) <= truly, failed
    lost = [
        id_ for id_, row in found.items() if row["outcome"] == "unknown" and here[id_]["outcome"] in ("met", "unmet")
    ]
    assert lost, "wanted something that cannot be looked at there"
    for id_ in lost:
        assert found[id_]["because"]["en"] and found[id_]["fix"], found[id_]


@pytest.mark.tier("root")
def test_a_closed_folder_is_denied_and_not_full(tmp_path, site):
    found = findings(collect(tmp_path, site, nobody=True))
    rows = [row for id_, row in found.items() if id_.startswith("STO-") and "closed/inner" in json.dumps(row)]
    assert rows
    for row in rows:
        if str(tmp_path / "closed/inner") in (row["seen"] or {}).get("en", ""):
            raise AssertionError(row)
    # the row that is about this folder alone
    assert any(row["reason"] == "unseen.denied" for row in rows), [(r["id"], r["reason"]) for r in rows]
