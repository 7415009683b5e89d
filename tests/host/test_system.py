"""Trees of /proc and /sys that other machines would show, and this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import FakePort
from hosts.built import tree
from vorflug.host.live import LiveHost, Patience
from vorflug.host.live.files import LiveFiles
from vorflug.host.system import ComputedSystem, _numbers
from vorflug.ports.system import GivenBy, GivenMemory, Memory, Topology

KIB = 1024
V1_NO_LIMIT = "9223372036854771712"


def tree_system(root) -> ComputedSystem:
    return ComputedSystem(LiveFiles(str(root)), FakePort())


def system(name: str) -> ComputedSystem:
    return tree_system(tree(name))


# ---- control groups --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "name", "limits"),
    [
        # the mount's top is the container's own group, called by its full name
        ("cgroup-v1-container", "memory.max", (("/docker/9f2c4d1e7a", "2147483648"),)),
        ("cgroup-v1-container", "cpu.max", (("/docker/9f2c4d1e7a", "150000 100000"),)),
        ("cgroup-v1-container", "pids.max", (("/docker/9f2c4d1e7a", "max"),)),
        (
            "cgroup-v1-nested",
            "memory.max",
            (
                ("/kubepods/burstable/pod77/c1", V1_NO_LIMIT),
                ("/kubepods/burstable/pod77", "17179869184"),
                ("/kubepods/burstable", "8589934592"),
                ("/kubepods", V1_NO_LIMIT),
                ("/", V1_NO_LIMIT),
            ),
        ),
        (
            "cgroup-v1-nested",
            "cpu.max",
            (
                ("/kubepods/burstable/pod77/c1", "max 100000"),
                ("/kubepods/burstable/pod77", "400000 100000"),
                ("/kubepods/burstable", "250000 100000"),
                ("/kubepods", "max 100000"),
                ("/", "max 100000"),
            ),
        ),
        (
            "cgroup-v2-nested",
            "memory.max",
            (
                ("/system.slice/app.slice/preflight.service", "max"),
                ("/system.slice/app.slice", "4294967296"),
                ("/system.slice", "max"),
            ),
        ),
        (
            "cgroup-v2-nested",
            "cpu.max",
            (
                ("/system.slice/app.slice/preflight.service", "200000 100000"),
                ("/system.slice/app.slice", "max 100000"),
                ("/system.slice", "300000 200000"),
            ),
        ),
        ("cgroup-v2-container", "memory.max", (("/", "1073741824"),)),
        ("cgroup-v2-container", "cpu.max", (("/", "50000 100000"),)),
        ("cgroup-hybrid", "memory.max", (("/user.slice", "6442450944"), ("/", V1_NO_LIMIT))),
        ("cgroup-hybrid", "cpu.max", (("/user.slice", "max 100000"), ("/", "max 100000"))),
        # switched off at boot: nothing limits, which is an answer
        ("arm64-no-memory-controller", "memory.max", ()),
        ("arm64-no-memory-controller", "cpu.max", (("/user.slice", "max 100000"),)),
    ],
)
def test_cgroup_limits_from_the_own_group_to_the_root(host, name, limits):
    assert system(host).cgroup_limits(name) == limits


def test_a_group_above_the_namespace_is_hidden_and_not_unlimited():
    with pytest.raises(NotImplementedError, match="does not show"):
        system("cgroup-v2-hidden").cgroup_limits("memory.max")


@pytest.mark.parametrize(
    ("host", "name", "hidden"),
    [
        ("cgroup-v2-nested", "memory.max", False),
        ("cgroup-v2-container", "memory.max", True),
        ("cgroup-v2-container", "cpu.max", True),
        ("cgroup-hybrid", "memory.max", False),
        ("arm64-no-memory-controller", "memory.max", False),
    ],
)
def test_a_top_that_is_not_the_root_is_told(host, name, hidden):
    assert system(host).cgroup_top_hidden(name) is hidden


@pytest.mark.parametrize(
    ("mount", "files", "hidden"),
    [
        # docker's default on v2: the group of the container is shown as the root, and sets no limit itself
        ("/", {"memory.max": "max\n"}, True),
        # the group above does not hand the controller down: there is no memory.max, and it is no root all the same
        ("/", {"cgroup.type": "domain\n"}, True),
        ("/", {"cgroup.controllers": "memory\n"}, False),
        ("/docker/x", {}, True),
    ],
)
def test_the_root_of_a_namespace_is_not_taken_for_the_root(tmp_path, mount, files, hidden):
    seen = written(
        tmp_path,
        {
            "proc/self/cgroup": f"0::{mount}\n",
            "proc/self/mountinfo": ROOT_MOUNT + V2_MOUNT.replace(" / /sys", f" {mount} /sys"),
            **{f"sys/fs/cgroup/{name}": text for name, text in files.items()},
        },
    )
    assert seen.cgroup_top_hidden("memory.max") is hidden


def written(root: Path, files: dict[str, str]) -> ComputedSystem:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tree_system(root)


ROOT_MOUNT = "28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
V2_MOUNT = "30 28 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": ROOT_MOUNT}, "not mounted"),
        ({"proc/self/cgroup": "6:memory:/a\n", "proc/self/mountinfo": ROOT_MOUNT}, "not mounted"),
        ({"proc/self/cgroup": "6:memory:/a\n0::/a\n", "proc/self/mountinfo": ROOT_MOUNT + V2_MOUNT}, "not mounted"),
        # mountinfo tells of a mount that an empty /sys does not show
        ({"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": ROOT_MOUNT + V2_MOUNT}, "not visible"),
        (
            {
                "proc/self/cgroup": "6:memory:/elsewhere\n",
                "proc/self/mountinfo": "39 28 0:34 /docker/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
            },
            "does not show",
        ),
        ({"etc/hostname": "x"}, "/proc is not mounted"),
    ],
)
def test_what_cannot_be_seen_is_no_missing_limit(tmp_path, files, why):
    with pytest.raises(NotImplementedError, match=why):
        written(tmp_path, files).cgroup_limits("memory.max")


@pytest.mark.parametrize(
    "files",
    [
        {"proc/self/status": "Name:\tx\n"},  # a kernel without control groups
        {"proc/self/status": "Name:\tx\n", "proc/self/cgroup": "3:cpu:/\n"},  # a kernel without this one
    ],
)
def test_a_kernel_that_cannot_limit_limits_nothing(tmp_path, files):
    assert written(tmp_path, files).cgroup_limits("memory.max") == ()


def test_a_mount_on_top_of_the_hierarchy_is_the_one_that_counts(tmp_path):
    below = "30 28 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    above = "31 28 0:26 / /cgroup rw - cgroup2 cgroup2 rw\n"
    seen = written(
        tmp_path,
        {
            "proc/self/cgroup": "0::/a\n",
            "proc/self/mountinfo": below + above,
            "cgroup/a/memory.max": "17\n",
            "sys/fs/cgroup/a/memory.max": "18\n",
        },
    )
    assert seen.cgroup_limits("memory.max") == (("/a", "17"),)


# ---- memory and processor --------------------------------------------------------------------------------------------


def test_memory_is_read_in_kibibytes():
    assert system("cgroup-v1-container").memory() == Memory(32947752 * KIB, 28001224 * KIB, 2097148 * KIB)


def test_of_many_cpus_the_features_of_the_first_ones_are_read_and_no_more(tmp_path):
    block = "processor\t: {n}\nflags\t\t: " + " ".join(f"feature{i:03}" for i in range(100)) + "\n\n"
    text = "".join(block.replace("{n}", str(n)) for n in range(96))
    read = []

    class Counting(LiveFiles):
        def read_text(self, path, *, limit=1 << 20):
            found = super().read_text(path, limit=limit)
            read.append((path, len(found)))
            return found

    written(
        tmp_path,
        {
            "proc/cpuinfo": text,
            "proc/self/status": "Cpus_allowed_list:\t0-95\n",
            "sys/devices/system/cpu/online": "0-95\n",
        },
    )
    seen = ComputedSystem(Counting(str(tmp_path)), FakePort()).processor()
    assert (seen.online, seen.affinity, len(seen.flags)) == (96, 96, 100), "a line that was cut off lacks features"
    assert len(text) > 1 << 16 and dict(read)["/proc/cpuinfo"] == 1 << 14


@pytest.mark.parametrize("ask", [lambda s: s.memory(), lambda s: s.processor(), lambda s: s.virtualisation()])
def test_without_proc_nothing_is_said(tmp_path, ask):
    with pytest.raises(NotImplementedError, match="/proc is not mounted"):
        ask(written(tmp_path, {"etc/hostname": "x"}))


def test_memory_of_a_kernel_that_does_not_say_what_is_available(tmp_path):
    old = written(tmp_path, {"proc/meminfo": "MemTotal: 1024 kB\nMemFree: 512 kB\nSwapTotal: 0 kB\n"})
    with pytest.raises(NotImplementedError, match="MemAvailable"):
        old.memory()


@pytest.mark.parametrize(
    ("host", "online", "affinity", "has", "has_not", "model"),
    [
        # allowed are 128, on are four, and number 3 is off
        ("cgroup-v2-nested", 4, 4, "ssse3", "avx2", "Intel Xeon Processor (Cascadelake)"),
        ("cgroup-v2-container", 16, 2, "avx2", "avx512f", "AMD EPYC 9354P 32-Core Processor"),
        ("arm64-no-memory-controller", 4, 4, "asimd", "avx2", ""),
    ],
)
def test_processor(host, online, affinity, has, has_not, model):
    seen = system(host).processor()
    assert (seen.online, seen.affinity, seen.model) == (online, affinity, model)
    assert has in seen.flags and has_not not in seen.flags


def test_without_sys_the_cpus_are_those_of_cpuinfo(tmp_path):
    files = {
        "proc/cpuinfo": "processor\t: 0\nflags\t\t: a b\n\nprocessor\t: 2\nflags\t\t: b c\n\n",
        "proc/self/status": "Cpus_allowed_list:\t1-2\n",
    }
    seen = written(tmp_path, files).processor()
    assert (seen.online, seen.affinity) == (2, 1)
    assert seen.flags == ("b",)  # what not every CPU can do, a program cannot rely on


@pytest.mark.parametrize(
    ("cpuinfo", "status", "why"),
    [
        ("vendor_id\t: IBM/S390\n", "Cpus_allowed_list:\t0\n", "lists the CPUs"),
        ("processor\t: 0\n", "Name:\tx\n", "no Cpus_allowed_list"),
    ],
)
def test_cpus_that_nobody_lists_are_not_none(tmp_path, cpuinfo, status, why):
    with pytest.raises(NotImplementedError, match=why):
        written(tmp_path, {"proc/cpuinfo": cpuinfo, "proc/self/status": status}).processor()


@pytest.mark.parametrize(
    ("text", "numbers"), [("0\n", {0}), ("0-2,5\n", {0, 1, 2, 5}), ("7-7", {7}), ("0-1,3-4", {0, 1, 3, 4})]
)
def test_lists_of_numbers(text, numbers):
    assert _numbers(text) == numbers


@pytest.mark.parametrize("text", ["", "x", "3-1", "0-99999999999", "1,"])
def test_what_is_no_list_of_numbers_is_refused(text):
    with pytest.raises(ValueError):
        _numbers(text)


CPUS = "sys/devices/system/cpu"


@pytest.mark.parametrize(
    ("files", "topology"),
    [
        ({"proc/cpuinfo": "processor\t: 0\n"}, Topology(None, None, None, "")),
        (
            {
                "proc/cpuinfo": "".join(f"processor\t: {n}\nphysical id\t: {n % 2}\n\n" for n in range(4)),
                f"{CPUS}/present": "0-7\n",
                f"{CPUS}/smt/active": "1\n",
                f"{CPUS}/smt/control": "on\n",
                "sys/devices/system/node/online": "0-1,3\n",
            },
            Topology(8, 2, 3, "active"),
        ),
        # SMT could be switched on, and no CPU has a sibling: a virtual machine
        (
            {"proc/cpuinfo": "", f"{CPUS}/smt/active": "0\n", f"{CPUS}/smt/control": "on\n"},
            Topology(None, None, None, "on"),
        ),
        ({"proc/cpuinfo": "", f"{CPUS}/smt/control": "forceoff\n"}, Topology(None, None, None, "forceoff")),
        ({"proc/cpuinfo": "", f"{CPUS}/present": "\n"}, Topology(None, None, None, "")),
    ],
)
def test_topology(tmp_path, files, topology):
    assert written(tmp_path, files).topology() == topology


MEMINFO = "MemTotal: 8000 kB\nMemAvailable: 4000 kB\nSwapTotal: 0 kB\n"


@pytest.mark.parametrize(
    ("lines", "kib"),
    [
        ("", 0),
        ("HugePages_Total:       0\nHugepagesize:       2048 kB\n", 0),
        ("HugePages_Total:       3\nHugepagesize:       2048 kB\n", 3 * 2048),
        # pages of 1 GiB are counted in the last line alone
        ("HugePages_Total:       3\nHugepagesize:       2048 kB\nHugetlb:  1054720 kB\n", 1054720),
    ],
)
def test_memory_that_is_set_aside_for_huge_pages(tmp_path, lines, kib):
    memory = written(tmp_path, {"proc/meminfo": MEMINFO + lines}).memory()
    assert memory == Memory(8000 * KIB, 4000 * KIB, 0, kib * KIB)


BLOCKS = "sys/devices/system/memory"
MIB = 2**20


def blocks(*states):
    """Memory blocks of 128 MiB in these states, numbered with gaps as on real machines."""
    return {f"{BLOCKS}/memory{2 * n}/state": f"{state}\n" for n, state in enumerate(states)}


@pytest.mark.parametrize(
    ("files", "modules", "given"),
    [
        (
            {f"{BLOCKS}/block_size_bytes": "8000000\n", **blocks("online", "online", "offline", "going-offline")},
            AssertionError("not asked"),
            GivenMemory(2 * 128 * MIB, GivenBy.BLOCKS),
        ),
        (
            {f"{BLOCKS}/block_size_bytes": "80000000\n", f"{BLOCKS}/memoryx/state": "online\n", **blocks("online")},
            AssertionError("not asked"),
            GivenMemory(2048 * MIB, GivenBy.BLOCKS),
        ),
        ({}, (4 * MIB, 2 * MIB), GivenMemory(6 * MIB, GivenBy.FIRMWARE)),
        ({f"{BLOCKS}/block_size_bytes": "8000000\n"}, (4 * MIB,), GivenMemory(4 * MIB, GivenBy.FIRMWARE)),
        ({}, (), None),
        ({}, FileNotFoundError("no tables"), None),
        ({}, PermissionError("not root"), None),
        ({}, NotImplementedError("not recorded"), None),
    ],
)
def test_memory_that_the_machine_was_given(tmp_path, files, modules, given):
    written(tmp_path, {"proc/self/mountinfo": ROOT_MOUNT, **files})
    machine = FakePort(memory_modules=modules)
    assert ComputedSystem(LiveFiles(str(tmp_path)), machine).memory_given() == given


def test_a_container_whose_meminfo_is_its_own_was_not_given_what_the_machine_has(tmp_path):
    lxcfs = "80 28 0:50 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n"
    files = {f"{BLOCKS}/block_size_bytes": "8000000\n", **blocks("online"), "proc/self/mountinfo": ROOT_MOUNT + lxcfs}
    assert written(tmp_path, files).memory_given() is None


# ---- this machine ----------------------------------------------------------------------------------------------------


def test_this_machine_answers():
    here = LiveHost(10).system
    memory = here.memory()
    assert 0 < memory.available_bytes <= memory.total_bytes
    processor = here.processor()
    assert 1 <= processor.affinity <= processor.online
    assert processor.flags
    kernel = here.uname()
    assert kernel.release[0].isdigit() and kernel.machine


def test_affinity_is_what_the_kernel_says_and_not_the_count_of_cpus():
    import os

    assert LiveHost(10).system.processor().affinity == len(os.sched_getaffinity(0))


def test_the_time_of_a_question_ends():
    over = Patience(-1)
    with pytest.raises(TimeoutError):
        ComputedSystem(LiveFiles(), FakePort(), over.left).memory()
