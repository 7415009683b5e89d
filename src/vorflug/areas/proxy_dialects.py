"""Programs that would go different ways: each reads the proxy settings by rules of its own, and from its own places.

curl goes direct, the Docker daemon uses the proxy: then a test by hand says nothing about the installation.  The rules
are those of `vorflug.model.no_proxy`, each with its source.  A PAC file is a program in JavaScript that browsers run;
none of the programs here reads one, so that one is named is told, and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, assert_never

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg, sentences
from vorflug.model.no_proxy import NAMES, Decision, Dialect, Problem, Way, decide, given, hidden, list_names, parse
from vorflug.model.probing import Url
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.net import PlaceState, ProxyPlace

TITLE = msg("Proxy settings of different programs")

_ONLY_WHERE_SET = (Dialect.LOGIN, Dialect.CONTAINERS)
"""Left out where their place sets nothing: logins and containers are mostly given their variables elsewhere."""
_OTHERS = msg("What the environments of other users hold is not known here.")


class ProxyPlacesFact(Fact):
    """Every place where proxy settings can stand, without credentials."""

    places: tuple[ProxyPlace, ...]


@dataclass(frozen=True, kw_only=True)
class ProxyPlacesQuery(Query[ProxyPlacesFact]):
    """Which proxy settings do the programs of this host have, and from where?"""

    kind = "proxy_places"
    touches = ("@net.proxy_places",)

    def asks(self) -> Message:
        return msg(
            "Which proxy settings stand in the environment, in the units of Docker and containerd, in daemon.json, "
            "config.json, /etc/environment, wgetrc and apt.conf?"
        )

    def observe(self, host: Host) -> ProxyPlacesFact:
        return ProxyPlacesFact(places=host.net.proxy_places())


class ProxyDialects(Requirement):
    """All these programs take the same way to each of these addresses."""

    kind = "proxy_dialects"
    urls: Annotated[tuple[Url, ...], Field(min_length=1)]
    programs: Annotated[tuple[Dialect, ...], Field(min_length=2)]
    """Whose ways are compared.  ``login`` and ``containers`` are left out where their files set nothing."""

    def wanted(self) -> Message:
        return msg("{programs:list} take the same way to each address", programs=_names(self.programs))

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - nothing follows from an answer
        return [ProxyPlacesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        places = evidence[ProxyPlacesQuery()].places
        closed = {p: found for p in self.programs if (found := hidden(p, places))}
        absent = [p for p in self.programs if _absent(p, places)]
        programs = [p for p in self.programs if not (p in closed or p in absent or _left_out(p, places))]
        notes = [msg("{programs:list} is not installed as a service here, and not compared.", programs=_names(absent))]
        notes = [*(notes if absent else []), _OTHERS]
        decisions = {url: [decide(p, url, given(p, places)) for p in programs] for url in dict.fromkeys(self.urls)}
        faults = {url: ways for url, ways in decisions.items() if _faulty(ways)}
        if faults:
            return unmet(
                wanted=self.wanted(),
                seen=_seen(faults),
                because=sentences([*_because(faults), *notes]),
                fix=sentences(_fixes(faults)),
            )
        if closed:
            return self._unclear(closed)
        if len(programs) == 1:
            alone = msg(
                "Only {program} can be looked at here: there is nothing to compare.", program=NAMES[programs[0]]
            )
            return not_applicable(wanted=self.wanted(), because=sentences([alone, *notes]))
        because = msg("{programs:list} take the same way to each address.", programs=_names(programs))
        return met(wanted=self.wanted(), seen=_seen(decisions), because=sentences([because, *notes]))

    def _unclear(self, closed: Mapping[Dialect, tuple[ProxyPlace, ...]]) -> Verdict:
        program, found = next(iter(closed.items()))
        paths = tuple(place.path for place in found)
        if any(place.state is PlaceState.BROKEN for place in found):
            fix = msg("Mend {files:list}, and run Vorflug again.", files=paths)
        else:
            fix = msg("Run Vorflug as a user who may read {files:list}.", files=paths)
        return unknown(
            wanted=self.wanted(),
            seen=msg("{files:list} could not be read", files=paths),
            because=msg(
                "Which proxy {program} uses is not known without {files:list}.", program=NAMES[program], files=paths
            ),
            fix=fix,
        )


def _left_out(program: Dialect, places: Sequence[ProxyPlace]) -> bool:
    return program in _ONLY_WHERE_SET and not given(program, places).by_name


def _absent(program: Dialect, places: Sequence[ProxyPlace]) -> bool:
    """Whether neither a unit nor a settings file of a daemon is there: what is not installed takes no way."""
    own = [p.state for p in places if p.reader.value == program.value]
    return program in (Dialect.DOCKERD, Dialect.CONTAINERD) and all(state is PlaceState.ABSENT for state in own)


def _names(programs: Iterable[Dialect]) -> tuple[str, ...]:
    return tuple(NAMES[p] for p in programs)


def _faulty(ways: Sequence[Decision]) -> bool:
    return len({(d.way, d.proxy) for d in ways}) > 1 or any(d.way is Way.REFUSED for d in ways)


def _seen(decisions: Mapping[str, Sequence[Decision]]) -> Message:
    return msg("{ways:items}", ways=tuple(_ways(url, ways) for url, ways in list(decisions.items())[:_SHOWN]))


_SHOWN = 5
"""Addresses of one verdict: more say the same again."""


def _ways(url: str, ways: Sequence[Decision]) -> Message:
    host = parse(url).shown
    direct, refused = _taking(ways, Way.DIRECT), _taking(ways, Way.REFUSED)
    proxies = tuple(dict.fromkeys(d.proxy for d in ways if d.proxy))
    parts = [msg("directly ({programs:list})", programs=direct)] if direct else []
    parts += [
        msg("by {proxy} ({programs:list})", proxy=p, programs=_names(d.dialect for d in ways if d.proxy == p))
        for p in proxies
    ]
    parts += [msg("not at all ({programs:list})", programs=refused)] if refused else []
    return msg("to {host} {parts}", host=host, parts=tuple(parts))


def _taking(ways: Sequence[Decision], way: Way) -> tuple[str, ...]:
    return _names(d.dialect for d in ways if d.way is way)


def _because(faults: Mapping[str, Sequence[Decision]]) -> list[Message]:
    """Of each way that is taken one program's reason."""
    return [
        next(d.why for d in ways if (d.way, d.proxy) == kind)
        for ways in list(faults.values())[:_SHOWN]
        for kind in dict.fromkeys((d.way, d.proxy) for d in ways)
    ]


def _fixes(faults: Mapping[str, Sequence[Decision]]) -> list[Message]:
    """The change for each program that stands apart."""
    fixes: list[Message] = []
    for url, ways in faults.items():
        proxied = next((d for d in ways if d.way is Way.PROXY), None)
        fixes += [fix for one in ways if (fix := _fix(one, proxied, ways, url)) is not None]
    return fixes


def _fix(one: Decision, proxied: Decision | None, ways: Sequence[Decision], url: str) -> Message | None:
    """The change for one program; None where it stands right or the others are changed."""
    match one.way:
        case Way.REFUSED:
            return _mended(one)
        case Way.PROXY:
            first = next(d.proxy for d in ways if d.proxy)
            return None if one.proxy == first else _align(one, str(first))
        case Way.DIRECT:
            if proxied is None:
                return None
            return _set(one.dialect, str(proxied.proxy)) if one.entry is None else _decide_for(one, ways, url)
        case _:
            assert_never(one.way)


def _decide_for(one: Decision, ways: Sequence[Decision], url: str) -> Message:
    """An entry that only some programs take to cover the host."""
    host = parse(url).host  # an IPv6 address without brackets: all but urllib read it so
    lists = tuple(dict.fromkeys(_list_of(d) for d in ways if d.way is Way.PROXY))
    if one.variable is None:
        return msg(
            "Write {host} into {lists:list}: {program} reaches it directly in any case.",
            host=host,
            lists=lists,
            program=NAMES[one.dialect],
        )
    return msg(
        "If {host} is to be reached directly, write {host} itself into {lists:list}: every program reads a plain name "
        "alike. If not, take {entry} out of {list}.",
        host=host,
        lists=lists,
        entry=one.entry,
        list=one.variable,
    )


def _mended(one: Decision) -> Message:
    """What makes a program work that makes no request."""
    match one.problem:
        case Problem.ENTRY:
            return msg("Take {entry} out of {list}.", entry=one.entry, list=one.variable)
        case Problem.CGI:
            return msg("Unset REQUEST_METHOD: only a CGI program has it.")
        case Problem.UNREADABLE | None:
            return _correct(one)
        case _:
            assert_never(one.problem)


def _list_of(one: Decision) -> Message:
    """The list that a program reads, and where it is best kept."""
    if one.dialect is Dialect.DOCKERD:
        return msg('"no-proxy" in /etc/docker/daemon.json')
    if one.dialect is Dialect.CONTAINERD:
        return msg("NO_PROXY of containerd.service")
    if one.dialect is Dialect.CONTAINERS:
        return msg('"noProxy" in ~/.docker/config.json')
    return msg("{lists:list}", lists=tuple(sorted(list_names(one.dialect), reverse=True)))


def _set(dialect: Dialect, proxy: str) -> Message:
    """How a program that has no proxy is given *proxy*."""
    if dialect is Dialect.DOCKERD:
        return msg(
            'Set "http-proxy" and "https-proxy" to {proxy} under "proxies" in /etc/docker/daemon.json, and restart '
            "Docker.",
            proxy=proxy,
        )
    if dialect is Dialect.CONTAINERD:
        return msg(
            'Write Environment="HTTP_PROXY={proxy}" "HTTPS_PROXY={proxy}" under [Service] into '
            "/etc/systemd/system/containerd.service.d/proxy.conf; then systemctl daemon-reload and restart containerd.",
            proxy=proxy,
        )
    if dialect is Dialect.CONTAINERS:
        return msg('Set "httpProxy" and "httpsProxy" to {proxy} in ~/.docker/config.json.', proxy=proxy)
    if dialect is Dialect.JAVA:
        host, _, port = proxy.rpartition("://")[2].rpartition(":")
        return msg("Start Java with -Dhttps.proxyHost={host} -Dhttps.proxyPort={port}.", host=host, port=port)
    if dialect is Dialect.SYSTEMD:
        return msg(
            "Write http_proxy and https_proxy with {proxy} into Environment= of the services' units.", proxy=proxy
        )
    if dialect is Dialect.LOGIN:
        return msg("Set http_proxy and https_proxy, in both spellings, to {proxy} in /etc/environment.", proxy=proxy)
    return msg("Set http_proxy and https_proxy, in both spellings, to {proxy} in the environment.", proxy=proxy)


def _align(one: Decision, proxy: str) -> Message:
    if one.where:
        return msg(
            "Set {name} in {file} to {proxy}, or the others to its value.",
            name=one.variable,
            file=one.where,
            proxy=proxy,
        )
    return msg("Set {name} to {proxy}, or the others to its value.", name=one.variable, proxy=proxy)


def _correct(one: Decision) -> Message:
    if one.where:
        return msg("Set {name} in {file} to http://host:port.", name=one.variable, file=one.where)
    return msg("Set {name} to http://host:port.", name=one.variable)


class ProxyPac(Requirement):
    """No PAC file decides about the way: Vorflug evaluates none."""

    kind = "proxy_pac"
    pac: str | None = None
    """The PAC file that the site names."""

    def wanted(self) -> Message:
        return msg("a proxy by address and port, not by a PAC file")

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - nothing follows from an answer
        return [ProxyPlacesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        places = evidence[ProxyPlacesQuery()].places
        names = tuple(dict.fromkeys(name for place in places for name in place.pac))
        if self.pac is None and not names:
            return met(
                wanted=self.wanted(),
                seen=msg("no PAC file"),
                because=msg("Neither the environment nor the site file names a PAC file."),
            )
        where = (*names, *(("proxy.pac",) if self.pac is not None else ()))
        return unknown(
            wanted=self.wanted(),
            seen=msg("a PAC file, named by {names:list}", names=where),
            because=msg(
                "{names:list} names a PAC file. It is not evaluated; curl, Docker and the services do not read one.",
                names=where,
            ),
            fix=msg(
                "Ask the proxy team which address and port the PAC file gives to this host, and set http_proxy, "
                "https_proxy and no_proxy accordingly."
            ),
        )
