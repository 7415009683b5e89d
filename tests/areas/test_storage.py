"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import header
from vorflug.areas.storage import (
    StorageCapacityRequirement,
    StorageFillRequirement,
    StorageFreeRequirement,
)
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.file_system import FileSystemFact, FileSystemQuery, QuotaFact, QuotaLimit, QuotaQuery
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

GB, GIB = 10**9, 2**30


def storage(total, free, used=None, *, device="8:2", kind="ext4", mount="/", source="/dev/sda2", asked=None):
    return FileSystemFact(
        asked="/" if asked is None else asked,
        exists=asked is not None,
        mount_point=mount,
        file_system=kind,
        source=source,
        device=device,
        options=("rw", "relatime"),
        total_bytes=total,
        used_bytes=total - free if used is None else used,
        free_bytes=free,
        total_inodes=1000,
        free_inodes=500,
    )


def evidence(**facts):
    """*facts*: by path, "_" standing for "/"."""
    return Evidence(
        Observation(FileSystemQuery(path=path.replace("_", "/")), fact if isinstance(fact, Unseen) else Seen(fact))
        for path, fact in facts.items()
    )


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


def test_without_a_tolerance_none_is_shown():
    verdict = capacity(evidence(_a=storage(250 * GB, 1), _b=storage(250 * GB, 1)), "250 GB")
    assert render(verdict.wanted) == "at least 250 GB"


def test_the_sum_is_shown_before_its_parts_unless_there_is_one_only():
    two = capacity(evidence(_a=storage(100 * GB, 1, device="8:1"), _b=storage(150 * GB, 1, device="8:2")), "250 GB")
    assert render(two.seen).startswith("250 GB (")
    memory = storage(250 * GB, 1, kind="tmpfs")
    assert render(capacity(evidence(_a=memory, _b=memory), "250 GB").seen) == "0 B (/ in memory, not counted)"


def test_the_tolerance_is_shown():
    verdict = capacity(evidence(_a=storage(245 * GB, 1), _b=storage(245 * GB, 1)), "250 GB", "3 %")
    assert render(verdict.wanted) == "at least 250 GB (tolerance 3 %)"
    assert render(verdict.seen) == "245 GB at /"


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
        _a=storage(31 * GIB, 31 * GIB, mount="/var"),
        _b=storage(31 * GIB, 31 * GIB, mount="/var"),
        _c=storage(99 * GIB, 99 * GIB, device="8:9", mount="/srv"),
    )
    verdict = free(facts, ("/a", "20 GiB"), ("/b", "20 GiB"), ("/c", "1 GiB"))
    assert render(verdict.because) == "/a and /b: 31 GiB free, 40 GiB wanted."
    assert render(verdict.fix) == "Free or add 9 GiB at /var."
    assert render(verdict.seen) == (
        "31 GiB free at /var for /a and /b, 40 GiB wanted; 99 GiB free at /srv for /c, 1 GiB wanted; "
        "whether a quota limits this user could not be seen"
    )
    assert [(g.have, g.want, render(g.of)) for g in verdict.gauges] == [
        (31 * GIB, 40 * GIB, "/var: /a and /b"),
        (99 * GIB, 1 * GIB, "/srv: /c"),
    ]


def test_the_bar_shows_the_space_that_fits_worst_and_not_the_smallest():
    facts = evidence(_a=storage(1, 10), _b=storage(1, 100, device="8:3"))
    gauge = free(facts, ("/a", "4 B"), ("/b", "200 B")).gauge
    assert gauge is not None and (gauge.have, gauge.want) == (100, 200)


# ---- what lies where


def limits(*quotas):
    return QuotaFact(
        limits=tuple(QuotaLimit(owner=o, used_bytes=u, soft_bytes=s, hard_bytes=h) for o, u, s, h in quotas)
    )


def with_quotas(facts, **quotas):
    """*facts* with quotas by path; no quota where none is given."""
    for path in ("/a", "/b", "/c"):
        found = quotas.get(path.replace("/", "_"), QuotaFact(limits=()))
        facts.add(Observation(QuotaQuery(path=path), found if isinstance(found, Unseen) else Seen(found)))
    return facts


def test_docker_root_on_the_same_device_as_the_system_is_said():
    facts = with_quotas(evidence(_a=storage(1, 50), _b=storage(1, 70, device="8:3", mount="/b"), _=storage(1, 50)))
    verdict = free(facts, ("/a", "5 B"), ("/b", "7 B"))
    assert render(verdict.seen) == (
        "50 B free at / for /a, 5 B wanted (the system itself lies there too); 70 B free at /b for /b, 7 B wanted"
    )
    # asked for by itself, the root needs no such remark twice
    verdict = free(facts, ("/", "5 B"))
    assert render(verdict.seen).startswith("50 B free at / for /, 5 B wanted (the system itself lies there too)")


def test_a_symlink_to_another_disk_is_shown_and_counted_there():
    facts = with_quotas(
        evidence(
            _a=storage(1, 50, device="8:17", mount="/data", asked="/data/docker"),
            _b=storage(1, 50, device="8:17", mount="/data", asked="/data"),
            _=storage(1, 99),
        )
    )
    verdict = free(facts, ("/a", "30 B"), ("/b", "30 B"))
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.because) == "/a (a link to /data/docker) and /b (a link to /data): 50 B free, 60 B wanted."


def test_a_path_that_hangs_leaves_the_others_judged():
    hangs = Unseen(Reason.TIMEOUT)
    facts = with_quotas(evidence(_a=storage(1, 50), _b=hangs, _=storage(1, 50, device="8:1")), _b=hangs)
    verdict = free(facts, ("/a", "51 B"), ("/b", "1 B"))
    assert verdict.outcome is Outcome.UNMET, "what is short stays short, whatever hangs beside it"
    assert render(verdict.seen) == "50 B free at / for /a, 51 B wanted; /b could not be looked at"
    with pytest.raises(NotSeen) as gap:  # the finding names the question about /b
        free(facts, ("/a", "50 B"), ("/b", "1 B"))
    assert gap.value.query == FileSystemQuery(path="/b")
    assert gap.value.unseen.reason is Reason.TIMEOUT


def test_of_several_paths_that_hang_the_first_is_named():
    hangs = Unseen(Reason.TIMEOUT)
    with pytest.raises(NotSeen) as gap:
        free(evidence(_a=hangs, _b=Unseen(Reason.DENIED)), ("/a", "1 B"), ("/b", "1 B"))
    assert gap.value.query == FileSystemQuery(path="/a")


# ---- quotas


def test_a_quota_that_leaves_less_than_is_wanted_counts_instead_of_the_free_space():
    facts = evidence(_a=storage(100, 90), _b=storage(100, 90))
    both = limits(("user", 20, None, 60))
    facts = with_quotas(facts, _a=both, _b=both)
    assert free(facts, ("/a", "20 B"), ("/b", "20 B")).outcome is Outcome.MET  # exactly what is left
    verdict = free(facts, ("/a", "20 B"), ("/b", "21 B"))
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.because) == "/a and /b: 40 B left of the quota of the user, 41 B wanted."
    assert render(verdict.fix) == "Raise the quota of the user at / by 1 B."
    assert render(verdict.seen) == "40 B left of the quota of the user at / for /a and /b, 41 B wanted"
    assert verdict.gauge is not None and (verdict.gauge.have, verdict.gauge.want) == (40, 41)


def test_a_quota_of_one_folder_does_not_bind_the_other():
    facts = evidence(_a=storage(100, 90), _b=storage(100, 90))
    facts = with_quotas(facts, _a=limits(("project", 0, None, 30)))
    assert free(facts, ("/a", "30 B"), ("/b", "60 B")).outcome is Outcome.MET
    verdict = free(facts, ("/a", "31 B"), ("/b", "1 B"))
    assert render(verdict.because) == "/a: 30 B left of the quota of the project, 31 B wanted."


def test_a_quota_that_leaves_more_than_the_disk_has_changes_nothing():
    facts = with_quotas(evidence(_a=storage(100, 50)), _a=limits(("group", 0, None, 1000)))
    verdict = free(facts, ("/a", "51 B"))
    assert render(verdict.because) == "/a: 50 B free, 51 B wanted."


def test_a_quota_on_inodes_alone_leaves_the_space():
    facts = with_quotas(evidence(_a=storage(100, 50)), _a=limits(("user", 0, None, None)))
    assert free(facts, ("/a", "50 B")).outcome is Outcome.MET


@pytest.mark.parametrize("reason", [Reason.UNSUPPORTED, Reason.DENIED, Reason.NOT_ASKED])
def test_quotas_that_could_not_be_seen_are_said_and_not_taken_for_none(reason):
    facts = with_quotas(evidence(_a=storage(100, 50)), _a=Unseen(reason))
    says = "whether a quota limits this user could not be seen"
    assert says in render(free(facts, ("/a", "1 B")).seen)
    assert says not in render(free(with_quotas(evidence(_a=storage(100, 50))), ("/a", "1 B")).seen)


# ---- blocks reserved for root


@pytest.mark.parametrize(
    ("need", "kind", "hinted"),
    [
        ("50 B", "ext4", False),
        ("51 B", "ext4", True),
        ("55 B", "ext4", True),
        ("56 B", "ext4", False),
        ("51 B", "xfs", False),
    ],
)
def test_reserved_blocks_are_not_free_but_named_where_they_would_do(need, kind, hinted):
    facts = with_quotas(evidence(_a=storage(100, 50, 45, kind=kind)))
    verdict = free(facts, ("/a", need))
    assert verdict.outcome is (Outcome.MET if need == "50 B" else Outcome.UNMET)
    assert ("At /, 5 B more are reserved for root." in render(verdict.because)) is hinted


def test_reserved_blocks_do_not_help_against_a_quota():
    facts = with_quotas(evidence(_a=storage(100, 50, 45)), _a=limits(("user", 0, None, 49)))
    because = render(free(facts, ("/a", "51 B")).because)
    assert "quota" in because and "reserved" not in because


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


def test_a_file_system_that_is_too_full_is_so_whatever_hangs_beside_it():
    facts = evidence(_a=storage(100, 19, 81), _b=Unseen(Reason.TIMEOUT))
    assert fill(facts, "80 %").outcome is Outcome.UNMET
    with pytest.raises(NotSeen):
        fill(facts, "81 %")


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
    needs = [{"path": path, "at_least": "1 B"} for path in ("/a", "/b", "/a", "/")]
    asked = StorageFreeRequirement.model_validate(header(needs=needs)).queries(Evidence())
    assert [q for q in asked if isinstance(q, FileSystemQuery)] == [FileSystemQuery(path=p) for p in ("/a", "/b", "/")]
    assert [q for q in asked if isinstance(q, QuotaQuery)] == [QuotaQuery(path=p) for p in ("/a", "/b", "/")]


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
