"""Whom this host trusts, and whom the public trusts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from vorflug.netprobe.certificates import hush

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

_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME (OpenSSL, x509_vfy.h): dates are a fault of their own, not a lack of trust."""


@dataclass(frozen=True)
class Store:
    """The trust store of this host."""

    file: str | None
    folder: str | None

    @property
    def label(self) -> str:
        """How reports name it; empty where there is none."""
        return self.file or self.folder or ""


def host_store(environ: Mapping[str, str]) -> Store:
    """SSL_CERT_FILE and SSL_CERT_DIR (openssl-env(7)) where they are set, else the distribution's place.

    A variable that names nothing readable is taken at its word: programs here would trust nobody either.
    """
    file, folder = environ.get("SSL_CERT_FILE") or None, environ.get("SSL_CERT_DIR") or None
    if file or folder:
        return Store(file, folder)
    bundle = next((path for path in BUNDLES if Path(path).is_file()), None)
    if bundle is not None:
        return Store(bundle, None)
    return Store(None, next((path for path in FOLDERS if Path(path).is_dir() and any(Path(path).iterdir())), None))


class Anchors:
    """Trust of one host: its store and the public roots, each read once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock = Lock()
        self._stores: dict[tuple[str, bool, bool], X509Store] = {}

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
        return bool(organisation) and organisation in _organisations(self.store.file, ca_file)

    def root(self, chain: list[Any], ca_file: str | None = None) -> Certificate | None:
        """The anchor that ends the chain by the host's store or *ca_file*; None where there is none.

        One by which all dates hold where there is such (two roots may share a key), else whichever.
        """
        for dated in (True, False):
            for which in ("host",) if ca_file is None else ("host", ca_file):
                verified = self._verified(which, chain, dated=dated)
                if verified:
                    return verified[-1].to_cryptography()
        return None

    def _ends(self, which: str, chain: list[Any], *, strict: bool) -> bool:
        return bool(self._verified(which, chain, strict=strict))

    def _verified(self, which: str, chain: list[Any], *, strict: bool = False, dated: bool = False) -> list[X509]:
        """The chain up to its anchor; empty where there is none."""
        from OpenSSL.crypto import X509, X509StoreContext, X509StoreContextError

        if not chain:
            return []
        with self._lock:  # OpenSSL's stores load lazily from folders
            store = self._load(which, strict=strict, dated=dated)
            if store is None:
                return []
            leaf, *others = (X509.from_cryptography(c) for c in chain)
            try:
                return X509StoreContext(store, leaf, others).get_verified_chain()
            except X509StoreContextError:
                return []

    def _load(self, which: str, *, strict: bool, dated: bool) -> X509Store | None:
        from OpenSSL.crypto import X509Store, X509StoreFlags

        if (which, strict, dated) in self._stores:
            return self._stores[which, strict, dated]
        store = X509Store()
        store.set_flags((0 if dated else _NO_CHECK_TIME) | (X509StoreFlags.X509_STRICT if strict else 0))
        match which:
            case "host":
                if not self.store.label:
                    return None
                if not _load_locations(store, self.store):
                    return None
            case "public":
                import certifi

                store.load_locations(certifi.where())
            case _:
                if not Path(which).is_file():
                    raise FileNotFoundError(f"wanted a file of CA certificates (PEM), there is none: {which}")
                if not _load_locations(store, Store(which, None)):
                    raise ValueError(f"wanted CA certificates (PEM), saw none: {which}")
        self._stores[which, strict, dated] = store
        return store


def _load_locations(store: X509Store, place: Store) -> bool:
    from OpenSSL.crypto import Error

    try:
        store.load_locations(place.file, place.folder)
    except Error:  # not there or not PEM: nothing is trusted by it
        return False
    return True


@cache
def _organisations(*files: str | None) -> frozenset[str]:
    """The organisations of the roots in *files*; roots that cannot be parsed add none."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    hush()
    found: set[str] = set()
    for file in files:
        if file is None or not Path(file).is_file():
            continue
        with Path(file).open("rb") as bundle:
            data = bundle.read(4 << 20)
        for block in data.split(b"-----END CERTIFICATE-----")[:-1]:
            try:
                with warnings.catch_warnings():
                    # public bundles hold old roots with serial number 0, of which the library warns
                    warnings.simplefilter("ignore")
                    root = x509.load_pem_x509_certificate(
                        block[block.index(b"-----BEGIN CERTIFICATE-----") :] + b"-----END CERTIFICATE-----\n"
                    )
                found |= {str(a.value) for a in root.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)}
            except ValueError:
                continue
    return frozenset(found)
