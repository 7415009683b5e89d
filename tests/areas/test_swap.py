"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from areas.asking import ask
from conftest import fake_host, header
from vorflug.areas.swap import SwapArea, SwapFact, SwapQuery, SwapRequirement
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

MIB = 2**20
HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
FILE = "/swap.img                               file\t\t4194300\t\t1024\t\t-2\n"
PARTITION = "/dev/dm-1                               partition\t2097148\t\t0\t\t-3\n"
ZRAM = "/dev/zram0                              partition\t8388604\t\t2048\t\t100\n"


class Texts:
    """A host's files; an exception as a text is raised."""

    def __init__(self, texts, there=()):
        self._texts, self._there = texts, there

    def read_text(self, path, *, limit=0):
        text = self._texts.get(path, FileNotFoundError(path))
        if isinstance(text, Exception):
            raise text
        return text

    def exists(self, path):
        return path in self._there


def host(swaps, swappiness="60\n", there=()):
    files = {"/proc/swaps": swaps, "/proc/sys/vm/swappiness": swappiness}
    return fake_host(files=Texts({path: text for path, text in files.items() if text is not None}, there))


def area(path="/swap.img", kind="file"):
    return SwapArea(path=path, kind=kind, size_bytes=2 * MIB, used_bytes=MIB)


def test_the_lines_of_proc_swaps():
    fact = SwapQuery().observe(host(HEAD + FILE + PARTITION + ZRAM))
    assert fact.swappiness == 60
    assert [(a.path, a.kind, a.in_memory) for a in fact.areas] == [
        ("/swap.img", "file", False),
        ("/dev/dm-1", "partition", False),
        ("/dev/zram0", "partition", True),
    ]
    assert (fact.areas[0].size_bytes, fact.areas[0].used_bytes) == (4194300 * 1024, 1024 * 1024)


@pytest.mark.parametrize(
    ("swaps", "there", "areas"),
    [(HEAD, (), ()), (HEAD + "\n", (), ()), (None, ("/proc/self",), ())],
)
def test_no_swap(swaps, there, areas):
    assert SwapQuery().observe(host(swaps, there=there)).areas == areas


def test_without_proc_nothing_is_known():
    with pytest.raises(NotImplementedError, match="not mounted"):
        SwapQuery().observe(host(None))


@pytest.mark.parametrize("swappiness", [None, PermissionError("closed")])
def test_a_setting_that_is_hidden_is_not_known(swappiness):
    assert SwapQuery().observe(host(HEAD + FILE, swappiness)).swappiness is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/swap.img file 1 2\n", "wanted 5 columns"),
        ("/my swap file 1 2 -1\n", "wanted 5 columns"),
        ("/swap.img file many 2 -1\n", "many"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused(line, why):
    with pytest.raises(ValueError, match=why):
        SwapQuery().observe(host(HEAD + line))


def judged(fact, most=10):
    demand = SwapRequirement.model_validate(header(swappiness_at_most=most))
    return demand.judge(Evidence([Observation(SwapQuery(), fact if isinstance(fact, Unseen) else Seen(fact))]))


@pytest.mark.parametrize(
    ("areas", "swappiness", "outcome", "seen"),
    [
        ((), 60, Outcome.MET, "no swap"),
        ((), None, Outcome.MET, "no swap"),
        ((area(),), 10, Outcome.MET, "swap file /swap.img: 2 MiB (1 MiB used); vm.swappiness = 10"),
        ((area(),), 11, Outcome.UNMET, "swap file /swap.img: 2 MiB (1 MiB used); vm.swappiness = 11"),
        ((area(),), 0, Outcome.MET, "swap file /swap.img: 2 MiB (1 MiB used); vm.swappiness = 0"),
        ((area(),), None, Outcome.UNKNOWN, "swap file /swap.img: 2 MiB (1 MiB used)"),
        (
            (area("/dev/sda3", "partition"), area("/dev/zram0", "partition")),
            60,
            Outcome.UNMET,
            (
                "swap partition /dev/sda3: 2 MiB (1 MiB used); "
                "/dev/zram0: 2 MiB, which lies compressed in memory itself (1 MiB used); vm.swappiness = 60"
            ),
        ),
    ],
)
def test_verdict(areas, swappiness, outcome, seen, no_io):
    with no_io():
        verdict = judged(SwapFact(areas=areas, swappiness=swappiness))
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen)
    assert (verdict.fix is not None) == (outcome is not Outcome.MET)
    assert render(verdict.wanted) == "no swap, or vm.swappiness at most 10"


def test_what_mends_it():
    assert "Set vm.swappiness = 10" in render(judged(SwapFact(areas=(area(),), swappiness=60)).fix)


@pytest.mark.parametrize("most", [-1, 201])
def test_a_demand_that_the_kernel_does_not_know_is_refused(most):
    with pytest.raises(ValueError):
        SwapRequirement.model_validate(header(swappiness_at_most=most))


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judged(Unseen(reason))


def test_this_machine_answers():
    demand = SwapRequirement.model_validate(header(swappiness_at_most=200))
    assert demand.judge(ask(demand, LiveHost(10))).outcome is Outcome.MET
