"""Words and rules about certificate files that several subjects share.

Sources: RFC 9525 (which names a certificate covers; it replaces RFC 6125), RFC 5280 (dates).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, assert_never

from pydantic import AfterValidator, Field

from vorflug.model.message import Message, msg
from vorflug.model.requirement import Verdict, unmet
from vorflug.ports.certificates import Content


def _ascii_name(name: str) -> str:
    """A host name as certificates carry it: lower case A-labels (RFC 5891), no final dot; an address as it is."""
    name = name.strip().rstrip(".").lower()
    if name.isascii():
        return name
    import idna

    return idna.encode(name, uts46=True).decode("ascii")  # IDNAError is a ValueError: refused while loading


HostName = Annotated[str, Field(min_length=1, max_length=253), AfterValidator(_ascii_name)]
"""A host name or address that a certificate must cover."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and what mends it."""

    says: Message
    fix: Message


def in_turn(sentences: Iterable[Message]) -> Message:
    """Whole sentences one after the other, each said once."""
    first, *others = dict.fromkeys(sentences)
    for other in others:
        first = msg("{first} {second}", first=first, second=other)
    return first


CONTENTS: dict[Content, Message] = {
    Content.CERTIFICATES: msg("certificates"),
    Content.DER: msg("a certificate in binary form (DER)"),
    Content.PKCS7: msg("a PKCS#7 bundle"),
    Content.PKCS12: msg("a PKCS#12 store"),
    Content.KEY: msg("a private key"),
    Content.REQUEST: msg("a signing request"),
    Content.PUBLIC_KEY: msg("a public key"),
    Content.EMPTY: msg("nothing"),
    Content.BROKEN: msg("a damaged PEM block"),
    Content.TOO_LARGE: msg("more than a certificate file can be"),
    Content.OTHER: msg("something else"),
}
"""What a file holds, in words."""


def not_usable(path: str, content: Content | None) -> Fault:
    """What is wrong with a file that should hold PEM certificates; *content* None: there is none."""
    if content is None:
        return Fault(
            msg("There is no file {path}.", path=path),
            msg("Put the certificate at {path}, as PEM, or correct the path in the site file.", path=path),
        )
    says = msg("{path} holds {content}, not certificates in PEM form.", path=path, content=CONTENTS[content])
    match content:
        case Content.DER:
            return Fault(says, msg("Convert it: openssl x509 -inform DER -in {path} -out NEW", path=path))
        case Content.PKCS12:
            return Fault(
                says,
                msg(
                    "Unpack it: openssl pkcs12 -in {path} -nokeys -out CERT"
                    " and openssl pkcs12 -in {path} -nocerts -nodes -out KEY",
                    path=path,
                ),
            )
        case Content.PKCS7:
            return Fault(
                says,
                msg(
                    "Unpack it: openssl pkcs7 -print_certs -in {path} -out NEW (with -inform DER if it is binary)",
                    path=path,
                ),
            )
        case Content.REQUEST:
            return Fault(
                says,
                msg(
                    "Have the signing request signed by the authority and put the certificate that it sends at {path}.",
                    path=path,
                ),
            )
        case (
            Content.KEY
            | Content.PUBLIC_KEY
            | Content.EMPTY
            | Content.BROKEN
            | Content.TOO_LARGE
            | Content.OTHER
            | Content.CERTIFICATES
        ):
            return Fault(
                says, msg("Put the certificate at {path}, as PEM, or correct the path in the site file.", path=path)
            )
        case _:
            assert_never(content)


def file_verdict(wanted: Message, path: str, content: Content | None) -> Verdict:
    """The verdict on a file that should hold PEM certificates and does not; *content* None: there is none."""
    fault = not_usable(path, content)
    return unmet(wanted=wanted, seen=fault.says, because=fault.says, fix=fault.fix)


def covers(names: Iterable[str], host: str) -> bool:
    """Whether one of a certificate's *names* is *host*, an A-label name or an address.

    A wildcard stands for exactly one whole left-most label (RFC 9525, 6.3), never for an address, and wants two labels
    behind it (as OpenSSL does).
    """
    try:
        wanted = ip_address(host)
    except ValueError:
        _, _, parent = host.lower().partition(".")
        accepted = {host.lower()} | ({f"*.{parent}"} if "." in parent else set())
        return any(name.rstrip(".").lower() in accepted for name in names)
    for name in names:
        try:
            if ip_address(name) == wanted:
                return True
        except ValueError:
            continue
    return False


def seconds_between(start: str, end: str) -> float:
    """Seconds from *start* to *end*, both RFC 3339."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
