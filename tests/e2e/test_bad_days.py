"""Days on which everything goes wrong: the program ends on time, with the right code, and leaves nothing half-written."""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conftest import let_others_in
from e2e.program import (
    PROGRAM,
    WITH_BAD_DAYS,
    Running,
    bad_days,
    leftovers,
    profile,
    sound,
    vorflug,
    wait_for,
)

NOBODY = 65534
PEAK = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(f"peak {peak} KiB", file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


# ---- questions that misbehave ------------------------------------------------------------------------------------------


def test_every_bad_question_is_unknown_and_stops_no_other(tmp_path, home):
    ways = ("answers", "raises", "exits", "deep", "huge", "broken_text", "hangs")
    ended = vorflug(
        "run",
        "--profile",
        bad_days(tmp_path, *ways, hasty=True),
        out=tmp_path / "out",
        home=home,
        program=WITH_BAD_DAYS,
    )
    assert ended.code == 5, ended.err
    seen = {row["query"]["way"]: row["unseen"]["reason"] if row["unseen"] else "seen" for row in ended.report["facts"]}
    assert seen == {
        "answers": "seen",
        "raises": "crashed",
        "exits": "crashed",
        "deep": "crashed",
        "huge": "crashed",
        "broken_text": "seen",
        "hangs": "timeout",
    }
    assert ended.report["times"]["interrupted"] is None, "one question's own deadline is not the end of the run"
    sound(ended)
    assert ended.took_s < 4
    # what nobody foresaw leaves a log for whoever can mend it
    log = Path(ended.err.rpartition("the log for the vendor: ")[2].split()[0])
    logged = log.read_text(encoding="utf-8")
    log.unlink()
    assert "Traceback" in logged and "bad_day.py" in logged
    for text in (ended.out, ended.err, (ended.folder / "report.json").read_text(), logged):
        assert "canary-in-an-error" not in text and "\x1b" not in text and "\u202e" not in text


def test_a_program_that_prints_a_gigabyte_costs_little_memory(tmp_path, home):
    peaks = {}
    for way in ("answers", "floods"):
        folder = tmp_path / way
        folder.mkdir()
        ended = vorflug(
            "run", "--profile", bad_days(folder, way), out=folder / "out", home=home, program=WITH_BAD_DAYS,
            wrapper=(sys.executable, "-c", PEAK),
        )  # fmt: skip
        assert ended.code == 0, ended.err
        peaks[way] = int(ended.err.rpartition("peak ")[2].split()[0]) << 10
    assert ended.report["facts"][0]["fact"]["cut"] is True
    assert peaks["floods"] - peaks["answers"] < 32 << 20, peaks


def test_the_deadline_ends_a_hanging_run_by_its_findings(tmp_path, home):
    file = bad_days(tmp_path, "answers", "hangs")
    ended = vorflug("run", "--profile", file, "--deadline", "1", out=tmp_path / "out", home=home, program=WITH_BAD_DAYS)
    assert ended.code == 5, ended.err
    assert 1 <= ended.took_s < 3
    assert ended.unseen() == ["timeout"] and ended.report["times"]["interrupted"] == "deadline"
    sound(ended)


def test_two_hundred_hanging_questions_do_not_wait_for_each_other(tmp_path, home):
    file = bad_days(tmp_path, *["hangs"] * 200, "answers", hasty=True)
    ended = vorflug("run", "--profile", file, out=tmp_path / "out", home=home, program=WITH_BAD_DAYS)
    assert ended.code == 5, ended.err
    took = [row["took_s"] for row in ended.report["facts"]]
    assert ended.unseen() == ["timeout"] * 200 and max(took) < 2
    times = ended.report["times"]
    asked = datetime.fromisoformat(times["finished"]) - datetime.fromisoformat(times["started"])
    assert asked < timedelta(seconds=2.5), "each is given up after 1 s"


@pytest.mark.tier("root")
def test_a_limit_on_threads_costs_answers_and_not_the_run(tmp_path, runs_as_nobody):
    program, env = runs_as_nobody
    let_others_in(tmp_path)
    file = bad_days(tmp_path, *["slow"] * 60)
    out = tmp_path / "out"
    out.mkdir()
    os.chown(out, NOBODY, NOBODY)
    launcher = (*program, str(Path(__file__).parent / "launcher.py"))

    def few_threads():
        resource.setrlimit(resource.RLIMIT_NPROC, (40, 40))
        _become_nobody()

    ended = vorflug("run", "--profile", file, out=out, env=env, program=launcher, preexec=few_threads)
    assert ended.code == 5, ended.err
    assert "unsupported" in ended.unseen() and len(ended.unseen()) < 60
    assert len(ended.folders) == 1


# ---- signals -----------------------------------------------------------------------------------------------------------


def test_a_signal_leaves_a_partial_report_that_verifies(tmp_path, home):
    file = bad_days(tmp_path, "answers", "hangs")
    started = {
        number: Running(["run", "--profile", file], out=tmp_path / number.name, home=home, program=WITH_BAD_DAYS)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    for number, running in started.items():
        running.wait_for_line("answered in")
        sent = time.monotonic()
        running.process.send_signal(number)
        ended = running.wait()
        assert ended.code == 130, ended.err
        assert time.monotonic() - sent < 2.0, "a second, and some for a busy machine"
        assert ended.report["times"]["interrupted"] == number.name
        reasons = {row["query"]["way"]: row["unseen"] and row["unseen"]["reason"] for row in ended.report["facts"]}
        assert reasons == {"answers": None, "hangs": "cancelled"}
        assert "partial" in ended.out
        sound(ended)


def test_a_signal_at_any_moment_of_the_start_leaves_all_or_nothing(tmp_path, home):
    file = bad_days(tmp_path, "answers", "hangs")
    moments = (0.04, 0.1, 0.2, 0.35, 0.5, 0.65)
    started = [
        Running(["run", "--profile", file], out=tmp_path / f"out-{after_s}", home=home, program=WITH_BAD_DAYS)
        for after_s in moments
    ]
    for after_s, running in zip(moments, started, strict=True):
        running.send(signal.SIGTERM, after_s)
    for after_s, running in zip(moments, started, strict=True):
        ended = running.wait()
        # before a line of ours has run there is nobody who could catch it
        assert ended.code in ({130, -signal.SIGTERM} if after_s <= 0.1 else {130}), ended
        if ended.folders:
            sound(ended)
        else:
            assert leftovers(tmp_path / f"out-{after_s}") == []
    assert [p for p in leftovers(home) if p.endswith(".part")] == []


def test_a_second_signal_ends_it_at_once_and_leaves_nothing_half_written(tmp_path, home):
    file = bad_days(tmp_path, "hangs")
    out = tmp_path / "out"
    running = Running(["run", "--profile", file], out=out, home=home, program=WITH_BAD_DAYS)
    wait_for(lambda: out.exists() and any(out.iterdir()))
    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGINT)
    running.process.send_signal(signal.SIGTERM)
    ended = running.wait()
    assert ended.code == 130
    if ended.folders:  # it was faster than the second one
        sound(ended)
    else:
        assert leftovers(out) == []
        assert "interrupted" in ended.err


def test_ctrl_c_at_a_terminal_gives_the_cursor_back(tmp_path, home):
    file = bad_days(tmp_path, "hangs")
    ours, theirs = pty.openpty()
    shown = b""
    try:
        running = Running(
            ["run", "--profile", file], out=tmp_path / "out", home=home, program=WITH_BAD_DAYS, env={"TERM": "xterm"},
            stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        while b"hangs" not in shown:  # named once it has waited for a while
            shown += os.read(ours, 1 << 16)
        running.process.send_signal(signal.SIGINT)
        running.process.send_signal(signal.SIGTERM)
        with suppress(OSError):  # EIO: the other side is closed
            while more := os.read(ours, 1 << 16):
                shown += more
    finally:
        os.close(ours)
    assert running.wait().code == 130
    assert b"Traceback" not in shown
    assert shown.rfind(b"\x1b[?25h") > shown.rfind(b"\x1b[?25l"), "a hidden cursor would stay hidden"


def test_interrupting_collect_leaves_whole_facts(tmp_path, home):
    facts = tmp_path / "facts.json"
    file = bad_days(tmp_path, "answers", "hangs")
    running = Running(["collect", "--profile", file, "--out", facts], home=home, program=WITH_BAD_DAYS)
    running.wait_for_line("answered in")
    running.process.send_signal(signal.SIGINT)
    ended = running.wait()
    assert ended.code == 130, ended.err
    assert json.loads(facts.read_bytes())["times"]["interrupted"] == "SIGINT"
    assert stat.S_IMODE(facts.stat().st_mode) == 0o600
    judged = vorflug("evaluate", facts, "--profile", file, home=home, program=WITH_BAD_DAYS)
    assert judged.code == 5, judged.err


# ---- places that cannot be written -------------------------------------------------------------------------------------


def _tmpfs(folder: Path, size: str) -> tuple[str, ...]:
    # a mount of its own namespace, gone with the program
    folder.mkdir()
    return ("unshare", "-m", "--propagation", "private", "sh", "-c",
            f'mount -t tmpfs -o size={size},mode=700 none {folder} && exec "$@"', "sh")  # fmt: skip


@pytest.mark.tier("mounts")
def test_a_full_disk_is_found_before_the_first_question(tmp_path, home):
    full = tmp_path / "full"
    ended = vorflug(
        "run", "--profile", bad_days(tmp_path, "hangs"), home=home, program=WITH_BAD_DAYS, out=full,
        wrapper=_tmpfs(full, "256k"),
    )  # fmt: skip
    assert ended.code == 2 and ended.took_s < 3
    assert "No space left on device" in ended.err and "--out" in ended.err and ended.out == ""


@pytest.mark.tier("mounts")
def test_a_disk_that_fills_up_meanwhile_costs_the_files_and_not_the_findings(tmp_path, home):
    full = tmp_path / "full"
    script = (
        f"(while ! ls {full}/vorflug-*; do sleep 0.1; done; sleep 0.2; cat /dev/zero > {full}/filler) >/dev/null 2>&1 &"
        f' "$@"; code=$?; wait; find {full} -mindepth 1 ! -name filler >&2; exit $code'
    )
    program = (*_tmpfs(full, "4m"), "sh", "-c", script, "sh")
    ended = vorflug(
        "run", "--profile", bad_days(tmp_path, "answers", "hangs"), "--deadline", "2", home=home, out=full,
        program=WITH_BAD_DAYS, wrapper=program,
    )  # fmt: skip
    assert ended.code == 2, ended.err
    assert "No space left on device" in ended.err
    assert "UNDETERMINED" in ended.out, "what was found is shown all the same"
    assert f"{full}/vorflug" not in ended.err.partition("--out")[2], "something half-written is left"


@pytest.mark.tier("mounts")
def test_a_read_only_folder_is_found_before_the_first_question(tmp_path, home):
    folder = tmp_path / "ro"
    read_only = (*_tmpfs(folder, "4m"), "sh", "-c", f'mount -o remount,ro {folder} && exec "$@"', "sh")
    ended = vorflug(
        "run", "--profile", bad_days(tmp_path, "hangs"), home=home, program=WITH_BAD_DAYS, out=folder, wrapper=read_only
    )
    assert ended.code == 2 and ended.took_s < 3
    assert "Read-only file system" in ended.err and ended.out == ""
    folder.rmdir()
    read_only = (*_tmpfs(folder, "4m"), *read_only[-4:])
    facts = vorflug(
        "collect", "--profile", bad_days(tmp_path, "hangs"), home=home, program=WITH_BAD_DAYS,
        out=folder / "facts.json", wrapper=read_only,
    )  # fmt: skip
    assert facts.code == 2 and facts.took_s < 3 and facts.out == ""


def test_an_output_that_is_a_file_is_refused(tmp_path, home):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    ended = vorflug("run", "--profile", bad_days(tmp_path, "hangs"), "--out", taken, home=home, program=WITH_BAD_DAYS)
    assert ended.code == 2 and str(taken) in ended.err and taken.read_text() == "mine"


# ---- planted links -----------------------------------------------------------------------------------------------------


def test_links_planted_where_the_folder_will_be_are_not_followed(tmp_path, home):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    host = socket.gethostname()
    now = datetime.now(UTC)
    for seconds in range(20):
        (out / f"vorflug-{host}-{now + timedelta(seconds=seconds):%Y%m%dT%H%M%SZ}").symlink_to(elsewhere)
    ended = vorflug("run", "--profile", bad_days(tmp_path, "answers"), out=out, home=home, program=WITH_BAD_DAYS)
    assert ended.code == 0, ended.err
    assert ended.folder.name.endswith("-2") and list(elsewhere.iterdir()) == []
    sound(ended)


def test_links_planted_at_output_files_are_refused(tmp_path, home):
    file = bad_days(tmp_path, "answers")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "link"
    link.symlink_to(victim)
    ended = vorflug("run", "--profile", file, out=tmp_path / "out", home=home, program=WITH_BAD_DAYS)
    for arguments in (
        ("collect", "--profile", file, "--out", link),
        ("evaluate", ended.folder, "--profile", file, "--out", link),
        ("render", ended.folder, "--format", "csv", "--out", link),
        ("keys", "new", "--out", link),
    ):
        refused = vorflug(*arguments, home=home, program=WITH_BAD_DAYS)
        assert refused.code == 2 and str(link) in refused.err, (arguments, refused)
        assert victim.read_text() == "precious" and link.is_symlink()


def test_a_link_planted_at_the_report_key_is_refused(tmp_path, home):
    mine = tmp_path / "other-key.pem"
    assert vorflug("keys", "new", "--out", mine, home=home).code == 0
    folder = home / ".config" / "vorflug"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "report-key.pem").symlink_to(mine)
    ended = vorflug(
        "run", "--profile", bad_days(tmp_path, "answers"), out=tmp_path / "out", home=home, program=WITH_BAD_DAYS
    )
    assert ended.code == 2 and "report-key.pem" in ended.err and ended.folders == ()


# ---- odd environments --------------------------------------------------------------------------------------------------


def test_a_reader_that_leaves_costs_no_trace_and_no_verdict(tmp_path, home):
    file = profile(tmp_path, ("memory", {"at_least": "900 TB"}))
    line = f'{" ".join(PROGRAM)} run --profile {file} --out {tmp_path}/out | head -1; echo "${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env={"HOME": str(home), "PATH": os.environ["PATH"]},
        timeout=30, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "3", done
    assert "Traceback" not in done.stderr and "Broken" not in done.stderr


@pytest.mark.parametrize("closing", ["1>&-", "0<&- 1>&- 2>&-"])
def test_closed_streams_change_neither_files_nor_verdict(tmp_path, home, closing):
    file = profile(tmp_path, ("memory", {"at_least": "900 TB"}))
    closed = ("sh", "-c", f'exec "$@" {closing}', "sh")
    ended = vorflug("run", "--profile", file, out=tmp_path / "out", home=home, wrapper=closed)
    assert ended.code == 3, ended
    sound(ended)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize(("size", "code"), [("900 TB", 3), ("1 B", 1)])
def test_a_full_stdout_is_said_and_never_ends_with_0(tmp_path, home, size, code):
    file = profile(tmp_path, ("memory", {"at_least": size}))
    with open("/dev/full", "wb") as full:
        ended = vorflug("run", "--profile", file, out=tmp_path / "out", home=home, stdout=full)
    assert ended.code == code
    assert "No space left on device" in ended.err
    sound(ended)


@pytest.mark.parametrize(
    "env",
    [{"LC_ALL": "C"}, {"TERM": "xterm", "COLUMNS": "nonsense", "LANGUAGE": "\udcff", "LC_ALL": ""}],
    ids=["C locale, no HOME, no TERM", "nonsense"],
)
def test_a_poor_environment_is_enough(tmp_path, env):
    ended = vorflug(
        "run", "--profile", bad_days(tmp_path, "answers"), "--lang", "de", out=tmp_path / "out", env=env,
        program=WITH_BAD_DAYS,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "\x1b" not in ended.out + ended.err
    sound(ended)
    assert "HOME" in ended.out, "that the key was for this run only is said"


@pytest.mark.parametrize("umask", [0o000, 0o277])
def test_no_umask_opens_or_closes_the_files(tmp_path, home, umask):
    ended = vorflug(
        "run", "--profile", bad_days(tmp_path, "answers"), out=tmp_path / "out", home=home, program=WITH_BAD_DAYS,
        preexec=lambda: os.umask(umask),
    )  # fmt: skip
    assert ended.code == 0, ended.err
    sound(ended)
    key = home / ".config" / "vorflug" / "report-key.pem"
    assert not stat.S_IMODE(key.stat().st_mode) & 0o177


def _become_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


@pytest.fixture(scope="module")
def runs_as_nobody():
    """An interpreter that the user nobody may run with our packages, and the environment for it."""
    paths = [p for p in sys.path if "site-packages" in p] + [str(Path(__file__).parents[2] / "src")]
    env = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            done = subprocess.run(
                [candidate, "-c", "import vorflug.pipeline"], env=env, preexec_fn=_become_nobody, capture_output=True,
                check=False,
            )  # fmt: skip
        except OSError:
            continue
        if done.returncode == 0:
            return (candidate,), env
    pytest.skip("the user nobody can run no Python here that has our packages")


@pytest.mark.tier("root")
def test_nobody_can_run_it(tmp_path, runs_as_nobody):
    program, env = runs_as_nobody
    out = tmp_path / "out"
    out.mkdir()
    os.chown(out, NOBODY, NOBODY)
    unreadable = vorflug(
        "run", "--profile", bad_days(tmp_path, "answers"), "--out", out, env=env,
        program=(*program, "-m", "vorflug.cli.__main__"), preexec=_become_nobody,
    )  # fmt: skip
    assert unreadable.code == 2 and "Permission denied" in unreadable.err
    let_others_in(tmp_path)
    file = profile(
        tmp_path,
        ("memory", {"at_least": "1 B"}),
        ("admin_access", {}),
        ("os_release", {"accepted": [{"id": "debian", "versions": ["12"]}], "level": "should"}),
    )
    ended = vorflug(
        "run", "--profile", file, out=out, env={**env, "HOME": "/nonexistent"},
        program=(*program, "-m", "vorflug.cli.__main__"), preexec=_become_nobody,
    )  # fmt: skip
    assert ended.code in {0, 3, 5}, ended.err
    sound(ended)
    assert ended.report["host"]["user"] == "nobody" and ended.report["host"]["elevated"] is False
    assert "/nonexistent" in ended.out, "that no folder could keep a key is said"
    refused = vorflug(
        "run", "--profile", file, "--out", "/root/out", env=env, program=(*program, "-m", "vorflug.cli.__main__"),
        preexec=_become_nobody,
    )  # fmt: skip
    assert refused.code == 2 and "/root/out" in refused.err


def test_a_crash_log_holds_no_secret_and_names_itself(tmp_path, home):
    # a profile folder that is a loop of links is refused; a crash needs a defect, so one is made: a broken area
    broken = tmp_path / "launcher.py"
    broken.write_text(
        "import vorflug.pipeline as p\n"
        "from vorflug.host.secrets import remember\n"
        "def judge(*a):\n"
        "    remember('canary-in-a-crash')\n"
        "    raise RuntimeError('http://me:canary-in-a-url@proxy/ canary-in-a-crash')\n"
        "p.judge = judge\n"
        "from vorflug.cli.__main__ import main\n"
        "main()\n"
    )
    ended = vorflug(
        "run", "--profile", profile(tmp_path, ("memory", {"at_least": "1 B"})), out=tmp_path / "out", home=home,
        program=(sys.executable, str(broken)), env={"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert ended.code == 1 and ended.folders == () and leftovers(tmp_path / "out") == []
    (log,) = tmp_path.glob("vorflug-crash-*.log")
    assert str(log) in ended.err and stat.S_IMODE(log.stat().st_mode) == 0o600
    text = log.read_text()
    assert "RuntimeError" in text and "canary" not in text + ended.err + ended.out
