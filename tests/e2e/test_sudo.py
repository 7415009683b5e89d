"""A whole run asks the real sudo at most once, and nothing ever waits for a password.

In a mount namespace of its own, a counter takes the place of /usr/bin/sudo, notes how it was called and hands over to
the real program; the rules and the log of sudo lie in the test's folder.
"""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from conftest import let_others_in
from e2e.program import PROGRAM, profile

pytestmark = [pytest.mark.tier("mounts"), pytest.mark.tier("sudo")]

COUNTER = """\
#!/bin/sh
terminal=no
( : </dev/tty ) 2>/dev/null && terminal=yes
echo "args=$* stdin=$(readlink /proc/self/fd/0) terminal=$terminal" >> {folder}/calls
exec {folder}/real/sudo "$@"
"""
RULES = "Defaults !syslog, logfile={folder}/security.log, log_allowed, !lecture\nroot ALL=(ALL:ALL) ALL\n{rule}\n"
WITH_PASSWORD = "nobody ALL=(ALL:ALL) ALL"
DOCKER = 4242
"""The number of a group docker that only this test's namespace knows."""
INSIDE = """\
mount --bind {folder}/counter /usr/bin/sudo
mount --bind {folder}/sudoers /etc/sudoers
mount --bind {folder}/group /etc/group
"""


@pytest.fixture
def folder():
    with TemporaryDirectory(prefix="vorflug-sudo-") as name:
        made = Path(name)
        let_others_in(made)
        (made / "real").mkdir(mode=0o755)
        shutil.copy("/usr/bin/sudo", made / "real/sudo")
        (made / "real/sudo").chmod(0o4755)
        (made / "counter").write_text(COUNTER.format(folder=made))
        (made / "counter").chmod(0o755)
        (made / "calls").touch()
        (made / "calls").chmod(0o666)
        (made / "out").mkdir()
        (made / "out").chmod(0o777)
        kept = [line for line in Path("/etc/group").read_text().splitlines() if not line.startswith("docker:")]
        (made / "group").write_text("\n".join([*kept, f"docker:x:{DOCKER}:", ""]))
        yield made


def run(folder, *, rule="", user=65534, groups="--clear-groups", arguments=()):
    """One `vorflug run` on a terminal of its own, in which a line waits to be read; what is left there afterwards."""
    sudoers = folder / "sudoers"
    sudoers.write_text(RULES.format(folder=folder, rule=rule))
    sudoers.chmod(0o440)
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", groups, "--"] if user else []
    program = [*become, *PROGRAM, "run", "--deadline", "60", "--out", str(folder / "out"), *arguments]
    script = INSIDE.format(folder=folder) + '"$@"\nread -r line\necho "left: $line"'
    argv = ["unshare", "-m", "-n", "sh", "-c", script, "sh", *program]
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.clear()
        os.execve(shutil.which("unshare", path="/usr/bin:/bin"), argv, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    os.write(terminal, b"nobody reads this\n")
    shown, ends = b"", time.monotonic() + 120
    while time.monotonic() < ends:
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            shown += os.read(terminal, 1 << 16)
        except OSError:
            break  # the last one that had the terminal open is gone
    os.close(terminal)
    os.waitpid(pid, 0)
    text = shown.decode("utf-8", "replace")
    assert "Traceback" not in text, text
    assert "password for" not in text and "Password:" not in text, text
    assert "left: nobody reads this" in text, text
    return (folder / "calls").read_text().splitlines()


def logged(folder):
    log = folder / "security.log"
    return [line for line in log.read_text().splitlines() if "COMMAND=" in line] if log.exists() else []


@pytest.mark.parametrize(
    ("rule", "entries"),
    [("", 0), (WITH_PASSWORD, 1), ("nobody ALL=(ALL:ALL) NOPASSWD: ALL", 0)],
    ids=["no rule", "password", "everything"],
)
def test_a_whole_run_asks_sudo_once(folder, rule, entries):
    calls = run(folder, rule=rule)
    assert calls == ["args=-n -l stdin=/dev/null terminal=no"]
    # sudo notes only that a password was wanted, and only of users whom it knows
    assert len(logged(folder)) == entries


def test_nobody_who_is_in_the_group_makes_it_ask(folder):
    assert run(folder, groups=f"--groups={DOCKER}") == []
    assert logged(folder) == []


def test_root_never_makes_it_ask(folder):
    assert run(folder, user=0) == []
    assert logged(folder) == []


def test_requirements_with_different_groups_ask_once_together(folder):
    rows = [("admin_access", {"groups": [name]}) for name in ("docker", "podman", "wheel")]
    made = profile(folder, *rows)
    assert len(run(folder, rule=WITH_PASSWORD, arguments=("--profile", str(made)))) == 1
    assert len(logged(folder)) == 1


def test_the_counter_counts(folder):
    """Asked twice by hand, there are two calls: the numbers above are not those of a counter that stands still."""
    argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", "sudo", "-n", "-l"]
    (folder / "sudoers").write_text(RULES.format(folder=folder, rule=WITH_PASSWORD))
    (folder / "sudoers").chmod(0o440)
    script = INSIDE.format(folder=folder) + '"$@"; "$@"; exit 0'
    subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *argv], check=True, capture_output=True, timeout=60)
    assert len((folder / "calls").read_text().splitlines()) == 2
    assert len(logged(folder)) == 2
