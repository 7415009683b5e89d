"""What the certificates of the chain may be used for, and whether keys and signatures follow a norm.

Uses: RFC 5280, 4.2.1.3 (keyCertSign), 4.2.1.9 (authorities, path length), 4.2.1.12 (an authority's extended key usage
limits those below it for Windows, OpenSSL and browsers), RFC 8446, 4.4.2.2 (digitalSignature); Apple's devices want
serverAuth to be named (support.apple.com/103769).

Norm: BSI TR-02102-2, version 2026-01, with the key lengths of TR-02102-1.  The text itself could not be read; what the
profile states was taken from secondary summaries and asks to be confirmed: RSA of 3000 bits or more (since 2023; heise
online 2024-01), the curves secp256r1, secp384r1, secp521r1 and brainpoolP256r1, P384r1, P512r1, SHA-256, -384 and
-512, and that RSA signatures padded by PKCS#1 v1.5 are recommended only up to the end of 2025, as two independent
summaries of 2026-01 say.  Not looked up: whether it recommends Ed25519 and Ed448 for certificates, so that the profile
leaves them out.
TLS versions and cipher suites are no matter of files: they belong to the server that listens after the installation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from vorflug.model.certificate_chain import is_root, order, strong
from vorflug.model.certificate_files import CertificateFileRequirement
from vorflug.model.certificates import Fault, HostName, linked
from vorflug.model.message import Message, msg, sentences
from vorflug.model.requirement import Verdict, met, unmet
from vorflug.ports.certificates import CertificateFile, FileCertificate

TITLE = msg("TLS certificate uses and norms")

_BROWSERS_LACK = "brainpool"
"""Chromium, Firefox and Safari have no certificates on these curves (RFC 8734 gave them numbers in TLS 1.3)."""


class CertificateUsesRequirement(CertificateFileRequirement):
    """Key usage, extended key usage and basic constraints fit a TLS server and its authorities."""

    kind = "tls_certificate_uses"

    def wanted(self) -> Message:
        return msg("key usage and constraints as clients want them for a TLS server")

    def judge_file(self, file: CertificateFile) -> Verdict:
        seen = msg("{subjects}", subjects=tuple(one.seen.subject for one in linked(file.chain)[:10]))
        faults = [*_server_faults(file.chain[0]), *_authority_faults(file)]
        if not faults:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("The certificates allow what they are used for, and none forbids another of the chain."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=sentences(f.says for f in faults),
            fix=sentences(f.fix for f in faults),
        )


def _server_faults(leaf: FileCertificate) -> Iterable[Fault]:
    usage = leaf.extensions.key_usage
    if usage is not None and "digitalSignature" not in usage:
        yield Fault(
            msg("The server's certificate has a key usage without digitalSignature, which TLS 1.3 wants."),
            msg("Ask the PKI team for a certificate with the key usage digitalSignature."),
        )
    if leaf.extensions.uses is None:
        yield Fault(
            msg("The server's certificate names no extended key usage; Apple's devices want serverAuth."),
            msg("Have the certificate issued for TLS servers (extended key usage serverAuth)."),
        )


def _authority_faults(file: CertificateFile) -> Iterable[Fault]:
    again = msg("Ask the PKI team for a certificate by an authority that may issue certificates for TLS servers.")
    for below, one in enumerate(linked(file.chain)[1:]):
        if is_root(one, file):
            continue  # clients take their own copy of it and do not look at what it says (RFC 5280, 6.1)
        subject, said = one.seen.subject, one.extensions
        if not one.is_ca:
            yield Fault(
                msg(
                    "{subject} signed another certificate of the chain, but is no authority (CA:TRUE).", subject=subject
                ),
                again,
            )
        if said.key_usage is not None and "keyCertSign" not in said.key_usage:
            yield Fault(msg("{subject} is an authority whose key usage lacks keyCertSign.", subject=subject), again)
        if not one.for_servers:
            yield Fault(
                msg(
                    "{subject} is an authority whose extended key usage lacks serverAuth: "
                    "it may not issue certificates for servers.",
                    subject=subject,
                ),
                again,
            )
        if said.path_length is not None and said.path_length < below:
            yield Fault(
                msg(
                    "{subject} allows {allowed} authorities between itself and a server; there are {count}.",
                    subject=subject,
                    allowed=said.path_length,
                    count=below,
                ),
                again,
            )


class CertificateNormRequirement(CertificateFileRequirement):
    """Keys and signatures of the chain follow a norm."""

    kind = "tls_certificate_norm"
    fqdn: HostName
    """The name under which users reach the product."""
    norm: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """The norm's name and version, as people cite it."""
    rsa_bits: Annotated[int, Field(ge=1024)]
    """The least length of an RSA key, in bits."""
    curves: Annotated[tuple[str, ...], Field(min_length=1)]
    """The curves of other keys: ``secp256r1``, ``brainpoolP256r1`` …"""
    hashes: Annotated[tuple[str, ...], Field(min_length=1)]
    """The hashes of signatures: ``sha256`` …"""
    paddings: Annotated[tuple[Literal["pss", "pkcs1v15"], ...], Field(min_length=1)]
    """How RSA signatures may be padded."""

    def wanted(self) -> Message:
        return msg("keys and signatures of the certificates by {norm}", norm=self.norm)

    def judge_file(self, file: CertificateFile) -> Verdict:
        chain = [one for one in linked(file.chain) if not is_root(one, file) or one is file.chain[0]]
        seen = msg("{keys:list}", keys=tuple(_shown(one) for one in chain[:10]))
        rest = msg(
            "Not judged here: TLS versions and cipher suites, which the product's server decides, and the root, which "
            "the clients hold."
        )
        faults = [fault for one in chain for fault in self._faults(one)]
        if faults:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=sentences((*faults, rest)),
                fix=order(self.fqdn, self.rsa_bits, self.curves, self.hashes),
            )
        says = [msg("Keys and signatures in the file are among those that {norm} recommends.", norm=self.norm)]
        if chain[0].curve.startswith(_BROWSERS_LACK):
            says.append(msg("But browsers do not know {curve} in certificates.", curve=chain[0].curve))
        return met(wanted=self.wanted(), seen=seen, because=sentences((*says, rest)))

    def _faults(self, one: FileCertificate) -> Iterable[Message]:
        subject = one.seen.subject
        if not strong(one, self.rsa_bits, self.curves):
            yield msg(
                "The key of {subject} is {key}; {norm} recommends RSA from {bits} bits or {curves:or}.",
                subject=subject,
                key=one.seen.key,
                norm=self.norm,
                bits=self.rsa_bits,
                curves=self.curves,
            )
        if one.seen.signature and one.seen.signature not in self.hashes:
            yield msg(
                "{subject} is signed over {hash}; {norm} recommends {hashes:or}.",
                subject=subject,
                hash=one.seen.signature,
                norm=self.norm,
                hashes=self.hashes,
            )
        if one.padding and one.padding not in self.paddings:
            yield msg(
                "The RSA signature of {subject} is padded as {padding}; {norm} recommends {paddings:or}. "
                "Public authorities mostly sign so: a chain of ECDSA certificates avoids it.",
                subject=subject,
                padding=one.padding,
                norm=self.norm,
                paddings=self.paddings,
            )


def _shown(one: FileCertificate) -> Message:
    return msg(
        "{subject}: {key}, {hash}",
        subject=one.seen.subject,
        key=one.seen.key,
        hash=" ".join(word for word in (one.seen.signature, one.padding) if word) or "-",
    )
