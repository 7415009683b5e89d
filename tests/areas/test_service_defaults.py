"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from areas.asking import judge
from conftest import FakePort, fake_host, header
from vorflug.areas.service_defaults import ServiceDefaultRequirement, ServiceDefaultsQuery, ServiceLimit
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.commands import Completed
from vorflug.ports.files import FileKind, FileStatus

MAIN = "/etc/systemd/system.conf"
COMMENTED = "[Manager]\n#DefaultLimitNOFILE=1024:524288\n#DefaultTasksMax=15%\n"


def shown(files="524288", processes="31345", tasks="4915"):
    """As systemctl(1) shows it."""
    return Completed(0, f"DefaultTasksMax={tasks}\nDefaultLimitNOFILE={files}\nDefaultLimitNPROC={processes}\n", "")


def host(said):
    def run(argv):
        assert argv == ("systemctl", "show", "--property=DefaultLimitNOFILE,DefaultLimitNPROC,DefaultTasksMax")
        return said

    return fake_host(files=FakePort(exists=lambda path: path == "/run/systemd/system"), commands=FakePort(run=run))


def system(container=""):
    return FakePort(virtualisation=SimpleNamespace(container=container))


def tree(files, container="", status=None):
    def list_folder(folder):
        inside = [path.rpartition("/") for path in files]
        return tuple(sorted(name for above, _, name in inside if above == folder)) or FileNotFoundError(folder)

    return fake_host(
        files=FakePort(
            exists=False,
            list_folder=list_folder,
            status=status,
            read_text=lambda path, **_: files.get(path, FileNotFoundError(path)),
        ),
        system=system(container),
    )


def known(one):
    fact = ServiceDefaultsQuery().observe(one)
    return fact.running, {row.limit.name: row.most for row in fact.defaults}


def test_what_systemd_says_itself():
    assert known(host(shown())) == (True, {"OPEN_FILES": 524288, "PROCESSES": 31345, "TASKS": 4915})


@pytest.mark.parametrize("word", ["infinity", "18446744073709551615"])
def test_no_limit_is_no_number(word):
    assert known(host(shown(word, tasks=word)))[1] == {"OPEN_FILES": None, "PROCESSES": 31345, "TASKS": None}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Completed(1, "", "Failed to connect to bus: Permission denied"), PermissionError),
        (Completed(1, shown().out, "Failed to connect to bus"), ValueError),
        (Completed(0, "DefaultLimitNOFILE=1\nDefaultLimitNPROC=1\n", ""), ValueError),
        (Completed(0, shown("many").out, ""), ValueError),
    ],
)
def test_an_answer_that_is_none_is_no_default(said, error):
    with pytest.raises(error):
        ServiceDefaultsQuery().observe(host(said))


@pytest.mark.parametrize(
    ("files", "limits"),
    [
        ({MAIN: COMMENTED}, {}),
        ({MAIN: "[Manager]\nDefaultLimitNOFILE=1024:4096\nDefaultTasksMax=15%\n"}, {"OPEN_FILES": 4096}),
        ({MAIN: "DefaultLimitNOFILE=4096\nDefaultLimitNOFILE = infinity \n"}, {"OPEN_FILES": None}),
        ({MAIN: "DefaultLimitNOFILE=4096\nDefaultLimitNOFILE=\n"}, {}),
        ({"/usr/lib/systemd/system.conf": "DefaultLimitNPROC=7\n"}, {"PROCESSES": 7}),
        ({MAIN: COMMENTED, "/usr/lib/systemd/system.conf": "DefaultLimitNPROC=7\n"}, {}),
        # the drop-in that is last by its name wins, whichever folder it lies in
        (
            {
                MAIN: "DefaultLimitNPROC=1\n",
                "/etc/systemd/system.conf.d/10-a.conf": "DefaultLimitNPROC=2\n",
                "/usr/lib/systemd/system.conf.d/20-b.conf": "DefaultLimitNPROC=3\n",
            },
            {"PROCESSES": 3},
        ),
        # of two with one name that of /etc counts
        (
            {
                "/etc/systemd/system.conf.d/10-a.conf": "DefaultLimitNPROC=2\n",
                "/run/systemd/system.conf.d/10-a.conf": "DefaultLimitNPROC=3\n",
                "/usr/lib/systemd/system.conf.d/90-a.conf.bak": "DefaultLimitNPROC=4\n",
            },
            {"PROCESSES": 2},
        ),
    ],
)
def test_files_where_systemd_does_not_run(files, limits):
    assert known(tree(files)) == (False, limits)


def test_files_of_a_container_are_not_those_of_the_machine():
    with pytest.raises(NotImplementedError, match=r"a container \(docker\) without systemd"):
        ServiceDefaultsQuery().observe(tree({MAIN: "DefaultLimitNPROC=7\n"}, "docker"))


@pytest.mark.parametrize(("kind", "error"), [(FileKind.CHARACTER, None), (FileKind.FIFO, NotImplementedError)])
def test_a_masked_file_counts_as_empty(kind, error):
    path = "/etc/systemd/system.conf.d/10-a.conf"
    files = {MAIN: "DefaultLimitNPROC=7\n", path: ValueError("no file but a character")}
    one = tree(files, status=FileStatus(kind, 0o644, 0, 0, 0))
    if error is None:
        assert known(one) == (False, {"PROCESSES": 7})
    else:
        with pytest.raises(error):
            ServiceDefaultsQuery().observe(one)


@pytest.mark.parametrize("path", [MAIN, "/etc/systemd/system.conf.d/10-a.conf"])
def test_a_text_that_may_have_been_cut_is_no_answer(path):
    text = "DefaultLimitNPROC=7\n" + "#" * (1 << 20)
    with pytest.raises(NotImplementedError, match=f"^{path} has 1048576 bytes or more"):
        ServiceDefaultsQuery().observe(
            tree({MAIN: "", path: text}, status=FileStatus(FileKind.FILE, 0o644, 0, 0, len(text)))
        )


def test_neither_systemd_nor_files_is_no_answer():
    with pytest.raises(NotImplementedError, match="not started by systemd"):
        ServiceDefaultsQuery().observe(tree({}))


def test_a_closed_folder_is_not_an_empty_one():
    one = fake_host(
        files=FakePort(exists=False, list_folder=PermissionError("closed"), read_text="DefaultLimitNPROC=7\n"),
        system=system(),
    )
    with pytest.raises(PermissionError, match=r"/etc/systemd/system\.conf\.d, .* could set a default"):
        ServiceDefaultsQuery().observe(one)


@pytest.mark.parametrize(
    ("limit", "one", "outcome", "seen"),
    [
        ("DefaultLimitNOFILE", host(shown("65536")), Outcome.MET, "DefaultLimitNOFILE: 65536"),
        ("DefaultLimitNOFILE", host(shown("65537")), Outcome.MET, "DefaultLimitNOFILE: 65537"),
        ("DefaultLimitNOFILE", host(shown("65535")), Outcome.UNMET, "DefaultLimitNOFILE: 65535"),
        ("DefaultLimitNPROC", host(shown("1", "65536")), Outcome.MET, "DefaultLimitNPROC: 65536"),
        ("DefaultTasksMax", host(shown(tasks="infinity")), Outcome.MET, "DefaultTasksMax: unlimited"),
        (
            "DefaultTasksMax",
            tree({MAIN: "DefaultTasksMax=15%"}),
            Outcome.UNKNOWN,
            "no file sets DefaultTasksMax to a number",
        ),
        ("DefaultLimitNOFILE", tree({MAIN: "DefaultLimitNOFILE=9"}), Outcome.UNMET, "DefaultLimitNOFILE: 9"),
    ],
)
def test_verdict(limit, one, outcome, seen):
    verdict = judge(ServiceDefaultRequirement.model_validate(header(limit=limit, at_least=65536)), one)
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen)
    assert (verdict.fix is not None) == (outcome is not Outcome.MET)
    assert render(verdict.wanted) == f"{limit} at least 65536"


def test_without_a_look_nothing_is_decided():
    demand = ServiceDefaultRequirement.model_validate(header(limit=ServiceLimit.TASKS, at_least=1))
    with pytest.raises(NotSeen):
        demand.judge(Evidence([Observation(ServiceDefaultsQuery(), Unseen(Reason.DENIED, "closed"))]))
    assert render(ServiceDefaultsQuery().asks()).endswith("?")
