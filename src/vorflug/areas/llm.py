"""The language model's endpoint: can it be reached, and is it the one?

How each provider answers without a key comes from the profile (`Fingerprint`); so do the marks by which an answer says
that the way is open but the resource lets this address not in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, assert_never

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from vorflug.model import netcause
from vorflug.model.cause import Cause, Team
from vorflug.model.contact import CONTAINERS_EXEMPT, MODEL
from vorflug.model.evidence import Evidence
from vorflug.model.fingerprint import Confidence, Fingerprint
from vorflug.model.llm_provider import PROVIDERS, Provider
from vorflug.model.message import Message, msg
from vorflug.model.probing import RequestQuery
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports.net import HttpSeen

TITLE = msg("Language model")


Mark = Annotated[str, StringConstraints(min_length=1, max_length=300)]
"""A text within the first 64 KiB of an answer."""


class EndpointRequirement(Requirement):
    """The endpoint answers as its provider's does, without a key being sent."""

    kind = "llm_endpoint"
    networked = True
    provider: Provider
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@?#]+(/[^\s#]*)?$", max_length=2000)]
    """Where the endpoint is; never with a key."""
    path: Annotated[str, StringConstraints(pattern=r"^/[^\s#]*$", max_length=500)] | None = None
    """Path and query that are asked below *url*, which is how a site file can name the endpoint alone."""
    method: Literal["GET", "POST", "HEAD"] = "GET"
    answer: Fingerprint
    """The healthy answer without a key."""
    acl_status: tuple[Annotated[int, Field(ge=400, le=499)], ...] = ()
    """Statuses with which the resource keeps an address out."""
    acl_marks: tuple[Mark, ...] = ()
    """Texts by one of which such an answer is known: "Virtual Network/Firewall rules"."""
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """A model that the list of models (``/v1/models``) must name; None where the answer is no list."""
    proxied: bool = True
    """False where the way must not lead through the proxy of the environment."""
    proxy: str | None = None
    ca_file: str | None = None
    """PEM file of the corporate root, besides the host's store."""
    public_ca: bool = False
    """The provider's certificate comes from a public authority: any other chain is TLS inspection."""

    @field_validator("url", mode="before")
    @classmethod
    def _no_fragment(cls, url: object) -> object:
        # it may be a key: the value is not repeated
        if isinstance(url, str) and "#" in url:
            raise ValueError(msg("wanted an address without '#' and what follows; a key never belongs there"))
        return url

    @field_validator("path")
    @classmethod
    def _below_an_address_alone(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path is not None and "?" in info.data.get("url", ""):
            raise ValueError(
                msg("wanted an address without '?' and what follows to put it below; a key never belongs there")
            )
        return path

    @property
    def target(self) -> str:
        """The whole address that is asked."""
        return self.url if self.path is None else self.url.rstrip("/") + self.path

    def wanted(self) -> Message:
        if self.model is not None:
            return msg(
                "{url} answers as {provider}; if it lists its models without a key, {model} is among them",
                url=self.target,
                provider=PROVIDERS[self.provider],
                model=self.model,
            )
        return msg("{url} answers as {provider}", url=self.target, provider=PROVIDERS[self.provider])

    def queries(self, known: Evidence) -> Sequence[RequestQuery]:  # noqa: ARG002 - one question, whatever is known
        return [self._query()]

    def serves(self) -> Message:
        return MODEL

    def tls_exempt(self) -> Message | None:
        return None if self.provider is Provider.LOCAL else CONTAINERS_EXEMPT

    def _query(self) -> RequestQuery:
        return RequestQuery(
            url=self.target,
            method=self.method,
            look_for=tuple(dict.fromkeys((*self.answer.body, *self.acl_marks, *self._model_marks()))),
            proxied=self.proxied,
            proxy=self.proxy,
            ca_file=self.ca_file,
            keep_headers=self.answer.kept_headers(),
            public_ca=self.public_ca,
        )

    def _model_marks(self) -> tuple[str, ...]:
        """The model's id as a JSON string, which is how ``data[].id`` holds it (OpenAI API, "List models").

        Ollama adds the tag ``:latest`` to a name without one (Ollama's FAQ on model names).
        """
        if self.model is None:
            return ()
        names = (self.model,) if ":" in self.model else (self.model, f"{self.model}:latest")
        return tuple(f'"{name}"' for name in names)

    def judge(self, evidence: Evidence) -> Verdict:
        trace = evidence[self._query()].trace
        stopped = netcause.stopped(trace, self.target, external=self.provider is not Provider.LOCAL)
        if stopped is not None:
            return unmet(
                wanted=self.wanted(), seen=stopped.says, because=stopped.says, fix=stopped.fix, cause=stopped.cause
            )
        http = trace.http
        if http is None:
            return unknown(
                wanted=self.wanted(),
                because=msg("{url} answered, but its answer was not recorded.", url=self.target),
                fix=msg("Run again."),
            )
        seen = msg("HTTP {status} from {host}", status=http.status, host=trace.host)
        if self._kept_out(http):
            return self._acl_verdict(trace.host, seen, http.status)
        differences = self.answer.compare(http)
        if differences and http.looks_like is not None:
            page = netcause.explain(trace, self.target, http.looks_like, None)
            return unmet(wanted=self.wanted(), seen=seen, because=page.says, fix=page.fix, cause=page.cause)
        if differences:
            return self._other_verdict(f"{trace.host}:{trace.port}", seen, differences)
        if self.model is not None and http.status < 300:  # noqa: PLR2004 - RFC 9110, 15.3: only then is it the list
            if not any(mark in http.found for mark in self._model_marks()):
                says = msg("The list of models at {url} does not name {model}.", url=self.target, model=self.model)
                fix = msg(
                    "Load the model {model} on the server, or correct its name in the site file.", model=self.model
                )
                # the way there is open: who runs the server must act, not who opens ways
                cause = Cause("llm.model_missing", f"{self.target} {self.model}", says, fix, Team.PLATFORM)
                return unmet(wanted=self.wanted(), seen=seen, because=says, fix=fix, cause=cause)
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{url} answers and lists the model {model}.", url=self.target, model=self.model),
            )
        if self.model is not None:
            # the way is open; more is not asked of a server that lists nothing without a key
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{url} answers and wants a key (HTTP {status}); "
                    "whether {model} is loaded cannot be seen without one.",
                    url=self.target,
                    status=http.status,
                    model=self.model,
                ),
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{url} answers as {provider} does.", url=self.target, provider=PROVIDERS[self.provider]),
        )

    def _kept_out(self, http: HttpSeen) -> bool:
        return http.status in self.acl_status and any(mark in http.found for mark in self.acl_marks)

    def _acl_verdict(self, host: str, seen: Message, status: int) -> Verdict:
        says = msg(
            "{host} was reached, but its own network rules do not let this site's public address in (HTTP {status}).",
            host=host,
            status=status,
        )
        fix = msg(
            "Add the public address by which this site leaves to the network rules of the resource {host} "
            "(changes can take half an hour), or reach it by a private endpoint.",
            host=host,
        )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=says,
            fix=fix,
            cause=Cause("http.denied_by_service", host, says, fix, Team.PROJECT),
        )

    def _other_verdict(self, endpoint: str, seen: Message, differences: tuple[Message, ...]) -> Verdict:
        says = msg("{url} answers, but not as expected: {differences}.", url=self.target, differences=differences)
        fix = self._other_fix()
        match self.answer.confidence:
            case Confidence.UNVERIFIED:
                return unknown(wanted=self.wanted(), seen=seen, because=says, fix=fix)
            case Confidence.CITED:
                return unmet(
                    wanted=self.wanted(),
                    seen=seen,
                    because=says,
                    fix=fix,
                    cause=Cause("http.wrong_target", endpoint, says, fix),
                )
            case _:
                assert_never(self.answer.confidence)

    def _other_fix(self) -> Message:
        if self.provider is Provider.LOCAL:
            return msg(
                "Check the address in the site file, and that an OpenAI-compatible server answers at {url}.",
                url=self.target,
            )
        return msg(
            "Check the address in the site file, and what answers at {url}: "
            "a block page, a gateway, or another service.",
            url=self.target,
        )
