"""TLS and proxies that mean harm: floods, forged certificates, answers without end."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lab import authority, hostile, measured_jobs, odd_certificates
from lab.hostile import CHUNKED, LIVE, OK, TURNED, body, drip, endless, says, tunnel
from lab.hostile_checks import live, probed
from lab.servers import tls

pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning", "ignore:Parsed a serial:UserWarning")


_CHUNK = b"1\r\na\r\n"


@pytest.fixture(scope="module")
def shaken():
    """TLS by hand: what comes after a ClientHello, and the code."""
    odd, cert, ext = odd_certificates, odd_certificates.certificate, odd_certificates.extension
    name = odd.common_name(TURNED.encode())
    alerts = (
        0,
        10,
        20,
        21,
        22,
        30,
        40,
        41,
        42,
        43,
        44,
        45,
        46,
        47,
        48,
        49,
        50,
        51,
        60,
        70,
        71,
        80,
        86,
        90,
        100,
        109,
        110,
        111,
        112,
        113,
        114,
        115,
        116,
        120,
        255,
    )
    chains = {
        "no certificate": (),
        "no DER": (b"\x30\x03abc",),
        "a live name": (cert(subject=name, issuer=name, extensions=ext(odd.SAN, odd.tlv(0x30, odd.tlv(0x82, LIVE.encode("latin-1"))))),),
        "NUL in names": (cert(subject=odd.common_name(b"service.lab.test\0.evil.test"), extensions=ext(odd.SAN, odd.tlv(0x30, odd.tlv(0x82, b"a\0b")))),),
        "a name of 64 KiB": (cert(subject=odd.common_name(b"a" * 65536)),),
        "a name that is none": (cert(subject=odd.tlv(0x30, odd.tlv(0x31, odd.tlv(0x30, b"\x06\x03\x55\x04\x03\x1e\x03abc")))),),
        "100 certificates": tuple(cert(serial=n) for n in range(1, 101)),
        "4000 names": (cert(extensions=odd.many_names(4000)),),
        "unreadable extensions": (cert(extensions=b"".join(ext(oid, b"\xff\xff") for oid in (odd.SAN, odd.BASIC, odd.USAGE, odd.AIA))),),
        "an extension twice": (cert(extensions=2 * ext(odd.BASIC, b"\x30\0")),),
        "RSA with e=1": (cert(key=odd.rsa_key(1 << 2047 | 1, 1)),),
        "RSA with e=0": (cert(key=odd.rsa_key(1 << 2047 | 1, 0)),),
        "RSA of 32768 bits": (cert(key=odd.huge_rsa(32768)),),
        "a costly chain": tuple(odd.costly_chain(20, 16384)),
        "an explicit curve": (cert(key=odd.explicit_ec()),),
        "a negative serial number": (cert(serial=-5),),
        "a serial number of 1 KiB": (cert(serial=1 << 8000),),
        "version 9": (cert(version=b"\xa0\x03\x02\x01\x08"),),
        "dates from no calendar": (cert(begins=b"\x17\x0d261399999999Z", ends=b"\x18\x0f99999999999999Z"),),
        "dates in year 0": (cert(begins=b"\x18\x0f00000101000000Z", ends=b"\x18\x0f99991231235959Z"),),
        "an empty signature": (cert(signature=b""),),
    }  # fmt: skip
    return {
        **{f"alert {n}": (hostile.alert(n), ()) for n in alerts},
        **{f"warning {n}": (hostile.alert(n, 1), ()) for n in (0, 90, 112)},
        **{name: (hostile.presents(*ders), ()) for name, ders in chains.items()},
        "endless empty records": (hostile.flood(hostile.record(22, b"")), ()),
        "endless empty data": (hostile.flood(hostile.record(23, b"")), ()),
        "endless warnings": (hostile.flood(hostile.record(21, b"\x01\x5a")), ()),
        "endless retries": (hostile.flood(hostile.hello_retry()), ()),
        "endless hello requests": (hostile.flood(hostile.message(0, b"")), ()),
        "endless changes of cipher": (hostile.flood(hostile.record(20, b"\x01")), ()),
        "a message of 16 MiB": (
            hostile.flood(hostile.record(22, bytes(16000)), hostile.record(22, b"\x0b\xff\xff\xff")),
            (),
        ),
        "a hello drop by drop": (drip(b"", hostile.server_hello(), read=False), "tls.stall"),
        "a live word for TLS": (hostile.after_hello(LIVE.encode() * 9), "tls.not_tls"),
        "endless words for TLS": (hostile.flood(b"a" * 999), "tls.not_tls"),
    }


@pytest.fixture(scope="module")
def inside(tmp_path_factory):
    """Behind a handshake that is sound, or nearly."""
    folder = tmp_path_factory.mktemp("keys")
    odd, good_key = odd_certificates, authority.good().key
    long_name, live = authority.name("a" * 64000), authority.name(TURNED, TURNED)
    root = authority.root()
    named = authority.issue(
        live, authority.issue(live, ca=True), hosts=("127.0.0.1", "*.<b>.test"), aia="http://\x1b[2J<b>/"
    )
    crowd = [authority.issue(f"Crowd {n}", ca=True) for n in range(60)]
    tickets = authority.context(folder, authority.good())
    tickets.num_tickets = 2000
    good = body(b"{}", kind="application/json")
    key = good_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    san = odd.extension(odd.SAN, odd.tlv(0x30, odd.tlv(0x87, bytes([127, 0, 0, 1]))))
    version = odd.certificate(key=key, extensions=san, version=b"\xa0\x03\x02\x01\x08")
    big = odd.common_name(b"Big CA")
    signature = (1 << 16376).to_bytes(2048, "big")
    costly = odd.certificate(key=key, issuer=big, extensions=san, algorithm=odd.RSA_SHA256, signature=signature)

    def forged(*ders):
        return tls(odd.context(folder, good_key, *ders), good), ()

    wide = authority.issue("wide", root, hosts=("127.0.0.1", *(f"n{n}.lab.test" for n in range(3500))))
    return {
        "version 9 of a certificate": forged(version),
        "a bit string for a name": forged(odd.certificate(key=key, extensions=san, subject=odd.common_name(b"\0ab", 3))),
        "a chain that anybody may have signed": forged(costly, *odd.costly_chain(19, 16384)),
        "a key that is 1": forged(odd.certificate(key=key, issuer=big, extensions=san), odd.certificate(key=odd.rsa_key(1 << 2047 | 1, 1), subject=big)),
        "an issuer's curve spelled out": forged(odd.certificate(key=key, issuer=big, extensions=san), odd.certificate(key=odd.explicit_ec(), subject=big)),
        "serial numbers below nothing": forged(odd.certificate(key=key, serial=-5, extensions=san)),
        "dates beyond the calendar": forged(odd.certificate(key=key, extensions=san, begins=b"\x18\x0f00000101000000Z", ends=b"\x18\x0f99991231235959Z")),
        "a subject of 64 KiB": (tls(authority.context(folder, authority.issue(long_name, root)), good), "ok"),
        "61 certificates": (tls(authority.context(folder, authority.good(), *crowd), good), "ok"),
        "3500 names": (tls(authority.context(folder, wide), good), "ok"),
        "names that are live": (tls(authority.context(folder, named), good), ("tls.unknown_ca", "tls.missing_intermediate")),
        "2000 tickets": (tls(tickets, good), "ok"),
        "headers drop by drop in TLS": (tls(authority.context(folder, authority.good()), drip(OK, b"X: aaaaaaaaaaaaaaaaaaaa")), "http.slow_headers"),
        "endless headers in TLS": (tls(authority.context(folder, authority.good()), endless(OK, b"X: y\r\n")), "http.header_too_large"),
        "endless chunks in TLS": (tls(authority.context(folder, authority.good()), endless(CHUNKED, _CHUNK)), ("http.slow_body", "http.body_too_large")),
    }  # fmt: skip


PROXIES = {
    "endless headers to CONNECT": (endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "proxy.closed"),
    "CONNECT drop by drop": (drip(b"", b"HTTP/1.1 200 OK" * 9), "proxy.timeout"),
    "a body to CONNECT": (endless(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", b"a"), "tls.not_tls"),
    "garbage behind 200": (tunnel(lambda sock: sock.sendall(os.urandom(9000))), ()),
    "an endless refusal": (endless(b"HTTP/1.1 403 F\r\n\r\n", b"a" * 999), "proxy.denied"),
    "a live refusal": (hostile.live_fields("403 F", *hostile.FIELDS[:-1]), ()),
    "a live login page": (hostile.live_fields("407 L", *hostile.FIELDS[:-1]), "proxy.auth_unsupported"),
    "a live bad gateway": (hostile.live_fields("502 B", *hostile.FIELDS[:-1]), ()),
    "no HTTP": (says(LIVE.encode("latin-1")), "proxy.config"),
}
_NOT_SOCKS = b"\x1b[" + LIVE.encode("latin-1")
SOCKS = {
    "live SOCKS": (says(_NOT_SOCKS, read=False), "proxy.config"),
    "SOCKS drop by drop": (drip(b"", b"\5\0\5\0\0\3\xff" + b"a" * 300, read=False), "proxy.timeout"),
    "a SOCKS reply of no kind": (says(b"\5\0\5\xff\xff\xff", read=False), ()),
    "an endless SOCKS answer": (endless(b"\5\0\5\1\0\3\xff", b"\x1b", read=False), ()),
}


def test_hostile_tls_and_proxies(run, shaken, inside):
    names = ("a costly chain", "endless empty records", "a live name", "endless retries")
    behind = {name: (tunnel(handler), ()) for name, (handler, _) in shaken.items() if name in names}
    behind |= {name: (tunnel(handler), codes) for name, (handler, codes) in inside.items()}
    results = probed(
        run,
        (shaken, {"url": "https://127.0.0.1:{port}/"}),
        (inside, {"url": "https://127.0.0.1:{port}/"}),
        (
            {f"{name}, through a tunnel": case for name, case in behind.items()},
            {"url": "https://127.0.0.1/", "proxy": "http://127.0.0.1:{port}"},
        ),
        (PROXIES, {"url": "https://service.lab.test/", "proxy": "http://127.0.0.1:{port}"}),
        (SOCKS, {"url": "https://service.lab.test/", "proxy": "socks5h://127.0.0.1:{port}"}),
    )
    assert {results[name]["code"].partition(".")[0] for name in shaken} <= {"tls", "tcp"}
    html = measured_jobs.page([r["trace"] for r in results.values()])
    assert not live(html) and "<script>alert" not in html and "<img" not in html
