"""Where programs with the same environment go different ways to one URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vorflug.model.hosts import is_loopback
from vorflug.model.no_proxy import NAMES, Decision, Dialect, Setting, Settings, Way, decide
from vorflug.netprobe import proxy as proxies
from vorflug.netprobe.target import Target, ascii_host

_DIALECTS = (Dialect.CURL, Dialect.GO, Dialect.REQUESTS, Dialect.PYTHON)
"""Those by which the product and what installs it go; all of them read the environment."""


@dataclass(frozen=True)
class Disagreement:
    """Two ways, and who takes which."""

    detail: str
    """``curl: direct (no_proxy 10.0.0.0/8); Python urllib: proxy.corp:3128 (https_proxy)``."""
    variable: str
    """The variable that they read differently."""
    choices: tuple[proxies.Choice, ...]
    """The ways, each once."""


def disagreement(target: Target, environ: Mapping[str, str]) -> Disagreement | None:
    """How the programs differ about *target*; None where they do not, or nothing is set."""
    seen = proxies.variables(environ)
    if not seen or is_loopback(target.host):
        return None
    names = {name for name in proxies.NAMES if name in environ}
    empty = frozenset(name for name in names if not environ[name].strip())
    settings = Settings(tuple(Setting(v) for v in seen), empty, bool(environ.get("REQUEST_METHOD")))
    decisions = [decide(dialect, target.absolute, settings) for dialect in _DIALECTS]
    ways = {(d.way, _host(d.proxy)): d for d in decisions}
    if len(ways) < 2:  # noqa: PLR2004 - all of them go the same way
        return None
    detail = "; ".join(_shown(d) for d in decisions)
    exempting = next((d.variable for d in decisions if d.way is Way.DIRECT and d.variable), None)
    variable = exempting or next((d.variable for d in decisions if d.variable), "") or ""
    choices = tuple(_choice(d, environ) for d in ways.values() if d.way is not Way.REFUSED)
    return Disagreement(detail, variable, choices)


def _shown(decision: Decision) -> str:
    way = _host(decision.proxy) or decision.way.value
    why = " ".join(w for w in (decision.variable, decision.entry) if w)
    return f"{NAMES[decision.dialect]}: {way}" + (f" ({why})" if why else "")


def _host(proxy: str | None) -> str:
    return "" if proxy is None else ascii_host(proxies.parse(proxy).host) + f":{proxies.parse(proxy).port}"


def _choice(decision: Decision, environ: Mapping[str, str]) -> proxies.Choice:
    if decision.way is Way.DIRECT or decision.variable is None:
        return proxies.Choice(None, decision.variable or "")
    return proxies.Choice(proxies.parse(environ[decision.variable].strip()), decision.variable)
