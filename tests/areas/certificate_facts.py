"""Certificate files as the port describes them, for the tests of the areas that judge them."""

from __future__ import annotations

from dataclasses import replace

from vorflug.model.certificate_files import CertificateFact, CertificateQuery, KeyFact, KeyQuery
from vorflug.model.evidence import Evidence
from vorflug.model.query import Observation, Seen, Unseen
from vorflug.ports.certificates import CertificateFile, Content, Extensions, FileCertificate, KeyFile, KeyFit, KeyKind
from vorflug.ports.net import CertificateSeen

NOW = "2026-06-01T12:00:00Z"
CERT, KEY = "/etc/app/tls.crt", "/etc/app/tls.key"
SAID = Extensions(
    key_usage=("digitalSignature",),
    uses=("serverAuth",),
    basic_constraints=True,
    path_length=None,
    issuer_urls=(),
    revocation_urls=(),
)
ROOT = CertificateSeen(
    "CN=Corp Root", "CN=Corp Root", (), "2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z", "RSA 4096", "sha256", "01", ()
)


def certificate(**changes):
    seen = CertificateSeen(
        subject="CN=app", issuer="CN=Corp CA", names=("app.corp.example",), not_before="2026-01-01T00:00:00Z",
        not_after="2027-01-01T00:00:00Z", key="RSA 2048", signature="sha256", sha256="00", addresses=(),
    )  # fmt: skip
    told = {k: v for k, v in changes.items() if k in CertificateSeen.__dataclass_fields__}
    said = {k: v for k, v in changes.items() if k in Extensions.__dataclass_fields__}
    rest = {k: v for k, v in changes.items() if k not in told and k not in said}
    leaf = FileCertificate(
        replace(seen, **told), KeyKind.RSA, 2048, "", False, None, True, "pss", replace(SAID, **said)
    )
    return replace(leaf, **rest)


def file(*certificates, **changes):
    """As the live port gives it; of several certificates none is the same, unless a test says so."""
    if "same" not in changes:
        certificates = [replace(c, seen=replace(c.seen, sha256=f"{n:02}")) for n, c in enumerate(certificates)]
    changes.pop("same", None)
    whole = CertificateFile(
        content=Content.CERTIFICATES, size_bytes=100, chain=tuple(certificates), holds_key=False, root=ROOT,
        public=False, filled=(), refusal=None, strict=None, writing=(), store="/store", now=NOW,
    )  # fmt: skip
    return replace(whole, **changes)


def evidence(certificates, key=KeyFit.FITS, ca_file=None):
    """The answers about the certificate file and its key."""
    answer = key if isinstance(key, Unseen) else Seen(KeyFact(file=KeyFile(key, Content.KEY) if key else None))
    return Evidence(
        [
            Observation(CertificateQuery(path=CERT, ca_file=ca_file), Seen(CertificateFact(file=certificates))),
            Observation(KeyQuery(path=KEY, certificate=CERT), answer),
        ]
    )


EC = {"key_kind": KeyKind.EC, "key_bits": 256, "curve": "secp256r1", "key": "EC secp256r1", "padding": ""}
