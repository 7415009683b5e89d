"""Real programs: scripts in a folder that the test makes a trusted one."""

from __future__ import annotations

import os
import pwd
import resource
import subprocess
import time
from pathlib import Path

import pytest

from vorflug.host.live import Patience
from vorflug.host.live.commands import TRUSTED, LiveCommands


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bin"
    made.mkdir(mode=0o755)
    made.chmod(0o755)
    return made


def script(folder: Path, body: str, name: str = "tool", mode: int = 0o755) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(mode)
    return path


def commands(folder: Path, seconds: float = 10) -> LiveCommands:
    return LiveCommands(Patience(seconds), (str(folder), *TRUSTED))


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ends(pid: int) -> bool:
    """Whether the process is gone soon: it was sent SIGKILL, which takes a moment."""
    until = time.monotonic() + 2
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not alive(pid)


def test_output_and_status(folder):
    script(folder, 'echo "out $1"; echo err >&2; exit 3')
    done = commands(folder).run(("tool", "a b; $(x)"))
    assert (done.code, done.out, done.err, done.cut) == (3, "out a b; $(x)\n", "err\n", False)


def test_a_signal_is_a_negative_status(folder):
    script(folder, "kill -TERM $$")
    assert commands(folder).run(("tool",)).code == -15


def test_bytes_that_are_no_text_are_replaced(folder):
    script(folder, r"printf 'a\377b'")
    assert commands(folder).run(("tool",)).out == "a\ufffdb"


def test_which(folder):
    tool = script(folder, "true")
    script(folder, "true", name="data", mode=0o644)
    (folder / "sub").mkdir()
    asked = commands(folder)
    assert asked.which("tool") == str(tool)
    assert asked.which("data") is None
    assert asked.which("sub") is None
    assert asked.which("sh") in {f"{f}/sh" for f in TRUSTED}


@pytest.mark.parametrize("name", ["../tool", "/bin/sh", "", ".", ".."])
def test_only_bare_names_are_looked_up(folder, name):
    with pytest.raises(ValueError, match="bare name"):
        commands(folder).run((name,))


def test_the_path_of_the_environment_is_not_searched(folder, monkeypatch):
    script(folder, "true", name="vorflug-test-tool")
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(FileNotFoundError, match="vorflug-test-tool"):
        LiveCommands(Patience(10)).run(("vorflug-test-tool",))


def test_the_environment_is_clean(folder, monkeypatch):
    for name in ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "_MEIPASS2", "_PYI_ARCHIVE_FILE", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "/planted")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/original")
    monkeypatch.setenv("HOME", str(folder.parent))
    script(folder, "env")
    seen = dict(line.split("=", 1) for line in commands(folder).run(("tool",)).out.splitlines())
    # these are the shell's own
    for name in ("PWD", "SHLVL", "_", "OLDPWD"):
        seen.pop(name, None)
    assert seen == {"LC_ALL": "C.UTF-8", "HOME": str(folder.parent), "PATH": ":".join((str(folder), *TRUSTED))}


def home_given(folder: Path) -> str:
    script(folder, 'echo "$HOME"')
    return commands(folder).run(("tool",)).out.strip()


@pytest.mark.tier("root")
@pytest.mark.parametrize("foreign", ["", ".docker", ".docker/cli-plugins", ".docker/cli-plugins/docker-compose"])
@pytest.mark.parametrize("how", ["owner", "mode"])
def test_a_home_where_others_could_put_plugins_is_not_passed_on(folder, tmp_path, monkeypatch, foreign, how):
    home = tmp_path / "home"
    plugins = home / ".docker" / "cli-plugins"
    plugins.mkdir(parents=True)
    script(plugins, "true", name="docker-compose")
    monkeypatch.setenv("HOME", str(home))
    assert home_given(folder) == str(home)
    if how == "owner":
        os.chown(home / foreign, 65534, 65534)
    else:
        (home / foreign).chmod(0o777)
    assert home_given(folder) in {pwd.getpwuid(0).pw_dir, "/nonexistent"}


@pytest.mark.tier("root")
def test_a_variable_that_names_the_folder_of_another_user_is_not_passed_on(folder, tmp_path, monkeypatch):
    store = tmp_path / "gnupg"
    store.mkdir(mode=0o700)
    monkeypatch.setenv("GNUPGHOME", str(store))
    script(folder, 'echo "<$GNUPGHOME>"')
    asked = commands(folder)
    assert asked.feed(("tool",), subprocess.DEVNULL, keep=("GNUPGHOME",)).out == f"<{store}>\n"
    os.chown(store, 65534, 65534)
    assert asked.feed(("tool",), subprocess.DEVNULL, keep=("GNUPGHOME",)).out == "<>\n"


@pytest.mark.parametrize("home", ["/absent-home", "relative"])
def test_a_home_that_is_none_is_not_passed_on(folder, monkeypatch, home):
    monkeypatch.setenv("HOME", home)
    assert home_given(folder) != home


def test_no_descriptor_and_no_input_is_inherited(folder, tmp_path):
    kept = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(kept, True)
    try:
        script(folder, "ls /proc/self/fd; readlink /proc/self/fd/0; cat")
        done = commands(folder).run(("tool",))
    finally:
        os.close(kept)
    *numbers, nothing = done.out.split()
    assert nothing == "/dev/null"
    assert set(numbers) <= {"0", "1", "2", "3"}  # 3 is the listing itself


def test_late_means_killed_with_everything_it_started(folder, tmp_path):
    pids = tmp_path / "pids"
    script(folder, f"sleep 60 & echo $! > {pids}; echo $$ >> {pids}; sleep 60")
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="tool"):
        commands(folder, seconds=0.5).run(("tool",))
    assert time.monotonic() - began < 2
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) == 2
    assert all(ends(pid) for pid in started)


def test_late_after_closing_its_output_is_late_too(folder):
    script(folder, "exec >&- 2>&-; sleep 60")
    with pytest.raises(TimeoutError):
        commands(folder, seconds=0.5).run(("tool",))


def test_a_child_that_keeps_the_output_open_delays_nothing_and_does_not_live_on(folder):
    script(folder, "sleep 60 & echo $!; exit 4")
    began = time.monotonic()
    done = commands(folder).run(("tool",))
    assert time.monotonic() - began < 2
    assert done.code == 4 and not done.cut
    assert ends(int(done.out))


def test_a_gigabyte_fills_no_memory_and_is_cut(folder):
    script(folder, "head -c 1073741824 /dev/zero | tr '\\0' 'x'")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = commands(folder).run(("tool",), limit=1000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert done.cut and done.out == "x" * 1000
    assert grown < 50 * 1024  # KiB


def test_a_gigabyte_of_errors_is_cut_too(folder):
    script(folder, "echo fine; head -c 1073741824 /dev/zero >&2")
    done = commands(folder).run(("tool",), limit=1000)
    assert done.cut and len(done.err) == 1000 and done.out == "fine\n"


def test_exactly_the_limit_is_not_cut(folder):
    script(folder, "printf 0123456789")
    assert commands(folder).run(("tool",), limit=10).cut is False
    assert commands(folder).run(("tool",), limit=9).cut is True


@pytest.mark.parametrize("mode", [0o757, 0o777])
def test_a_program_that_anybody_can_change_is_refused(folder, mode):
    tool = script(folder, "echo planted", mode=mode)
    with pytest.raises(PermissionError, match=str(tool)):
        commands(folder).run(("tool",))


def test_a_program_in_a_folder_that_anybody_can_change_is_refused(folder):
    script(folder, "echo planted")
    folder.chmod(0o777)
    with pytest.raises(PermissionError, match=str(folder)):
        commands(folder).run(("tool",))


@pytest.mark.tier("root")
@pytest.mark.parametrize("what", ["program", "folder"])
def test_what_belongs_to_another_user_is_refused(folder, what):
    tool = script(folder, "echo planted")
    os.chown(tool if what == "program" else folder, 65534, 65534)
    with pytest.raises(PermissionError, match="belongs to user 65534"):
        commands(folder).run(("tool",))


@pytest.mark.tier("root")
def test_a_folder_of_root_may_be_open_to_a_group_but_its_programs_may_not(folder):
    tool = script(folder, "echo fine")
    os.chown(folder, 0, 50)
    folder.chmod(0o2775)
    assert commands(folder).run(("tool",)).out == "fine\n"
    os.chown(tool, 0, 50)
    tool.chmod(0o775)
    with pytest.raises(PermissionError, match="others can write"):
        commands(folder).run(("tool",))


def test_a_link_to_an_untrusted_place_is_refused(folder, tmp_path):
    planted = tmp_path / "planted"
    planted.mkdir()
    script(planted, "echo planted")
    planted.chmod(0o777)
    (folder / "tool").symlink_to(planted / "tool")
    with pytest.raises(PermissionError, match="planted"):
        commands(folder).run(("tool",))


def test_a_program_for_another_machine_is_unsupported(folder):
    (folder / "tool").write_bytes(b"\x7fELF" + bytes(60))
    (folder / "tool").chmod(0o755)
    with pytest.raises(NotImplementedError, match="cannot be run"):
        commands(folder).run(("tool",))


def test_no_time_left_starts_nothing(folder, tmp_path):
    script(folder, f"touch {tmp_path}/ran")
    with pytest.raises(TimeoutError):
        commands(folder, seconds=-1).run(("tool",))
    assert not (tmp_path / "ran").exists()


def test_no_zombie_is_left(folder):
    script(folder, "echo $$")
    pid = int(commands(folder).run(("tool",)).out)
    assert not Path(f"/proc/{pid}").exists()
