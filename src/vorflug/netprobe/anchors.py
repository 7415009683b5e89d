"""Whom this host trusts, and whom the public trusts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from vorflug.netprobe.bundle import Bundle, holds_certificates, read

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from OpenSSL.crypto import X509, X509Store

BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # RHEL and its kin
    "/etc/pki/tls/certs/ca-bundle.crt",  # older RHEL
    "/var/lib/ca-certificates/ca-bundle.pem",  # SLES
    "/etc/ssl/ca-bundle.pem",  # older SLES
    "/etc/ssl/cert.pem",  # Alpine without ca-certificates
)
"""Where distributions keep their bundle; the places that Go's crypto/x509 looks in (root_linux.go)."""
FOLDERS = ("/etc/ssl/certs", "/etc/pki/tls/certs")

_FILE, _FOLDER = "SSL_CERT_FILE", "SSL_CERT_DIR"
_HOST = "host"
_UNSPECIFIED = 1
"""X509_V_ERR_UNSPECIFIED (OpenSSL, x509_vfy.h)."""
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (OpenSSL, x509_vfy.h): dates are a fault of their own, not a lack of trust."""


@dataclass(frozen=True)
class Store:
    """The trust store of this host."""

    file: str | None
    folder: str | None
    useless: tuple[str, ...] = ()
    """Variables that are set and name nothing with certificates in it that can be read."""

    @property
    def label(self) -> str:
        """How reports name it; empty where there is none."""
        return self.file or self.folder or ""


def host_store(environ: Mapping[str, str]) -> Store:
    """SSL_CERT_FILE and SSL_CERT_DIR (openssl-env(7)) where they are set, else the distribution's place.

    A variable that names nothing readable is taken at its word: programs here would trust nobody either.  What it
    names is left out of the store, for OpenSSL would wait for a pipe.
    """
    file, folder = environ.get(_FILE) or None, environ.get(_FOLDER) or None
    if file or folder:
        no_file = file is not None and not holds_certificates(file)
        no_folder = folder is not None and not any(_holds_anything(one) for one in folder.split(":"))
        useless = (*((_FILE,) if no_file else ()), *((_FOLDER,) if no_folder else ()))
        return Store(None if no_file else file, None if no_folder else folder, useless)
    bundle = next((path for path in BUNDLES if Path(path).is_file()), None)
    if bundle is not None:
        return Store(bundle, None)
    return Store(None, next((path for path in FOLDERS if Path(path).is_dir() and any(Path(path).iterdir())), None))


def _holds_anything(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except (OSError, ValueError):  # ValueError: a zero byte in the name
        return False


class Anchors:
    """Trust of one host: its store and the public roots, each read once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = Lock()

    def trusts(self, chain: list[Any], ca_file: str | None = None, *, strict: bool = False) -> bool:
        """Whether the host's store (or *ca_file*) ends the chain of `cryptography` certificates, whatever the dates."""
        return self._ends("host", chain, strict=strict) or (
            ca_file is not None and self._ends(ca_file, chain, strict=strict)
        )

    def trusts_by(self, ca_file: str, chain: list[Any]) -> bool:
        """Whether *ca_file* alone ends the chain."""
        return self._ends(ca_file, chain, strict=False)

    def publicly(self, chain: list[Any]) -> bool:
        """Whether Mozilla's roots (certifi) end the chain."""
        return self._ends("public", chain, strict=False)

    def knows_organisation(self, organisation: str, ca_file: str | None) -> bool:
        """Whether a trusted root belongs to *organisation* (the O of its subject)."""
        known = _readable(self.store.file).organisations | _readable(ca_file).organisations
        return bool(organisation) and organisation in known

    def path(self, chain: list[Any], ca_file: str | None = None) -> list[Certificate]:
        """The way from the first certificate to the anchor that ends it by the host's store or *ca_file*; else empty.

        One by which all dates hold where there is such (two roots may share a key), else whichever.
        """
        for dated in (True, False):
            for which in ("host",) if ca_file is None else ("host", ca_file):
                verified = self._verified(which, chain, dated=dated)
                if verified:
                    return [one.to_cryptography() for one in verified]
        return []

    def refusals(
        self, chain: list[Any], ca_file: str | None = None, *, strict: bool = False
    ) -> list[tuple[int, int, str]]:
        """Why neither the host's store nor *ca_file* ends the chain, whatever the dates; empty where one of them does.

        For each that was asked: the place on the way up, the code (X509_V_ERR_*) and OpenSSL's words.
        """
        found: list[tuple[int, int, str]] = []
        for which in ("host",) if ca_file is None else ("host", ca_file):
            if self._verified(which, chain, strict=strict, refused=found):
                return []
        return found

    def _ends(self, which: str, chain: list[Any], *, strict: bool) -> bool:
        return bool(self._verified(which, chain, strict=strict))

    def _verified(
        self,
        which: str,
        chain: list[Any],
        *,
        strict: bool = False,
        dated: bool = False,
        refused: list[tuple[int, int, str]] | None = None,
    ) -> list[X509]:
        """The chain up to its anchor; empty where there is none, and then *refused* is told why."""
        from OpenSSL.crypto import X509, Error, X509StoreContext, X509StoreContextError

        if not chain:
            return []
        with self._lock:  # OpenSSL's stores load lazily from folders
            store = self._store(which, chain, strict=strict, dated=dated)
            if store is None:
                return []
            try:
                leaf, *others = (X509.from_cryptography(c) for c in chain)
            except Error:  # of a file: one library reads what the other does not
                if refused is not None:
                    refused.append((0, _UNSPECIFIED, "OpenSSL cannot read the certificate"))
                return []
            try:
                return X509StoreContext(store, leaf, others).get_verified_chain()
            except X509StoreContextError as error:
                if refused is not None:
                    code, place, says = error.errors[:3]
                    refused.append((place, code, says))
                return []

    def _store(self, which: str, chain: list[Any], *, strict: bool, dated: bool) -> X509Store | None:
        """Of the anchors *which* those that *chain* can lead to; None where there are none at all."""
        from OpenSSL.crypto import X509, X509Store, X509StoreFlags

        store = X509Store()
        store.set_flags((0 if dated else _NO_CHECK_TIME) | (X509StoreFlags.X509_STRICT if strict else 0))
        if which == _HOST and self.store.file is None:
            return store if self.store.folder is not None and _load_folder(store, self.store.folder) else None
        bundle = self._bundle(which)
        if not len(bundle):
            return None
        for anchor in bundle.leading_from(chain):
            store.add_cert(X509.from_cryptography(anchor))
        if which == _HOST and self.store.folder is not None:
            _load_folder(store, self.store.folder)
        return store

    def _bundle(self, which: str) -> Bundle:
        match which:
            case "host":
                return _readable(self.store.file)
            case "public":
                import certifi

                return read(certifi.where())
            case _:
                if not Path(which).is_file():
                    raise FileNotFoundError(f"wanted a file of CA certificates (PEM), there is none: {which}")
                bundle = read(which)
                if not len(bundle):
                    raise ValueError(f"wanted CA certificates (PEM), saw none: {which}")
                return bundle


def _load_folder(store: X509Store, folder: str) -> bool:
    from OpenSSL.crypto import Error

    try:
        store.load_locations(None, folder)
    except Error:  # not there: nothing is trusted by it
        return False
    return True


def _readable(file: str | None) -> Bundle:
    """The bundle; an empty one where there is no such file or it cannot be read: nothing is trusted by it."""
    try:
        return Bundle([]) if file is None else read(file)
    except OSError:
        return Bundle([])
