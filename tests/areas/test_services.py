"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.services import ServicesAbsentRequirement, ServicesFact, ServicesQuery, Unit
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.commands import Completed

NGINX, HTTPD = "nginx.service", "httpd.service"
QUERY = ServicesQuery(units=(NGINX, HTTPD))


def unit(name=NGINX, load="loaded", active="inactive", file="disabled"):
    return Unit(name=name, load=load, active=active, file=file)


NONE = unit(HTTPD, "not-found", "inactive", "")


def block(one):
    return f"Id={one.name}\nLoadState={one.load}\nActiveState={one.active}\nUnitFileState={one.file}\n"


def host(out="", err="", code=0, *, booted=True, cut=False):
    def run(argv):
        assert argv == (
            "systemctl",
            "show",
            "--property=Id,LoadState,ActiveState,UnitFileState",
            "--",
            NGINX,
            HTTPD,
        )
        return Completed(code, out, err, cut)

    return fake_host(
        files=FakePort(exists=lambda path: booted and path == "/run/systemd/system"), commands=FakePort(run=run)
    )


# ---- host -> fact ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "units", [(unit(), NONE), (unit(active="active", file="enabled"), unit(HTTPD, "masked", "inactive", "masked"))]
)
def test_blocks_of_systemctl_show(units):
    assert QUERY.observe(host("\n".join(map(block, units)))) == ServicesFact(units=units)
    assert render(QUERY.asks()) == "Do these services run or start at boot: nginx.service and httpd.service?"


def test_two_names_of_one_unit_are_one():
    one = unit("apache2.service", active="active", file="enabled")
    assert QUERY.observe(host(block(one) + "\n" + block(one))).units == (one,)


def test_without_systemd_nothing_is_asked():
    with pytest.raises(NotImplementedError, match="not started by systemd"):
        QUERY.observe(host(booted=False))


BOTH = block(unit()) + "\n" + block(NONE)


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        (host("", "Failed to connect to bus: No such file or directory", 1), NotImplementedError, "1: Failed"),
        (host("", "Failed to get properties: Access denied", 1), PermissionError, "Access denied"),
        (host(BOTH, "", 1), NotImplementedError, "ended with 1"),
        (host(BOTH, cut=True), ValueError, "saw 2"),
        (host(block(unit())), ValueError, "saw 1"),
        (host(BOTH + "\n" + block(unit())), ValueError, "saw 3"),
        (host(""), ValueError, "of a unit"),
        (host(BOTH.replace("LoadState=not-found\n", "")), ValueError, "of a unit"),
        (host(BOTH.replace("ActiveState=inactive", "ActiveState=dancing")), ValueError, "dancing"),
        (host(BOTH.replace("ActiveState=inactive", "ActiveState=")), ValueError, "of a unit"),
    ],
)
def test_an_answer_that_is_none_is_no_absence(asked, error, says):
    with pytest.raises(error, match=says):
        QUERY.observe(asked)


def test_a_line_without_an_equals_sign_is_passed_over():
    assert QUERY.observe(host(BOTH.replace("ActiveState", "odd\nActiveState"))).units == (unit(), NONE)


# ---- (demand, fact) -> verdict ---------------------------------------------------------------------------------------


def judge(*units, result=None):
    demand = ServicesAbsentRequirement.model_validate(header(units=[NGINX, HTTPD]))
    assert demand.queries(Evidence()) == [QUERY]
    return demand.judge(Evidence([Observation(QUERY, result or Seen(ServicesFact(units=units)))]))


@pytest.mark.parametrize(
    ("one", "outcome", "because"),
    [
        (unit(active="active"), Outcome.UNMET, "Now running: nginx.service."),
        (unit(active="active", file="enabled"), Outcome.UNMET, "Now running: nginx.service."),
        (unit(active="activating"), Outcome.UNMET, "Now running: nginx.service."),
        (unit(active="reloading"), Outcome.UNMET, "Now running: nginx.service."),
        (unit(active="deactivating"), Outcome.UNMET, "Now running: nginx.service."),
        # masked, or its file removed, while it runs
        (unit(load="masked", active="active", file="masked"), Outcome.UNMET, "Now running: nginx.service."),
        (unit(load="not-found", active="active", file=""), Outcome.UNMET, "Now running: nginx.service."),
        (unit(active="active", file="generated"), Outcome.UNMET, "Now running: nginx.service."),
        (unit(file="enabled"), Outcome.UNMET, "Not running, but started at the next boot: nginx.service."),
        (
            unit(active="failed", file="enabled"),
            Outcome.UNMET,
            "Not running, but started at the next boot: nginx.service.",
        ),
        *(
            (unit(file=file), Outcome.MET, "None of these services runs or starts at boot.")
            for file in ("disabled", "enabled-runtime", "static", "indirect")
        ),
        (unit(load="masked", file="masked"), Outcome.MET, "None of these services runs or starts at boot."),
        (unit(active="failed"), Outcome.MET, "None of these services runs or starts at boot."),
        *(
            (
                unit(file=file),
                Outcome.UNKNOWN,
                "None of them runs; systemd does not say whether these start at the next boot: nginx.service.",
            )
            for file in ("generated", "masked-runtime", "bad")
        ),
    ],
)
def test_verdict(one, outcome, because, no_io):
    with no_io():
        verdict = judge(one, NONE)
    assert verdict.outcome is outcome
    assert render(verdict.because) == because
    assert render(verdict.seen) == f"nginx.service: {one.active}, {one.file or one.load}"
    assert render(verdict.wanted) == "none of nginx.service and httpd.service runs or starts at boot"
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_one_runs_and_the_other_starts_later():
    verdict = judge(unit(file="enabled"), unit(HTTPD, active="active"))
    assert render(verdict.because) == (
        "Now running: httpd.service. Not running, but started at the next boot: nginx.service."
    )
    assert render(verdict.fix) == (
        "Where nothing else needs them: systemctl disable --now httpd.service nginx.service. "
        "Else move them to other ports."
    )
    assert render(verdict.seen) == "nginx.service: inactive, enabled; httpd.service: active, disabled"


def test_what_is_unclear_beside_what_is_certain():
    assert judge(unit(file="generated"), unit(HTTPD, file="enabled")).outcome is Outcome.UNMET


def test_none_is_known():
    verdict = judge(unit(load="not-found", file=""), NONE)
    assert verdict.outcome is Outcome.MET
    assert render(verdict.seen) == "none of them is known to systemd"


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(result=Unseen(reason))


@pytest.mark.parametrize("units", [[], ["nginx"], ["--all.service"], ["a b.service"], ["php@.service"], [".service"]])
def test_names_that_are_no_services_are_refused(units):
    with pytest.raises(ValidationError):
        ServicesAbsentRequirement.model_validate(header(units=units))


@pytest.mark.parametrize("unit", ["a.service", "php@8.2.service", "php@a-b:c_.service", "nginx.service"])
def test_names_of_services_and_of_instances_of_templates(unit):
    assert ServicesAbsentRequirement.model_validate(header(units=[unit])).units == (unit,)
