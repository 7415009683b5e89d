"""The one-file program: whole, alike to the source, and without a trace in what it starts or leaves."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from vorflug.engine import registry
from vorflug.host.live.commands import TRUSTED

pytestmark = pytest.mark.tier("binary")

ROOT = Path(__file__).resolve().parent.parent.parent
UNUSED = {"babel", "pytest", "_pytest", "setuptools", "pip", "tkinter", "test", "unittest", "hypothesis", "mypy"}


def ran(program, *arguments, env, codes=(0, 3, 5), **options):
    done = subprocess.run(
        [*map(str, program), *map(str, arguments)],
        capture_output=True, text=True, check=False, env=env, timeout=120, **options,
    )  # fmt: skip
    assert done.returncode in codes, (done.returncode, done.stderr)
    return done


def outcomes(report):
    return {f["id"]: (f["outcome"], f["wanted"]["en"], f["reason"]) for f in report["findings"]}


def nothing_left(home):
    assert list(Path(home["TMPDIR"]).iterdir()) == []


def test_it_knows_every_area_and_profile(binary, source, home):
    said = json.loads(ran([binary], "version", "--format", "json", env=home).stdout)
    assert said["areas"] == list(registry.names())
    assert said == json.loads(ran(source, "version", "--format", "json", env=home).stdout)
    nothing_left(home)


def test_run_judges_as_from_source(binary, source, home, small_profile, tmp_path, report_of):
    reports = []
    for name, program in {"binary": [binary], "source": source}.items():
        ran(program, "run", "--profile", small_profile, "--out", tmp_path / name, env=home, codes=(3,))
        reports.append(report_of(tmp_path / name))
    assert outcomes(reports[0]) == outcomes(reports[1])
    assert {f["outcome"] for f in reports[0]["findings"]} == {"met", "unmet", "unknown", "not_applicable"}
    nothing_left(home)


def test_each_verifies_what_the_other_signed(binary, source, home, small_profile, tmp_path):
    programs = {"binary": [binary], "source": source}
    for name, program in programs.items():
        ran(program, "run", "--profile", small_profile, "--out", tmp_path / name, env=home)
    for name, other in (("binary", source), ("source", [binary])):
        (folder,) = (tmp_path / name).iterdir()
        # a key that lies beside the report is not trusted
        key = shutil.copy(folder / "report-key.pub", tmp_path / f"{name}.pub")
        ran(other, "verify", folder, "--trust", key, env=home, codes=(0,))
        page = folder / "report.html"
        page.write_bytes(page.read_bytes() + b" ")
        ran(other, "verify", folder, "--trust", key, env=home, codes=(6,))


@pytest.mark.parametrize("shape", ["html", "markdown", "junit", "csv", "terminal"])
@pytest.mark.parametrize("lang", ["de", "en"])
def test_it_renders_as_from_source(binary, source, home, small_profile, tmp_path, shape, lang):
    facts, report = tmp_path / "facts.json", tmp_path / "report.json"
    ran(source, "collect", "--profile", small_profile, "--out", facts, env=home)
    ran(source, "evaluate", facts, "--profile", small_profile, "--out", report, env=home)
    pages = [
        ran(program, "render", report, "--format", shape, "--lang", lang, env=home).stdout
        for program in ([binary], source)
    ]
    assert pages[0] == pages[1] != ""
    assert ("Ordner des Produkts" in pages[0]) == (lang == "de")


def test_what_is_in_it_and_what_is_not(binary):
    readers = pytest.importorskip("PyInstaller.archive.readers", reason="PyInstaller reads its own archives")
    archive = readers.CArchiveReader(str(binary))
    modules = set(archive.open_embedded_archive("PYZ.pyz").toc)
    files = set(archive.toc)
    package = ROOT / "src" / "vorflug"
    wanted = {
        str(Path("vorflug") / p.relative_to(package))
        for pattern in ("*.mo", "*.j2", "*.css")
        for p in package.rglob(pattern)
    }
    profiles = ROOT / "requirements_profiles"
    wanted |= {
        str(Path("vorflug/requirements_profiles") / p.relative_to(profiles)) for p in profiles.rglob("*") if p.is_file()
    }
    assert len(wanted) > 8
    assert wanted <= files
    assert "certifi/cacert.pem" in files
    own = {
        ".".join(p.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")
        for p in package.rglob("*.py")
    }
    assert own <= modules, own - modules
    tops = {name.partition(".")[0] for name in modules} | {name.partition("/")[0] for name in files}
    assert not tops & UNUSED


def test_exit_codes_come_through(binary, home, tmp_path):
    ran([binary], "--version", env=home, codes=(0,))
    assert "Traceback" not in ran([binary], "nonsense", env=home, codes=(2,)).stderr
    ran([binary], "run", "--profile", tmp_path / "none.yaml", env=home, codes=(2,))
    nothing_left(home)


def test_progress_on_a_terminal(binary, home, small_profile, tmp_path, report_of):
    leader, follower = pty.openpty()
    seen = bytearray()

    def read():
        # EIO is how Linux says that the last writer has closed a terminal
        try:
            while chunk := os.read(leader, 65536):
                seen.extend(chunk)
        except OSError:
            return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    done = subprocess.run(
        [str(binary), "run", "--profile", str(small_profile), "--out", str(tmp_path / "out")],
        stdin=follower, stdout=follower, stderr=follower, env={**home, "TERM": "xterm-256color"}, check=False, timeout=60,
    )  # fmt: skip
    os.close(follower)
    reader.join(10)
    assert done.returncode == 3, seen.decode(errors="replace")
    assert b"\x1b[" in seen
    assert b"internal error" not in seen
    report_of(tmp_path / "out")


_ROW = """\
  - id: {id}
    kind: {kind}
    title: {{en: "Wanted", de: "Erwünscht"}}
    advice: {{en: "Mend it.", de: "Beheben."}}
    models: [compose]
    phases: [pre-install]
    team: pki
    basis: derived
"""


def profile(path, *rows):
    head = 'schema: vorflug/profile/1\nname: own\nversion: "1.0.0"\npublished: "2026-11-25"\n'
    head += 'title: {en: "Own", de: "Eigenes"}\nrequirements:\n'
    path.write_text(
        head
        + "".join(
            _ROW.format(id=id_, kind=kind) + "".join(f"    {name}: {value}\n" for name, value in fields.items())
            for id_, kind, fields in rows
        ),
        encoding="utf-8",
    )
    return path


MEMORY = ("MEM-1", "memory", {"at_least": "1 MB"})


@contextmanager
def silent_server():
    """Accepts and says nothing; its port, and an event that is set at the first connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        came = threading.Event()
        kept = []

        def accept():
            try:
                while True:
                    kept.append(server.accept()[0])
                    came.set()
            except OSError:
                return

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield server.getsockname()[1], came
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for one in kept:
                one.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("whole_group", [True, False], ids=["group", "process"])
def test_a_signal_leaves_a_partial_report(binary, home, tmp_path, report_of, number, whole_group):
    """A terminal's Ctrl-C reaches both processes of the one file, and the first also hands it on: it must count once."""
    with silent_server() as (port, came):
        asks = profile(
            tmp_path / "profile.yaml",
            MEMORY,
            ("TLS-1", "tls_remote_certificate", {"url": f"https://127.0.0.1:{port}", "valid_for": "30 d"}),
        )
        process = subprocess.Popen(
            [str(binary), "run", "--profile", str(asks), "--out", str(tmp_path / "out")],
            env=home, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert came.wait(30)
        time.sleep(0.3)
        began = time.monotonic()
        (os.killpg if whole_group else os.kill)(process.pid, number)
        _, said = process.communicate(timeout=30)
        took = time.monotonic() - began
    assert process.returncode == 130, said
    assert took < 5
    report = report_of(tmp_path / "out")
    assert report["times"]["interrupted"] == number.name
    assert outcomes(report)["MEM-1"][0] == "met"
    assert outcomes(report)["TLS-1"][0] == "unknown"
    nothing_left(home)


RECORDS = """\
#!/bin/sh
exec 3>{out}
echo "== maps" >&3
cat /proc/self/maps >&3
echo "== environment" >&3
tr '\\0' '\\n' < /proc/self/environ >&3
echo "== libraries of a larger program" >&3
LD_TRACE_LOADED_OBJECTS=1 {large} >&3
echo "== environment of the parent" >&3
tr '\\0' '\\n' < /proc/$PPID/environ >&3
echo "== maps of the parent" >&3
cat /proc/$PPID/maps >&3
echo '{{"clientVersion": {{"gitVersion": "v1.34.4"}}}}'
"""


@pytest.mark.tier("mounts")
def test_what_it_starts_sees_nothing_of_it(binary, home, tmp_path, report_of):
    large = shutil.which("openssl") or shutil.which("python3")
    recorded = tmp_path / "recorded"
    fake = tmp_path / "kubectl"
    fake.write_text(RECORDS.format(out=recorded, large=large), encoding="utf-8")
    fake.chmod(0o755)
    asks = profile(tmp_path / "profile.yaml", ("KUB-1", "kubectl_version", {"at_least": '"1.30"'}))
    # a private mount namespace: the machine's own folders stay as they are
    folder = next(f for f in reversed(TRUSTED) if Path(f).is_dir())
    script = f"""
set -e
mount -t tmpfs -o mode=0755 none {folder}
cp {fake} {folder}/kubectl
for path in {" ".join(f"{f}/kubectl" for f in TRUSTED if f != folder)}; do
  if [ -e $path ]; then mount --bind {folder}/kubectl $path; fi
done
exec {binary} run --profile {asks} --out {tmp_path / "out"}
"""
    ran(["unshare", "-m", "sh", "-c", script], env=home, codes=(0,))
    assert outcomes(report_of(tmp_path / "out"))["KUB-1"][0] == "met"
    parts = dict(re.findall(r"^== (.*)\n((?:(?!== ).*\n)*)", recorded.read_text(encoding="utf-8"), re.MULTILINE))
    # what is looked for is there to be found, in the process that started it
    assert "/_MEI" in parts["maps of the parent"]
    assert re.search(r"^(LD_LIBRARY_PATH|_PYI)", parts["environment of the parent"], re.MULTILINE)
    assert "libc.so" in parts["maps"]
    assert "libc.so" in parts["libraries of a larger program"]
    for part in ("maps", "environment", "libraries of a larger program"):
        assert not re.search(r"_MEI|_PYI|LD_LIBRARY_PATH|PYTHON", parts[part]), parts[part]
