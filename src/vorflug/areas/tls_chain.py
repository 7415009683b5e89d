"""The product's own chain: complete, in order, nothing besides, up to a root that is known here or to everybody.

Sources: RFC 8446, 4.4.2 (leaf first, each certificate certifies the one before it, the root may be left out; readers
"should" bear others, but RFC 5246, 7.4.2 forbade them, and not every client does), RFC 5280 (dates).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from vorflug.model.cause import Cause
from vorflug.model.certificate_chain import (
    AUTHORITY_FIRST,
    as_fault,
    broken,
    incomplete,
    refused,
    self_signed,
    who_completes,
)
from vorflug.model.certificate_files import CertificateQuery
from vorflug.model.certificates import Fault, file_verdict, linked, out_of_date
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports.certificates import CertificateFile, Content

TITLE = msg("TLS certificate chain")

_REBUILD = msg("Rebuild the file: first the server's certificate, then each intermediate in turn, without the root.")


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
        fault = next(iter(self._faults(file)), None)
        if fault is None:
            return met(wanted=self.wanted(), seen=seen, because=_complete(file))
        return unmet(
            wanted=self.wanted(), seen=seen, because=fault.says, fix=fault.fix, cause=broken(file, self.certificate)
        )

    def about(self, evidence: Evidence) -> Cause | None:
        """A chain that ends too early: what depends on its root is blocked by this."""
        file = evidence[self._query()].file
        if file is None or self_signed(file, self.certificate) is not None:
            return None  # that is what the certificate's own requirement is about
        return broken(file, self.certificate)

    def _faults(self, file: CertificateFile) -> Iterable[Fault]:
        if (alone := self_signed(file, self.certificate)) is not None:
            yield as_fault(alone)
        if file.chain[0].is_ca:
            yield AUTHORITY_FIRST
        yield from _twice(file)
        yield from self._order(file)
        if (refusal := refused(file, self.certificate)) is not None:
            yield as_fault(refusal)
        if (gap := incomplete(file, self.certificate)) is not None:
            yield as_fault(gap, who_completes(file))
        for one in linked(file.chain)[1:]:
            if (stale := out_of_date(one.seen, file.now, self.certificate)) is not None:
                yield stale
        if (
            file.root is not None
            and (stale := out_of_date(file.root, file.now, self.ca_file or file.store)) is not None
        ):
            yield stale

    def _order(self, file: CertificateFile) -> Iterable[Fault]:
        way = [file.chain.index(one) for one in linked(file.chain)]
        for place, one in enumerate(file.chain):
            if one.issuer_at == place and not self.with_root:
                yield Fault(msg("The file holds the root ({root}) as well.", root=one.seen.subject), _REBUILD)
            if place not in way:
                yield _stranger(file, place, way[-1])
        for before, after in pairwise(way):
            if after != before + 1:
                yield Fault(
                    msg(
                        "Wrong order: certificate {place} ({subject}) is signed by certificate {issuer}, "
                        "not by the next one.",
                        place=before + 1,
                        subject=file.chain[before].seen.subject,
                        issuer=after + 1,
                    ),
                    _REBUILD,
                )


def _twice(file: CertificateFile) -> Iterable[Fault]:
    first: dict[str, int] = {}
    for place, one in enumerate(file.chain):
        if (before := first.setdefault(one.seen.sha256, place)) != place:
            yield Fault(
                msg(
                    "Certificate {place} ({subject}) is the same as certificate {first}.",
                    place=place + 1,
                    subject=one.seen.subject,
                    first=before + 1,
                ),
                _REBUILD,
            )


def _stranger(file: CertificateFile, place: int, last: int) -> Fault:
    """A certificate that the first one does not lead to: in place of the right one, or besides."""
    if place == last + 1 and file.root is None and not file.public:
        return Fault(
            msg(
                "Certificate {place} ({subject}) is not signed by the next one; "
                "its issuer, {issuer}, is not in the file.",
                place=last + 1,
                subject=file.chain[last].seen.subject,
                issuer=file.chain[last].seen.issuer,
            ),
            _REBUILD,
        )
    return Fault(
        msg(
            "Certificate {place} ({subject}) does not belong to the chain of the server's certificate.",
            place=place + 1,
            subject=file.chain[place].seen.subject,
        ),
        _REBUILD,
    )


def _complete(file: CertificateFile) -> Message:
    if file.root is None:
        return msg("The chain leads to a public root; this machine's own store does not hold it.")
    if len(file.chain) > 1:
        return msg(
            "{count} certificates, each signed by the next, lead to a root that is known here.", count=len(file.chain)
        )
    return msg("The certificate was issued by a root that is known here.")
