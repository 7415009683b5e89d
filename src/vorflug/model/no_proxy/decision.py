"""Which way a program takes to a URL, by which setting, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from vorflug.model.message import Message, msg
from vorflug.model.no_proxy import curl, go, java, python, wget
from vorflug.model.no_proxy.asked import Asked, parse
from vorflug.model.no_proxy.settings import Setting, Settings


class Dialect(StrEnum):
    """Whose rules."""

    CURL = "curl"
    WGET = "wget"
    GO = "go"
    DOCKERD = "dockerd"
    CONTAINERD = "containerd"
    PYTHON = "python"
    """The standard library's urllib."""
    REQUESTS = "requests"
    HTTPX = "httpx"
    JAVA = "java"
    SYSTEMD = "systemd"
    """A program of a systemd service whose unit sets nothing itself; its rules are taken to be curl's."""
    LOGIN = "login"
    """A program of a new login, which has what /etc/environment says; its rules are taken to be curl's."""
    CONTAINERS = "containers"
    """A program in a container that the docker command starts; its rules are taken to be httpx's."""


_CURL = frozenset({Dialect.CURL, Dialect.SYSTEMD, Dialect.LOGIN})
_GO = frozenset({Dialect.GO, Dialect.DOCKERD, Dialect.CONTAINERD})
_PYTHON = frozenset({Dialect.PYTHON, Dialect.REQUESTS, Dialect.HTTPX, Dialect.CONTAINERS})


NAMES: Mapping[Dialect, str] = {
    Dialect.CURL: "curl",
    Dialect.WGET: "wget",
    Dialect.GO: "Go",
    Dialect.DOCKERD: "dockerd",
    Dialect.CONTAINERD: "containerd",
    Dialect.PYTHON: "Python urllib",
    Dialect.REQUESTS: "Python requests",
    Dialect.HTTPX: "Python httpx",
    Dialect.JAVA: "Java",
    Dialect.SYSTEMD: "systemd",
    Dialect.LOGIN: "pam_env",
    Dialect.CONTAINERS: "docker run",
}
"""What people call the programs."""


class Way(StrEnum):
    """How a request goes."""

    DIRECT = "direct"
    PROXY = "proxy"
    REFUSED = "refused"
    """The program makes no request, since it cannot or will not use what is set."""


class Problem(StrEnum):
    """Why a program makes no request."""

    UNREADABLE = "unreadable"
    """The variable names no proxy."""
    ENTRY = "entry"
    """An entry of the list is none for this program."""
    CGI = "cgi"
    """REQUEST_METHOD is set."""


@dataclass(frozen=True)
class Decision:
    """The way of one request in one dialect."""

    dialect: Dialect
    way: Way
    why: Message
    proxy: str | None = None
    """``scheme://host:port``; None where the request goes direct or nowhere."""
    variable: str | None = None
    """The variable or property that decided: that of the proxy, or the list whose entry matched."""
    where: str = ""
    """The file that sets *variable*; empty for the environment of this process."""
    entry: str | None = None
    """The entry of the list that decided; without a *variable* what the program exempts by itself."""
    problem: Problem | None = None
    """Of `Way.REFUSED`."""


def proxy_names(dialect: Dialect, scheme: str) -> tuple[str, ...]:
    """The variables that a program reads for *scheme*, the one that wins first."""
    match dialect:
        case Dialect.CURL | Dialect.SYSTEMD | Dialect.LOGIN:
            return curl.PROXIES[scheme]
        case Dialect.WGET:
            return wget.PROXIES[scheme]
        case Dialect.GO | Dialect.CONTAINERD:
            return go.PROXIES[scheme]
        case Dialect.DOCKERD:
            return (f"{scheme}-proxy", *go.PROXIES[scheme])
        case Dialect.PYTHON:
            return python.PROXIES[scheme]
        case Dialect.REQUESTS | Dialect.HTTPX | Dialect.CONTAINERS:
            return python.PROXIES_AND_ALL[scheme]
        case Dialect.JAVA:
            return java.PROXIES[scheme]
        case _:
            assert_never(dialect)


def list_names(dialect: Dialect) -> tuple[str, ...]:
    """The variables that hold the exceptions, the one that wins first."""
    match dialect:
        case Dialect.CURL | Dialect.SYSTEMD | Dialect.LOGIN:
            return curl.LISTS
        case Dialect.WGET:
            return wget.LISTS
        case Dialect.GO | Dialect.CONTAINERD:
            return go.LISTS
        case Dialect.DOCKERD:
            return ("no-proxy", *go.LISTS)
        case Dialect.PYTHON | Dialect.REQUESTS | Dialect.HTTPX | Dialect.CONTAINERS:
            return python.LISTS
        case Dialect.JAVA:
            return java.LISTS
        case _:
            assert_never(dialect)


def matching(dialect: Dialect, no_proxy: str, asked: Asked, curl_release: curl.Release = curl.NEWEST) -> str | None:
    """The entry of *no_proxy* that exempts what is *asked* for.  Raises python.UnreadableEntry (httpx alone)."""
    match dialect:
        case Dialect.CURL | Dialect.SYSTEMD | Dialect.LOGIN:
            return curl.matching(no_proxy, asked, curl_release)
        case Dialect.WGET:
            return wget.matching(no_proxy, asked)
        case Dialect.GO | Dialect.DOCKERD | Dialect.CONTAINERD:
            return go.matching(no_proxy, asked)
        case Dialect.PYTHON:
            return python.urllib(no_proxy, asked)
        case Dialect.REQUESTS:
            return python.requests(no_proxy, asked)
        case Dialect.HTTPX | Dialect.CONTAINERS:
            return python.httpx(no_proxy, asked)
        case Dialect.JAVA:
            return java.matching(no_proxy, asked)
        case _:
            assert_never(dialect)


def decide(dialect: Dialect, url: str, settings: Settings, curl_release: curl.Release = curl.NEWEST) -> Decision:
    """The way to *url*.  Raises ValueError, which does not quote it, where that is no http or https URL."""
    asked = parse(url)
    names = proxy_names(dialect, asked.scheme)
    program = NAMES[dialect]
    setting = _proxy_setting(dialect, settings, names)
    if setting is None:
        return Decision(dialect, Way.DIRECT, _nothing_set(dialect, settings, names))
    refusing = _cgi(dialect, asked, settings, setting)
    if refusing is not None:
        return refusing
    exceptions = _exceptions(dialect, settings)
    exempt = _built_in(dialect, asked, settings) or _listed(dialect, asked, exceptions, curl_release)
    if exempt is not None:
        return exempt
    if not setting.variable.valid:
        why = msg(
            "{name} names no proxy that can be read; {program} cannot use it.", name=setting.name, program=program
        )
        return Decision(dialect, Way.REFUSED, why, None, setting.name, setting.where, problem=Problem.UNREADABLE)
    proxy = setting.variable.value
    if exceptions is None:
        why = msg(
            "{program} takes the proxy {proxy} of {name}; {lists:or} sets no exceptions.",
            program=program,
            proxy=proxy,
            name=setting.name,
            lists=list_names(dialect),
        )
    else:
        why = msg(
            "{program} takes the proxy {proxy} of {name}; nothing in {list} covers {host}.",
            program=program,
            proxy=proxy,
            name=setting.name,
            list=exceptions.name,
            host=asked.shown,
        )
    return Decision(dialect, Way.PROXY, why, proxy, setting.name, setting.where)


def _proxy_setting(dialect: Dialect, settings: Settings, names: tuple[str, ...]) -> Setting | None:
    if dialect not in _PYTHON:
        return settings.first(names)
    off = {name.upper() for name in settings.empty if name.islower()} | ({"HTTP_PROXY"} if settings.cgi else set())
    return settings.first(name for name in names if name not in off)


def _exceptions(dialect: Dialect, settings: Settings) -> Setting | None:
    """The list that counts.  requests alone of the Python libraries asks for the other spelling of an empty one."""
    names = list_names(dialect)
    off = dialect in _PYTHON and dialect is not Dialect.REQUESTS and names[0] in settings.empty
    return None if off else settings.first(names)


def _nothing_set(dialect: Dialect, settings: Settings, names: tuple[str, ...]) -> Message:
    program = NAMES[dialect]
    if dialect is Dialect.JAVA:
        return msg("Java does not read the environment, and none of {names:list} is set: it goes direct.", names=names)
    if dialect is Dialect.SYSTEMD:
        return msg(
            "systemd gives a service no variable of a login shell: where its unit sets none of {names:list}, it goes "
            "direct.",
            names=names,
        )
    others = tuple(n for n in settings.by_name if n.lower() != "no_proxy")
    if others:
        return msg(
            "{program} reads only {names:or} here, not {others:list}: it goes direct.",
            program=program,
            names=names,
            others=others,
        )
    return msg("{program} reads {names:or} here, and none is set: it goes direct.", program=program, names=names)


def _cgi(dialect: Dialect, asked: Asked, settings: Settings, setting: Setting) -> Decision | None:
    """Go alone refuses; but what it always reaches directly is asked later in its code, and refused, too."""
    if not settings.cgi or asked.scheme != "http" or dialect not in _GO:
        return None
    why = msg(
        "REQUEST_METHOD is set, as in a CGI program: {program} then refuses the proxy of {name}.",
        program=NAMES[dialect],
        name=setting.name,
    )
    return Decision(dialect, Way.REFUSED, why, None, setting.name, setting.where, problem=Problem.CGI)


def _built_in(dialect: Dialect, asked: Asked, settings: Settings) -> Decision | None:
    """What goes direct although no list names it."""
    if dialect in _GO and go.never_proxied(asked):
        why = msg("{program} always reaches localhost and loopback addresses directly.", program=NAMES[dialect])
        return Decision(dialect, Way.DIRECT, why, entry=asked.bracketed)
    if dialect is not Dialect.JAVA or java.LISTS[0] in settings.by_name:
        return None
    entry = java.matching("" if java.LISTS[0] in settings.empty else None, asked)
    if entry is None:
        return None
    why = msg("Java always reaches {entry} directly, unless http.nonProxyHosts is empty.", entry=entry)
    return Decision(dialect, Way.DIRECT, why, entry=entry)


def shown(entry: str, no_proxy: str) -> str:
    """*entry* of the list *no_proxy* without a user name and password, which no entry has and people write there.

    A password may hold what separates entries: where an ``@`` stands anywhere in the list, a colon may begin one.
    """
    if "@" in entry:
        return f"…@{entry.rpartition('@')[2]}"
    return f"{entry.partition(':')[0]}:…" if "@" in no_proxy and ":" in entry else entry


def _listed(dialect: Dialect, asked: Asked, exceptions: Setting | None, curl_release: curl.Release) -> Decision | None:
    """What the list of exceptions says."""
    if exceptions is None:
        return None
    program, name, where = NAMES[dialect], exceptions.name, exceptions.where
    try:
        entry = matching(dialect, exceptions.variable.value, asked, curl_release)
    except python.UnreadableEntry as unreadable:
        entry = shown(unreadable.entry, exceptions.variable.value)
        why = msg("httpx cannot read the entry {entry} of {list}: it makes no request at all.", entry=entry, list=name)
        return Decision(dialect, Way.REFUSED, why, None, name, where, entry, Problem.ENTRY)
    if entry is None:
        return None
    entry = shown(entry, exceptions.variable.value)
    why = msg(
        "{program} takes the entry {entry} of {list} to cover {host}: it goes direct.",
        program=program,
        entry=entry,
        list=name,
        host=asked.shown,
    )
    return Decision(dialect, Way.DIRECT, why, None, name, where, entry)
