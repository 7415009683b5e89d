"""The image registry: can it be reached with its token service and data hosts, and what may this host's login pull?

Sources: the OCI distribution specification 1.1 and the token authentication specification of the distribution project;
which answers are healthy comes from the profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote, urlsplit

from vorflug.model import netcause
from vorflug.model.cause import Cause
from vorflug.model.challenge import Challenge, challenges
from vorflug.model.contact import LAYERS, TOKENS, Contact, of_host
from vorflug.model.evidence import Evidence
from vorflug.model.fingerprint import Confidence, Fingerprint
from vorflug.model.message import Message, msg
from vorflug.model.probing import RequestQuery
from vorflug.model.registry import AtRegistry, HostPattern, HostPort, api_host
from vorflug.model.registry_texts import rate_limited
from vorflug.model.requirement import Verdict, met, unknown, unmet
from vorflug.ports.net import HttpSeen, Stage, Trace
from vorflug.ports.registry import RateSeen

TITLE = msg("Image registry")

_CHALLENGE = "www-authenticate"


class ReachableRequirement(AtRegistry):
    """The registry answers as a registry, its token service gives tokens, its data hosts can be reached."""

    kind = "registry_reachable"
    answer: Fingerprint
    """The healthy answer to GET /v2/ without credentials."""
    token_answer: Fingerprint | None = None
    """The healthy answer of the token service without credentials; None where an answer of any kind will do."""
    data_hosts: tuple[HostPort, ...] = ()
    """Hosts that send the layers; they are asked up to TLS only, their answers differ."""
    data_patterns: tuple[HostPattern, ...] = ()
    """Names of further hosts that may send them.  They cannot be asked; the firewall request lists them."""

    def wanted(self) -> Message:
        if self.data_hosts:
            return msg(
                "{registry}, its token service and {hosts:list} answer", registry=self.registry, hosts=self.data_hosts
            )
        return msg("{registry} and its token service answer", registry=self.registry)

    def then(self) -> Message | None:
        hosts = (self.registry, *self.token_hosts)
        return msg("the token service that the registry names, if it is on {hosts:or}", hosts=hosts)

    def queries(self, known: Evidence) -> Sequence[RequestQuery]:
        base = self._base()
        asked = [base, *(self._data(host) for host in self.data_hosts)]
        if base in known:
            challenge = _bearer(known[base].trace)
            if challenge is not None and self._realm_fault(challenge) is None:
                asked.append(self._token(challenge))
        return asked

    def flows(self) -> tuple[Contact, ...]:
        tokens = (of_host(api_host(h), proxy=self.proxy, purpose=TOKENS, certain=False) for h in self.token_hosts)
        layers = [of_host(host, proxy=self.proxy, purpose=LAYERS) for host in self.data_hosts]
        patterns = (of_host(host, proxy=self.proxy, purpose=LAYERS, certain=False) for host in self.data_patterns)
        places = {(contact.target, contact.port) for contact in layers}
        asked = (contact for contact in super().flows() if (contact.target, contact.port) not in places)
        return (*asked, *(replace(contact, exempt=self.tls_exempt()) for contact in (*tokens, *layers, *patterns)))

    def _base(self) -> RequestQuery:
        marks = Fingerprint(headers=self.answer.headers).kept_headers()
        return RequestQuery(
            url=f"https://{self.registry}/v2/",
            look_for=self.answer.body,
            proxy=self.proxy,
            ca_file=self.ca_file,
            keep_headers=tuple(sorted({*marks, _CHALLENGE})),
        )

    def _data(self, host: str) -> RequestQuery:
        return RequestQuery(url=f"https://{host}/", method="HEAD", proxy=self.proxy, ca_file=self.ca_file)

    def _token(self, challenge: Challenge) -> RequestQuery:
        url = challenge.parameters["realm"]
        if service := challenge.parameters.get("service"):
            url += ("&" if "?" in url else "?") + "service=" + quote(service, safe="")
        return RequestQuery.expecting(
            self.token_answer or Fingerprint(), url=url, proxy=self.proxy, ca_file=self.ca_file
        )

    def judge(self, evidence: Evidence) -> Verdict:
        base = self._base()
        trace = evidence[base].trace
        if (verdict := self._answers(trace, base.url, self.answer)) is not None:
            return verdict
        challenge = _bearer(trace)
        if challenge is None and not _no_login_needed(trace):
            says = msg("{at} wants a login, but says no way to log in that is known here.", at=self.registry)
            fix = msg("Check the registry's own configuration of its token service.")
            return unmet(wanted=self.wanted(), seen=_answer(trace), because=says, fix=fix)
        if challenge is not None:
            if (fault := self._realm_fault(challenge)) is not None:
                return fault
            token = self._token(challenge)
            if (verdict := self._answers(evidence[token].trace, token.url, self.token_answer)) is not None:
                return verdict
        for host in self.data_hosts:
            data = self._data(host)
            there = evidence[data].trace
            stopped = netcause.stopped(there, data.url, external=True)
            # whatever it says over HTTP, the way to it is open
            if stopped is not None and there.stages[-1].stage is not Stage.HTTP:
                return self._stopped(stopped)
        return met(
            wanted=self.wanted(),
            seen=_answer(trace),
            because=msg(
                "{registry} answers as a registry does, and so do the hosts behind it.", registry=self.registry
            ),
        )

    def about(self, evidence: Evidence) -> Cause | None:
        """The endpoint itself: whoever else fails to reach it is blocked by this."""
        base = self._base()
        trace = evidence[base].trace
        stopped = netcause.stopped(trace, base.url)
        if stopped is None or stopped.cause.subject != f"{trace.host}:{trace.port}":
            return None
        return stopped.cause

    def _answers(self, trace: Trace, url: str, healthy: Fingerprint | None) -> Verdict | None:
        """What is wrong with the way to *url* or with its answer."""
        stopped = netcause.stopped(trace, url, external=True)
        if stopped is not None:
            return self._stopped(stopped)
        if trace.http is None:
            return unknown(
                wanted=self.wanted(),
                because=msg("{url} answered, but its answer was not recorded.", url=url),
                fix=msg("Run again."),
            )
        if trace.http.status == 429:  # noqa: PLR2004 - RFC 6585, 4
            after = next((value for name, value in trace.http.headers if name == "retry-after"), "")
            says, fix, cause = rate_limited(_place(url)[1], RateSeen(retry_after=after), self.registry)
            return unknown(wanted=self.wanted(), seen=_answer(trace), because=says, fix=fix, cause=cause)
        if healthy is None or not (differences := healthy.compare(trace.http)):
            return None
        says = msg("{url} answers, but not as expected: {differences}.", url=url, differences=differences)
        fix = msg(
            "Check what answers at {url}: a proxy's block page, another service, or a fault of the service.", url=url
        )
        if healthy.confidence is Confidence.UNVERIFIED:
            return unknown(wanted=self.wanted(), seen=_answer(trace), because=says, fix=fix)
        cause = Cause("http.wrong_target", f"{trace.host}:{trace.port}", says, fix)
        return unmet(wanted=self.wanted(), seen=_answer(trace), because=says, fix=fix, cause=cause)

    def _stopped(self, stopped: netcause.Stopped) -> Verdict:
        return unmet(
            wanted=self.wanted(), seen=stopped.says, because=stopped.says, fix=stopped.fix, cause=stopped.cause
        )

    def _realm_fault(self, challenge: Challenge) -> Verdict | None:
        """What is wrong with the address of the token service that the registry names."""
        realm = challenge.parameters["realm"]
        scheme, place = _place(realm)
        seen = msg("token service {realm}", realm=realm)
        if scheme != "https":
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{registry} names a token service without TLS ({realm}).", registry=self.registry, realm=realm
                ),
                fix=msg("Correct the external address in the registry's own configuration (Harbor: external_url)."),
            )
        if place not in set(map(api_host, (self.registry, *self.token_hosts))):
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{registry} sends its users to {place} for a token, which is none of {hosts:list}.",
                    registry=self.registry,
                    place=place,
                    hosts=(self.registry, *self.token_hosts),
                ),
                fix=msg(
                    "If {place} belongs to the registry, name it as a token host; "
                    "otherwise find out who answers for {registry}.",
                    place=place,
                    registry=self.registry,
                ),
            )
        return None


def _offered(trace: Trace) -> tuple[Challenge, ...]:
    headers = trace.http.headers if trace.http is not None else ()
    return challenges(value for name, value in headers if name == _CHALLENGE)


def _bearer(trace: Trace) -> Challenge | None:
    """The challenge that sends us to a token service."""
    return next((c for c in _offered(trace) if c.scheme == "bearer" and c.parameters.get("realm")), None)


def _no_login_needed(trace: Trace) -> bool:
    """Whether the registry asks for nothing, or for a password that it checks itself (Basic)."""
    return _http(trace).status != 401 or any(  # noqa: PLR2004 - RFC 9110, 15.5.2
        c.scheme == "basic" for c in _offered(trace)
    )


def _place(url: str) -> tuple[str, str]:
    """Scheme and ``host[:port]`` of *url*; empty where it is none, or carries userinfo."""
    try:
        parts = urlsplit(url)
        port = "" if parts.port in {None, 443} else f":{parts.port}"
    except ValueError:
        return "", ""
    return parts.scheme, "" if "@" in parts.netloc else f"{parts.hostname or ''}{port}"


def _answer(trace: Trace) -> Message:
    return msg("HTTP {status} from {host}", status=_http(trace).status, host=trace.host)


def _http(trace: Trace) -> HttpSeen:
    """The answer, where one was recorded: without it nothing is judged."""
    assert trace.http is not None  # noqa: S101 - `_answers` comes first
    return trace.http
