"""The product's own certificate and its key: name, dates and strength.

Sources: RFC 9525 (which names a certificate covers; it replaces RFC 6125), RFC 5280 (dates, uses).  Least key lengths
come from the profile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from vorflug.model.cause import Cause
from vorflug.model.certificate_chain import AUTHORITY_FIRST, BY_AN_AUTHORITY, is_root, order, self_signed, strong
from vorflug.model.certificate_files import CertificateQuery, KeyQuery
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
from vorflug.model.quantity import Duration, Percent
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unmet
from vorflug.ports.certificates import CertificateFile, Content, FileCertificate

TITLE = msg("TLS certificates")


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
    share_left: Percent | None = None
    """This share of its whole validity is enough as well: what is issued for a short time is renewed by program."""
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
        advice = [f.fix for f in faults]
        if faults:
            advice.append(order(self.fqdn, self.rsa_bits, self.curves, self.hashes))
        # users are turned away from the day on which the first of the chain ends
        until = min((one.seen.not_after for one in linked(file.chain)), key=datetime.fromisoformat)
        left = seconds_between(file.now, until)
        try:
            key = key_fault(evidence[KeyQuery(path=self.key, certificate=self.certificate)].file, self.key)
            if key is not None:
                faults.append(key)
                advice.append(key.fix)
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
        gauge = Gauge(max(0.0, left), self._needed(leaf), "s")
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
            fix=sentences(advice),
            cause=self_signed(file, self.certificate),
            gauge=gauge,
        )

    def about(self, evidence: Evidence) -> Cause | None:
        """A certificate without an authority: its chain is blocked by this."""
        file = evidence[CertificateQuery(path=self.certificate)].file
        return None if file is None else self_signed(file, self.certificate)

    def _needed(self, leaf: FileCertificate) -> float:
        """For how many seconds the server's certificate must still be valid."""
        if self.share_left is None:
            return self.valid_for
        return min(self.valid_for, self.share_left * seconds_between(leaf.seen.not_before, leaf.seen.not_after))

    def _signer_faults(self, file: CertificateFile) -> Iterable[Fault]:
        if (alone := self_signed(file, self.certificate)) is not None:
            yield Fault(alone.says, BY_AN_AUTHORITY)
        elif file.chain[0].is_ca:
            yield AUTHORITY_FIRST

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
        elif left < self._needed(leaf):
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
        if not strong(leaf, self.rsa_bits, self.curves):
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
            if (stale := out_of_date(one.seen, file.now, self.certificate, self._needed(file.chain[0]))) is not None:
                yield stale
            if is_root(one, file):
                continue
            if not strong(one, authority_bits, self.curves):
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
