"""The product's own certificate, its key and its chain.

One file in spite of its length: key, name, dates, strength and chain are judged over the same two files.

Sources: RFC 9525 (which names a certificate covers; it replaces RFC 6125), RFC 8446, 4.4.2 (the chain: leaf first, each
signed by the next, the root may be left out), RFC 5280 (dates, uses).  Least key lengths come from the profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, assert_never

from pydantic import Field

from vorflug.model.cause import Cause, Team
from vorflug.model.certificates import (
    Fault,
    HostName,
    file_verdict,
    key_fault,
    linked,
    name_fault,
    out_of_date,
    seconds_between,
    shown_names,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import Message, msg, sentences
from vorflug.model.quantity import Duration
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unmet
from vorflug.ports import Host
from vorflug.ports.certificates import CertificateFile, Content, FileCertificate, KeyFile, KeyKind

TITLE = msg("TLS certificates")


class CertificateFact(Fact):
    """A certificate file of the host."""

    file: CertificateFile | None
    """None where there is no such file."""
    ca_file_missing: bool = False
    """There is no file of further trust anchors where one was named."""


class KeyFact(Fact):
    """A private key file of the host, held against a certificate."""

    file: KeyFile | None
    """None where there is no such file."""


@dataclass(frozen=True, kw_only=True)
class CertificateQuery(Query[CertificateFact]):
    """What is in this certificate file?"""

    kind = "certificate_file"
    path: str
    ca_file: str | None = None

    def asks(self) -> Message:
        return msg("Which certificates are in {path}, and do they lead to a trusted root?", path=self.path)

    def observe(self, host: Host) -> CertificateFact:
        try:
            return CertificateFact(file=host.certificates.read(self.path, self.ca_file))
        except (FileNotFoundError, NotADirectoryError):
            if self.ca_file is not None and host.files.exists(self.path):
                return CertificateFact(file=host.certificates.read(self.path), ca_file_missing=True)
            return CertificateFact(file=None)


@dataclass(frozen=True, kw_only=True)
class KeyQuery(Query[KeyFact]):
    """Does this private key belong to that certificate?"""

    kind = "key_file"
    path: str
    certificate: str

    def asks(self) -> Message:
        return msg(
            "Does the private key in {path} belong to the certificate in {certificate}?",
            path=self.path,
            certificate=self.certificate,
        )

    def observe(self, host: Host) -> KeyFact:
        try:
            return KeyFact(file=host.certificates.key(self.path, self.certificate))
        except (FileNotFoundError, NotADirectoryError):
            return KeyFact(file=None)


_BY_AN_AUTHORITY = msg("Have the certificate issued by an authority that the users' machines trust.")
_AUTHORITY_FIRST = Fault(
    msg("The first certificate of the file is that of an authority, not of a server."),
    msg("Put the server's certificate first in the file, then the intermediates."),
)


def _self_signed(file: CertificateFile, path: str) -> Cause | None:
    """The certificate proves itself alone, as ``openssl req -x509`` makes it (CA:TRUE); no root before others."""
    if not file.chain or file.chain[0].issuer_at != 0 or (file.chain[0].is_ca and len(file.chain) > 1):
        return None
    says = msg("The server's certificate is signed by itself, by no authority.")
    return Cause("tls.self_signed", path, says, _BY_AN_AUTHORITY, Team.PKI)


class OwnCertificateRequirement(Requirement):
    """The product's own certificate: fits its key, covers the name, is valid long enough and strong enough."""

    kind = "tls_own_certificate"
    certificate: str
    """Path of the certificate file (PEM, leaf first)."""
    key: str
    """Path of the private key (PEM)."""
    fqdn: HostName
    """The name under which users reach the product."""
    valid_for: Duration
    """How long it must still be valid."""
    rsa_bits: Annotated[int, Field(ge=1024)]
    """The least length of an RSA key, in bits."""
    authority_rsa_bits: Annotated[int, Field(ge=1024)] | None = None
    """The same for the authorities above it, whom the customer cannot choose so freely; None is *rsa_bits*."""
    curves: tuple[str, ...]
    """Allowed curves of other keys: ``secp256r1``, ``brainpoolP256r1``, ``Ed25519`` …"""
    hashes: Annotated[tuple[str, ...], Field(min_length=1)]
    """Allowed hashes of the signature: ``sha256`` …"""

    def wanted(self) -> Message:
        return msg(
            "certificate for {fqdn} with its key, valid for {valid:duration} or more, "
            "RSA from {bits} bits or {curves:or}",
            fqdn=self.fqdn,
            valid=self.valid_for,
            bits=self.rsa_bits,
            curves=self.curves,
        )

    def queries(self, known: Evidence) -> Sequence[CertificateQuery | KeyQuery]:
        certificate = CertificateQuery(path=self.certificate)
        if certificate in known and (file := known[certificate].file) is not None and file.chain:
            return [certificate, KeyQuery(path=self.key, certificate=self.certificate)]
        return [certificate]

    def then(self) -> Message:
        return msg("the private key {key}, once there is a certificate to hold it against", key=self.key)

    def judge(self, evidence: Evidence) -> Verdict:
        file = evidence[CertificateQuery(path=self.certificate)].file
        if file is None or file.content is not Content.CERTIFICATES or not file.chain:
            return file_verdict(self.wanted(), self.certificate, None if file is None else file.content)
        leaf = file.chain[0]
        faults = [
            *self._signer_faults(file),
            *self._faults(leaf, file.now, seconds_between(file.now, leaf.seen.not_after)),
            *self._authority_faults(file),
        ]
        # users are turned away from the day on which the first of the chain ends
        until = min((one.seen.not_after for one in linked(file.chain)), key=datetime.fromisoformat)
        left = seconds_between(file.now, until)
        try:
            key = key_fault(evidence[KeyQuery(path=self.key, certificate=self.certificate)].file, self.key)
            faults += [key] if key is not None else []
        except NotSeen:
            # what is wrong for certain is said even where the key could not be looked at
            if not faults:
                raise
        seen = msg(
            "{names:list}; valid until {until:date}; {key}; issued by {issuer}",
            names=shown_names(leaf.seen) or (leaf.seen.subject,),
            until=until,
            key=leaf.seen.key,
            issuer=leaf.seen.issuer,
        )
        gauge = Gauge(max(0.0, left), self.valid_for, "s")
        if not faults:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The certificate covers {fqdn}, fits its key and is valid until {until:date}.",
                    fqdn=self.fqdn,
                    until=until,
                ),
                gauge=gauge,
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=sentences(f.says for f in faults),
            fix=sentences(f.fix for f in faults),
            cause=_self_signed(file, self.certificate),
            gauge=gauge,
        )

    def about(self, evidence: Evidence) -> Cause | None:
        """A certificate without an authority: its chain is blocked by this."""
        file = evidence[CertificateQuery(path=self.certificate)].file
        return None if file is None else _self_signed(file, self.certificate)

    def _signer_faults(self, file: CertificateFile) -> Iterable[Fault]:
        if (alone := _self_signed(file, self.certificate)) is not None:
            yield Fault(alone.says, _BY_AN_AUTHORITY)
        elif file.chain[0].is_ca:
            yield _AUTHORITY_FIRST

    def _faults(self, leaf: FileCertificate, now: str, left: float) -> Iterable[Fault]:
        renew = msg(
            "Have a certificate issued for {fqdn} that is valid for {valid:duration} or more.",
            fqdn=self.fqdn,
            valid=self.valid_for,
        )
        if (other := name_fault(leaf.seen, self.fqdn)) is not None:
            yield other
        if left < 0:
            yield Fault(msg("It expired on {until:date}.", until=leaf.seen.not_after), renew)
        elif left < self.valid_for:
            yield Fault(
                msg(
                    "It is valid for only {left:duration} more (until {until:date}).",
                    left=left,
                    until=leaf.seen.not_after,
                ),
                renew,
            )
        if seconds_between(now, leaf.seen.not_before) > 0:
            yield Fault(
                msg(
                    "It is valid only from {since:date} on; this machine's clock says {now:date}.",
                    since=leaf.seen.not_before,
                    now=now,
                ),
                msg("Check this machine's clock, or wait until the certificate is valid."),
            )
        if not leaf.for_servers:
            yield Fault(
                msg("It is not meant for servers: its extended key usage lacks serverAuth."),
                msg("Have the certificate issued for TLS servers (extended key usage serverAuth)."),
            )
        if not self._strong(leaf, self.rsa_bits):
            yield Fault(
                msg("The key of the server certificate is {key}.", key=leaf.seen.key),
                msg(
                    "Make a new key (RSA from {bits} bits or {curves:or}) and have a certificate issued for it.",
                    bits=self.rsa_bits,
                    curves=self.curves,
                ),
            )
        if leaf.seen.signature and leaf.seen.signature not in self.hashes:
            yield Fault(
                msg("It is signed with {hash}.", hash=leaf.seen.signature),
                msg("Have the certificate issued with a signature over {hashes:or}.", hashes=self.hashes),
            )

    def _authority_faults(self, file: CertificateFile) -> Iterable[Fault]:
        """What is wrong with the certificates above the server's; of a root only the dates count (RFC 5280, 6.1)."""
        authority_bits = self.authority_rsa_bits or self.rsa_bits
        for one in linked(file.chain)[1:]:
            subject = one.seen.subject
            if (stale := out_of_date(one.seen, file.now, self.certificate, self.valid_for)) is not None:
                yield stale
            if one.issuer_at is not None and file.chain[one.issuer_at] is one:
                continue
            if not self._strong(one, authority_bits):
                yield Fault(
                    msg(
                        "The key of the authority's certificate {subject} is {key}.", subject=subject, key=one.seen.key
                    ),
                    msg(
                        "Have a certificate issued by an authority with a stronger key (RSA from {bits} bits or "
                        "{curves:or}).",
                        bits=authority_bits,
                        curves=self.curves,
                    ),
                )
            if one.seen.signature and one.seen.signature not in self.hashes:
                yield Fault(
                    msg(
                        "The authority's certificate {subject} is signed with {hash}.",
                        subject=subject,
                        hash=one.seen.signature,
                    ),
                    msg(
                        "Have a certificate issued by an authority whose own is signed over {hashes:or}.",
                        hashes=self.hashes,
                    ),
                )

    def _strong(self, leaf: FileCertificate, rsa_bits: int) -> bool:
        match leaf.key_kind:
            case KeyKind.RSA:
                return leaf.key_bits >= rsa_bits
            case KeyKind.EC:
                return leaf.curve in self.curves
            case KeyKind.ED25519 | KeyKind.ED448:
                return leaf.key_kind.value in self.curves
            case KeyKind.DSA | KeyKind.OTHER:
                return False
            case _:
                assert_never(leaf.key_kind)


class OwnChainRequirement(Requirement):
    """The product's own chain: complete up to a root that is known here, in order."""

    kind = "tls_own_chain"
    certificate: str
    """Path of the certificate file (PEM, leaf first)."""
    ca_file: str | None = None
    """PEM file of the corporate root, where the certificate comes from an authority of the site's own."""
    with_root: bool = False
    """Whether the root itself may be in the file."""

    def wanted(self) -> Message:
        if self.with_root:
            return msg("server certificate and all intermediates, in order")
        return msg("server certificate and all intermediates, in order, without the root")

    def queries(self, known: Evidence) -> Sequence[CertificateQuery]:  # noqa: ARG002 - one question, whatever is known
        return [self._query()]

    def _query(self) -> CertificateQuery:
        return CertificateQuery(path=self.certificate, ca_file=self.ca_file)

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[self._query()]
        file = fact.file
        if file is None or file.content is not Content.CERTIFICATES or not file.chain:
            return file_verdict(self.wanted(), self.certificate, None if file is None else file.content)
        if self.ca_file is not None and fact.ca_file_missing:
            return file_verdict(self.wanted(), self.ca_file, None)
        seen = msg("{subjects}", subjects=tuple(c.seen.subject for c in file.chain[:10]))
        fault = self._fault(file)
        if fault is None:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{count} certificates, each signed by the next, lead to a root that is known here.",
                    count=len(file.chain),
                )
                if len(file.chain) > 1
                else msg("The certificate was issued by a root that is known here."),
            )
        cause = _self_signed(file, self.certificate)
        return unmet(wanted=self.wanted(), seen=seen, because=fault.says, fix=fault.fix, cause=cause)

    def _fault(self, file: CertificateFile) -> Fault | None:
        rebuild = msg(
            "Rebuild the file: first the server's certificate, then each intermediate in turn, without the root."
        )
        if (alone := _self_signed(file, self.certificate)) is not None:
            return Fault(alone.says, _BY_AN_AUTHORITY)
        for place, one in enumerate(file.chain):
            if one.issuer_at == place:
                if place == 0:
                    return _AUTHORITY_FIRST
                if not self.with_root:
                    return Fault(msg("The file holds the root ({root}) as well.", root=one.seen.subject), rebuild)
                continue
            last = place == len(file.chain) - 1
            if not last and one.issuer_at != place + 1:
                if one.issuer_at is not None:
                    return Fault(
                        msg(
                            "Wrong order: certificate {place} ({subject}) is signed by certificate {issuer}, "
                            "not by the next one.",
                            place=place + 1,
                            subject=one.seen.subject,
                            issuer=one.issuer_at + 1,
                        ),
                        rebuild,
                    )
                return Fault(
                    msg(
                        "Certificate {place} ({subject}) is not signed by the next one; "
                        "its issuer, {issuer}, is not in the file.",
                        place=place + 1,
                        subject=one.seen.subject,
                        issuer=one.seen.issuer,
                    ),
                    rebuild,
                )
        if file.root is None:
            last_one = file.chain[-1]
            return Fault(
                msg(
                    "The chain ends at {subject}; its issuer, {issuer}, "
                    "is neither in the file nor a root that is known here.",
                    subject=last_one.seen.subject,
                    issuer=last_one.seen.issuer,
                ),
                msg(
                    "If {issuer} is an intermediate, append it to {path}; "
                    "if it is the corporate root, name its file in the site file.",
                    issuer=last_one.seen.issuer,
                    path=self.certificate,
                ),
            )
        for one in linked(file.chain)[1:]:
            if (stale := out_of_date(one.seen, file.now, self.certificate)) is not None:
                return stale
        return out_of_date(file.root, file.now, self.ca_file or file.store)
