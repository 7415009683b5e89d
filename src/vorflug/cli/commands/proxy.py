"""``vorflug proxy``: which proxy each program would take to one URL, by which setting, and why.  Nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vorflug.cli.errors import Exit, Refusal
from vorflug.cli.language import tell
from vorflug.cli.options import language, option
from vorflug.model.message import Message, msg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vorflug.cli.addresses import Asked
    from vorflug.model.no_proxy import Decision, Dialect, Settings
    from vorflug.model.no_proxy.curl import Release
    from vorflug.ports import Host
    from vorflug.ports.net import ProxyPlace

SCHEMA = "vorflug/proxy/1"
FORMATS = ("terminal", "json")
DIALECTS = (
    "curl",
    "wget",
    "go",
    "dockerd",
    "containerd",
    "python",
    "requests",
    "httpx",
    "java",
    "systemd",
    "login",
    "containers",
)
"""The values of `vorflug.model.no_proxy.Dialect`, which is not imported before the command runs."""
_EXECUTABLES = {
    "curl": "curl",
    "wget": "wget",
    "dockerd": "dockerd",
    "containerd": "containerd",
    "java": "java",
    "containers": "docker",
}
"""Programs that are looked for in the search path.  Go programs need no ``go``, Python's libraries lie anywhere."""
_SECONDS = 10.0
"""For reading the settings: files and ``curl --version``."""
_LONGEST_LIST = 4000
_WAY, _PROGRAM = 32, 18
"""Columns of the table."""


@click.command(
    help=tell(
        msg(
            "Which proxy curl, Docker, Go, Python, Java and others would take to URL from this host, by which variable "
            "or file, and why: there is no standard for NO_PROXY, and each program reads it in its own way. Sends "
            "nothing. With --http-proxy, --https-proxy or --no-proxy every program is given these values instead of "
            "its own."
        )
    ),
    epilog=tell(msg("Example: vorflug proxy https://llm.example.com/ --no-proxy .example.com,10.0.0.0/8")),
)
@click.argument("url", metavar="URL")
@option("--no-proxy", metavar="LIST", text=msg("Decide by this list of exceptions (with --dialect java: with |)."))
@option("--http-proxy", metavar="URL", text=msg("Decide by this proxy for http://, for https:// too if none is given."))
@option("--https-proxy", metavar="URL", text=msg("Decide by this proxy for https://."))
@option(
    "--dialect",
    "dialects",
    type=click.Choice(DIALECTS),
    multiple=True,
    text=msg("Show this program only; may be given more than once."),
)
@option("--format", "format_", type=click.Choice(FORMATS), default="terminal", text=msg("Output format."))
@language
def command(
    url: str,
    no_proxy: str | None,
    http_proxy: str | None,
    https_proxy: str | None,
    dialects: tuple[str, ...],
    format_: str,
) -> int:
    """Decide, and print."""
    from vorflug.cli.addresses import read_url
    from vorflug.host.live import LiveHost
    from vorflug.host.secrets import remember
    from vorflug.model.no_proxy import Dialect, decide, given

    asked = read_url(url)
    remember(*asked.secrets)
    host = LiveHost(_SECONDS)
    release = _curl_release(host)
    places: tuple[ProxyPlace, ...] = ()
    supposed = _supposed(no_proxy, http_proxy, https_proxy)
    if supposed is None:
        places = host.net.proxy_places()
    chosen = [Dialect(d) for d in dict.fromkeys(dialects or DIALECTS)]
    decisions: dict[Decision, Message | None] = {}
    for dialect in chosen:
        settings = given(dialect, places) if supposed is None else _of(dialect, supposed)
        decision = decide(dialect, asked.url, settings, release or _newest())
        decisions[decision] = _unsure(dialect, places)
    if format_ == "json":
        _print_json(asked, decisions, release, places)
    else:
        _print(asked, decisions, places)
    return int(Exit.READY)


def _newest() -> Release:
    from vorflug.model.no_proxy.curl import NEWEST

    return NEWEST


def _curl_release(host: Host) -> Release | None:
    """Of the curl that is installed here; None where there is none."""
    import re

    try:
        said = host.commands.run(("curl", "--version")).out
    except (FileNotFoundError, PermissionError, TimeoutError):
        return None
    found = re.match(r"curl ([0-9]{1,4})\.([0-9]{1,4})", said)
    return (int(found[1]), int(found[2])) if found else None


def _supposed(no_proxy: str | None, http_proxy: str | None, https_proxy: str | None) -> Mapping[str, str] | None:
    """The values that are to be tried, by the usual lower-case names; None where none is given."""
    from vorflug.cli.addresses import read_proxy
    from vorflug.host.secrets import remember
    from vorflug.netprobe import proxy

    if no_proxy is None and http_proxy is None and https_proxy is None:
        return None
    if http_proxy is None and https_proxy is None:
        raise Refusal(msg("--no-proxy exempts from a proxy: give one with --http-proxy or --https-proxy, too."))
    if no_proxy is not None and len(no_proxy) > _LONGEST_LIST:
        raise Refusal(msg("--no-proxy has {n} characters: wanted {most} at most.", n=len(no_proxy), most=_LONGEST_LIST))
    remember(*proxy.secrets({"no_proxy": no_proxy or ""}))
    one = {"http_proxy": http_proxy, "https_proxy": https_proxy if https_proxy is not None else http_proxy}
    proxies = {name: read_proxy(value) for name, value in one.items() if value is not None}
    return proxies | ({} if no_proxy is None else {"no_proxy": no_proxy})


def _of(dialect: Dialect, supposed: Mapping[str, str]) -> Settings:
    """*supposed*, by the names that the program reads."""
    from dataclasses import replace

    from vorflug.host.live.proxy_places import setting
    from vorflug.model.no_proxy import Setting, Settings, list_names, proxy_names

    variables: list[Setting] = []
    empty: set[str] = set()
    for usual, value in supposed.items():
        is_list = usual == "no_proxy"
        name = (list_names(dialect) if is_list else proxy_names(dialect, usual.partition("_")[0]))[0]
        variables.append(Setting(replace(setting(usual, value), name=name)))
        if not value:
            empty.add(name)
    return Settings(tuple(v for v in variables if v.name not in empty), frozenset(empty))


def _unsure(dialect: Dialect, places: Sequence[ProxyPlace]) -> Message | None:
    """Why the decision may be another one."""
    from vorflug.model.no_proxy import hidden

    paths = tuple(p.path for p in hidden(dialect, places))
    return msg("{files:list} could not be read: it may be otherwise.", files=paths) if paths else None


def _closing(asked: Asked, decisions: Mapping[Decision, Message | None], places: Sequence[ProxyPlace]) -> list[Message]:
    """What is said below the table."""
    lines: list[Message] = []
    if not _agree(decisions):
        lines = [msg("They do not all take the same way."), *_remedies(asked, tuple(decisions))]
    pac = tuple(dict.fromkeys(name for place in places for name in place.pac))
    if pac:
        lines.append(
            msg("{names:list} names a PAC file. It is not evaluated; none of these programs reads one.", names=pac)
        )
    if places:
        lines.append(msg("What the environments of other users hold is not known here."))
    return lines


def _remedies(asked: Asked, decisions: Sequence[Decision]) -> list[Message]:
    """How they come to take the same way: what they all read alike (docs/no-proxy.md)."""
    from urllib.parse import urlsplit

    from vorflug.model.no_proxy import NAMES, Way

    lines: list[Message] = []
    proxied = [d for d in decisions if d.way is Way.PROXY]
    entries = tuple(dict.fromkeys(d.entry for d in decisions if d.way is Way.DIRECT and d.variable and d.entry))
    if proxied and entries:
        lines.append(
            msg(
                "For the direct way with every program: write {host}, without dot, star and port, into no_proxy and "
                "NO_PROXY, both alike. For the proxy with every program: take {entries:list} out of them.",
                host=urlsplit(asked.url).hostname,
                entries=entries,
            )
        )
    without = tuple(NAMES[d.dialect] for d in decisions if d.way is Way.DIRECT and d.variable is None and not d.entry)
    if proxied and without:
        lines.append(
            msg(
                "{programs:list} is given no proxy: where it is to go by one, set it where this program reads it "
                "(the line below its name says which names).",
                programs=without,
            )
            if len(without) == 1
            else msg(
                "{programs:list} are given no proxy: where they are to go by one, set it where each of them reads it "
                "(the line below its name says which names).",
                programs=without,
            )
        )
    if len({d.proxy for d in proxied}) > 1:
        lines.append(
            msg(
                "They take different proxies: set the same one in every place, in small and in capital letters (curl "
                "reads http_proxy in small letters only)."
            )
        )
    return lines


def _agree(decisions: Mapping[Decision, Message | None]) -> bool:
    return len({(d.way, d.proxy) for d in decisions}) <= 1


def _not_found(dialect: Dialect) -> bool:
    """Whether the program that *dialect* is about is not in the search path; of libraries that is never known."""
    import shutil

    program = _EXECUTABLES.get(dialect.value)
    return program is not None and shutil.which(program) is None


def _print(asked: Asked, decisions: Mapping[Decision, Message | None], places: Sequence[ProxyPlace]) -> None:
    from vorflug.cli.output import echo_wrapped
    from vorflug.host.secrets import redact
    from vorflug.model.no_proxy import NAMES, Way

    ways = {Way.DIRECT: msg("direct"), Way.PROXY: msg("by proxy"), Way.REFUSED: msg("not at all")}
    click.echo(redact(tell(msg("Ways to {url}", url=asked.shown))))
    click.echo()
    for decision, unsure in decisions.items():
        way = tell(ways[decision.way]) if decision.proxy is None else decision.proxy
        absent = tell(msg("(not found here)")) if _not_found(decision.dialect) else ""
        click.echo(redact(f"{NAMES[decision.dialect]:<{_PROGRAM}}{way:<{_WAY}}{absent}".rstrip()))
        for line in (decision.why, _where(decision), unsure):
            if line is not None:
                echo_wrapped(redact(tell(line)), indent=2)
    closing = _closing(asked, decisions, places)
    if closing:
        click.echo()
    for line in closing:
        echo_wrapped(redact(tell(line)))


def _where(decision: Decision) -> Message | None:
    return msg("{name} is set in {file}.", name=decision.variable, file=decision.where) if decision.where else None


def _print_json(
    asked: Asked,
    decisions: Mapping[Decision, Message | None],
    release: Release | None,
    places: Sequence[ProxyPlace],
) -> None:
    from vorflug.documents import plain
    from vorflug.host.secrets import redact
    from vorflug.model.no_proxy import NAMES

    document = {
        "schema": SCHEMA,
        "url": asked.shown,
        "agree": _agree(decisions),
        "curl_release": ".".join(map(str, release)) if release else None,
        "decisions": [
            {
                "dialect": d.dialect.value,
                "program": NAMES[d.dialect],
                "way": d.way.value,
                "proxy": d.proxy,
                "variable": d.variable,
                "file": d.where or None,
                "entry": d.entry,
                "why": tell(d.why),
                "unsure": tell(unsure) if unsure is not None else None,
            }
            for d, unsure in decisions.items()
        ],
        "pac": list(dict.fromkeys(name for place in places for name in place.pac)),
        "notes": [tell(line) for line in _closing(asked, decisions, places)],
    }
    click.echo(plain.encode(plain.struck_out(document, redact)), nl=False)
