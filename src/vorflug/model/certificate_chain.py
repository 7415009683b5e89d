"""What several areas say about a server's chain: its strength, where it ends, who completes it, what to order.

Sources: RFC 8446, 4.4.2 (leaf first, each signed by the next, the root may be left out); RFC 5280, 4.2.2.1 (caIssuers).
Who fetches a missing intermediate: Windows (CertGetCertificateChain), Chromium (``net/cert``, AiaCertIssuerSource) and
Apple's SecTrust do; the JDK only with ``com.sun.security.enableAIAcaIssuers``, which is off by default; OpenSSL (and so
curl and Python) and Go's crypto/x509 do not; Firefox loads the intermediates of public authorities in advance.
"""

from __future__ import annotations

from typing import assert_never

from vorflug.model.cause import Cause, Team
from vorflug.model.certificates import Fault, linked
from vorflug.model.message import Message, msg, sentences
from vorflug.ports.certificates import CertificateFile, FileCertificate, KeyKind

BY_AN_AUTHORITY = msg("Have the certificate issued by an authority that the users' machines trust.")
AUTHORITY_FIRST = Fault(
    msg("The first certificate of the file is that of an authority, not of a server."),
    msg("Put the server's certificate first in the file, then the intermediates."),
)


def self_signed(file: CertificateFile, path: str) -> Cause | None:
    """The certificate proves itself alone, as ``openssl req -x509`` makes it (CA:TRUE); no root before others."""
    if not file.chain or file.chain[0].issuer_at != 0 or (file.chain[0].is_ca and len(file.chain) > 1):
        return None
    says = msg("The server's certificate is signed by itself, by no authority.")
    return Cause("tls.self_signed", path, says, BY_AN_AUTHORITY, Team.PKI)


def refused(file: CertificateFile, path: str) -> Cause | None:
    """A way to a root is there, but OpenSSL does not accept it: an authority that is none, a limit of its names …"""
    if file.public or file.refusal is None or file.refusal.lacks_anchor:
        return None
    says = msg(
        "OpenSSL refuses certificate {place} on the way from the server's to the root: {words}.",
        place=file.refusal.place + 1,
        words=file.refusal.says,
    )
    fix = msg("Ask the PKI team to issue the certificates of {path} again without this fault.", path=path)
    return Cause("tls.chain_refused", path, says, fix, Team.PKI)


def incomplete(file: CertificateFile, path: str) -> Cause | None:
    """The file does not lead to a root that is known here or to everybody."""
    if not file.chain or file.public or (file.root is not None and not file.filled):
        return None
    last = linked(file.chain)[-1]
    if file.filled:
        says = msg(
            "The file lacks {missing:list}: only a store of this machine (or the file of the corporate root) had it.",
            missing=tuple(one.subject for one in file.filled),
        )
        fix = msg(
            "Append {missing:list} to {path}: ask the PKI team for the intermediates as PEM.",
            missing=tuple(one.subject for one in file.filled),
            path=path,
        )
    elif is_root(last, file):
        says = msg(
            "The chain ends at the root {root} in the file, which no store that was looked at holds.",
            root=last.seen.subject,
        )
        fix = msg("If {root} is the corporate root, name its file in the site file.", root=last.seen.subject)
    else:
        wish = msg(
            "Ask the PKI team for: all intermediates above {subject} as PEM, in order, without the root; the root in a "
            "file of its own.",
            subject=last.seen.subject,
        )
        says = msg(
            "The chain ends at {subject}; its issuer, {issuer}, is neither in the file nor a root that is known here.",
            subject=last.seen.subject,
            issuer=last.seen.issuer,
        )
        what = msg(
            "If {issuer} is an intermediate, append it to {path}; "
            "if it is the corporate root, name its file in the site file.",
            issuer=last.seen.issuer,
            path=path,
        )
        fix = sentences((wish, what))
    return Cause("tls.missing_intermediate", path, says, fix, Team.PKI)


def broken(file: CertificateFile, path: str) -> Cause | None:
    """Why nothing can be said about the root of the chain; None where it leads to one."""
    return self_signed(file, path) or refused(file, path) or incomplete(file, path)


def as_fault(cause: Cause, *more: Message) -> Fault:
    """One of these causes as a fault, with *more* to say about it."""
    return Fault(sentences((cause.says, *more)), cause.fix or BY_AN_AUTHORITY)


def who_completes(file: CertificateFile) -> Message:
    """Which clients find an issuer that the file lacks."""
    last = linked(file.chain)[-1]
    if last.extensions.issuer_urls:
        return msg(
            "A missing issuer of {subject} could be fetched from {urls:list}: Windows (Edge, Chrome, .NET) and Safari "
            "do so where they can reach that address; Java, Python, curl and Go do not, and Firefox only knows the "
            "intermediates of public authorities.",
            subject=last.seen.subject,
            urls=last.extensions.issuer_urls,
        )
    return msg(
        "{subject} names no address from which its issuer could be fetched, so no client completes the chain unless "
        "it holds that certificate already.",
        subject=last.seen.subject,
    )


def is_root(one: FileCertificate, file: CertificateFile) -> bool:
    """Whether *one* of the file signed itself: its signature proves nothing (RFC 5280, 6.1)."""
    return one.issuer_at is not None and file.chain[one.issuer_at] is one


def strong(one: FileCertificate, rsa_bits: int, curves: tuple[str, ...]) -> bool:
    """Whether the key is RSA of at least *rsa_bits*, or on one of *curves* (or ``Ed25519``, ``Ed448`` among them)."""
    match one.key_kind:
        case KeyKind.RSA:
            return one.key_bits >= rsa_bits
        case KeyKind.EC:
            return one.curve in curves
        case KeyKind.ED25519 | KeyKind.ED448:
            return one.key_kind.value in curves
        case KeyKind.DSA | KeyKind.OTHER:
            return False
        case _:
            assert_never(one.key_kind)


def order(fqdn: str, rsa_bits: int, curves: tuple[str, ...], hashes: tuple[str, ...]) -> Message:
    """What to ask the PKI team for, ready to be forwarded."""
    return msg(
        "Ask the PKI team for: a TLS server certificate for {fqdn} (as subject alternative name); key RSA from {bits} "
        "bits or {curves:or}, which stays on this machine (send a signing request); signed over {hashes:or}; extended "
        "key usage serverAuth, key usage digitalSignature; delivered as PEM: first the server's certificate, then all "
        "intermediates in order, without the root; the root in a file of its own.",
        fqdn=fqdn,
        bits=rsa_bits,
        curves=curves,
        hashes=hashes,
    )
