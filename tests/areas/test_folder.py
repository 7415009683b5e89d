"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakePort, fake_host, header
from vorflug.areas.folder import FolderFact, FolderQuery, FolderWritableRequirement
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.files import FileKind, FileStatus, FileSystem

PATH = "/opt/assist/shared"
QUERY = FolderQuery(path=PATH)


def folder(mode=0o770, uid=1000, gid=1000, *, acl=False, read_only=False, there=FileKind.FOLDER):
    return FolderFact(there=there, mode=mode, uid=uid, gid=gid, acl=acl, read_only=read_only)


def judge(fact, uid=1000, gid=1000, path=PATH):
    demand = FolderWritableRequirement.model_validate(header(path=path, uid=uid, gid=gid))
    return demand.judge(Evidence([Observation(QUERY, fact if isinstance(fact, Unseen) else Seen(fact))]))


@pytest.mark.parametrize(
    ("kind", "acl", "options", "fact"),
    [
        (FileKind.FOLDER, False, ("rw",), folder(0o750, 10, 20)),
        (FileKind.FOLDER, True, ("ro", "noatime"), folder(0o750, 10, 20, acl=True, read_only=True)),
        # lists on a symlink would be those of its target
        (FileKind.SYMLINK, True, ("rw",), folder(0o750, 10, 20, there=FileKind.SYMLINK)),
    ],
)
def test_the_fact_is_what_the_port_said(kind, acl, options, fact):
    def status(path, *, follow):
        assert (path, follow) == (PATH, False)
        return FileStatus(kind, 0o750, 10, 20, 4096)

    system = FileSystem(PATH, True, "/", "ext4", "/dev/sda2", "8:2", options, 1, 1, 1, 1, 1)
    assert QUERY.observe(fake_host(files=FakePort(status=status, has_acl=acl, file_system=system))) == fact


@pytest.mark.parametrize("error", [FileNotFoundError(2, "x"), NotADirectoryError(20, "x")])
def test_nothing_there_is_a_fact(error):
    assert QUERY.observe(fake_host(files=FakePort(status=error))).there is None


def test_what_may_not_be_looked_at_is_denied():
    with pytest.raises(PermissionError):
        QUERY.observe(fake_host(files=FakePort(status=PermissionError(13, "x"))))


@pytest.mark.parametrize(
    ("fact", "uid", "gid", "outcome", "says"),
    [
        (folder(0o700), 1000, 1, Outcome.MET, "may write"),
        (folder(0o070), 1, 1000, Outcome.MET, "may write"),
        (folder(0o007), 1, 1, Outcome.MET, "may write"),
        # the first class that fits decides alone: an owner without rights does not fall back to the group's
        (folder(0o077), 1000, 1000, Outcome.UNMET, "may not"),
        (folder(0o707), 1, 1000, Outcome.UNMET, "may not"),
        (folder(0o770), 1, 1, Outcome.UNMET, "may not"),
        (folder(0o755), 1, 1000, Outcome.UNMET, "may not"),
        (folder(0o300), 1000, 1, Outcome.UNMET, "may not"),
        (folder(0o600), 1000, 1, Outcome.UNMET, "may not"),
        (folder(0o500), 1000, 1, Outcome.UNMET, "may not"),
        (folder(0o2770), 1, 1000, Outcome.MET, "may write"),
        (folder(0o000), 0, 0, Outcome.MET, "may write"),
        # the owner's entry of a list is the owner's mode bits; all else only getfacl knows
        (folder(0o770, acl=True), 1000, 1, Outcome.MET, "may write"),
        (folder(0o070, acl=True), 1000, 1, Outcome.UNMET, "may not"),
        (folder(0o770, acl=True), 1, 1000, Outcome.UNKNOWN, "access control list"),
        (folder(0o700, acl=True), 1, 1, Outcome.UNKNOWN, "access control list"),
        (folder(0o000, acl=True), 0, 0, Outcome.MET, "may write"),
        (folder(0o777, read_only=True), 0, 0, Outcome.UNMET, "read-only"),
        (folder(there=None), 1000, 1000, Outcome.UNMET, "does not exist"),
        (folder(0o777, there=FileKind.SYMLINK), 1000, 1000, Outcome.UNMET, "symbolic link"),
        (folder(0o777, there=FileKind.FILE), 1000, 1000, Outcome.UNMET, "no folder"),
        (folder(0o777, there=FileKind.SOCKET), 1000, 1000, Outcome.UNMET, "no folder"),
    ],
)
def test_verdict(fact, uid, gid, outcome, says, no_io):
    with no_io():
        verdict = judge(fact, uid, gid)
    assert verdict.outcome is outcome
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_numbers_are_shown_as_ids_and_modes():
    verdict = judge(folder(0o755, 0, 0), 10001, 10001)
    assert render(verdict.seen) == "owner 0:0, mode 0755"
    assert "chown 10001:10001 /opt/assist/shared" in render(verdict.fix)


def test_an_absolute_path_is_asked_about():
    demand = FolderWritableRequirement.model_validate(header(path=PATH, uid=1, gid=1))
    assert demand.queries(Evidence()) == [QUERY]


def test_a_relative_path_is_unmet_and_asks_nothing():
    demand = FolderWritableRequirement.model_validate(header(path="./shared", uid=1, gid=1))
    assert demand.queries(Evidence()) == []
    verdict = demand.judge(Evidence())
    assert verdict.outcome is Outcome.UNMET and "absolute" in render(verdict.because)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


@given(
    mode=st.integers(0, 0o777),
    taken=st.integers(0, 0o777),
    uid=st.sampled_from([1, 1000]),
    gid=st.sampled_from([1, 1000]),
)
def test_taking_rights_away_never_turns_unmet_into_met(mode, taken, uid, gid):
    if judge(folder(mode), uid, gid).outcome is Outcome.UNMET:
        assert judge(folder(mode & ~taken), uid, gid).outcome is Outcome.UNMET


def test_this_machine(tmp_path):
    tmp_path.chmod(0o711)
    fact = FolderQuery(path=str(tmp_path)).observe(LiveHost(10))
    assert (fact.there, fact.mode, fact.read_only) == (FileKind.FOLDER, 0o711, False)
    assert fact.uid == tmp_path.stat().st_uid
