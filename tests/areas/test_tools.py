"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.tools import Tool, ToolsFact, ToolsQuery, ToolsRequirement
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

QUERY = ToolsQuery(names=("curl", "tar"))
CURL = Tool(name="curl", path="/usr/bin/curl")
TAR = Tool(name="tar", path="/bin/tar")


def host(where, leads_to=None):
    return fake_host(
        commands=FakePort(which=where.get), files=FakePort(resolve=lambda path: (leads_to or {}).get(path, path))
    )


@pytest.mark.parametrize(
    ("where", "leads_to", "tools"),
    [
        ({"curl": "/usr/bin/curl", "tar": "/bin/tar"}, {}, (CURL, TAR)),
        ({"tar": "/bin/tar"}, {}, (Tool(name="curl", path=""), TAR)),
        # BusyBox is many programs in one; that a link leads elsewhere (alternatives) says nothing
        (
            {"curl": "/usr/bin/curl", "tar": "/bin/tar"},
            {"/bin/tar": "/bin/busybox", "/usr/bin/curl": "/usr/bin/curl-minimal"},
            (CURL, Tool(name="tar", path="/bin/tar", applet_of="busybox")),
        ),
        (
            {"curl": "/usr/bin/curl", "tar": "/bin/tar"},
            {"/bin/tar": "/usr/bin/toybox"},
            (CURL, Tool(name="tar", path="/bin/tar", applet_of="toybox")),
        ),
    ],
)
def test_what_is_installed(where, leads_to, tools):
    assert QUERY.observe(host(where, leads_to)) == ToolsFact(tools=tools)
    assert render(QUERY.asks()) == "Are these programs installed: curl and tar?"


def test_busybox_itself_is_no_applet():
    assert ToolsQuery(names=("busybox",)).observe(host({"busybox": "/bin/busybox"})).tools[0].applet_of == ""


def judge(fact):
    demand = ToolsRequirement.model_validate(header(names=["curl", "tar"]))
    assert demand.queries(Evidence()) == [QUERY]
    return demand.judge(Evidence([Observation(QUERY, fact if isinstance(fact, Unseen) else Seen(fact))]))


@pytest.mark.parametrize(
    ("tools", "outcome", "seen", "because"),
    [
        ((CURL, TAR), Outcome.MET, "installed: curl and tar", "All of them are installed."),
        (
            (CURL, Tool(name="tar", path="")),
            Outcome.UNMET,
            "installed: curl",
            "Not found in the system's folders: tar.",
        ),
        (
            (Tool(name="curl", path=""), Tool(name="tar", path="")),
            Outcome.UNMET,
            "none of them",
            "Not found in the system's folders: curl and tar.",
        ),
        (
            (CURL, Tool(name="tar", path="/bin/tar", applet_of="busybox")),
            Outcome.MET,
            "installed: curl and tar (as applets of BusyBox or Toybox: tar)",
            "All of them are installed.",
        ),
    ],
)
def test_verdict(tools, outcome, seen, because):
    verdict = judge(ToolsFact(tools=tools))
    assert verdict.outcome is outcome
    assert render(verdict.wanted) == "installed: curl and tar"
    assert render(verdict.seen) == seen
    assert render(verdict.because) == because
    assert (verdict.fix is None) == (outcome is Outcome.MET)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


@pytest.mark.parametrize("names", [[], ["/bin/sh"], ["-x"], ["a b"]])
def test_what_is_no_name_of_a_program_is_refused(names):
    with pytest.raises(ValueError):
        ToolsRequirement.model_validate(header(names=names))


def test_this_machine_has_a_shell_and_not_everything():
    sh, nothing = ToolsQuery(names=("sh", "no-such-program")).observe(LiveHost(10)).tools
    assert sh.path and not nothing.path


def test_the_plan_names_the_programs():
    assert [(c.kind.value, c.target) for c in ToolsQuery(names=("curl", "tar")).contacts()] == [
        ("command", "curl"),
        ("command", "tar"),
    ]
