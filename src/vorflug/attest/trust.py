"""Which keys are trusted for what: only those in the file that the caller names.

Nothing is trusted because of where it lies: no key in the envelope, in the report's folder, in the working folder or in
the user's configuration is ever looked at.  A key that lies in the very folder to be verified came with it, so trusting
it would prove nothing; it is refused even when it is named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key, load_ssh_public_key

from vorflug.attest.files import FileRefused, read_once
from vorflug.attest.keys import KeyRefused, PublicKey, fingerprint, parse_private, passphrase, supported_public
from vorflug.model.message import Message, msg

MOST_BYTES = 256 << 10
"""A trust file of a thousand keys stays below this."""

_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----\r?\n[A-Za-z0-9+/=\r\n]+-----END PUBLIC KEY-----")
_PRIVATE = b"PRIVATE KEY-----"
_SSH = re.compile(rb"(ssh|ecdsa|sk)-[a-z0-9@.-]+ ")


class Role(StrEnum):
    """What a key may sign; a key trusted for one thing is trusted for nothing else."""

    REPORT = "report"


@dataclass(frozen=True)
class TrustedKey:
    """A public key, bound to a role."""

    key: PublicKey
    fingerprint: str
    role: Role


class TrustUnreadable(ValueError):
    """The file of trusted keys cannot be used: wrong usage.  *message* says what was wanted and seen."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


def load(path: Path, role: Role) -> tuple[TrustedKey, ...]:
    """Every key in the file at *path*, bound to *role*.  Raises TrustUnreadable."""
    try:
        data = read_once(path, most=MOST_BYTES, follow=True)
    except FileRefused as error:
        raise TrustUnreadable(error.message) from error
    return parse(data, str(path), role)


def parse(data: bytes, name: str, role: Role) -> tuple[TrustedKey, ...]:
    """Read PEM public keys or OpenSSH public key lines; blank lines and ``#`` comments may stand between them.

    One key that cannot be read refuses the whole file.  Raises TrustUnreadable.
    """
    if _PRIVATE in data:
        raise TrustUnreadable(
            msg(
                "{file}: this is a private key. Trust its public half: vorflug keys show {file}",
                file=name,
            )
        )
    found = [_key(block, name) for block in _PEM.findall(data)]
    for number, line in enumerate(_PEM.sub(_blank_lines, data).splitlines(), 1):
        line = line.strip()
        if not line or line.startswith(b"#"):
            continue
        if not _SSH.match(line):
            raise TrustUnreadable(
                msg(
                    "{file}:{line}: wanted public keys as PEM (BEGIN PUBLIC KEY) or as OpenSSH lines, saw other text.",
                    file=name,
                    line=number,
                )
            )
        found.append(_key(line, name))
    if not found:
        raise TrustUnreadable(
            msg(
                "{file}: wanted at least one public key as PEM (BEGIN PUBLIC KEY) or OpenSSH line, saw none.", file=name
            )
        )
    return tuple(TrustedKey(key, fingerprint(key), role) for key in found)


def public_keys(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[PublicKey, ...]:
    """The public keys in a file, or the public half of the one private key in it; for showing, not for trust.

    Raises TrustUnreadable or KeyRefused.
    """
    try:
        data = read_once(path, most=MOST_BYTES, follow=True)
    except FileRefused as error:
        raise TrustUnreadable(error.message) from error
    if _PRIVATE in data:
        return (parse_private(data, str(path), passphrase(environ)).public_key(),)
    return tuple(key.key for key in parse(data, str(path), Role.REPORT))


def lies_within(path: Path, folder: Path) -> bool:
    """Whether *path*, all links followed, lies in *folder* or below it, or is a hard link to a file in *folder*.

    Raises OSError where either is not there.
    """
    wanted, own = folder.stat(), path.stat()
    if any(os.path.samestat(parent.stat(), wanted) for parent in path.resolve(strict=True).parents):
        return True
    with os.scandir(folder) as entries:
        return any(os.path.samestat(entry.stat(follow_symlinks=False), own) for entry in entries)


def _blank_lines(block: re.Match[bytes]) -> bytes:
    return b"\n" * block.group().count(b"\n")  # keeps the line numbers of what follows


def _key(encoded: bytes, name: str) -> PublicKey:
    try:
        key = load_pem_public_key(encoded) if encoded.startswith(b"-") else load_ssh_public_key(encoded)
    except (ValueError, UnsupportedAlgorithm):
        raise TrustUnreadable(msg("{file}: a public key in it is damaged or of an unknown type.", file=name)) from None
    try:
        return supported_public(key, name)
    except KeyRefused as error:
        raise TrustUnreadable(error.message) from error
