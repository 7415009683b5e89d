"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import errno

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.timezone import Form, TimeZoneFact, TimeZoneQuery, TimeZoneRequirement
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
# the shape of RFC 8536: both headers, data, and the footer between two line feeds
TZIF = "TZif2\0\0data\ufffd\nTZif2\0\0more\n{rule}\n"
MISSING = FileNotFoundError(errno.ENOENT, "No such file")
NO_LINK = OSError(errno.EINVAL, "Invalid argument")


def host(link=NO_LINK, content=MISSING, noted=MISSING):
    def read_text(path, *, limit):
        found = {"/etc/localtime": content, "/etc/timezone": noted}[path]
        if isinstance(found, Exception):
            raise found
        return found[:limit]

    return fake_host(files=FakePort(read_link=link, read_text=read_text))


def fact(form, name="", rule="", noted=""):
    return TimeZoneFact(form=form, name=name, rule=rule, noted=noted)


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        (
            host("/usr/share/zoneinfo/Europe/Berlin", TZIF.format(rule=BERLIN), "Europe/Berlin\n"),
            fact(Form.LINK, "Europe/Berlin", BERLIN, "Europe/Berlin"),
        ),
        (host("../usr/share/zoneinfo/UTC", TZIF.format(rule="UTC0")), fact(Form.LINK, "UTC", "UTC0")),
        (
            host("/usr/share/zoneinfo/posix/Europe/Berlin", TZIF.format(rule=BERLIN)),
            fact(Form.LINK, "Europe/Berlin", BERLIN),
        ),
        (
            host("/usr/share/zoneinfo/right/Europe/Berlin", TZIF.format(rule=BERLIN)),
            fact(Form.LINK, "Europe/Berlin", BERLIN),
        ),
        (host("/etc/my-own-zone", TZIF.format(rule=BERLIN)), fact(Form.LINK, "", BERLIN)),
        # a copy does not tell its name; its footer tells its rule
        (
            host(content=TZIF.format(rule=BERLIN), noted="# old\n\nEurope/Berlin\n"),
            fact(Form.COPY, "", BERLIN, "Europe/Berlin"),
        ),
        (host(content="TZif\0version 1 has no footer"), fact(Form.COPY)),
        (host(content="no zone file\nat all\n"), fact(Form.COPY)),
        (host(content=""), fact(Form.COPY)),
        # localtime(5): UTC where it is missing; so it is where it cannot be followed
        (host(link=MISSING), fact(Form.MISSING, "", "UTC0")),
        (host("/usr/share/zoneinfo/Europe/Berlin"), fact(Form.DANGLING, "Europe/Berlin", "UTC0")),
        (host(link=MISSING, noted=IsADirectoryError(21, "x")), fact(Form.MISSING, "", "UTC0")),
    ],
)
def test_which_zone_is_set(asked, seen):
    assert TimeZoneQuery().observe(asked) == seen


def test_what_is_closed_is_no_missing_file():
    with pytest.raises(PermissionError):
        TimeZoneQuery().observe(host(link=PermissionError(13, "x")))
    with pytest.raises(PermissionError):
        TimeZoneQuery().observe(host(content=PermissionError(13, "x")))


def judge(found):
    accepted = [{"name": "UTC", "rule": "UTC0"}, {"name": "Europe/Berlin", "rule": BERLIN}]
    demand = TimeZoneRequirement.model_validate(header(accepted=accepted))
    assert demand.queries(Evidence()) == [TimeZoneQuery()]
    return demand.judge(Evidence([Observation(TimeZoneQuery(), found if isinstance(found, Unseen) else Seen(found))]))


@pytest.mark.parametrize(
    ("found", "outcome", "seen", "because"),
    [
        (fact(Form.LINK, "Europe/Berlin", BERLIN), Outcome.MET, "Europe/Berlin", "The time zone is Europe/Berlin."),
        (fact(Form.LINK, "Europe/Berlin"), Outcome.MET, "Europe/Berlin", "The time zone is Europe/Berlin."),
        # another name for the same thing
        (fact(Form.LINK, "Etc/UTC", "UTC0"), Outcome.MET, "Etc/UTC", "This machine shows the same time as UTC."),
        (
            fact(Form.COPY, "", BERLIN),
            Outcome.MET,
            f"a zone file with the rule {BERLIN}",
            "This machine shows the same time as Europe/Berlin.",
        ),
        (
            fact(Form.MISSING, "", "UTC0"),
            Outcome.MET,
            "UTC, as there is no /etc/localtime",
            "This machine shows the same time as UTC.",
        ),
        # it says Berlin, but the zone is not installed, so the time is UTC
        (
            fact(Form.DANGLING, "Europe/Berlin", "UTC0"),
            Outcome.MET,
            "UTC, as /etc/localtime points to Europe/Berlin, which is not installed",
            "This machine shows the same time as UTC.",
        ),
        (
            fact(Form.DANGLING, "", "UTC0"),
            Outcome.MET,
            "UTC, as /etc/localtime points to -, which is not installed",
            "This machine shows the same time as UTC.",
        ),
        (
            fact(Form.LINK, "America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
            Outcome.UNMET,
            "America/New_York",
            "America/New_York is none of: UTC, Europe/Berlin.",
        ),
        # a name without a readable rule is a name all the same
        (fact(Form.LINK, "Asia/Tokyo"), Outcome.UNMET, "Asia/Tokyo", "Asia/Tokyo is none of: UTC, Europe/Berlin."),
        (
            fact(Form.COPY, "", "JST-9"),
            Outcome.UNMET,
            "a zone file with the rule JST-9",
            "a zone file with the rule JST-9 is none of: UTC, Europe/Berlin.",
        ),
        (
            fact(Form.COPY),
            Outcome.UNKNOWN,
            "/etc/localtime without a name or rule",
            "/etc/localtime does not tell which time zone it is.",
        ),
        (
            fact(Form.LINK, "Europe/Berlin", BERLIN, "Etc/UTC"),
            Outcome.MET,
            "Europe/Berlin; /etc/timezone says Etc/UTC",
            "The time zone is Europe/Berlin.",
        ),
        (
            fact(Form.LINK, "Europe/Berlin", BERLIN, "Europe/Berlin"),
            Outcome.MET,
            "Europe/Berlin",
            "The time zone is Europe/Berlin.",
        ),
        (
            fact(Form.MISSING, "", "UTC0", "Europe/Berlin"),
            Outcome.MET,
            "UTC, as there is no /etc/localtime",
            "This machine shows the same time as UTC.",
        ),
    ],
)
def test_verdict(found, outcome, seen, because, no_io):
    with no_io():
        verdict = judge(found)
    assert verdict.outcome is outcome
    assert render(verdict.wanted) == "UTC or Europe/Berlin"
    assert render(verdict.seen) == seen
    assert render(verdict.because) == because
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    if verdict.fix is not None:
        assert render(verdict.fix) == "Set the time zone: timedatectl set-timezone UTC"


def test_a_missing_zone_does_not_meet_a_demand_for_berlin():
    demand = TimeZoneRequirement.model_validate(header(accepted=[{"name": "Europe/Berlin", "rule": BERLIN}]))
    found = fact(Form.DANGLING, "Europe/Berlin", "UTC0")
    assert demand.judge(Evidence([Observation(TimeZoneQuery(), Seen(found))])).outcome is Outcome.UNMET


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


def test_this_machine_has_a_time_zone():
    found = TimeZoneQuery().observe(LiveHost(10))
    assert found.name or found.rule
    assert render(TimeZoneQuery().asks()) == "Which time zone is set?"
