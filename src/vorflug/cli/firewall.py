"""Makes the firewall request of this host: which flows a profile needs, resolved now, with the last report as proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vorflug.cli import options
from vorflug.cli.errors import Refusal
from vorflug.model.message import msg

if TYPE_CHECKING:
    from vorflug.engine.firewall import FirewallRequest, Source
    from vorflug.model.report import Report
    from vorflug.model.requirement import Item, LocalText
    from vorflug.pipeline import Case
    from vorflug.ports import Host
    from vorflug.ports.net import Resolved
    from vorflug.ports.sockets import InterfaceAddress

_RESOLVE_S = 8.0
"""Seconds for all names together; one that has no answer by then is shown as not resolved."""
_NOTHING = "none"
"""The choice of a list that stands for no choice."""
_AT_ONCE = 16
_REPORTS_AT_MOST = 50
"""Newest report folders that are looked into."""
_ADDRESSES_AT_MOST = 8
_OF_CONTAINERS = ("docker", "br-", "veth", "cni", "cali", "flannel", "podman", "virbr", "lxc")
"""How interfaces of container engines and their networks are called."""


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for."""

    resolve: bool
    source: str | None
    """Another host than this one, for which the request is made."""
    report: str | None
    """A report folder or file; None looks for the newest of this host in the current directory."""
    until: date | None


def make(case: Case, wishes: Wishes, *, every_phase: bool) -> FirewallRequest:
    """The request, for what *every phase* of the delivery needs or that of *case* alone.

    Raises Refusal (2) for a report that cannot be read, and where nothing would be in the request.
    """
    from vorflug.cli.surroundings import here
    from vorflug.engine import firewall
    from vorflug.model.message import Text
    from vorflug.render.words import MODELS

    if wishes.until is not None and wishes.until < _today():
        raise Refusal(msg("--until {day}: wanted a day that is not over yet.", day=str(wishes.until)))
    report = _report(wishes)
    items = _of_every_phase(case) if every_phase else case.items()
    surroundings = here()
    resolved = _resolve(firewall.names(items, surroundings)) if wishes.resolve else {}
    source = _source(wishes.source)
    rows = firewall.rows(items, surroundings, resolved, report, own=source.addresses)
    points = (*firewall.open_points(items, rows), *firewall.chosen_points(_chosen(case)))
    if not rows and not points:
        raise Refusal(
            msg("No requirement of the profile needs the network for this operating model and phase; choose others.")
        )
    profile = case.profile
    return firewall.FirewallRequest(
        title=Text(profile.title.en, profile.title.de),
        version=profile.version,
        customer=case.site.customer or "",
        model=MODELS[case.model],
        source=source,
        made=datetime.now(UTC),
        since=_today(),
        until=wishes.until,
        rows=rows,
        open_points=points,
        tested=None if report is None else report.times.finished,
        elsewhere="" if report is None or report.host.name == source.name else report.host.name,
    )


def _chosen(case: Case) -> dict[str, tuple[LocalText, tuple[str, ...]]]:
    """What the site file chose from lists that no flow of the profile follows from, by parameter."""
    from vorflug.documents.parameters import ParameterType

    found: dict[str, tuple[LocalText, tuple[str, ...]]] = {}
    for name, parameter in case.profile.parameters.items():
        values = case.site.parameters.get(name) or ()
        named = tuple(str(value) for value in values if value != _NOTHING) if parameter.many else ()
        if parameter.type is ParameterType.CHOICE and named:
            found[name] = (parameter.title, named)
    return found


def _of_every_phase(case: Case) -> list[Item]:
    """Each row of the profile once: as the phase has it in which it can be put, or waits for a value."""
    from vorflug.model.requirement import Excluded, Phase, header_of

    found: dict[str, Item] = {}
    for phase in Phase:
        for item in replace(case, phase=phase).items():
            known = found.get(header_of(item).id)
            if known is None or isinstance(known, Excluded):
                found[header_of(item).id] = item
    return list(found.values())


def _today() -> date:
    """By this host's own time zone: the form is signed here."""
    return datetime.now().astimezone().date()


def _source(named: str | None) -> Source:
    from vorflug.engine.firewall import Source
    from vorflug.host.live import LiveHost, identity

    if named is not None:
        return Source(named)
    try:
        seen = LiveHost(_RESOLVE_S).sockets.addresses()
    except (OSError, NotImplementedError):
        seen = ()  # the name alone is there; whoever fills the form in knows the rest
    return Source(identity.name(), _seen_by_others(seen))


def _seen_by_others(seen: Sequence[InterfaceAddress]) -> tuple[str, ...]:
    """No loopback or link-local address (RFC 3927; RFC 4291, 2.5.6), and none of a container's network."""
    from ipaddress import ip_address

    own = (one.address for one in seen if not one.interface.startswith(_OF_CONTAINERS))
    every = (a for a in own if not ip_address(a).is_loopback and not ip_address(a).is_link_local)
    return tuple(dict.fromkeys(every))[:_ADDRESSES_AT_MOST]


def _resolve(names: Sequence[str]) -> dict[str, Resolved]:
    """What each name resolves to, all at once."""
    from concurrent.futures import ThreadPoolExecutor

    from vorflug.host.live import LiveHost, prepare_network

    if not names:
        return {}
    prepare_network()
    host = LiveHost(_RESOLVE_S)
    with ThreadPoolExecutor(min(_AT_ONCE, len(names))) as pool:
        return dict(zip(names, pool.map(lambda name: _one(host, name), names), strict=True))


def _one(host: Host, name: str) -> Resolved:
    from vorflug.ports.net import Code, Resolved

    try:
        return host.net.resolve(name)
    except OSError:  # no answer in time, or no means to ask: either way there is none
        return Resolved(name, "system", (), "", Code.DNS_TIMEOUT, _RESOLVE_S)


# ---- the proof -------------------------------------------------------------------------------------------------------


def _report(wishes: Wishes) -> Report | None:
    """The report that was named, else the newest of this host in the current directory."""
    if wishes.report is not None:
        return _read(wishes.report)
    if wishes.source is not None:
        return None  # the request is about another host
    folders = sorted(Path().glob("vorflug-*/report.json"), key=_written, reverse=True)
    for file in folders[:_REPORTS_AT_MOST]:
        try:
            report = _read(str(file))
        except Refusal:
            continue  # it proves nothing; `vorflug verify` says why
        if _is_ours(report):
            return report
    return None


def _written(file: Path) -> float:
    try:
        return file.lstat().st_mtime
    except OSError:
        return 0.0  # gone meanwhile


def _read(path: str) -> Report:
    from vorflug.cli.output import read_file
    from vorflug.documents import facts
    from vorflug.model.report import Report

    document = options.refusing(lambda: facts.read(read_file(path), path))
    if not isinstance(document, Report):
        raise Refusal(
            msg(
                "{file}: wanted a report, saw a facts file. Judge it first: vorflug evaluate {file} --out report.json",
                file=path,
            )
        )
    return document


def _is_ours(report: Report) -> bool:
    from vorflug.host.live import identity

    own = identity.identity()
    return report.host.identity == own if own != identity.UNKNOWN else report.host.name == identity.name()


def render(request: FirewallRequest, format_: str, lang: str, *, bom: bool) -> str:
    """The request in *format_*, with secrets struck out."""
    from vorflug.host.secrets import redact
    from vorflug.render import firewall

    match format_:
        case "csv":
            return redact(firewall.render_csv(request, lang=lang, bom=bom))
        case "md":
            return redact(firewall.render_markdown(request, lang=lang))
        case _:
            return redact(firewall.render_html(request, lang=lang))
