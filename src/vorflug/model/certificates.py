"""Words and rules about certificate files that several subjects share.

Sources: RFC 9525 (which names a certificate covers; it replaces RFC 6125), RFC 5280 (dates).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, assert_never

from pydantic import AfterValidator, Field

from vorflug.model.hosts import address
from vorflug.model.message import Message, msg
from vorflug.model.requirement import Verdict, unmet
from vorflug.ports.certificates import Content, FileCertificate, KeyFile, KeyFit
from vorflug.ports.net import CertificateSeen

_NAMES_SHOWN = 10


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


CONTENTS: dict[Content, Message] = {
    Content.CERTIFICATES: msg("certificates"),
    Content.DER: msg("a certificate in binary form (DER)"),
    Content.PKCS7: msg("a PKCS#7 bundle"),
    Content.PKCS12: msg("a PKCS#12 store"),
    Content.PKCS12_LOCKED: msg("a PKCS#12 store behind a passphrase"),
    Content.UTF16: msg("text in UTF-16, as the redirection of Windows PowerShell writes it"),
    Content.UNREADABLE: msg("a certificate of which a part (dates, extensions, key) cannot be read"),
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
        case Content.PKCS12 | Content.PKCS12_LOCKED:
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
        case Content.UTF16:
            return Fault(says, msg("Convert it: iconv -f UTF-16 -t ASCII {path} > NEW", path=path))
        case Content.UNREADABLE:
            return Fault(
                says,
                msg(
                    "Ask the PKI team to issue it again and to check it: openssl x509 -noout -text -in {path}",
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


def key_fault(key: KeyFile | None, path: str) -> Fault | None:
    """What is wrong with the private key at *path*, which should fit a certificate; *key* None: there is none."""
    if key is None:
        return no_key(path)
    place = _place_for_key(path)
    match key.fit:
        case KeyFit.FITS:
            return None
        case KeyFit.DIFFERS:
            return Fault(
                msg("The private key in {key} belongs to another certificate.", key=path),
                msg(
                    "Put the key that the signing request was made with at {key}, "
                    "or have a certificate issued for this key.",
                    key=path,
                ),
            )
        case KeyFit.ENCRYPTED:
            return Fault(
                msg("The private key in {key} is behind a passphrase, so whether it fits was not seen.", key=path),
                msg("Store the key without a passphrase and with mode 0600: openssl pkey -in {key} -out NEW", key=path),
            )
        case KeyFit.NOT_A_KEY:
            return Fault(
                msg("{key} holds no private key but {content}.", key=path, content=CONTENTS[key.content]), place
            )
        case KeyFit.BROKEN:
            return Fault(
                msg("The private key in {key} cannot be read: it is damaged or of an unknown kind.", key=path), place
            )
        case _:
            assert_never(key.fit)


def no_key(path: str) -> Fault:
    """There is no private key at *path*."""
    return Fault(msg("There is no private key at {key}.", key=path), _place_for_key(path))


def _place_for_key(path: str) -> Message:
    return msg("Put the private key of the certificate at {key}, as PEM.", key=path)


def covers(seen: CertificateSeen, host: str) -> bool:
    """Whether a certificate is for *host*, an A-label name or an address.

    A name wants a dNSName, without a final dot (RFC 5280, 4.2.1.6), an address an iPAddress: neither stands for the
    other (RFC 9525, 6.2 and 6.4).  A wildcard stands for exactly one whole left-most label (RFC 9525, 6.3) and wants
    two labels behind it (as OpenSSL does).
    """
    wanted = address(host)
    if wanted is None:
        _, _, parent = host.lower().partition(".")
        accepted = {host.lower()} | ({f"*.{parent}"} if "." in parent else set())
        return any(name.lower() in accepted for name in seen.names)
    return any(address(a) == wanted for a in seen.addresses)


def name_fault(seen: CertificateSeen, host: str) -> Fault | None:
    """What is wrong with a certificate's names, of which one should be *host*."""
    if covers(seen, host):
        return None
    fix = msg("Have the certificate issued with {fqdn} as a subject alternative name (SAN).", fqdn=host)
    if f"cn={host.lower()}" in seen.subject.lower().split(","):
        return Fault(
            msg(
                "The certificate names {fqdn} only as its common name (CN), which clients do not read (RFC 9525).",
                fqdn=host,
            ),
            fix,
        )
    wildcard = next((n for n in seen.names if n.startswith("*.") and host.lower().endswith(n[1:].lower())), None)
    if wildcard is not None and host.count(".") > wildcard.count("."):
        return Fault(
            msg(
                "The certificate covers {name}, but not {fqdn}: “*” stands for exactly one label.",
                name=wildcard,
                fqdn=host,
            ),
            fix,
        )
    if not shown_names(seen):
        return Fault(msg("The certificate has no subject alternative name at all, so it covers no name."), fix)
    alike = next((n for n in seen.names if n.rstrip(".").lower() == host.lower()), None)
    if alike is None:
        return Fault(
            msg("The certificate does not cover {fqdn}, but {names:list}.", fqdn=host, names=shown_names(seen)), fix
        )
    if address(host) is None:
        return Fault(
            msg(
                "The certificate names {fqdn} as “{name}”, with a final dot, which clients refuse.",
                fqdn=host,
                name=alike,
            ),
            fix,
        )
    return Fault(
        msg("The certificate names {fqdn} as a DNS name, not as an IP address, so clients refuse it.", fqdn=host),
        msg("Have the certificate issued with {fqdn} as an IP address among its alternative names (SAN).", fqdn=host),
    )


def shown_names(seen: CertificateSeen) -> tuple[str | Message, ...]:
    """What a certificate is for: the first of its names and addresses, and how many more there are."""
    names = (*seen.names, *seen.addresses)
    more = len(names) - _NAMES_SHOWN
    return (*names[:_NAMES_SHOWN], msg("{n} more", n=more)) if more > 0 else names


def linked(chain: Sequence[FileCertificate]) -> tuple[FileCertificate, ...]:
    """The first certificate and those that it leads to by signatures, in that order; empty for an empty file."""
    found: list[FileCertificate] = []
    place: int | None = 0 if chain else None
    while place is not None and chain[place] not in found:
        found.append(chain[place])
        place = chain[place].issuer_at
    return tuple(found)


def out_of_date(authority: CertificateSeen, now: str, path: str, valid_for: float = 0.0) -> Fault | None:
    """What the dates of an authority's certificate say against it.

    *path* is the file that holds it, *valid_for* how many seconds it must still be valid.
    """
    left = seconds_between(now, authority.not_after)
    renew = msg("Put the current certificate of {subject} into {path}.", subject=authority.subject, path=path)
    if left < 0:
        return Fault(
            msg(
                "The authority's certificate {subject} expired on {until:date}.",
                subject=authority.subject,
                until=authority.not_after,
            ),
            renew,
        )
    if seconds_between(now, authority.not_before) > 0:
        return Fault(
            msg(
                "The authority's certificate {subject} is valid only from {since:date} on; "
                "this machine's clock says {now:date}.",
                subject=authority.subject,
                since=authority.not_before,
                now=now,
            ),
            msg("Check this machine's clock, or wait until the certificate is valid."),
        )
    if left < valid_for:
        return Fault(
            msg(
                "The authority's certificate {subject} is valid for only {left:duration} more (until {until:date}).",
                subject=authority.subject,
                left=left,
                until=authority.not_after,
            ),
            renew,
        )
    return None


def seconds_between(start: str, end: str) -> float:
    """Seconds from *start* to *end*, both RFC 3339."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
