"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
from vorflug.areas.storage import (
    StorageCapacityRequirement,
    StorageFillRequirement,
    StorageFreeRequirement,
)
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.file_system import FileSystemFact, FileSystemQuery
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.files import FileSystem

GB, GIB = 10**9, 2**30


def storage(total, free, used=None, *, device="8:2", kind="ext4", mount="/", source="/dev/sda2"):
    return FileSystemFact(
        asked=mount,
        exists=True,
        mount_point=mount,
        file_system=kind,
        source=source,
        device=device,
        total_bytes=total,
        used_bytes=total - free if used is None else used,
        free_bytes=free,
    )


def evidence(**facts):
    """*facts*: by path, "_" standing for "/"."""
    return Evidence(
        Observation(FileSystemQuery(path=path.replace("_", "/")), fact if isinstance(fact, Unseen) else Seen(fact))
        for path, fact in facts.items()
    )


def test_the_fact_is_what_the_port_said():
    seen = FileSystem("/srv", False, "/srv", "xfs", "/dev/sdb1", "8:17", ("rw",), 100, 40, 50, 10, 9)
    fact = FileSystemQuery(path="/srv/new").observe(fake_host(files=FakePort(file_system=seen)))
    assert (fact.asked, fact.exists, fact.mount_point, fact.file_system) == ("/srv", False, "/srv", "xfs")
    assert (fact.device, fact.source) == ("8:17", "/dev/sdb1")
    assert (fact.total_bytes, fact.used_bytes, fact.free_bytes) == (100, 40, 50)


# ---- capacity


def capacity(facts, at_least, tolerance="0 %", paths=("/a", "/b")):
    demand = StorageCapacityRequirement.model_validate(header(paths=paths, at_least=at_least, tolerance=tolerance))
    return demand.judge(facts)


@pytest.mark.parametrize(
    ("a", "b", "at_least", "tolerance", "outcome", "have"),
    [
        # one device is counted once, two are added
        (storage(200 * GB, 1), storage(200 * GB, 1), "250 GB", "0 %", Outcome.UNMET, 200 * GB),
        (storage(200 * GB, 1), storage(50 * GB, 1, device="8:3"), "250 GB", "0 %", Outcome.MET, 250 * GB),
        (storage(200 * GB, 1), storage(50 * GB - 1, 1, device="8:3"), "250 GB", "0 %", Outcome.UNMET, 250 * GB - 1),
        # a 250 GB disk after ext4 has taken its share
        (storage(245 * GB, 1), storage(245 * GB, 1), "250 GB", "3 %", Outcome.MET, 245 * GB),
        (storage(242 * GB, 1), storage(242 * GB, 1), "250 GB", "3 %", Outcome.UNMET, 242 * GB),
        # 1 TiB is more than 1 TB, and 250 GB less than 250 GiB
        (storage(2**40, 1), storage(2**40, 1), "1 TB", "0 %", Outcome.MET, 2**40),
        (storage(250 * GB, 1), storage(250 * GB, 1), "250 GiB", "0 %", Outcome.UNMET, 250 * GB),
        # memory is no disk
        (
            storage(200 * GB, 1),
            storage(90 * GB, 1, device="0:40", kind="tmpfs"),
            "250 GB",
            "0 %",
            Outcome.UNMET,
            200 * GB,
        ),
        # an overlay shows the space of what lies below it
        (
            storage(200 * GB, 1),
            storage(200 * GB, 1, device="0:52", kind="overlay"),
            "250 GB",
            "0 %",
            Outcome.UNMET,
            200 * GB,
        ),
        (
            storage(200 * GB, 1, device="0:51", kind="overlay"),
            storage(200 * GB, 1, device="0:52", kind="overlay"),
            "250 GB",
            "0 %",
            Outcome.UNMET,
            200 * GB,
        ),
        (
            storage(200 * GB, 1),
            storage(90 * GB, 1, device="0:52", kind="overlay"),
            "250 GB",
            "0 %",
            Outcome.MET,
            290 * GB,
        ),
        # the file systems of a pool share its space
        (
            storage(200 * GB, 1, device="0:41", kind="zfs", source="tank/a"),
            storage(190 * GB, 1, device="0:42", kind="zfs", source="tank/b"),
            "250 GB",
            "0 %",
            Outcome.UNMET,
            200 * GB,
        ),
        (
            storage(200 * GB, 1, device="0:41", kind="zfs", source="tank/a"),
            storage(190 * GB, 1, device="0:42", kind="zfs", source="pool/b"),
            "250 GB",
            "0 %",
            Outcome.MET,
            390 * GB,
        ),
    ],
)
def test_capacity_verdict(a, b, at_least, tolerance, outcome, have, no_io):
    facts = evidence(_a=a, _b=b)
    with no_io():
        verdict = capacity(facts, at_least, tolerance)
    assert verdict.outcome is outcome
    assert verdict.gauge is not None and verdict.gauge.have == have
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_the_tolerance_is_shown():
    verdict = capacity(evidence(_a=storage(245 * GB, 1), _b=storage(245 * GB, 1)), "250 GB", "3 %")
    assert render(verdict.wanted) == "at least 250 GB (tolerance 3 %)"
    assert render(verdict.seen) == "245 GB (245 GB at /)"


def test_memory_is_said_not_to_count():
    verdict = capacity(evidence(_a=storage(2 * GB, 1, kind="tmpfs", mount="/run")), "1 GB", paths=["/a"])
    assert verdict.outcome is Outcome.UNMET
    assert "/run in memory, not counted" in render(verdict.seen)


# ---- free space


def free(facts, *needs):
    demand = StorageFreeRequirement.model_validate(header(needs=[{"path": p, "at_least": n} for p, n in needs]))
    return demand.judge(facts)


@pytest.mark.parametrize(
    ("a", "b", "need_a", "need_b", "outcome", "bar"),
    [
        # each fits alone, both together do not
        (storage(200 * GB, 50 * GB), storage(200 * GB, 50 * GB), "40 GB", "20 GB", Outcome.UNMET, (50 * GB, 60 * GB)),
        (storage(200 * GB, 60 * GB), storage(200 * GB, 60 * GB), "40 GB", "20 GB", Outcome.MET, (60 * GB, 60 * GB)),
        (storage(1, 40 * GB), storage(1, 20 * GB, device="8:3"), "40 GB", "20 GB", Outcome.MET, (40 * GB, 40 * GB)),
        (
            storage(1, 40 * GB),
            storage(1, 20 * GB - 1, device="8:3"),
            "40 GB",
            "20 GB",
            Outcome.UNMET,
            (20 * GB - 1, 20 * GB),
        ),
        # the lower of two readings of one device counts
        (storage(1, 70 * GB), storage(1, 50 * GB), "40 GB", "20 GB", Outcome.UNMET, (50 * GB, 60 * GB)),
        (
            storage(9, 50 * GB),
            storage(9, 50 * GB, device="0:52", kind="overlay"),
            "40 GB",
            "20 GB",
            Outcome.UNMET,
            (50 * GB, 60 * GB),
        ),
        (storage(1, 40 * GB), storage(1, 40 * GB), "40 GiB", "0 B", Outcome.UNMET, (40 * GB, 40 * GIB)),
    ],
)
def test_free_verdict(a, b, need_a, need_b, outcome, bar):
    verdict = free(evidence(_a=a, _b=b), ("/a", need_a), ("/b", need_b))
    assert verdict.outcome is outcome
    assert verdict.gauge is not None and (verdict.gauge.have, verdict.gauge.want) == bar
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_two_demands_at_one_path_add_up():
    facts = evidence(_a=storage(1, 50 * GB))
    assert free(facts, ("/a", "30 GB"), ("/a", "30 GB")).outcome is Outcome.UNMET
    assert free(facts, ("/a", "30 GB"), ("/a", "20 GB")).outcome is Outcome.MET


def test_what_is_short_is_said_with_its_sum_and_what_fits_is_not_blamed():
    facts = evidence(
        _a=storage(1, 31 * GIB, mount="/var"),
        _b=storage(1, 31 * GIB, mount="/var"),
        _c=storage(1, 99 * GIB, device="8:9", mount="/srv"),
    )
    verdict = free(facts, ("/a", "20 GiB"), ("/b", "20 GiB"), ("/c", "1 GiB"))
    assert render(verdict.because) == "/a and /b: 31 GiB free, 40 GiB wanted."
    assert render(verdict.fix) == "Free or add 9 GiB at /var."
    assert render(verdict.seen) == "31 GiB free at /var and 99 GiB free at /srv"


# ---- fill level


def fill(facts, at_most, paths=("/a", "/b")):
    return StorageFillRequirement.model_validate(header(paths=paths, at_most=at_most)).judge(facts)


@pytest.mark.parametrize(
    ("a", "b", "at_most", "outcome", "says"),
    [
        (storage(100, 20, 80), storage(100, 50, 50, device="8:3"), "80 %", Outcome.MET, "No file system"),
        (storage(1000, 199, 801), storage(100, 50, device="8:3"), "80 %", Outcome.UNMET, "80.1 %"),
        (storage(100, 50), storage(100, 5, 95, device="8:3", mount="/data"), "80 %", Outcome.UNMET, "/data is 95 %"),
        # the blocks reserved for root are neither used nor free: 79 of 94, not 79 of 100
        (storage(100, 15, 79), storage(100, 15, 79), "80 %", Outcome.UNMET, "84 %"),
        (storage(0, 0, 0), storage(100, 50, device="8:3"), "80 %", Outcome.UNKNOWN, "gives no size"),
    ],
)
def test_fill_verdict(a, b, at_most, outcome, says):
    verdict = fill(evidence(_a=a, _b=b), at_most)
    assert verdict.outcome is outcome
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_the_bar_of_the_fill_level_shows_what_should_be_free():
    gauge = fill(evidence(_a=storage(100, 20, 80)), "75 %", ["/a"]).gauge
    assert gauge is not None and (gauge.have, gauge.want) == (20, 25)


# ---- all of them


@pytest.mark.parametrize("reason", list(Reason))
def test_one_path_not_seen_is_never_a_verdict(reason):
    facts = evidence(_a=storage(10**15, 10**15), _b=Unseen(reason))
    for judge in (
        lambda: capacity(facts, "1 B"),
        lambda: free(facts, ("/a", "1 B"), ("/b", "1 B")),
        lambda: fill(facts, "100 %"),
    ):
        with pytest.raises(NotSeen):
            judge()


@pytest.mark.parametrize("paths", [[], ["relative"], ["/nul\0"]])
def test_paths_that_are_none_are_refused(paths):
    with pytest.raises(ValueError):
        StorageFillRequirement.model_validate(header(paths=paths, at_most="80 %"))


def test_each_path_is_asked_once():
    demand = StorageFillRequirement.model_validate(header(paths=["/a", "/b", "/a"], at_most="80 %"))
    assert [q.path for q in demand.queries(Evidence())] == ["/a", "/b"]


SIZES = st.integers(0, 2**50)


@given(total=SIZES, low=st.integers(1, 2**49), more=SIZES)
def test_raising_the_capacity_never_turns_unmet_into_met(total, low, more):
    facts = evidence(_a=storage(total, 0))
    if capacity(facts, low, paths=["/a"]).outcome is Outcome.UNMET:
        assert capacity(facts, low + more, paths=["/a"]).outcome is Outcome.UNMET


@given(a=SIZES, b=SIZES, same=st.booleans(), need=st.tuples(SIZES, SIZES), more=SIZES)
def test_needing_more_never_turns_unmet_into_met(a, b, same, need, more):
    facts = evidence(_a=storage(2**50, a), _b=storage(2**50, b, device="8:2" if same else "8:3"))
    if free(facts, ("/a", need[0]), ("/b", need[1])).outcome is Outcome.UNMET:
        assert free(facts, ("/a", need[0]), ("/b", need[1] + more)).outcome is Outcome.UNMET


@given(used=SIZES, free_=st.integers(1, 2**50), low=st.floats(0, 1), high=st.floats(0, 1))
def test_allowing_less_never_turns_unmet_into_met(used, free_, low, high):
    facts = evidence(_a=storage(used + free_, free_, used))
    low, high = sorted((low, high))
    if fill(facts, high, ["/a"]).outcome is Outcome.UNMET:
        assert fill(facts, low, ["/a"]).outcome is Outcome.UNMET


def test_this_machine_has_storage():
    fact = FileSystemQuery(path="/this/is/not/there").observe(LiveHost(10))
    assert fact.asked == "/" and not fact.exists
    assert 0 < fact.free_bytes <= fact.total_bytes
