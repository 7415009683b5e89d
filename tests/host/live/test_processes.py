"""Trees of /proc as kernels show them, and the processes of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from vorflug.host.live import LiveHost, Patience
from vorflug.host.live.processes import LiveProcesses

KERNEL_THREAD, NORMAL = 0x00208040, 0x00400100
"""Field 9 of /proc/PID/stat of kthreadd and of a program (proc_pid_stat(5))."""
HERE = os.geteuid()


class Proc:
    """A folder that looks like /proc."""

    def __init__(self, root):
        self.root = root

    def add(self, pid, name, *, program=None, flags=NORMAL, cgroup="0::/system.slice/x.service\n"):
        folder = self.root / str(pid)
        folder.mkdir()
        (folder / "stat").write_text(f"{pid} ({name}) S 1 {pid} {pid} 0 -1 {flags} 200 0 0 0 1 1 0 0 20 0 1 0 9\n")
        (folder / "cgroup").write_text(cgroup)
        if program:
            (folder / "exe").symlink_to(program)
        return folder

    def ask(self):
        return LiveProcesses(Patience(5), str(self.root))


@pytest.fixture
def proc(tmp_path):
    made = Proc(tmp_path)
    made.add(1, "systemd", program="/usr/lib/systemd/systemd", cgroup="0::/init.scope\n")
    (tmp_path / "self").symlink_to("1")
    (tmp_path / "meminfo").write_text("MemTotal: 1 kB\n")
    return made


def names(running):
    return [one.name for one in running.found]


def test_a_program_is_found_by_name_with_all_that_is_known_of_it(proc):
    proc.add(812, "chronyd", program="/usr/sbin/chronyd", cgroup="0::/system.slice/chrony.service\n")
    proc.add(900, "sshd", program="/usr/sbin/sshd")
    seen = proc.ask().named(("chronyd", "ntpd"))
    assert not seen.hidden
    (one,) = seen.found
    assert (one.pid, one.name, one.program, one.uid, one.cgroup) == (
        812,
        "chronyd",
        "/usr/sbin/chronyd",
        HERE,
        "/system.slice/chrony.service",
    )


def test_a_long_name_is_known_by_what_the_kernel_keeps_of_it(proc):
    proc.add(300, "systemd-timesyn", program="/usr/lib/systemd/systemd-timesyncd")
    proc.add(301, "systemd-timesyX", program="/usr/lib/systemd/other")
    assert [one.pid for one in proc.ask().named(("systemd-timesyncd",)).found] == [300]


def test_a_program_that_calls_itself_something_else_is_known_by_its_file(proc):
    proc.add(300, "worker", program="/opt/agent/bin/falcon-sensor")
    proc.add(301, "falcon-sensor", program="/tmp/x")
    proc.add(302, "falcon", program="/opt/falcon-sensor/other")
    assert [one.pid for one in proc.ask().named(("falcon-sensor",)).found] == [300, 301]


@pytest.mark.parametrize("name", ["a) S 1 (b", "((x))", ") ", "x y", "(sd-pam)", "a)"])
def test_names_with_parentheses_and_spaces(proc, name):
    proc.add(300, name, program="/usr/bin/x")
    (one,) = proc.ask().named((name,)).found
    assert (one.pid, one.name) == (300, name)


def test_a_thread_of_the_kernel_is_no_program(proc):
    proc.add(2, "ntpd", flags=KERNEL_THREAD, cgroup="0::/\n")
    proc.add(30, "ntpd", program="/usr/sbin/ntpd")
    assert [one.pid for one in proc.ask().named(("ntpd",)).found] == [30]
    with pytest.raises(ProcessLookupError):
        proc.ask().of(2)


def test_a_program_whose_file_was_replaced_keeps_its_path(proc):
    proc.add(30, "dockerd", program="/usr/bin/dockerd (deleted)")
    assert proc.ask().of(30).program == "/usr/bin/dockerd"
    assert names(proc.ask().named(("dockerd",))) == ["dockerd"]


def test_ordered_by_number_and_not_by_text(proc):
    for pid in (1000, 200, 30):
        proc.add(pid, "ntpd", program="/usr/sbin/ntpd")
    assert [one.pid for one in proc.ask().named(("ntpd",)).found] == [30, 200, 1000]


@pytest.mark.parametrize(
    ("cgroup", "group"),
    [
        ("0::/system.slice/docker.service\n", "/system.slice/docker.service"),
        # v1 (RHEL 7): systemd's own hierarchy names the unit
        ("4:memory:/m\n1:name=systemd:/system.slice/docker.service\n", "/system.slice/docker.service"),
        # hybrid: the unified one
        ("4:memory:/m\n1:name=systemd:/a\n0::/system.slice/b.service\n", "/system.slice/b.service"),
        # v1 without systemd
        ("4:memory:/docker/9f2c\n3:cpu,cpuacct:/docker/9f2c\n", "/docker/9f2c"),
        ("0::/a:b\n", "/a:b"),
        ("", ""),
        ("nonsense\n", ""),
    ],
)
def test_the_group_says_the_unit_or_the_container(proc, cgroup, group):
    proc.add(30, "x", program="/x", cgroup=cgroup)
    assert proc.ask().of(30).cgroup == group


def test_without_its_group_and_program_it_is_a_process_all_the_same(proc):
    folder = proc.add(30, "x")
    (folder / "cgroup").unlink()
    one = proc.ask().of(30)
    assert (one.program, one.cgroup) == (None, "")


def test_what_has_ended_meanwhile_is_none(proc):
    folder = proc.add(30, "ntpd", program="/usr/sbin/ntpd")
    (folder / "stat").unlink()
    seen = proc.ask().named(("ntpd",))
    assert (seen.found, seen.hidden) == ((), False)
    with pytest.raises(ProcessLookupError, match="30"):
        proc.ask().of(30)
    with pytest.raises(ProcessLookupError, match="31"):
        proc.ask().of(31)


def test_hidepid_2_shows_nobody_elses_processes_so_nothing_found_is_no_none(tmp_path):
    mine = Proc(tmp_path)
    mine.add(4711, "python3", program="/usr/bin/python3")
    seen = mine.ask().named(("chronyd",))
    assert (seen.found, seen.hidden) == ((), True)


@pytest.mark.tier("root")
def test_hidepid_1_shows_that_they_are_there_and_no_more(proc):
    from conftest import let_others_in

    let_others_in(proc.root)
    proc.add(30, "chronyd", program="/usr/sbin/chronyd").chmod(0o700)
    proc.add(31, "ntpd", program="/usr/sbin/ntpd")
    os.seteuid(65534)
    try:
        seen = proc.ask().named(("chronyd", "ntpd"))
        assert (names(seen), seen.hidden) == (["ntpd"], True)
        with pytest.raises(PermissionError):
            proc.ask().of(30)
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("made", [False, True])
def test_without_proc_nothing_is_said(tmp_path, made):
    root = tmp_path / "proc"
    if made:
        root.mkdir()
        (root / "meminfo").write_text("")
    with pytest.raises(NotImplementedError, match="not mounted"):
        LiveProcesses(Patience(5), str(root)).named(("x",))


def test_the_time_of_a_question_ends(proc):
    with pytest.raises(TimeoutError):
        LiveProcesses(Patience(-1), str(proc.root)).named(("x",))


# ---- this machine ----------------------------------------------------------------------------------------------------


def test_this_process_is_found_by_the_file_that_runs():
    program = os.path.realpath(sys.executable)
    one = LiveHost(5).processes.of(os.getpid())
    assert (one.pid, one.program, one.uid) == (os.getpid(), program, HERE)
    found = LiveHost(5).processes.named((program.rpartition("/")[2],)).found
    assert os.getpid() in [process.pid for process in found]


NAMESPACES = {"user": "user:[4026531837]", "mnt": "mnt:[4026531841]"}


def in_namespaces(folder, **others):
    (folder / "ns").mkdir()
    for kind, link in (NAMESPACES | others).items():
        if link:
            (folder / "ns" / kind).symlink_to(link)


@pytest.mark.parametrize(
    ("others", "same_file", "apart"),
    [
        ({}, True, False),
        ({}, False, False),  # replaced by a newer package, say: the path is ours all the same
        # any user may make one and mount in it, and rootless dockerd runs the machine's own file in one
        ({"user": "user:[4026532200]"}, True, True),
        ({"user": "user:[4026532200]", "mnt": "mnt:[4026532201]"}, True, True),
        # systemd's PrivateTmp=: the machine's own file
        ({"mnt": "mnt:[4026532201]"}, True, False),
        # a container, a mount that hides what is here
        ({"mnt": "mnt:[4026532201]"}, False, True),
        # it is ending
        ({"mnt": None}, False, True),
        ({"user": None}, True, True),
    ],
)
def test_a_path_among_other_mounts_proves_nothing(proc, tmp_path, others, same_file, apart):
    in_namespaces(proc.root / "1")
    program = tmp_path / "clamd"
    program.write_text("")
    in_namespaces(proc.add(30, "worker", program=program if same_file else f"{program} (deleted)"), **others)
    for one in (proc.ask().of(30), *proc.ask().named(("clamd",)).found):
        assert (one.apart, one.program) == (apart, None if apart else str(program))
    # it is told all the same
    assert [one.pid for one in proc.ask().named(("clamd",)).found] == [30]


def test_a_program_that_is_not_visible_is_not_called_apart(proc):
    in_namespaces(proc.root / "1")
    in_namespaces(proc.add(30, "clamd"), user="user:[1]")
    assert (proc.ask().of(30).program, proc.ask().of(30).apart) == (None, False)


@pytest.mark.tier("mounts")
def test_whoever_mounts_on_opt_shows_no_agent():
    """The path that /proc shows is the one in the program's own mounts."""
    script = (
        "mount -t tmpfs none /opt && mkdir /opt/CrowdStrike && cp /bin/sleep /opt/CrowdStrike/falcon-sensor && "
        "echo ready && exec /opt/CrowdStrike/falcon-sensor 60"
    )
    liar = subprocess.Popen(
        ["unshare", "-U", "-r", "-m", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        if liar.stdout.readline() != "ready\n":
            pytest.skip(f"no user namespaces here: {liar.stderr.read().strip()}")
        ends = time.monotonic() + 10
        while not (found := LiveHost(5).processes.named(("falcon-sensor",)).found) and time.monotonic() < ends:
            time.sleep(0.05)  # until exec(2) is done
        assert [(one.pid, one.program, one.apart) for one in found] == [(liar.pid, None, True)]
    finally:
        liar.kill()
        liar.communicate()


ASK = """
import os
from vorflug.host.live import LiveHost
processes = LiveHost(20).processes  # before the user is another one, who may not read Python's modules
os.setgroups([]); os.setgid(65534); os.setuid(65534)
seen = processes.named(("sleep",))
print(bool(seen.found), seen.hidden)
"""


@pytest.mark.tier("mounts")
@pytest.mark.parametrize(("hidepid", "said"), [("0", "True False"), ("1", "False True"), ("2", "False True")])
def test_a_proc_that_hides_others_is_said_so_to_nobody(hidepid, said):
    script = (
        f"mount -t proc -o hidepid={hidepid} proc /proc || exit 3; sleep 60 & other=$!; "
        '"$@"; code=$?; kill $other; exit $code'
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable, "-c", ASK],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 3:
        pytest.skip(f"proc cannot be mounted here: {done.stderr.strip()}")
    assert (done.stdout.strip(), done.returncode) == (said, 0), done.stderr


@pytest.mark.parametrize(("number", "hidden"), [(4026531836, False), (4026532201, True)])
def test_in_a_process_namespace_of_its_own_the_machine_is_hidden(proc, number, hidden):
    (proc.root / "1" / "ns").mkdir()
    (proc.root / "1" / "ns" / "pid").symlink_to(f"pid:[{number}]")
    assert proc.ask().named(("chronyd",)).hidden is hidden
