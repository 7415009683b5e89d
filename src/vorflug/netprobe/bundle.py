"""The certificates of a bundle, of which only those are ever loaded that a chain can lead to.

A whole store costs five megabytes each time OpenSSL reads it, and a host has several: its own, the public roots, each
once more for strict readers.  A chain ends at one root.
"""

from __future__ import annotations

import errno
import os
import stat
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from vorflug.netprobe.certificates import hush, unreadable

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_BYTES = 8 << 20
"""Mozilla's roots take 300 kB as text."""
_OTHERS = (b"-----BEGIN TRUSTED CERTIFICATE-----", b"-----BEGIN X509 CERTIFICATE-----")
"""PEM_STRING_X509_TRUSTED and PEM_STRING_X509_OLD (OpenSSL, pem.h)."""
_READING = Lock()
_BEGIN, _END = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"


class Bundle:
    """Certificates by their subject.  What cannot be parsed is no anchor, for any program."""

    def __init__(self, certificates: Sequence[Certificate], *, others: bool = False) -> None:
        self.others = others
        """Whether there are certificates in a form besides, which OpenSSL reads and this class does not."""
        self._by_subject: dict[bytes, list[bytes]] = defaultdict(list)
        organisations: set[str] = set()
        for one in certificates:
            self._by_subject[one.subject.public_bytes()].append(_der(one))
            organisations |= set(_organisations(one))
        self.organisations = frozenset(organisations)
        """The O of every subject."""

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._by_subject.values())

    def leading_from(self, chain: Sequence[Certificate]) -> list[Certificate]:
        """Those that *chain* can lead to: the issuers of its certificates, theirs in turn, and itself."""
        from cryptography import x509

        wanted = {name for one in chain for name in (one.issuer.public_bytes(), one.subject.public_bytes())}
        found: list[Certificate] = []
        todo, seen = sorted(wanted), set(wanted)
        while todo:
            for der in self._by_subject.get(todo.pop(), ()):
                one = x509.load_der_x509_certificate(der)
                found.append(one)
                if (issuer := one.issuer.public_bytes()) not in seen:
                    seen.add(issuer)
                    todo.append(issuer)
        return found


def read(file: str) -> Bundle:
    """The bundle in *file* (PEM), read once.  Raises OSError, also where it is no regular file: a pipe never ends."""
    with _READING:  # many probes begin at once, and each would read it for itself
        return _read(file)


@cache
def _read(file: str) -> Bundle:
    hush()
    # O_NONBLOCK: to open a pipe that nobody writes to would hang (fifo(7))
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK), "rb") as bundle:
        if not stat.S_ISREG(os.fstat(bundle.fileno()).st_mode):
            raise OSError(errno.EINVAL, "wanted a regular file", file)
        data = bundle.read(_BYTES)
    return Bundle(list(_parsed(data)), others=any(begin in data for begin in _OTHERS))


def holds_certificates(file: str) -> bool:
    """Whether OpenSSL can find a certificate in *file*; False where it cannot be read."""
    try:
        found = read(file)
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        return False
    return len(found) > 0 or found.others


def _parsed(data: bytes) -> Iterator[Certificate]:
    from cryptography import x509

    for block in data.split(_END)[:-1]:
        begins = block.rfind(_BEGIN)
        if begins < 0:
            continue
        try:
            with warnings.catch_warnings():
                # public bundles hold old roots with serial number 0, of which the library warns
                warnings.simplefilter("ignore")
                one = x509.load_pem_x509_certificate(block[begins:] + _END + b"\n")
                one.subject, one.issuer  # noqa: B018 - parsed only when asked for
        except unreadable():
            continue
        yield one


def _der(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.DER)


def _organisations(certificate: Certificate) -> Iterator[str]:
    from cryptography.x509.oid import NameOID

    for attribute in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME):
        yield str(attribute.value)
