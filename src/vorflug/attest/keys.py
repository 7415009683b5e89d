"""Signing keys: ECDSA P-256 or Ed25519, as PEM (PKCS #8), named by their OpenSSH fingerprint.

The user's own report key is made on first use in ``$XDG_CONFIG_HOME/vorflug`` (XDG Base Directory Specification 0.8).
Whoever can read it can sign in its name, so a key that others can read, replace or own is refused, not repaired.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat

from vorflug.attest.files import FileRefused, create_once, read_once
from vorflug.model.message import Message, msg

PublicKey = EllipticCurvePublicKey | Ed25519PublicKey
PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey

PASSPHRASE = "VORFLUG_KEY_PASSPHRASE"  # noqa: S105 - the variable's name, not its value
"""The environment variable with the passphrase of an encrypted key."""

_LONGEST_PASSPHRASE = 1023
"""Bytes; more are not supported by OpenSSL through cryptography ("Passwords longer than 1023 bytes …")."""

REPORT_KEY = "report-key.pem"
MOST_BYTES = 64 << 10
"""A key file is some 300 bytes."""

_PLAIN = b"-----BEGIN PRIVATE KEY-----"
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"


class KeyType(StrEnum):
    """Which keys sign."""

    P256 = "p256"
    ED25519 = "ed25519"


class KeyRefused(ValueError):
    """A key that cannot be used.  *message* says why and what to do; it never holds anything of the key."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True)
class SigningKey:
    """A key that can sign, and what to tell about it."""

    private: PrivateKey = field(repr=False)
    path: Path | None
    """Where it lies; None for a key of this run only."""
    ephemeral_because: Message | None = None
    """Why it is a key of this run only; None where it is kept."""

    @property
    def ephemeral(self) -> bool:
        """Whether it is gone after this run."""
        return self.path is None

    @property
    def fingerprint(self) -> str:
        """As `fingerprint`."""
        return fingerprint(self.private.public_key())

    @property
    def public_pem(self) -> bytes:
        """As `public_pem`."""
        return public_pem(self.private.public_key())


def fingerprint(key: PublicKey) -> str:
    """``SHA256:`` and the unpadded base64 of the SHA-256 over the key in SSH wire form, as ``ssh-keygen -l`` prints it.

    Source: RFC 4253, 6.6 (wire form) and RFC 5656, 3.1 / RFC 8709, 4; OpenSSH ssh-keygen(1), option -E.
    """
    blob = base64.b64decode(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def public_pem(key: PublicKey) -> bytes:
    """The public key as PEM (SubjectPublicKeyInfo, RFC 7468, 13)."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def supported_public(key: object, name: str) -> PublicKey:
    """*key* where it is one that we verify with; *name* is for the refusal.  Raises KeyRefused."""
    if isinstance(key, Ed25519PublicKey) or (
        isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    ):
        return key
    raise KeyRefused(
        msg("{file}: wanted an ECDSA P-256 or Ed25519 key, saw {kind}.", file=name, kind=_kind_of(key)),
    )


def generate(type_: KeyType = KeyType.P256) -> PrivateKey:
    """A new key from the operating system's random source."""
    match type_:
        case KeyType.P256:
            return generate_private_key(SECP256R1())
        case KeyType.ED25519:
            return Ed25519PrivateKey.generate()
        case _:
            assert_never(type_)


def passphrase(environ: Mapping[str, str] = os.environ) -> str | None:
    """The passphrase that the environment gives, None where it gives none.  Raises KeyRefused, never quoting it."""
    given = environ.get(PASSPHRASE)
    if not given:
        return None
    try:
        length = len(given.encode())
    except UnicodeEncodeError:  # os.environ holds bytes that are no UTF-8 as surrogates
        raise KeyRefused(
            msg(
                "{variable}: wanted a passphrase in UTF-8, saw other bytes. Set it again, or encrypt the key anew.",
                variable=PASSPHRASE,
            )
        ) from None
    if length > _LONGEST_PASSPHRASE:
        raise KeyRefused(
            msg(
                "{variable}: wanted a passphrase of at most {most} bytes, saw {seen}. Encrypt the key with a shorter "
                "one.",
                variable=PASSPHRASE,
                most=_LONGEST_PASSPHRASE,
                seen=length,
            )
        )
    return given


def ephemeral(because: Message) -> SigningKey:
    """A key for this run only."""
    return SigningKey(generate(), None, because)


def private_pem(key: PrivateKey, secret: str | None = None) -> bytes:
    """The key as PEM PKCS #8, encrypted (PBES2) where a non-empty passphrase *secret* is given."""
    protection = serialization.BestAvailableEncryption(secret.encode()) if secret else serialization.NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


def parse_private(data: bytes, name: str, secret: str | None = None) -> PrivateKey:
    """Read a private key, opened with the passphrase *secret*.  *name* is for the refusal.  Raises KeyRefused."""
    start = data.lstrip()
    if not start.startswith((_PLAIN, _ENCRYPTED)) or data.count(b"-----BEGIN ") != 1:
        raise KeyRefused(
            msg(
                "{file}: wanted one private key as PEM that begins with BEGIN PRIVATE KEY (PKCS #8). "
                "Convert another one with: openssl pkcs8 -topk8 -nodes -in OLD -out NEW",
                file=name,
            )
        )
    encrypted = start.startswith(_ENCRYPTED)
    if encrypted and not secret:
        raise KeyRefused(
            msg(
                "{file}: the key is encrypted. Give its passphrase in the environment variable {variable}.",
                file=name,
                variable=PASSPHRASE,
            )
        )
    try:
        key = serialization.load_pem_private_key(start, secret.encode() if encrypted and secret else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # the library's own text is left out: it may quote what it saw
        raise KeyRefused(
            msg("{file}: the key does not open. Check the passphrase in {variable}.", file=name, variable=PASSPHRASE)
            if encrypted
            else msg(
                "{file}: the private key is damaged. Restore it, or make one: vorflug keys new --out FILE", file=name
            )
        ) from None
    supported_public(key.public_key(), name)
    if isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey):
        return key
    raise KeyRefused(msg("{file}: wanted an ECDSA P-256 or Ed25519 key, saw {kind}.", file=name, kind=_kind_of(key)))


def load(path: Path, environ: Mapping[str, str] = os.environ) -> SigningKey:
    """The key that a person named with ``--key``.  Raises KeyRefused.

    Links and modes are not judged here: secrets are mounted into containers as links, readable by a group.
    """
    try:
        data = read_once(path, most=MOST_BYTES, follow=True)
    except FileRefused as error:
        raise KeyRefused(error.message) from error
    return SigningKey(parse_private(data, str(path), passphrase(environ)), path)


def report_key_path(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the user's own report key lies; None where the environment names no folder for it."""
    config, home = environ.get("XDG_CONFIG_HOME", ""), environ.get("HOME", "")
    if Path(config).is_absolute():  # a relative one is to be ignored, says the specification
        return Path(config) / "vorflug" / REPORT_KEY
    if Path(home).is_absolute():
        return Path(home) / ".config" / "vorflug" / REPORT_KEY
    return None


def report_key(environ: Mapping[str, str] = os.environ) -> SigningKey:
    """The user's own report key, made now if there is none; a key for this run only where no folder can keep one.

    Raises KeyRefused where a key is there that is not safe to use or cannot be read: it is never replaced silently.
    """
    path = report_key_path(environ)
    if path is None:
        return ephemeral(msg("This key is for this run only: neither XDG_CONFIG_HOME nor HOME names a folder."))
    if (foreign := _foreign(path.parent.parent)) is not None:
        # root with somebody's HOME would shut them out of their own folder, and they could swap the key
        return ephemeral(msg("This key is for this run only: {folder} belongs to somebody else.", folder=str(foreign)))
    try:
        path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        return ephemeral(
            msg(
                "This key is for this run only: {folder} cannot be used ({error}).",
                folder=str(path.parent),
                error=error.strerror or "?",
            )
        )
    try:
        state = os.fstat(folder)
        if state.st_uid != os.geteuid() or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return ephemeral(
                msg(
                    "This key is for this run only: {folder} belongs to somebody else, or others can write to it.",
                    folder=str(path.parent),
                )
            )
        return _own_key(path, folder, passphrase(environ))
    finally:
        os.close(folder)


def _foreign(config: Path) -> Path | None:
    """*config* or the folder that holds it (else the nearest that exists), where another user owns it or its link."""
    owners = {0, os.geteuid()}
    there = [folder for folder in (config, *config.parents) if os.path.lexists(folder)]
    for folder in [one for one in there if one in (config, config.parent)] or there[:1]:
        try:
            if {folder.lstat().st_uid, folder.stat().st_uid} - owners:
                return folder
        except OSError:
            continue  # a link to nowhere: making the folder says what is wrong
    return None


def _own_key(path: Path, folder: int, secret: str | None) -> SigningKey:
    try:
        return _existing(path, folder, secret)
    except FileNotFoundError:
        pass
    try:
        create_once(path.name, private_pem(generate(), secret), dir_fd=folder)
    except FileExistsError:
        pass  # another run was first: both use its key
    except OSError as error:
        return ephemeral(
            msg(
                "This key is for this run only: {folder} cannot keep a key ({error}).",
                folder=str(path.parent),
                error=error.strerror or "?",
            )
        )
    try:
        return _existing(path, folder, secret)
    except FileNotFoundError as error:
        raise KeyRefused(msg("{file}: vanished while it was read. Start again.", file=str(path))) from error


def _existing(path: Path, folder: int, secret: str | None) -> SigningKey:
    state = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(state.st_mode):
        raise KeyRefused(
            msg("{file}: wanted a regular file, saw a link or something else. Remove it or use --key.", file=str(path))
        )
    if state.st_uid != os.geteuid():
        raise KeyRefused(msg("{file}: belongs to another user. Remove it or use --key.", file=str(path)))
    if state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyRefused(
            msg(
                "{file}: others can reach this key (mode {mode}, wanted 600). If nobody can have copied it: "
                "chmod 600; otherwise remove it, and a new one is made.",
                file=str(path),
                mode=f"{stat.S_IMODE(state.st_mode):o}",
            )
        )
    try:
        data = read_once(path.name, most=MOST_BYTES, dir_fd=folder)
    except FileRefused as error:
        if error.code == errno.ENOENT:
            raise FileNotFoundError from error
        raise KeyRefused(error.message) from error
    return SigningKey(parse_private(data, str(path), secret), path)


def _kind_of(key: object) -> str:
    if isinstance(key, EllipticCurvePublicKey | EllipticCurvePrivateKey):
        return f"ECDSA {key.curve.name}"
    return type(key).__name__.lstrip("_").removesuffix("PublicKey").removesuffix("PrivateKey")
