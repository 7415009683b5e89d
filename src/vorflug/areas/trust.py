"""Trust: the corporate root on this machine, and the certificates that other machines present."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model import netcause
from vorflug.model.cause import Cause, Team
from vorflug.model.certificates import file_verdict, seconds_between
from vorflug.model.date import DateQuery
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.probing import RequestQuery
from vorflug.model.quantity import Duration
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.certificates import Anchor, AnchorFile
from vorflug.ports.net import Code

TITLE = msg("Trusted roots")


class AnchorFact(Fact):
    """A file of trust anchors, held against the host's store."""

    file: AnchorFile | None
    """None where there is no such file."""


@dataclass(frozen=True, kw_only=True)
class AnchorQuery(Query[AnchorFact]):
    """Does the host trust the certificates in this file?"""

    kind = "trust_anchor_file"
    touches = ("@certificates.anchors",)
    path: str

    def asks(self) -> Message:
        return msg("Are the root certificates in {path} in this machine's store?", path=self.path)

    def observe(self, host: Host) -> AnchorFact:
        try:
            return AnchorFact(file=host.certificates.anchors(self.path))
        except (FileNotFoundError, NotADirectoryError):
            return AnchorFact(file=None)


class TrustAnchorRequirement(Requirement):
    """A corporate root is in this machine's store."""

    kind = "tls_trust_anchor"
    ca_file: str | None = None
    """PEM file of the corporate root; without it nothing can be judged."""

    def wanted(self) -> Message:
        if self.ca_file is None:
            return msg("the corporate root is in this machine's store")
        return msg("the corporate root in {path} is in this machine's store", path=self.ca_file)

    def queries(self, known: Evidence) -> Sequence[AnchorQuery]:  # noqa: ARG002 - one question, whatever is known
        return [] if self.ca_file is None else [AnchorQuery(path=self.ca_file)]

    def judge(self, evidence: Evidence) -> Verdict:
        if self.ca_file is None:
            says = msg("The site file does not name the file of the corporate root (pki.ca_file).")
            fix = msg("Name the PEM file of the corporate root in the site file (pki.ca_file).")
            # as whatever else waits for this parameter
            cause = Cause("parameter.missing", "pki.ca_file", says, fix, Team.PROJECT)
            return unknown(wanted=self.wanted(), because=says, fix=fix, cause=cause)
        file = evidence[AnchorQuery(path=self.ca_file)].file
        if file is None or not file.anchors:
            return file_verdict(self.wanted(), self.ca_file, None if file is None else file.content)
        names = tuple(a.seen.subject for a in file.anchors[:10])
        seen = msg("{names:list}; store {store}", names=names, store=file.store)
        authorities = [a for a in file.anchors if a.is_ca]
        if not authorities:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{path} holds no certificate of an authority.", path=self.ca_file),
                fix=msg("Name the file of the corporate root in the site file, not that of a server."),
            )
        if not file.store:
            return unknown(
                wanted=self.wanted(),
                seen=msg("{names:list}", names=names),
                because=msg("No store of trusted roots was found on this machine."),
                fix=msg("Install the package ca-certificates."),
            )
        if expired := [a for a in authorities if seconds_between(file.now, a.seen.not_after) < 0]:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{name} expired on {until:date}.", name=expired[0].seen.subject, until=expired[0].seen.not_after
                ),
                fix=msg("Get the current root from the PKI team and name its file in the site file."),
            )
        if missing := _missing(file):
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "Not in the store {store}: {names:list}.",
                    store=file.store,
                    names=tuple(a.seen.subject for a in missing[:10]),
                ),
                fix=msg(
                    "Add {path} to this machine's store. Debian, Ubuntu: copy it to /usr/local/share/ca-certificates/"
                    " as *.crt and run update-ca-certificates. RHEL: copy it to /etc/pki/ca-trust/source/anchors/"
                    " and run update-ca-trust.",
                    path=self.ca_file,
                ),
                cause=self._missing_cause(missing[0]),
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("The store {store} holds {names:list}.", store=file.store, names=names),
        )

    def about(self, evidence: Evidence) -> Cause | None:
        """A root that is not trusted here: connections that end at it are blocked by this."""
        if self.ca_file is None:
            return None
        file = evidence[AnchorQuery(path=self.ca_file)].file
        missing = _missing(file) if file is not None and file.store else []
        return self._missing_cause(missing[0]) if missing else None

    def _missing_cause(self, anchor: Anchor) -> Cause:
        # the same key as that of a connection whose chain leads to this root and is not trusted
        return Cause(
            Code.TLS_UNKNOWN_CA.value,
            anchor.seen.subject,
            msg("{name} is not in this machine's store.", name=anchor.seen.subject),
            team=Team.PKI,
        )


def _missing(file: AnchorFile) -> list[Anchor]:
    return [a for a in file.anchors if a.is_ca and not a.in_store]


class RemoteCertificateRequirement(Requirement):
    """Another machine's certificate is valid long enough and comes from the expected authority."""

    kind = "tls_remote_certificate"
    url: Annotated[str, Field(pattern=r"^https://[^/@\s]+(/[^\s]*)?$", max_length=2000)]
    valid_for: Duration
    """How long it must still be valid."""
    issuers: tuple[str, ...] = ()
    """Text of which one stands in the issuer of the last certificate that the server's leads to; empty: any will do."""
    proxy: str | None = None
    ca_file: str | None = None
    """PEM file of the corporate root, besides the host's store."""

    def wanted(self) -> Message:
        return msg("certificate of {url} valid for {valid:duration} or more", url=self.url, valid=self.valid_for)

    def queries(self, known: Evidence) -> Sequence[RequestQuery | DateQuery]:  # noqa: ARG002 - whatever is known
        return [self._request(), DateQuery()]

    def _request(self) -> RequestQuery:
        return RequestQuery(url=self.url, proxy=self.proxy, ca_file=self.ca_file)

    def judge(self, evidence: Evidence) -> Verdict:
        trace = evidence[self._request()].trace
        tls = trace.tls
        stopped = netcause.stopped(trace, self.url)
        if stopped is not None and (tls is None or not tls.chain or stopped.code.value.startswith("tls.")):
            return unmet(
                wanted=self.wanted(), seen=stopped.says, because=stopped.says, fix=stopped.fix, cause=stopped.cause
            )
        if tls is None or not tls.chain:
            return unknown(
                wanted=self.wanted(),
                because=msg("{url} answered, but its certificate was not recorded.", url=self.url),
                fix=msg("Run again."),
            )
        leaf, issuer = tls.chain[0], tls.issuer
        left = seconds_between(evidence[DateQuery()].now, leaf.not_after)
        seen = msg("valid until {until:date}; issued by {issuer}", until=leaf.not_after, issuer=issuer)
        gauge = Gauge(max(0.0, left), self.valid_for, "s")
        if left < self.valid_for:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The certificate of {url} is valid only until {until:date}.", url=self.url, until=leaf.not_after
                ),
                fix=msg("Renew the certificate of {url}.", url=self.url),
                gauge=gauge,
            )
        if self.issuers and not any(name.lower() in issuer.lower() for name in self.issuers):
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The chain of {url} leads to {issuer}, not to {names:or}.",
                    url=self.url,
                    issuer=issuer,
                    names=self.issuers,
                ),
                fix=msg("Exempt {url} from TLS inspection, or correct the expected authority.", url=self.url),
                # whoever else meets this authority meets the same thing
                cause=Cause(
                    Code.TLS_INTERCEPTED.value,
                    issuer,
                    msg("{issuer} stands behind certificates where another authority is expected.", issuer=issuer),
                    team=Team.PKI,
                ),
                gauge=gauge,
            )
        return met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("The certificate of {url} is valid until {until:date}.", url=self.url, until=leaf.not_after),
            gauge=gauge,
        )
