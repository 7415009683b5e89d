"""The key of a language model: is it accepted?

It lies in the environment or in a file, is read by the port, sent to the provider's list of models, which costs
nothing, and never kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal, assert_never

from pydantic import Field, StringConstraints, model_validator

from vorflug.model import netcause
from vorflug.model.base import Frozen
from vorflug.model.cause import Cause, Team
from vorflug.model.evidence import Evidence
from vorflug.model.llm_provider import KEY_FORMS, PROVIDERS, Provider
from vorflug.model.message import Message, msg
from vorflug.model.path import AbsolutePath
from vorflug.model.probing import ProxyUrl, Url
from vorflug.model.query import Fact, Query, Reach
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.net import HttpSeen, Keyed, ProbeAsk, Trace
from vorflug.ports.net_key import KeyPlace, KeyState

TITLE = msg("Key of the language model")

_UNAUTHORIZED, _FORBIDDEN = 401, 403
_LAST_SUCCESS = 299
_ERROR = '"error"'
"""A member of an answer that says what went wrong, whatever its status is."""

Path = Annotated[str, StringConstraints(pattern=r"^/[^\s#]*$", max_length=500)]
"""Path and query below an address."""


class KeyReference(Frozen):
    """Where a key lies, never the key itself: one of variable, file, and the word that it was given."""

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)] | None = None
    """The variable of the environment."""
    file: AbsolutePath | None = None
    given: Literal[True] | None = None
    """It was given when the host was asked; where is not kept, so that it can only be judged again."""
    parameter: Annotated[str, StringConstraints(max_length=64)] = ""
    """The profile's parameter for which the site file gave it; empty where the profile itself names the place."""

    @model_validator(mode="after")
    def _one(self) -> KeyReference:
        if [self.env, self.file, self.given].count(None) != 2:  # noqa: PLR2004 - all but one
            raise ValueError(msg("wanted either env: NAME or file: /path"))
        return self

    @property
    def name(self) -> str:
        """What it is called in facts and reports, which do not keep where a customer's secret lies."""
        return self.parameter or (f"${self.env}" if self.env is not None else str(self.file))


class KeyFact(Fact):
    """What came of the request with the key."""

    keyed: Keyed


@dataclass(frozen=True, kw_only=True)
class KeyQuery(Query[KeyFact]):
    """Is the key accepted?  One request for the list of models, which costs nothing."""

    kind = "llm_key"
    touches = ("@net.probe_with_key",)
    deadline = 20.0
    reach = Reach.NETWORK

    url: str
    provider: Provider
    key: str
    """What the key is called (`KeyReference.name`)."""
    variable: Annotated[str, Field(exclude=True)] = field(default="", repr=False, compare=False)
    """Where it lies: known while the host is asked, and never written down."""
    file: Annotated[str, Field(exclude=True)] = field(default="", repr=False, compare=False)
    look_for: tuple[str, ...] = ()
    proxied: bool = True
    proxy: str | None = None
    ca_file: str | None = None

    def asks(self) -> Message:
        return msg("Does {url} accept the key {key}?", url=self.url, key=self.key)

    def observe(self, host: Host) -> KeyFact:
        form = KEY_FORMS[self.provider]
        place = KeyPlace(self.variable, self.file, form.header, form.scheme, form.besides)
        ask = ProbeAsk(
            url=self.url, look_for=self.look_for, proxied=self.proxied, proxy=self.proxy, ca_file=self.ca_file
        )
        return KeyFact(keyed=host.net.probe_with_key(ask, place))


class KeyRequirement(Requirement):
    """The endpoint accepts the key, which is shown by its list of models."""

    kind = "llm_key"
    networked = True
    provider: Provider
    url: Url
    """Where the endpoint is; the key is sent nowhere else."""
    path: Path
    """Of the list of models, below *url*."""
    key: KeyReference | None = None
    """Where the key lies; None leaves the demand undecided."""
    proxied: bool = True
    """False where the way must not lead through the proxy of the environment."""
    proxy: ProxyUrl | None = None
    ca_file: str | None = None
    """Further trust anchors (PEM), besides the host's store."""

    @property
    def target(self) -> str:
        """The whole address that is asked."""
        return self.url.rstrip("/") + self.path

    def wanted(self) -> Message:
        return msg("{provider} at {url} accepts the key", provider=PROVIDERS[self.provider], url=self.url)

    def queries(self, known: Evidence) -> Sequence[KeyQuery]:  # noqa: ARG002 - one question, whatever is known
        return [] if self.key is None else [self._question(self.key)]

    def _question(self, key: KeyReference) -> KeyQuery:
        return KeyQuery(
            url=self.target,
            provider=self.provider,
            key=key.name,
            look_for=(*KEY_FORMS[self.provider].listed, _ERROR),
            variable=key.env or "",
            file=str(key.file or ""),
            proxied=self.proxied,
            proxy=self.proxy,
            ca_file=self.ca_file,
        )

    def judge(self, evidence: Evidence) -> Verdict:
        if self.key is None:
            return unknown(
                wanted=self.wanted(),
                because=msg("No key is given, so that nothing that needs one was tried."),
                fix=msg(
                    "Name in the site file the environment variable or the file that holds the key; it is sent to the "
                    "list of models, which costs nothing, and is not kept."
                ),
            )
        keyed = evidence[self._question(self.key)].keyed
        if keyed.state is not KeyState.USED or keyed.trace is None:
            return self._no_key(keyed.state, self.key.name)
        trace = keyed.trace
        stopped = netcause.stopped(trace, self.target, external=self.provider is not Provider.LOCAL)
        if stopped is None and trace.http is not None and trace.http.looks_like is not None:
            stopped = netcause.explain(trace, self.target, trace.http.looks_like, None)
        if stopped is not None:
            return unmet(
                wanted=self.wanted(), seen=stopped.says, because=stopped.says, fix=stopped.fix, cause=stopped.cause
            )
        if trace.http is None:
            return unknown(
                wanted=self.wanted(),
                because=msg("{url} answered, but its answer was not recorded.", url=self.target),
                fix=msg("Run again."),
            )
        return self._answered(trace, trace.http, self.key.name)

    def _answered(self, trace: Trace, http: HttpSeen, key: str) -> Verdict:
        seen = msg("HTTP {status} from {host}", status=http.status, host=trace.host)
        # some gateways answer 200 to a wrong key, and say so in the body
        lists = _ERROR not in http.found and any(name in http.found for name in KEY_FORMS[self.provider].listed)
        if http.status <= _LAST_SUCCESS and http.body_kind == "json" and lists:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{url} accepts the key {key}.", url=self.target, key=key),
            )
        if http.status in (_UNAUTHORIZED, _FORBIDDEN):
            says = msg(
                "{url} does not accept the key {key} (HTTP {status}).",
                url=self.target,
                key=key,
                status=http.status,
            )
            fix = msg(
                "Check that the key {key} belongs to {url}, is not expired, and may list models.",
                key=key,
                url=self.url,
            )
            cause = Cause("llm.key_rejected", f"{self.url} {key}", says, fix, Team.PROJECT)
            return unmet(wanted=self.wanted(), seen=seen, because=says, fix=fix, cause=cause)
        if http.status <= _LAST_SUCCESS:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{url} answered with HTTP {status}, but not with a list of models, which says nothing about the "
                    "key.",
                    url=self.target,
                    status=http.status,
                ),
                fix=msg("Check the address in the site file, and run again later."),
            )
        return unknown(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{url} answered with HTTP {status}, which says nothing about the key.",
                url=self.target,
                status=http.status,
            ),
            fix=msg("Check the address in the site file, and run again later."),
        )

    def _no_key(self, state: KeyState, key: str) -> Verdict:
        says, fix = _without(state, key)
        return unknown(wanted=self.wanted(), because=says, fix=fix)


def _without(state: KeyState, key: str) -> tuple[Message, Message]:
    match state:
        case KeyState.ABSENT:
            return (
                msg("There is no key {key}: the variable or file that is named for it does not exist.", key=key),
                msg("Set that variable or write that file for this run, or name another place in the site file."),
            )
        case KeyState.EMPTY:
            return (
                msg("There is no key {key}: the variable or file that is named for it is empty.", key=key),
                msg("Put the key there for this run."),
            )
        case KeyState.MALFORMED:
            return (
                msg(
                    "The variable or file that is named for the key {key} holds something that is no key (blanks, "
                    "control characters, or too long).",
                    key=key,
                ),
                msg("Put the key there alone, on one line."),
            )
        case KeyState.UNREADABLE:
            return (
                msg("The file that is named for the key {key} may not be read by this user.", key=key),
                msg("Run as a user who may read that file, or name another place in the site file."),
            )
        case KeyState.HELD_BACK:
            return (
                msg("The address is not https, and a key is not sent in the clear."),
                msg("Offer the service by https, or try the key on the server itself."),
            )
        case KeyState.USED:
            return msg("The key was sent, but no answer was recorded."), msg("Run again.")
        case _:
            assert_never(state)
