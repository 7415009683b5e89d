"""Whether the places are reached at which the chain's certificates can be asked for their revocation.

A server that staples OCSP answers (RFC 6066, 8) asks them itself; Java and Windows programs that are set to check
revocation refuse a certificate whose place they cannot reach.  The addresses come from the certificates (RFC 5280,
4.2.1.13 and 4.2.2.1) and so from outside: only http and https to a name are asked, never an IP address in any spelling.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vorflug.model import netcause
from vorflug.model.certificate_chain import is_root
from vorflug.model.certificate_files import CertificateQuery, usable
from vorflug.model.certificates import linked
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.hosts import is_loopback
from vorflug.model.message import Message, msg, sentences
from vorflug.model.probing import ProxyUrl, RequestQuery
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unmet
from vorflug.ports.certificates import CertificateFile

TITLE = msg("TLS certificate revocation")

_URL = re.compile(r"https?://([A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?(/[!-?A-~]*)?")
_ASKED_AT_MOST = 6


class RevocationReachableRequirement(Requirement):
    """The addresses for revocation that the chain names are reached from here."""

    kind = "tls_revocation_reachable"
    certificate: str
    """Path of the certificate file (PEM, leaf first)."""
    proxy: ProxyUrl | None = None
    """A proxy by which they are asked; None asks as the environment says."""

    def wanted(self) -> Message:
        return msg("the addresses for revocation (OCSP, CRL) that the certificates name are reached")

    def then(self) -> Message:
        return msg("the addresses for revocation that the certificates in {path} name", path=self.certificate)

    def queries(self, known: Evidence) -> Sequence[CertificateQuery | RequestQuery]:
        certificate = CertificateQuery(path=self.certificate)
        file = known[certificate].file if certificate in known else None
        return [certificate, *(self._request(url) for url in (() if file is None else _addresses(file)))]

    def _request(self, url: str) -> RequestQuery:
        return RequestQuery(url=url, proxy=self.proxy)

    def judge(self, evidence: Evidence) -> Verdict:
        file = usable(evidence[CertificateQuery(path=self.certificate)].file, self.wanted(), self.certificate)
        if isinstance(file, Verdict):
            return file
        urls = _addresses(file)
        if not urls:
            return not_applicable(
                wanted=self.wanted(), because=msg("The certificates name no address for revocation that can be asked.")
            )
        found, unseen = [], []
        for url in urls:
            try:
                found.append(netcause.stopped(evidence[self._request(url)].trace, url, external=True))
            except NotSeen as error:
                unseen.append(error)
        stops = [one for one in found if one is not None]
        if unseen and not stops:
            raise unseen[0]
        seen = msg("{urls:list}", urls=urls)
        if not stops:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "This machine reaches {urls:list}. Clients that check revocation ask there themselves.", urls=urls
                ),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=sentences(stop.says for stop in stops),
            fix=sentences(stop.fix for stop in stops),
            cause=stops[0].cause,
        )


def _addresses(file: CertificateFile) -> tuple[str, ...]:
    """What the chain names and may be asked, each once; a root's own revocation is no matter of its certificate."""
    found = [
        url
        for one in linked(file.chain)
        if not is_root(one, file)
        for url in one.extensions.revocation_urls
        if _may_be_asked(url)
    ]
    return tuple(dict.fromkeys(found))[:_ASKED_AT_MOST]


def _may_be_asked(url: str) -> bool:
    """Http to a name whose last label begins with a letter: 169.254.169.254, 2852039166 and 0xA9FEA9FE do not."""
    found = _URL.fullmatch(url)
    if found is None or is_loopback(found[1]):
        return False
    return found[1].rstrip(".").rpartition(".")[2][:1].isalpha()
