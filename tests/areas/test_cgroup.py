"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
from vorflug.areas.cgroup import CgroupVersionFact, CgroupVersionQuery, CgroupVersionRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

ROOT = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw"
V2 = "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot"
V2_BESIDE = "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw"
V1_CPU = "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,seclabel,cpu,cpuacct"
V1_IO = "33 31 0:30 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio"
V1_NAMED = "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd"
CONTROLLERS = "cpuset cpu io memory pids\n"


def judge(fact, **fields):
    demand = CgroupVersionRequirement.model_validate(header(**{"at_least": 2, **fields}))
    return demand.judge(Evidence([Observation(CgroupVersionQuery(), fact if isinstance(fact, Unseen) else Seen(fact))]))


@pytest.mark.parametrize(
    ("mounts", "controllers", "version", "names"),
    [
        ([ROOT, V2], CONTROLLERS, 2, ("cpu", "cpuset", "io", "memory", "pids")),
        ([ROOT, V2], PermissionError(13, "no"), 2, None),
        ([ROOT, V2], FileNotFoundError(2, "no"), 2, None),
        ([ROOT, V1_CPU, V1_IO, V1_NAMED], CONTROLLERS, 1, ("blkio", "cpu", "cpuacct")),
        ([ROOT, V1_CPU, V2_BESIDE], CONTROLLERS, 1, ("cpu", "cpuacct")),
        ([ROOT, V2, V1_NAMED], "memory\n", 2, ("memory",)),
        ([ROOT], CONTROLLERS, None, None),
        ([], CONTROLLERS, None, None),
    ],
)
def test_what_is_mounted(mounts, controllers, version, names):
    texts = {"/proc/self/mountinfo": "\n".join(mounts), "/sys/fs/cgroup/cgroup.controllers": controllers}

    def read_text(path, **_limit):
        if isinstance(texts[path], Exception):
            raise texts[path]
        return texts[path]

    fact = CgroupVersionQuery().observe(fake_host(files=FakePort(read_text=read_text)))
    assert (fact.version, fact.controllers) == (version, names)


def test_without_proc_nothing_is_said():
    with pytest.raises(NotImplementedError):
        CgroupVersionQuery().observe(fake_host(files=FakePort(read_text=FileNotFoundError(2, "no"))))


@pytest.mark.parametrize(
    ("version", "controllers", "at_least", "wanted", "outcome"),
    [
        (2, ("cpu", "memory"), 2, ["cpu", "memory"], Outcome.MET),
        (2, ("cpu", "memory"), 2, ["cpu", "io"], Outcome.UNMET),
        (2, None, 2, ["cpu"], Outcome.UNKNOWN),
        (2, None, 2, [], Outcome.MET),
        (1, ("cpu",), 2, [], Outcome.UNMET),
        (1, ("blkio", "cpu"), 1, ["cpu", "io"], Outcome.MET),
        (1, ("cpu",), 1, ["memory"], Outcome.UNMET),
        (None, None, 1, [], Outcome.UNKNOWN),
    ],
)
def test_verdict(version, controllers, at_least, wanted, outcome):
    fact = CgroupVersionFact(version=version, controllers=controllers)
    verdict = judge(fact, at_least=at_least, controllers=wanted)
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_the_missing_controller_is_named():
    verdict = judge(CgroupVersionFact(version=2, controllers=("cpu",)), controllers=["cpu", "memory"])
    assert "memory" in render(verdict.because) and "cpu" not in render(verdict.fix).split("cgroup_enable")[0]


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


NAMES = st.lists(st.sampled_from(["cpu", "cpuset", "io", "memory", "pids"]), unique=True)


@given(have=NAMES, wanted=NAMES, more=NAMES, version=st.sampled_from([1, 2]), at_least=st.sampled_from([1, 2]))
def test_wanting_more_never_turns_unmet_into_met(have, wanted, more, version, at_least):
    fact = CgroupVersionFact(version=version, controllers=tuple(have))
    if judge(fact, at_least=at_least, controllers=wanted).outcome is Outcome.UNMET:
        assert judge(fact, at_least=2, controllers=wanted).outcome is Outcome.UNMET
        assert judge(fact, at_least=at_least, controllers=wanted + more).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    ("at_least", "controllers", "says"),
    [
        (1, ["cpu", "memory"], "cgroup v1 or newer with cpu and memory"),
        (2, ["cpu", "memory"], "cgroup v2 with cpu and memory"),
        (1, [], "cgroup v1 or newer"),
        (2, [], "cgroup v2"),
    ],
)
def test_a_floor_reads_as_one(at_least, controllers, says):
    demand = CgroupVersionRequirement.model_validate(header(at_least=at_least, controllers=controllers))
    assert render(demand.wanted()) == says


def test_of_two_mounts_of_the_one_hierarchy_the_first_is_read():
    second = V2.replace("/sys/fs/cgroup", "/mnt/again")

    def read_text(path, **_limit):
        return (
            f"{ROOT}\n{V2}\n{second}"
            if path == "/proc/self/mountinfo"
            else {"/sys/fs/cgroup/cgroup.controllers": CONTROLLERS}[path]
        )

    assert CgroupVersionQuery().observe(fake_host(files=FakePort(read_text=read_text))).version == 2
