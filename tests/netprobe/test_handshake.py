"""Each TLS fault against a real server, and the healthy case."""

from __future__ import annotations

import ssl
import subprocess
import time
from contextlib import contextmanager
from functools import cache

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import rsa

from lab import authority
from lab.authority import DAY, HOST, NOW, context, issue, name
from lab.prober import SHORT
from lab.servers import answer, reset_after_hello, respond, silent, tcp, tls
from vorflug.model import netcause
from vorflug.ports.net import Code, Stage


@contextmanager
def https(folder, *chain, handler=None, adjust=None, host="127.0.0.1"):
    made = context(folder, *chain)
    if adjust:
        adjust(made)
    with tcp(tls(made, handler or respond()), host) as port:
        yield f"https://localhost:{port}/" if ":" not in host else f"https://[{host}]:{port}/"


def last(trace):
    return trace.stages[-1].stage, trace.code


def test_a_healthy_service_passes(ask, tmp_path):
    with https(tmp_path, authority.good()) as url:
        trace = ask(url, ca_file=ask.ca)
    assert last(trace) == (Stage.HTTP, None) and trace.warnings == ()
    assert trace.tls.version == "TLSv1.3" and trace.tls.faults == () and trace.tls.trusted
    assert trace.tls.chain[0].names == (HOST, "localhost")
    assert trace.tls.chain[0].addresses == ("127.0.0.1", "::1")
    assert trace.tls.issuer == "CN=Lab Root CA,O=Lab"
    assert trace.http.status == 200 and trace.http.body_kind == "json"
    assert netcause.stopped(trace, url) is None


@pytest.mark.parametrize(
    ("number", "code"), [(10, Code.TLS_RESET), (22, Code.TLS_RESET), (40, Code.TLS_CIPHER), (70, Code.TLS_VERSION)]
)
def test_whoever_answers_with_an_alert_speaks_tls(ask, number, code):
    def alerts(sock):
        sock.recv(16384)
        sock.sendall(bytes([21, 3, 3, 0, 2, 2, number]))

    with tcp(alerts) as port:
        assert ask(f"https://127.0.0.1:{port}/").code is code


@pytest.mark.parametrize(("bits", "code"), [(1024, Code.TLS_CIPHER), (2048, None)])
def test_a_key_exchange_that_other_programs_refuse(ask, tmp_path, bits, code):
    """Debian's OpenSSL does not take DHE with less than 2048 bits; here it is taken, to see what is behind it."""
    params = tmp_path / "dh.pem"
    subprocess.run(["openssl", "dhparam", "-dsaparam", "-out", params, str(bits)], check=True, capture_output=True)

    def only_dhe(made):
        made.maximum_version = ssl.TLSVersion.TLSv1_2
        made.set_ciphers("DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0")
        made.load_dh_params(str(params))

    leaf = issue(HOST, authority.root(), key=rsa.generate_private_key(65537, 2048))
    with https(tmp_path, leaf, adjust=only_dhe) as url:
        trace = ask(url, ca_file=ask.ca)
    assert trace.code is code and trace.http.status == 200


@pytest.mark.tier("ipv6")
def test_an_ipv6_address_in_the_certificate(ask, tmp_path):
    with https(tmp_path, authority.good(), host="::1") as url:
        assert ask(url, ca_file=ask.ca).code is None


def test_what_a_server_appends_is_not_the_issuer(ask, tmp_path):
    middle = issue("Middle", authority.root(), ca=True)
    namesake = issue("Lab Root CA", issue("Public Root", ca=True), ca=True)
    with https(tmp_path, issue(HOST, middle), middle, namesake, authority.stranger()) as url:
        trace = ask(url, ca_file=ask.ca)
    assert len(trace.tls.chain) == 4 and trace.tls.trusted
    assert trace.tls.issuer == "CN=Lab Root CA,O=Lab"


def faults():
    expired = {"begins": NOW - 30 * DAY, "ends": NOW - DAY}
    return {
        "host_mismatch": ([lambda: issue("x", authority.root(), hosts=("other.lab.test",))], Code.TLS_HOST_MISMATCH),
        "only a common name": ([lambda: issue("localhost", authority.root(), hosts=())], Code.TLS_HOST_MISMATCH),
        "expired": ([lambda: issue(HOST, authority.root(), **expired)], Code.TLS_EXPIRED),
        "not_yet": (
            [lambda: issue(HOST, authority.root(), begins=NOW + DAY, ends=NOW + 9 * DAY)],
            Code.TLS_NOT_YET_VALID,
        ),
        "self_signed": ([lambda: issue(HOST)], Code.TLS_SELF_SIGNED),
        "unknown_ca": ([lambda: issue(HOST, authority.stranger())], Code.TLS_UNKNOWN_CA),
        "unknown_ca with its root": (
            [lambda: issue(HOST, authority.stranger()), authority.stranger],
            Code.TLS_UNKNOWN_CA,
        ),
        "missing_intermediate": ([lambda: issue(HOST, authority.intermediate())], Code.TLS_MISSING_INTERMEDIATE),
        "missing_intermediate by AIA": (
            [lambda: issue(HOST, authority.stranger(), aia="http://ca.lab.test/ca.der")],
            Code.TLS_MISSING_INTERMEDIATE,
        ),
        "missing_intermediate though its root is sent": (
            [lambda: issue(HOST, authority.intermediate()), authority.root],
            Code.TLS_MISSING_INTERMEDIATE,
        ),
        "missing upper intermediate": (
            [lambda: issue(HOST, lower()), lower],
            Code.TLS_MISSING_INTERMEDIATE,
        ),
        "a stranger's chain without its root": (
            [lambda: issue(HOST, strange()), strange],
            Code.TLS_UNKNOWN_CA,
        ),
        "weak_key": ([lambda: issue(HOST, authority.root(), key=authority.weak_rsa())], Code.TLS_WEAK_KEY),
        "chain out of a leaf": (
            [lambda: issue(HOST, issue("Not a CA", authority.root())), authority.good],
            Code.TLS_MISSING_INTERMEDIATE,
        ),
    }


@cache
def lower():
    return issue("Lab Issuing CA 2", authority.intermediate(), ca=True)


@cache
def strange():
    return issue(name("Issuing CA", "Elsewhere"), authority.stranger(), ca=True)


@pytest.mark.parametrize("which", list(faults()))
def test_a_fault_of_the_chain(ask, tmp_path, which):
    chain, code = faults()[which]
    with https(tmp_path, *(make() for make in chain)) as url:
        trace = ask(url)
    assert last(trace) == (Stage.TLS, code)
    assert trace.http is None, "nothing is sent over a connection that is not trusted"
    stopped = netcause.stopped(trace, url)
    assert stopped.code is code and "{" not in str(stopped.says)


@pytest.mark.tier("openssl")
def test_a_broken_signature(ask, tmp_path):
    root = authority.root()
    (tmp_path / "root.key").write_bytes(root.key_pem())
    (tmp_path / "names").write_text("subjectAltName=DNS:localhost\n")
    made = subprocess.run(
        "openssl req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj /CN=x -out leaf.csr && "
        "openssl x509 -req -sha1 -in leaf.csr -CA lab-root.pem -CAkey root.key -days 9 -extfile names -out leaf.pem",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    )
    assert made.returncode == 0
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_ciphers("DEFAULT:@SECLEVEL=0")
    server.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "leaf.key")
    with tcp(tls(server, respond())) as port:
        trace = ask(f"https://localhost:{port}/")
    assert trace.code is Code.TLS_WEAK_SIGNATURE
    assert trace.tls.chain[0].signature == "sha1"


def test_a_full_chain_with_its_intermediate_passes(ask, tmp_path):
    with https(tmp_path, issue(HOST, authority.intermediate()), authority.intermediate()) as url:
        trace = ask(url)
    assert trace.code is None and len(trace.tls.chain) == 2


def test_trustmes_child_authority_alone_is_a_missing_intermediate(ask, tmp_path):
    root = trustme.CA()
    leaf = root.create_child_ca().issue_cert("localhost")
    root.cert_pem.write_to_path(tmp_path / "root.pem")
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.private_key_pem.write_to_path(tmp_path / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "leaf.pem")
    made.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "key.pem")
    with tcp(tls(made, respond())) as port:
        trace = ask(f"https://localhost:{port}/", ca_file=str(tmp_path / "root.pem"))
    assert trace.code is Code.TLS_MISSING_INTERMEDIATE


def test_one_handshake_shows_every_fault(ask, tmp_path):
    leaf = issue("x", authority.stranger(), hosts=("other.lab.test",), begins=NOW - 9 * DAY, ends=NOW - DAY)
    with https(tmp_path, leaf) as url:
        trace = ask(url)
    assert trace.tls.faults == (Code.TLS_UNKNOWN_CA, Code.TLS_HOST_MISMATCH, Code.TLS_EXPIRED)
    assert {"20@0", "10@0"} <= set(trace.stopped_at.detail.split())


def test_a_chain_that_only_this_host_trusts_is_said_but_does_not_stop(ask, tmp_path):
    with https(tmp_path, authority.good()) as url:
        trace = ask(url)
    assert trace.code is None and trace.http is not None
    assert trace.warnings == (Code.TLS_INTERCEPTED,)
    assert trace.tls.trusted and not trace.tls.trusted_publicly
    assert "Lab Root CA" in str(netcause.warned(trace, url, Code.TLS_INTERCEPTED).says)


def test_a_public_endpoint_with_another_chain_is_intercepted(ask, tmp_path):
    with https(tmp_path, issue(HOST, authority.stranger()), authority.stranger()) as url:
        assert ask(url, public_ca=True).code is Code.TLS_INTERCEPTED
        assert ask(url).code is Code.TLS_UNKNOWN_CA
    with https(tmp_path, issue(HOST)) as url:
        assert ask(url, public_ca=True).code is Code.TLS_SELF_SIGNED


def test_the_further_anchors_of_an_endpoint_are_trusted(ask, tmp_path):
    with https(tmp_path, authority.good()) as url:
        assert ask(url, trusting=False).code is Code.TLS_UNKNOWN_CA
        assert ask(url, trusting=False, ca_file=ask.ca).code is None
        with pytest.raises(FileNotFoundError):
            ask(url, ca_file=str(tmp_path / "none.pem"))
        (tmp_path / "no.pem").write_text("no certificate")
        with pytest.raises(ValueError, match="saw none"):
            ask(url, ca_file=str(tmp_path / "no.pem"))


def test_old_versions_only(ask, tmp_path):
    def adjust(made):
        made.minimum_version = ssl.TLSVersion.TLSv1
        made.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.warns(DeprecationWarning, match="TLSv1"), https(tmp_path, authority.good(), adjust=adjust) as url:
        trace = ask(url)
    assert last(trace) == (Stage.TLS, Code.TLS_VERSION)


def test_no_common_cipher(ask, tmp_path):
    def adjust(made):
        made.maximum_version = ssl.TLSVersion.TLSv1_2
        made.set_ciphers("AECDH-AES128-SHA:@SECLEVEL=0")

    with https(tmp_path, authority.good(), adjust=adjust) as url:
        assert last(ask(url)) == (Stage.TLS, Code.TLS_CIPHER)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_wanted(ask, tmp_path, version):
    def adjust(made):
        made.minimum_version = made.maximum_version = version
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(ask.ca)

    with https(tmp_path, authority.good(), adjust=adjust) as url:
        for _ in range(5):
            trace = ask(url)
            assert trace.code is Code.TLS_CLIENT_CERT_REQUIRED
            assert trace.stopped_at.stage is Stage.TLS


@pytest.mark.tier("openssl")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_client_certificate_is_wanted_by_openssl(ask, tmp_path, version):
    certificate, key = authority.write(tmp_path, authority.good())
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key", key, version]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([*command, "-Verify", "1"], **pipes) as server:
        try:
            line = b""
            while not line.startswith(b"ACCEPT"):
                line = server.stdout.readline()
            port = int(line.rpartition(b":")[2])
            assert ask(f"https://localhost:{port}/").code is Code.TLS_CLIENT_CERT_REQUIRED
        finally:
            server.kill()


def test_a_client_certificate_may_be_optional(ask, tmp_path):
    def adjust(made):
        made.verify_mode = ssl.CERT_OPTIONAL
        made.load_verify_locations(ask.ca)

    with https(tmp_path, authority.good(), adjust=adjust) as url:
        assert ask(url).code is None


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (silent, Code.TLS_STALL),
        (reset_after_hello, Code.TLS_RESET),
        (lambda sock: sock.recv(4096), Code.TLS_RESET),
        (answer(b"HTTP/1.1 400 Bad Request\r\n\r\nplain HTTP", until_head=False), Code.TLS_NOT_TLS),
        (answer(b"SSH-2.0-OpenSSH_9.2\r\n", until_head=False), Code.TLS_NOT_TLS),
        (answer(b"220 mail.lab.test ESMTP \x1b[31m\r\n", until_head=False), Code.TLS_NOT_TLS),
        (answer(b"\x00" * 4000, until_head=False), Code.TLS_NOT_TLS),
    ],
)
def test_something_else_than_a_handshake(ask, handler, code):
    with tcp(handler) as port:
        began = time.monotonic()
        trace = ask(f"https://localhost:{port}/", limits=SHORT)
        took = time.monotonic() - began
    assert last(trace) == (Stage.TLS, code)
    assert took < 3
    assert "\x1b" not in trace.stopped_at.detail


def test_a_hostile_subject_is_inert(ask, tmp_path):
    leaf = issue(name("<script>\x1b[2J\u202e" + "A" * 40000), authority.stranger(), hosts=("<b>.lab.test", "\x07.x"))
    with https(tmp_path, leaf) as url:
        trace = ask(url)
    assert trace.code is Code.TLS_UNKNOWN_CA
    seen = trace.tls.chain[0]
    assert len(seen.subject) < 300 and "\x1b" not in seen.subject and "\u202e" not in seen.subject
    assert all("\x07" not in n for n in seen.names)


def test_a_chain_beyond_all_measure(ask, tmp_path):
    leaf = issue(HOST, authority.root(), hosts=[f"{n}.a-rather-long-name-for-a-host.lab.test" for n in range(4000)])
    with https(tmp_path, leaf) as url:
        assert ask(url).code is Code.TLS_CHAIN_TOO_LARGE


def test_a_certificate_with_its_authoritys_own_key_is_made_up_on_the_way(ask, tmp_path):
    stranger = authority.stranger()
    for chain in ([issue(HOST, stranger, key=stranger.key)], [issue(HOST, stranger, key=stranger.key), stranger]):
        with https(tmp_path, *chain) as url:
            assert last(ask(url)) == (Stage.TLS, Code.TLS_INTERCEPTED)
    # the same for another host is nobody's answer to this request
    with https(tmp_path, issue("x", stranger, key=stranger.key, hosts=("other.lab.test",))) as url:
        assert ask(url).code is Code.TLS_UNKNOWN_CA


def test_an_inspection_product_names_itself(ask, tmp_path):
    product = issue(name("Zscaler Intermediate Root CA", "Zscaler Inc."), ca=True)
    with https(tmp_path, issue(HOST, product), product) as url:
        assert ask(url).code is Code.TLS_INTERCEPTED


def test_a_wildcard_covers_an_idna_label(ask, tmp_path):
    for names, code in ((("*.lab.test",), None), (("*.test",), Code.TLS_HOST_MISMATCH)):
        leaf = issue("x", authority.root(), hosts=names)
        with tcp(tls(context(tmp_path, leaf), respond())) as port:
            trace = ask(f"https://localhost:{port}/", ca_file=ask.ca)
        assert trace.code is Code.TLS_HOST_MISMATCH
        from vorflug.netprobe.chain import names_host

        assert names_host(leaf.certificate, "xn--mller-kva.lab.test") is (code is None)
