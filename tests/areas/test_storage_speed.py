"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import errno
import os

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.storage_speed import (
    NotMeasured,
    RandomReadsQuery,
    Speed,
    SpeedFact,
    StorageRandomReadsRequirement,
    StorageWriteLatencyRequirement,
    WriteLatencyQuery,
)
from vorflug.engine import registry
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.files import FileSystem
from vorflug.ports.storage_speed import LEAST_FREE, Latencies

MIB = 1 << 20
WRITES = WriteLatencyQuery(path="/srv/new", block_bytes=2300, total_bytes=22 * MIB, seconds=20.0)
READS = RandomReadsQuery(path="/srv/new", block_bytes=4096, total_bytes=256 * MIB, at_once=16, seconds=20.0)
QUERIES = pytest.mark.parametrize("query", [WRITES, READS], ids=["writes", "reads"])
LATENCIES = Latencies(
    count=9528,
    p50_s=0.001,
    p99_s=0.004,
    p999_s=0.02,
    least_s=0.0005,
    most_s=0.03,
    seconds=12.5,
    windows_p99_s=(0.002, 0.009, 0.003),
    windows_per_s=(900.0, 700.5, 800.0),
    span_bytes=22 * MIB,
    cut=False,
)


# ---- recorded host -> fact


def host(*, kind="ext4", free=100 * LEAST_FREE, writable=True, answer=LATENCIES, calls=None):
    def measure(folder, **wanted):
        if calls is not None:
            calls.append((folder, wanted))
        return answer

    space = FileSystem("/srv", False, "/srv", kind, "/dev/vdb", "254:16", ("rw",), 10 * free, 0, free, 1, 1)
    return fake_host(
        files=FakePort(file_system=space, writable=writable),
        storage_speed=FakePort(synchronous_writes=measure, random_reads=measure),
    )


def test_writes_are_measured_in_the_nearest_folder_that_is_there():
    calls: list = []
    fact = WRITES.observe(host(calls=calls))
    assert calls == [("/srv", {"block_bytes": 2300, "total_bytes": 22 * MIB, "seconds": 20.0})]
    assert (fact.folder, fact.mount_point, fact.file_system, fact.source) == ("/srv", "/srv", "ext4", "/dev/vdb")
    assert isinstance(fact.measured, Speed)
    assert fact.measured.model_dump() == vars(LATENCIES)


def test_reads_are_measured_there_too():
    calls: list = []
    fact = READS.observe(host(calls=calls))
    assert calls == [
        ("/srv", {"block_bytes": 4096, "total_bytes": 256 * MIB, "at_once": 16, "seconds": 20.0}),
    ]
    assert isinstance(fact.measured, Speed) and fact.measured.model_dump() == vars(LATENCIES)


@pytest.mark.parametrize("kind", ["tmpfs", "ramfs", "devtmpfs"])
@QUERIES
def test_memory_is_not_measured_as_a_disk(query, kind):
    calls: list = []
    assert query.observe(host(kind=kind, calls=calls, writable=False)).measured is NotMeasured.IN_MEMORY
    assert calls == []


@pytest.mark.parametrize(
    ("query", "kind", "measured"),
    [
        *[(query, kind, True) for query in (WRITES, READS) for kind in ("ext3", "ext4", "xfs", "nfs4", "overlay")],
        # btrfs does not log a file without a name: fdatasync would seem too fast; reading is not concerned
        (WRITES, "btrfs", False),
        (READS, "btrfs", True),
        (WRITES, "zfs", False),
        (READS, "zfs", False),
        (WRITES, "fuse.sshfs", False),
    ],
)
def test_only_where_the_figures_are_known_to_be_true(query, kind, measured):
    calls: list = []
    fact = query.observe(host(kind=kind, calls=calls))
    assert (fact.measured is not NotMeasured.NOT_TRUE, len(calls)) == (measured, int(measured))


@QUERIES
def test_a_folder_that_is_closed_is_denied_and_not_written(query):
    calls: list = []
    with pytest.raises(PermissionError, match="/srv cannot be written"):
        query.observe(host(writable=False, calls=calls))
    assert calls == []


@pytest.mark.parametrize(("spare", "measured"), [(-1, False), (0, True), (1, True)])
@QUERIES
def test_two_gib_stay_free_or_nothing_is_written(query, spare, measured):
    calls: list = []
    fact = query.observe(host(free=LEAST_FREE + query.total_bytes + spare, calls=calls))
    assert (fact.measured is not NotMeasured.TOO_FULL, len(calls)) == (measured, int(measured))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@QUERIES
def test_a_disk_that_fills_meanwhile_is_no_defect(query, number):
    assert query.observe(host(answer=OSError(number, os.strerror(number)))).measured is NotMeasured.TOO_FULL


@QUERIES
def test_a_disk_that_fails_is_not_called_full(query):
    with pytest.raises(OSError, match="Input/output error"):
        query.observe(host(answer=OSError(errno.EIO, os.strerror(errno.EIO))))


@QUERIES
def test_no_way_past_the_cache_stays_what_it_is(query):
    with pytest.raises(NotImplementedError):
        query.observe(host(answer=NotImplementedError("O_DIRECT")))


def test_every_question_that_writes_says_so_and_is_asked_alone():
    active = [query for query in registry.queries().values() if query.active]
    assert {WriteLatencyQuery, RandomReadsQuery} <= set(active)
    for query in active:
        assert query.exclusive, query
        assert query.writes is not registry.queries()["memory"].writes, f"{query} does not say what it writes"
    for query in registry.queries().values():
        assert query.active or "writes" not in vars(query), query


@pytest.mark.parametrize(("query", "size"), [(WRITES, "22 MiB"), (READS, "256 MiB")])
def test_what_is_written_is_said_with_its_size_place_time_and_end(query, size):
    said = render(query.writes())
    assert f"At most {size} at /srv/new" in said and "20 s" in said and "gone when the measurement ends" in said
    assert "/srv/new" in render(query.asks())
    assert query.deadline > 45, "longer than a profile may ask for"


# ---- (demand, fact) -> verdict


def fact(measured=None, *, kind="ext4", **changes):
    speed = Speed.model_validate({**vars(LATENCIES), **changes}) if measured is None else measured
    return SpeedFact(folder="/srv", mount_point="/srv", file_system=kind, source="/dev/vdb", measured=speed)


def writing(at_most="10 ms"):
    return StorageWriteLatencyRequirement.model_validate(
        header(path="/srv/new", at_most=at_most, block="2300 B", total="22 MiB", within="20 s")
    )


def reading(at_least=500):
    return StorageRandomReadsRequirement.model_validate(
        header(path="/srv/new", at_least=at_least, block="4 KiB", total="256 MiB", at_once=16, within="20 s")
    )


def judged(demand, seen):
    (query,) = demand.queries(Evidence())
    return demand.judge(Evidence([Observation(query, Seen(seen))]))


def test_the_demands_ask_what_they_say():
    assert list(writing().queries(Evidence())) == [WRITES]
    assert list(reading().queries(Evidence())) == [READS]
    assert render(writing("50 ms").wanted()) == "99 % of the synchronous writes within 50 ms"
    assert render(reading(1500).wanted()) == "at least 1500 random reads per second"


@pytest.mark.parametrize(
    ("windows", "over_all", "outcome", "says"),
    [
        ((0.002, 0.009, 0.003), 0.004, Outcome.MET, "Even in the slowest part"),
        ((0.002, 0.010, 0.003), 0.004, Outcome.MET, "Even in the slowest part"),
        # burst storage: good over all, bad once the credits are gone
        ((0.002, 0.0101, 0.003), 0.010, Outcome.UNMET, "does not keep its speed"),
        ((0.002, 0.0101, 0.003), 0.0101, Outcome.UNMET, "were done only within 10.1 ms in the slowest part"),
        ((0.080,), 0.080, Outcome.UNMET, "only within 80 ms"),
        ((0.009,), 0.009, Outcome.MET, "within 9 ms"),
    ],
)
def test_the_slowest_part_decides_on_writes(windows, over_all, outcome, says, no_io):
    seen = fact(windows_p99_s=windows, p99_s=over_all)
    demand = writing("10 ms")
    with no_io():
        verdict = judged(demand, seen)
    assert verdict.outcome is outcome
    assert says in render(verdict.because) and "10 ms are allowed" in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_the_spread_is_shown_and_never_one_number():
    said = render(judged(writing(), fact()).seen)
    assert said == (
        "99 % within 9 ms in the slowest part, 2 ms in the fastest; over all 50 % within 1 ms, 99 % within 4 ms, "
        "99.9 % within 20 ms; 9528 writes of 2.2 KiB in 12.5 s; measured in /srv (ext4 on /dev/vdb, mounted at /srv)"
    )


def test_what_was_too_slow_to_finish_is_judged_and_says_how_many_there_were():
    verdict = judged(writing(), fact(cut=True, count=40, windows_p99_s=(0.6,), p99_s=0.6))
    assert verdict.outcome is Outcome.UNMET
    assert "40 writes of 2.2 KiB" in render(verdict.seen)
    assert "the time was over before 22 MiB were written" in render(verdict.seen)
    assert "the time was over" not in render(judged(writing(), fact()).seen)


@pytest.mark.parametrize(
    ("rates", "at_least", "outcome"),
    [
        ((900.0, 500.0, 800.0), 500, Outcome.MET),
        ((900.0, 499.9, 800.0), 500, Outcome.UNMET),
        ((900.0, 501.0, 800.0), 500, Outcome.MET),
        ((3000.0,), 3000, Outcome.MET),
    ],
)
def test_the_slowest_part_decides_on_reads(rates, at_least, outcome, no_io):
    seen, demand = fact(windows_per_s=rates), reading(at_least)
    with no_io():
        verdict = judged(demand, seen)
    assert verdict.outcome is outcome
    assert verdict.gauge is not None
    assert (verdict.gauge.have, verdict.gauge.want, verdict.gauge.unit) == (int(min(rates)), at_least, "1")
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert f"{int(min(rates))} random reads per second in the slowest part, {at_least} are wanted" in render(
        verdict.because
    )


def test_reads_show_their_spread_and_how_they_were_made():
    said = render(judged(reading(), fact(span_bytes=64 * MIB, cut=True)).seen)
    assert said == (
        "700 reads per second in the slowest part, 900 in the fastest; 99 % within 4 ms; 9528 reads of 4 KiB, 16 at a "
        "time, from 64 MiB in 12.5 s; the time was over before 256 MiB were written; measured in /srv (ext4 on "
        "/dev/vdb, mounted at /srv)"
    )
    assert "the time was over" not in render(judged(reading(), fact()).seen)


@pytest.mark.parametrize("demand", [writing(), reading()], ids=["writes", "reads"])
def test_in_a_container_its_own_layer_is_named_as_what_was_measured(demand):
    said = render(judged(demand, fact(kind="overlay")).seen)
    assert "measured in /srv on an overlay: that is the container's own layer, not a volume of the host" in said
    assert "/dev/vdb" not in said


@pytest.mark.parametrize("demand", [writing(), reading()], ids=["writes", "reads"])
@pytest.mark.parametrize(
    ("why", "kind", "because", "fix"),
    [
        (NotMeasured.TOO_FULL, "ext4", "in /srv less than 2 GiB would stay free", "Free space"),
        (NotMeasured.IN_MEMORY, "tmpfs", "/srv lies in memory (tmpfs)", "Mount the disk"),
        (NotMeasured.NOT_TRUE, "zfs", "but /srv lies on zfs", "Measure by hand in /srv"),
    ],
)
def test_what_was_not_measured_is_unknown_with_its_reason(demand, why, kind, because, fix):
    verdict = judged(demand, fact(why, kind=kind))
    assert verdict.outcome is Outcome.UNKNOWN
    assert because in render(verdict.because) and fix in render(verdict.fix)
    assert render(verdict.seen) == f"{kind} at /srv"


def test_the_command_to_measure_by_hand_measures_the_same():
    assert "--fdatasync=1 --bs=2300 --size=23068672" in render(
        judged(writing(), fact(NotMeasured.NOT_TRUE, kind="zfs")).fix
    )
    assert "--bs=4096 --size=268435456 --numjobs=16" in render(
        judged(reading(), fact(NotMeasured.NOT_TRUE, kind="zfs")).fix
    )
    assert "btrfs" not in render(judged(writing(), fact(NotMeasured.NOT_TRUE, kind="zfs")).because)
    assert "btrfs" in render(judged(reading(), fact(NotMeasured.NOT_TRUE, kind="zfs")).because)


# ---- (demand, reason) -> unknown


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("demand", [writing(), reading()], ids=["writes", "reads"])
def test_not_seen_is_never_a_verdict(demand, reason):
    (query,) = demand.queries(Evidence())
    with pytest.raises(NotSeen):
        demand.judge(Evidence([Observation(query, Unseen(reason))]))


@pytest.mark.parametrize(
    "changes",
    [
        {"total": "2 GiB"},
        {"total": "1 MB"},
        {"within": "46 s"},
        {"within": "0 s"},
        {"block": "0 B"},
        {"block": "2 MiB"},
        {"at_most": "0 s"},
        {"path": "relative"},
    ],
)
def test_a_profile_may_not_demand_a_load_test(changes):
    fields = {"path": "/srv", "at_most": "10 ms", "block": "2300 B", "total": "1 GiB", "within": "45 s"}
    StorageWriteLatencyRequirement.model_validate(header(**fields))
    with pytest.raises(ValueError):
        StorageWriteLatencyRequirement.model_validate(header(**{**fields, **changes}))


@pytest.mark.parametrize("changes", [{"block": "1000 B"}, {"at_once": 0}, {"at_once": 65}, {"at_least": 0}])
def test_reads_are_of_whole_sectors_and_bounded(changes):
    fields = {"path": "/srv", "at_least": 1, "block": "512 B", "total": "1 MiB", "at_once": 64, "within": "45 s"}
    StorageRandomReadsRequirement.model_validate(header(**fields))
    with pytest.raises(ValueError):
        StorageRandomReadsRequirement.model_validate(header(**{**fields, **changes}))
