"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.limits import (
    Limit,
    LimitsFact,
    LimitsQuery,
    OpenFilesRequirement,
    ProcessesRequirement,
    ProcessLimits,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.processes import Process, Running

CLOSED = PermissionError("closed")


def text(soft="1024", hard="524288", processes="unlimited"):
    """As proc_pid_limits(5) shows it."""
    return (
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max cpu time              unlimited            unlimited            seconds   \n"
        f"Max processes             {processes:<20} 63432                processes \n"
        f"Max open files            {soft:<20} {hard:<20} files     \n"
        "Max locked memory         8388608              8388608              bytes     \n"
    )


def host(files, *found, hidden=False):
    port = FakePort(read_text=lambda path, **_: files.get(path, FileNotFoundError(path)))
    return fake_host(files=port, processes=FakePort(named=Running(found, hidden=hidden)))


def process(pid, name, program=None, cgroup=""):
    return Process(pid, name, program, 0, cgroup)


SELF = {"/proc/self/limits": text()}


def test_soft_and_hard_of_this_process():
    here = LimitsQuery().observe(host(SELF)).here
    assert here == ProcessLimits(who="", files=Limit(soft=1024, hard=524288), processes=Limit(soft=None, hard=63432))


def test_unlimited_is_no_number():
    here = LimitsQuery().observe(host({"/proc/self/limits": text("unlimited", "unlimited", "7")})).here
    assert (here.files, here.processes.soft) == (Limit(soft=None, hard=None), 7)


@pytest.mark.parametrize("bad", ["", text(hard="many"), text().replace("Max processes", "Max locks")])
def test_limits_that_make_no_sense_are_refused(bad):
    with pytest.raises(ValueError, match="among the limits"):
        LimitsQuery().observe(host({"/proc/self/limits": bad}))


def test_without_proc_nothing_is_known():
    with pytest.raises(NotImplementedError, match="no /proc/self/limits"):
        LimitsQuery().observe(host({}))


def test_services_that_are_closed_are_said_and_ended_ones_left_out():
    fact = LimitsQuery().observe(
        host(
            {
                **SELF,
                "/proc/1/limits": text("5", "6"),
                "/proc/2/limits": CLOSED,
                "/proc/5/limits": ProcessLookupError(),
            },
            process(1, "dockerd", "/usr/bin/dockerd"),
            process(2, "containerd"),
            process(3, "dockerd", "/usr/bin/dockerd"),
            process(5, "dockerd", "/usr/bin/dockerd"),
        )
    )
    assert [(one.who, one.files.hard) for one in fact.services] == [("dockerd", 6)]
    assert fact.hidden == ("containerd",)


ID = "0123456789abcdef" * 4
UNIT = "/system.slice/docker.service"
HERE, NONE, UNCLEAR = ("dockerd",), (), None


@pytest.mark.parametrize(
    ("program", "cgroup", "who"),
    [
        ("/usr/bin/dockerd", "", HERE),
        ("/usr/bin/dockerd", UNIT, HERE),
        ("/usr/sbin/dockerd", "", HERE),
        ("/sbin/dockerd", "", HERE),
        ("/bin/dockerd", "", HERE),
        ("/usr/local/bin/dockerd", "", HERE),
        ("/usr/libexec/docker/dockerd", "", HERE),
        ("/snap/docker/2932/bin/dockerd", "", HERE),
        # where only the group is visible, as without root
        (None, UNIT, HERE),
        (None, "/system.slice/containerd.service", HERE),
        ("/opt/docker/dockerd", UNIT, HERE),
        # a name, and nothing else
        ("/home/joe/bin/dockerd", "", NONE),
        ("/home/joe/usr/bin/dockerd", "", NONE),
        ("/usr/bin/evil/dockerd", "", NONE),
        ("/home/joe/dockerd", "/user.slice/user-1000.slice/user@1000.service/docker.service", NONE),
        ("/usr/bin/game", "", NONE),
        # one in a container
        ("/usr/local/bin/dockerd", f"/system.slice/docker-{ID}.scope", NONE),
        ("/usr/local/bin/dockerd", f"/docker/{ID}", NONE),
        ("/usr/local/bin/dockerd", f"/docker/{ID}/system.slice/docker.service", NONE),
        (None, f"/docker/{ID}", NONE),
        # not visible
        (None, "", UNCLEAR),
        (None, "/user.slice/user-1000.slice/session-2.scope", UNCLEAR),
    ],
)
def test_a_program_called_like_a_service_is_none(program, cgroup, who):
    one = process(1, "dockerd", program, cgroup)
    fact = LimitsQuery().observe(host({**SELF, "/proc/1/limits": text()}, one))
    assert tuple(service.who for service in fact.services) == (who or ())
    assert fact.hidden == (("dockerd",) if who is UNCLEAR else ())


def test_a_program_with_mounts_of_its_own_is_no_proved_service():
    """A user's own dockerd under /usr/local/bin of his own namespace, with limits as low as he likes; or rootless."""
    found = [
        Process(1, "dockerd", None, 65534, "/user.slice/user-1000.slice/session-2.scope", apart=True),
        Process(2, "containerd", None, 0, ""),
        Process(3, "dockerd", None, 0, UNIT, apart=True),
        Process(4, "worker", None, 65534, "", apart=True),
    ]
    fact = LimitsQuery().observe(
        host({**SELF, **{f"/proc/{n}/limits": text("1", str(n)) for n in range(1, 5)}}, *found)
    )
    assert (fact.apart, fact.hidden) == (("dockerd",), ("containerd",))
    assert [(one.who, one.files.hard) for one in fact.services] == [("dockerd", 3)]


@pytest.mark.parametrize(("uid", "who"), [(0, HERE), (1, NONE), (1000, NONE)])
def test_a_service_runs_as_root(uid, who):
    one = Process(1, "dockerd", "/usr/bin/dockerd", uid, "")
    fact = LimitsQuery().observe(host({**SELF, "/proc/1/limits": text()}, one))
    assert (tuple(service.who for service in fact.services), fact.hidden) == (who, ())


@pytest.mark.parametrize(
    ("here", "hidden", "unseen", "outcome", "because"),
    [
        (100, (), False, Outcome.UNKNOWN, "dockerd runs with users or mounts of its own"),
        (100, (), True, Outcome.UNKNOWN, "dockerd runs with users or mounts of its own"),
        (100, ("containerd",), False, Outcome.UNKNOWN, "The limits of containerd may not be read"),
        (99, (), False, Outcome.UNMET, "The hard limit of open files is lower than 100."),
    ],
)
def test_what_is_not_proved_decides_nothing(here, hidden, unseen, outcome, because):
    fact = LimitsFact(
        here=limits(here), services=(), hidden=hidden, apart=("dockerd",), processes_hidden=unseen, settings={}
    )
    verdict = judged(Seen(fact))
    assert verdict.outcome is outcome and render(verdict.because).startswith(because)
    assert verdict.fix is not None


def test_settings_of_the_kernel():
    files = {"/proc/sys/fs/file-max": "9223372036854775807\n", "/proc/sys/kernel/pid_max": "4194304\n"}
    assert LimitsQuery().observe(host({**SELF, **files})).settings == {
        "fs.file-max": 9223372036854775807,
        "kernel.pid_max": 4194304,
    }
    closed = {"/proc/sys/kernel/keys/maxkeys": "200\n", "/proc/sys/kernel/pid_max": CLOSED}
    assert LimitsQuery().observe(host({**SELF, **closed})).settings == {"kernel.keys.maxkeys": 200}


@pytest.mark.parametrize("hidden", [False, True])
def test_whether_a_service_may_run_unseen(hidden):
    assert LimitsQuery().observe(host(SELF, hidden=hidden)).processes_hidden is hidden


def limits(hard, who=""):
    return ProcessLimits(who=who, files=Limit(soft=1, hard=hard), processes=Limit(soft=1, hard=1))


def judged(result, kind=OpenFilesRequirement):
    demand = kind.model_validate(header(at_least=100))
    return demand.judge(Evidence([Observation(LimitsQuery(), result)]))


@pytest.mark.parametrize(
    ("here", "service", "hidden", "unseen", "outcome", "seen"),
    [
        (100, None, (), False, Outcome.MET, "this process: 100"),
        (99, None, (), False, Outcome.UNMET, "this process: 99"),
        (101, 100, (), False, Outcome.MET, "this process: 101; dockerd: 100"),
        (101, 99, (), False, Outcome.UNMET, "dockerd: 99"),
        (99, 100, ("containerd",), False, Outcome.UNMET, "this process: 99"),
        (100, None, ("containerd",), False, Outcome.UNKNOWN, "this process: 100"),
        (100, None, (), True, Outcome.UNKNOWN, "this process: 100"),
        (99, None, (), True, Outcome.UNMET, "this process: 99"),
        (None, None, (), False, Outcome.MET, "this process: unlimited"),
    ],
)
def test_verdict(here, service, hidden, unseen, outcome, seen, no_io):
    services = () if service is None else (limits(service, "dockerd"),)
    fact = LimitsFact(here=limits(here), services=services, hidden=hidden, processes_hidden=unseen, settings={})
    with no_io():
        verdict = judged(Seen(fact))
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen)
    assert (verdict.fix is not None) == (outcome is not Outcome.MET)
    assert render(verdict.wanted) == "a hard limit of at least 100 open files"


def process_limits(hard, who=""):
    return ProcessLimits(who=who, files=Limit(soft=1, hard=1), processes=Limit(soft=1, hard=hard))


@pytest.mark.parametrize(
    ("here", "service", "outcome", "seen"),
    [
        (100, 101, Outcome.MET, "this process: 100; dockerd: 101"),
        (99, 100, Outcome.UNMET, "this process: 99"),
        (101, 99, Outcome.UNMET, "dockerd: 99"),
        (None, None, Outcome.MET, "this process: unlimited; dockerd: unlimited"),
    ],
)
def test_processes_are_a_limit_of_their_own(here, service, outcome, seen):
    fact = LimitsFact(
        here=process_limits(here),
        services=(process_limits(service, "dockerd"),),
        hidden=(),
        processes_hidden=False,
        settings={},
    )
    verdict = judged(Seen(fact), ProcessesRequirement)
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen)
    assert render(verdict.wanted) == "a hard limit of at least 100 processes and threads"
    words = render(verdict.fix or verdict.because)
    assert words.startswith("Raise it: LimitNPROC=" if outcome is Outcome.UNMET else "Enough processes")
    assert judged(Seen(fact)).fix is not None


def test_without_a_look_nothing_is_decided():
    with pytest.raises(NotSeen):
        judged(Unseen(Reason.DENIED, "closed"))


def test_the_question():
    query = OpenFilesRequirement.model_validate(header(at_least=100)).queries(Evidence())[0]
    assert render(query.asks()) == "How many files and processes may be open here and in dockerd and containerd?"
