"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
from vorflug.areas.memory import MemoryFact, MemoryQuery, MemoryRequirement
from vorflug.host.live import LiveHost
from vorflug.host.live.files import LiveFiles
from vorflug.host.system import ComputedSystem
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.system import GivenBy, GivenMemory, Memory

KIB = 1024
MIB = 2**20
GIB = 2**30
V1_NO_LIMIT = "9223372036854771712"
VIRTIO = "/sys/bus/virtio/drivers/virtio_balloon"


def requirement(**fields):
    return MemoryRequirement.model_validate(header(**fields))


def evidence(fact):
    return Evidence([Observation(MemoryQuery(), fact if isinstance(fact, Unseen) else Seen(fact))])


def memory(total=8 * GIB, limit=None, **more):
    by = None if limit is None else "/a"
    return MemoryFact(total_bytes=total, available_bytes=0, limit_bytes=limit, limited_by=by, **more)


def judged(fact, **fields):
    return requirement(**fields).judge(evidence(fact))


# ---- what is seen ----------------------------------------------------------------------------------------------------


class Folders:
    """The folders of /sys that a balloon shows itself in."""

    def __init__(self, folders=(), sys=True):
        self._folders, self._sys = dict(folders), sys

    def exists(self, path):
        assert path == "/sys/devices/system"
        if isinstance(self._sys, Exception):
            raise self._sys
        return self._sys

    def list_folder(self, path):
        if path not in self._folders:
            raise FileNotFoundError(path)
        return self._folders[path]


def observed(limits=(), given=None, files=None, hidden=False, **more):
    asked: list[str] = []
    system = FakePort(
        memory=Memory(8 * GIB, 4 * GIB, 0, **more),
        memory_given=given,
        cgroup_limits=lambda name: asked.append(name) or limits,
        cgroup_top_hidden=lambda name: asked.append(name) or hidden,
    )
    fact = MemoryQuery().observe(fake_host(system=system, files=files or Folders()))
    assert asked == ["memory.max", "memory.max"]
    return fact


@pytest.mark.parametrize(
    ("limits", "limit", "by"),
    [
        ((), None, None),
        ((("/a", "max"), ("/", "max")), None, None),
        ((("/a", V1_NO_LIMIT),), None, None),
        ((("/a", str(8 * GIB)),), None, None),
        ((("/a", str(8 * GIB - 1)),), 8 * GIB - 1, "/a"),
        ((("/a/b/c", "max"), ("/a/b", "max"), ("/a", str(2 * GIB))), 2 * GIB, "/a"),
        ((("/a/b", str(3 * GIB)), ("/a", str(2 * GIB))), 2 * GIB, "/a"),
    ],
)
def test_the_least_limit_of_all_ancestors_counts(limits, limit, by):
    fact = observed(limits)
    assert (fact.limit_bytes, fact.limited_by, fact.total_bytes) == (limit, by, 8 * GIB)
    assert (fact.above_hidden, fact.available_bytes, fact.huge_pages_bytes) == (False, 4 * GIB, 0)
    assert (fact.given_bytes, fact.given_by) == (None, None)


def test_what_was_given_and_set_aside_is_noted():
    fact = observed(given=GivenMemory(9 * GIB, GivenBy.FIRMWARE), hidden=True, huge_pages_bytes=GIB)
    assert (fact.given_bytes, fact.given_by, fact.above_hidden) == (9 * GIB, GivenBy.FIRMWARE, True)
    assert (fact.huge_pages_bytes, fact.ordinary_bytes, fact.usable_bytes) == (GIB, 7 * GIB, 7 * GIB)


@pytest.mark.parametrize(
    ("files", "balloon"),
    [
        (Folders(), ""),
        (Folders(sys=False), None),
        (Folders(sys=PermissionError("closed")), None),
        # the driver is built into the kernel, and no hypervisor offers a balloon
        (Folders({VIRTIO: ("bind", "uevent", "unbind")}), ""),
        (Folders({VIRTIO: ("bind", "module", "uevent", "unbind", "virtio3")}), "virtio_balloon"),
        (Folders({"/sys/bus/vmbus/drivers/hv_balloon": ("bind", "module", "new_id", "remove_id", "uevent")}), ""),
        (Folders({"/sys/bus/vmbus/drivers/hv_balloon": ("1eccfd72-4b41-45ef-b73a-4a6e44c12924",)}), "hv_balloon"),
        (Folders({"/sys/module/vmw_balloon": ("coresize", "initstate", "refcnt")}), "vmw_balloon"),
        (Folders({"/sys/module/vmw_balloon": ("parameters",)}), ""),
        (Folders({"/sys/devices/system/xen_memory": ("power", "uevent", "xen_memory0")}), "xen"),
    ],
)
def test_a_balloon_is_there_where_its_driver_drives_one(files, balloon):
    assert observed(files=files).balloon == balloon


# ---- what is judged --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at_least", "tolerance", "total", "limit", "outcome"),
    [
        ("8 GB", "0 %", 8_000_000_000, None, Outcome.MET),
        ("8 GB", "0 %", 7_999_999_999, None, Outcome.UNMET),
        ("8 GiB", "7 %", int(7.6 * GIB), None, Outcome.MET),
        ("8 GiB", "0 %", int(7.6 * GIB), None, Outcome.UNMET),
        ("8 GB", "0 %", 64 * GIB, 2 * GIB, Outcome.UNMET),
        ("100 B", "7 %", 93, None, Outcome.MET),
        ("100 B", "7 %", 92, None, Outcome.UNMET),
    ],
)
def test_verdict(at_least, tolerance, total, limit, outcome):
    verdict = judged(memory(total, limit), at_least=at_least, tolerance=tolerance)
    assert verdict.outcome is outcome
    assert verdict.gauge is not None and verdict.gauge.have == min(total, limit or total)
    assert (verdict.fix is not None) == (outcome is Outcome.UNMET)


def machine(root, meminfo, blocks=0, **files):
    """A machine of these files, with *blocks* memory blocks of 128 MiB."""
    texts = {
        "proc/meminfo": meminfo,
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": "30 28 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
        "sys/devices/system/cpu/online": "0-3\n",
        **{f"sys/devices/system/memory/memory{n}/state": "online\n" for n in range(blocks)},
        **({"sys/devices/system/memory/block_size_bytes": "8000000\n"} if blocks else {}),
        **files,
    }
    for path, text in texts.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    files_port = LiveFiles(str(root))
    firmware = FakePort(memory_modules=FileNotFoundError("no SMBIOS"))
    return fake_host(files=files_port, system=ComputedSystem(files_port, firmware))


def test_an_8_gb_machine_that_reports_7_6_gib_is_enough_for_8_gb(tmp_path):
    """MemTotal of a VM that was given 8 GiB; tools without a tolerance refuse it, in GiB as in GB."""
    meminfo = "MemTotal:        7974284 kB\nMemAvailable:    7301884 kB\nSwapTotal:             0 kB\n"
    fact = MemoryQuery().observe(machine(tmp_path, meminfo, blocks=64))
    for at_least in ("8 GB", "8 GiB"):
        verdict = judged(fact, at_least=at_least, tolerance="7 %")
        assert verdict.outcome is Outcome.MET
        assert render(verdict.wanted) == f"at least {at_least} (tolerance 7 %)"
        assert render(verdict.seen) == "7.6 GiB (of 8 GiB; the kernel and the firmware keep the rest)"
    assert judged(fact, at_least="8 GiB").outcome is Outcome.UNMET


def test_an_arm64_board_whose_firmware_keeps_a_part(tmp_path):
    """A Raspberry Pi 4 with 4 GB: the video core keeps 76 MB, and the kernel has no memory blocks."""
    meminfo = "MemTotal:        3884320 kB\nMemAvailable:    3500000 kB\nSwapTotal:             0 kB\n"
    fact = MemoryQuery().observe(machine(tmp_path, meminfo))
    verdict = judged(fact, at_least="4 GB", tolerance="7 %")
    assert (verdict.outcome, render(verdict.seen)) == (Outcome.MET, "3.7 GiB")
    assert render(verdict.because) == "3.7 GiB (4 GB) of memory lie within 7 % of 4 GB."


def test_a_tib_is_more_than_a_gb():
    """Tools that compare the number in front of the unit take 1 TiB for less than 32 GB."""
    assert judged(memory(2**40), at_least="32 GB").outcome is Outcome.MET
    assert judged(memory(32 * GIB), at_least="1 TiB").outcome is Outcome.UNMET
    assert judged(memory(10**12), at_least="1 TiB").outcome is Outcome.UNMET
    assert judged(memory(10**12), at_least="1 TB").outcome is Outcome.MET


@pytest.mark.parametrize(
    ("fact", "seen"),
    [
        (memory(), "8 GiB"),
        (memory(given_bytes=8 * GIB), "8 GiB"),
        (memory(given_bytes=7 * GIB), "8 GiB"),
        (memory(given_bytes=9 * GIB), "8 GiB (of 9 GiB; the kernel and the firmware keep the rest)"),
        (
            memory(given_bytes=9 * GIB, balloon="hv_balloon"),
            (
                "8 GiB (of 9 GiB; the kernel, the firmware and perhaps the balloon keep the rest); "
                "the hypervisor can take memory away (balloon: hv_balloon)"
            ),
        ),
        (memory(balloon=""), "8 GiB"),
        (memory(balloon="virtio_balloon"), "8 GiB; the hypervisor can take memory away (balloon: virtio_balloon)"),
        (memory(given_bytes=9 * GIB, huge_pages_bytes=GIB), "7 GiB (of 8 GiB; 1 GiB are set aside as huge pages)"),
        (memory(limit=2 * GIB), "2 GiB (limited by cgroup /a; the machine has 8 GiB)"),
        (
            memory(limit=2 * GIB, huge_pages_bytes=GIB, above_hidden=True),
            "2 GiB (limited by cgroup /a; the machine has 8 GiB); limits above this cgroup namespace are not visible",
        ),
        # the group would allow more than the huge pages leave
        (memory(limit=7 * GIB, huge_pages_bytes=GIB), "7 GiB (of 8 GiB; 1 GiB are set aside as huge pages)"),
        (memory(limit=7 * GIB, huge_pages_bytes=2 * GIB), "6 GiB (of 8 GiB; 2 GiB are set aside as huge pages)"),
        (memory(above_hidden=True), "8 GiB; limits above this cgroup namespace are not visible"),
    ],
)
def test_what_is_shown(fact, seen):
    assert render(judged(fact, at_least="1 GB").seen) == seen


@pytest.mark.parametrize(
    ("fact", "fix"),
    [
        (memory(limit=2 * GIB), "Raise the cgroup's memory limit (/a) to 8 GiB."),
        (memory(total=int(7.6 * GIB), limit=2 * GIB), "Raise the cgroup's memory limit (/a) to 8 GiB."),
        (memory(limit=2 * GIB, huge_pages_bytes=GIB), "Set fewer huge pages aside (now 1 GiB"),
        (memory(huge_pages_bytes=GIB), "Set fewer huge pages aside (now 1 GiB"),
        (memory(total=4 * GIB, limit=2 * GIB), "Give this machine 8 GiB of memory."),
        (memory(total=4 * GIB, huge_pages_bytes=GIB), "Give this machine 8 GiB of memory."),
        (memory(total=6 * GIB, given_bytes=8 * GIB), "Find out what keeps 2 GiB of the 8 GiB from Linux"),
        (memory(total=6 * GIB, given_bytes=8 * GIB - 1), "Give this machine 8 GiB of memory."),
        (memory(total=6 * GIB), "Give this machine 8 GiB of memory."),
    ],
)
def test_what_lacks_is_mended_where_it_is_lost(fact, fix):
    verdict = judged(fact, at_least="8 GiB", tolerance="7 %")
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.fix).startswith(fix)


@pytest.mark.parametrize(
    ("edge", "fix"), [(0, "Raise the cgroup's memory limit (/a) to 100 B."), (1, "Set fewer huge pages aside")]
)
def test_a_limit_is_blamed_as_long_as_all_below_it_would_do(edge, fix):
    fact = memory(total=100, limit=10, huge_pages_bytes=7 + edge)
    assert render(judged(fact, at_least="100 B", tolerance="7 %").fix).startswith(fix)


@pytest.mark.parametrize(("total", "fix"), [(93, "Set fewer huge pages aside"), (92, "Give this machine 100 B")])
def test_huge_pages_are_blamed_as_long_as_the_machine_would_do(total, fix):
    fact = memory(total=total, huge_pages_bytes=50)
    assert render(judged(fact, at_least="100 B", tolerance="7 %").fix).startswith(fix)


@pytest.mark.parametrize(
    ("total", "says"),
    [
        (100, "100 B of memory are enough, 100 B are wanted."),
        (99, "99 B of memory lie within 7 % of 100 B."),
        (92, "92 B of memory, 100 B wanted."),
    ],
)
def test_that_a_tolerance_was_needed_is_said(total, says):
    assert render(judged(memory(total), at_least="100 B", tolerance="7 %").because) == says


def test_without_a_tolerance_none_is_mentioned():
    assert render(judged(memory(), at_least="8 GB").wanted) == "at least 8 GB"


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        requirement(at_least="8 GB").judge(evidence(Unseen(reason)))


@given(total=st.integers(0, 2**45), low=st.integers(1, 2**44), more=st.integers(0, 2**44))
def test_raising_the_demand_never_turns_unmet_into_met(total, low, more):
    fact = evidence(memory(total))
    if requirement(at_least=low).judge(fact).outcome is Outcome.UNMET:
        assert requirement(at_least=low + more).judge(fact).outcome is Outcome.UNMET


def test_this_machine_has_memory():
    fact = MemoryQuery().observe(LiveHost(10))
    assert 0 < fact.available_bytes <= fact.total_bytes
    assert fact.given_bytes is None or fact.given_bytes > fact.total_bytes
