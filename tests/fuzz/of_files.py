"""Targets: certificates from a server, certificate and key files, and what a registry says."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding

from fuzz.draw import Draw, shown
from lab import authority
from vorflug.host.live import registry_login, registry_token, registry_wire
from vorflug.host.live.certificates import LiveCertificates
from vorflug.model import registry_manifest
from vorflug.model.challenge import challenges
from vorflug.netprobe import certificates, chain
from vorflug.netprobe.anchors import Anchors, Store
from vorflug.netprobe.chain import Noted


@cache
def _folder():
    folder = Path(tempfile.mkdtemp(prefix="vorflug-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "root.pem").write_bytes(authority.root().pem())
    return folder


@cache
def _anchors():
    return Anchors(Store(str(_folder() / "root.pem"), None))


def _der(data):
    """The certificates in *data*, each by the length that its first bytes say."""
    while len(data) > 4 and data[:2] == b"\x30\x82":
        size = 4 + int.from_bytes(data[2:4], "big")
        with suppress(*certificates.unreadable()):
            one = x509.load_der_x509_certificate(data[:size])
            one.subject, one.issuer  # noqa: B018 - as for a handshake: without these it is no chain
            yield one
        data = data[size:]


def presented(data):
    """A chain as a server presents it: described and judged, whatever it is."""
    draw = Draw(data)
    numbers = draw.pick((), (20, 21), (18,), (19,), (10, 9), (2,), (7,), (66, 68))
    public, ca = draw.flag(), draw.flag()
    certificates.hush()
    found = list(_der(draw.rest()))[:20]
    for one in found:
        shown(certificates.describe(one))
        with suppress(*certificates.unreadable()):
            shown(certificates.extensions_of(one))
    shown(certificates.last_issuer(found) if found else "")
    noted = [Noted(number, 0) for number in numbers]
    for host in (authority.HOST, "127.0.0.1"):
        file = str(_folder() / "root.pem") if ca else None
        shown(chain.judge(found, noted, host, _anchors(), ca_file=file, public_ca=public).detail)


def files(data):
    """A certificate file and a key file."""
    folder = _folder()
    draw = Draw(data)
    (folder / "c.pem").write_bytes(draw.block())
    (folder / "k.pem").write_bytes(draw.rest())
    live = LiveCertificates(Store(str(folder / "root.pem"), None))
    for name in ("c.pem", "k.pem"):
        with suppress(ValueError):
            shown(live.read(str(folder / name)))
        with suppress(ValueError):
            shown(live.anchors(str(folder / name)))
    with suppress(ValueError):
        live.key(str(folder / "k.pem"), str(folder / "c.pem"))


def manifest(data):
    """An image manifest or index."""
    with suppress(ValueError):
        found = registry_manifest.read(data)
        if isinstance(found, registry_manifest.Index):
            shown(found.offered())
            found.choose(registry_manifest.Platform.of_machine("x86_64"))
        else:
            assert all(registry_manifest.is_digest(b.digest) for b in found.blobs) and found.blobs
            shown(found)
    draw = Draw(data)
    with suppress(ValueError):
        platform = registry_manifest.Platform.read(registry_manifest.read_object(draw.block()))
        shown(str(platform or ""))


def token(data):
    """A token service's answer, and the limits that a registry names."""
    draw = Draw(data)
    with suppress(registry_wire.Ended):
        found = registry_token._token(draw.block(), "registry.test")
        assert found.isascii() and not any(c <= " " for c in found)
    names = ("ratelimit-limit", "ratelimit-remaining", "retry-after")
    shown(registry_wire.rate({name: draw.field() for name in names}))
    for one in challenges([draw.field()]):
        registry_token._usable(one)
        scope = registry_token._scope(one, "library/x")
        assert scope.endswith(":pull") and scope.startswith("repository:")


class _NoHelper:
    def feed(self, command, reads, keep=()):
        raise FileNotFoundError(command[0])


def login(data):
    """docker's config.json."""
    folder = _folder()
    (folder / "config.json").write_bytes(data)
    import os

    before = os.environ.get("DOCKER_CONFIG")
    os.environ["DOCKER_CONFIG"] = str(folder)
    try:
        for registry in ("registry.test", "docker.io"):
            found = registry_login.login(registry, _NoHelper())
            shown(found.seen)
            assert found.basic.isascii() and found.mark
    finally:
        os.environ.pop("DOCKER_CONFIG") if before is None else os.environ.update(DOCKER_CONFIG=before)


@cache
def _leaf():
    odd = authority.name("\x1b]0;x\x07<img src=x>\u202e", "O\0")
    return authority.issue(odd, authority.root(), hosts=("*.lab.test", "127.0.0.1"), aia="http://ca.lab.test/")


def _bytes(one):
    return one.certificate.public_bytes(Encoding.DER)


def _seeds():
    ed = authority.issue("ed", key=ed25519.Ed25519PrivateKey.generate())
    p384 = authority.issue("p384", authority.root(), key=ec.generate_private_key(ec.SECP384R1()), bare=True)
    rsa = authority.issue("rsa", key=authority.weak_rsa())
    root = authority.root()
    return _leaf(), ed, p384, rsa, root


def _chains():
    leaf, ed, p384, rsa, root = _seeds()
    return (
        b"\0\0\0" + _bytes(leaf) + _bytes(root),
        b"\1\1\0" + _bytes(ed),
        b"\1\0\1" + _bytes(p384),
        b"\2\0\0" + _bytes(rsa) + _bytes(rsa),
    )


def _written():
    leaf, ed, p384, rsa, root = _seeds()
    return (
        leaf.pem() + root.pem() + b"\0\n" + leaf.key_pem(),
        _bytes(ed) + b"\0\n" + ed.key_pem(),
        rsa.pem().replace(b"\n", b"\r\n") + b"\0\n" + rsa.key_pem()[:100],
        b"\xff\xfe-\0\0\n" + p384.key_pem(),
    )


_D = "sha256:" + "0" * 64

TARGETS = {
    presented: _chains,
    files: _written,
    manifest: (
        json.dumps({"config": {"digest": _D, "size": 1}, "layers": [{"digest": _D, "size": 5}]}).encode(),
        json.dumps({"manifests": [{"digest": _D, "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}}]}).encode(),
        b'{"manifests": [{"digest": 1e999}], "os": "\\ud800"}',
    ),
    token: (b'{"token": "abc=="}\0\n100;w=21600\0\n99;w=1\0\nSoon\0\nBearer realm="https://a.test/t",scope="repository:library/x:pull"',),
    login: (
        b'{"auths": {"registry.test": {"auth": "dXNlcjpwYXNz"}, "https://index.docker.io/v1/": {"identitytoken": "t"}}}',
        b'{"credHelpers": {"registry.test": "x"}, "credsStore": "../y"}',
        b'{"auths": {"https://registry.test/v2": {"username": "\\ud800", "password": "p"}}}',
    ),
}  # fmt: skip
