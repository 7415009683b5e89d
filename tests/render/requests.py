"""A firewall request with every kind of row, for tests of its renderings."""

from __future__ import annotations

from datetime import UTC, date, datetime

from conftest import header
from render import sample, traces
from vorflug.areas.clock_offset import ClockOffsetRequirement
from vorflug.areas.egress import EgressEndpoint
from vorflug.areas.ports import PortFreeRequirement
from vorflug.areas.registry import ReachableRequirement
from vorflug.engine.contacts import Surroundings
from vorflug.engine.firewall import FirewallRequest, OpenPoint, Source, chosen_points, open_points, rows
from vorflug.model.message import Text
from vorflug.model.requirement import LocalText
from vorflug.ports.net import Code, Resolved, Route, Trace

HOSTILE = '=HYPERLINK("http://evil.example")<script>alert(1)</script>|\u202e\x1b[31m'
LISTED = sample.report().findings[0].id
"""A requirement that the sample report has a finding about."""


def resolved(name: str, *addresses: str) -> Resolved:
    return Resolved(name, "system", addresses, name, None if addresses else Code.DNS_NXDOMAIN, 0.01)


def request(
    *, proxy: str | None = None, tested: bool = True, hostile: bool = False, traced: tuple[Trace, ...] = ()
) -> FirewallRequest:
    """One row of each kind."""
    here = Surroundings(lambda url, named: Route(proxy, "https_proxy" if proxy else ""), ("10.0.0.53",))
    title = {"en": HOSTILE, "de": HOSTILE} if hostile else {"en": "Sign-in service", "de": "Anmeldedienst"}
    items = [
        ReachableRequirement.model_validate(
            header(
                id=LISTED,
                registry="registry-1.docker.io",
                token_hosts=["auth.docker.io"],
                data_hosts=["layers.example:8443"],
                data_patterns=["*.r2.cloudflarestorage.com"],
                answer={"status": [401], "confidence": "cited"},
            )
        ),
        EgressEndpoint.model_validate(
            header(id="EGR-9", title=title, url="https://login.example/", public_ca=True),
        ),
        ClockOffsetRequirement.model_validate(header(id="OS-9", at_most="2 s")),
        PortFreeRequirement.model_validate(header(id="NET-9", ports=[443])),
    ]
    names = {
        "registry-1.docker.io": resolved("registry-1.docker.io", "192.0.2.10", "2001:db8::10"),
        "login.example": resolved("login.example"),
    }
    report = sample.report() if tested else None
    if report is not None:
        facts = tuple(traces.fact(trace, f"https://{trace.host}/") for trace in traced)
        report = report.model_copy(update={"facts": facts})
    made = rows(items, here, names, report)
    return FirewallRequest(
        title=Text("Product", "Produkt"),
        version="1.0.0",
        customer=HOSTILE if hostile else "Müller & Söhne",
        model="Compose",
        source=Source("audit-vm-01", ("192.0.2.2",)),
        made=datetime(2026, 11, 25, 14, 0, tzinfo=UTC),
        since=date(2026, 11, 25),
        until=date(2027, 6, 30),
        rows=made,
        open_points=(
            OpenPoint("EGR-2", LocalText(en="Language model", de="Sprachmodell"), "llm.provider"),
            OpenPoint("EGR-3", LocalText(en="Language model", de="Sprachmodell"), "llm.provider"),
            *open_points((), made),
            *chosen_points({"integrations": (LocalText(en="Integrations", de="Anbindungen"), ("smtp", "ldap"))}),
        ),
        tested=None if report is None else report.times.finished,
    )
