"""(demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import header
from vorflug.areas.mount_options import StorageMountOptionsRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.file_system import FileSystemFact, FileSystemQuery
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

FORBIDDEN = ("noexec", "nosuid", "ro")


def mounted(*options, kind="ext4", mount="/var", exists=True, asked="/a"):
    return FileSystemFact(
        asked=asked, exists=exists, mount_point=mount, file_system=kind, source="/dev/sda2", device="8:2",
        options=options, total_bytes=100, used_bytes=40, free_bytes=50, total_inodes=10, free_inodes=9,
    )  # fmt: skip


def judge(forbidden=FORBIDDEN, **facts):
    demand = StorageMountOptionsRequirement.model_validate(
        header(paths=[f"/{name}" for name in facts], forbidden=forbidden)
    )
    return demand.judge(
        Evidence(
            Observation(FileSystemQuery(path=f"/{name}"), fact if isinstance(fact, Unseen) else Seen(fact))
            for name, fact in facts.items()
        )
    )


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (("rw", "relatime"), ()),
        # words that only look alike
        (("rw", "errors=remount-ro", "norecovery", "nodev"), ()),
        (("rw", "noexec"), ("noexec",)),
        (("ro",), ("ro",)),
        # the file system is read-only although the mount is not
        (("rw", "nosuid", "ro"), ("nosuid", "ro")),
    ],
)
def test_options(options, wrong, no_io):
    fact = mounted(*options)
    with no_io():
        verdict = judge(a=fact)
    assert verdict.outcome is (Outcome.UNMET if wrong else Outcome.MET)
    if wrong:
        named = " and ".join(wrong)
        assert render(verdict.seen) == f"/a at /var: {named}"
        assert render(verdict.because).startswith(f"/a lies on the mount /var, which has {named}.")
        assert render(verdict.fix).startswith(f"Take {named} from the entry of /var in /etc/fstab")
    else:
        assert render(verdict.seen) == "/a at /var: none of them"
        assert verdict.fix is None


def test_only_what_the_profile_forbids_is_wrong():
    assert judge(("ro",), a=mounted("rw", "noexec")).outcome is Outcome.MET
    assert judge(("ro", "noexec"), a=mounted("rw", "noexec")).outcome is Outcome.UNMET


def test_a_folder_that_does_not_exist_yet_is_judged_by_its_ancestors_mount():
    verdict = judge(a=mounted("rw", "noexec", exists=False, asked="/"))
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.because) == "/a does not exist yet; it would lie on the mount /var, which has noexec."


def test_a_mount_that_the_kernel_made_read_only_is_explained():
    after = "The kernel may have made /var read-only after an error: dmesg tells."
    assert after in render(judge(a=mounted("rw", "ro", "errors=remount-ro")).because)
    assert after not in render(judge(a=mounted("ro")).because)
    assert after not in render(judge(a=mounted("rw", "noexec", "errors=remount-ro")).because)


def test_a_symlink_is_shown():
    assert render(judge(a=mounted("rw", asked="/data/x")).seen) == "/a (a link to /data/x) at /var: none of them"


def test_every_path_counts():
    verdict = judge(a=mounted("rw"), b=mounted("rw", "noexec", asked="/b", mount="/b"))
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.because) == "/b lies on the mount /b, which has noexec."
    assert render(verdict.seen) == "/a at /var: none of them; /b at /b: noexec"


def test_below_an_overlay_the_mounts_of_the_host_are_not_visible():
    verdict = judge(a=mounted("rw"), b=mounted("rw", kind="overlay", mount="/", asked="/b"))
    assert verdict.outcome is Outcome.UNKNOWN
    assert "/b lies on an overlay" in render(verdict.because)
    # what is seen to be wrong is wrong there too
    assert judge(a=mounted("ro", kind="overlay")).outcome is Outcome.UNMET


@pytest.mark.parametrize("reason", list(Reason))
def test_what_is_not_seen_is_no_verdict(reason):
    with pytest.raises(NotSeen) as gap:
        judge(a=mounted("rw"), b=Unseen(reason))
    assert gap.value.query == FileSystemQuery(path="/b")
    assert judge(a=Unseen(reason), b=mounted("ro", asked="/b")).outcome is Outcome.UNMET


def test_each_path_is_asked_once():
    demand = StorageMountOptionsRequirement.model_validate(header(paths=["/a", "/b", "/a"], forbidden=["ro"]))
    assert [q.path for q in demand.queries(Evidence())] == ["/a", "/b"]


@pytest.mark.parametrize("option", ["", "no exec", "ro,noexec"])
def test_what_is_no_option_is_refused(option):
    with pytest.raises(ValueError):
        StorageMountOptionsRequirement.model_validate(header(paths=["/a"], forbidden=[option]))
