"""Where trust comes from: the host's store, further anchors, the public roots."""

from __future__ import annotations

import os

import certifi
import pytest
from cryptography import x509

from lab import authority
from lab.authority import HOST, NOW, issue, name
from vorflug.netprobe.anchors import Anchors, Store, host_store
from vorflug.netprobe.certificates import hush


def stored(tmp_path, *roots):
    path = tmp_path / "store.pem"
    path.write_bytes(b"".join(r.pem() for r in roots))
    return str(path)


def test_the_variables_win(tmp_path):
    path = stored(tmp_path, authority.root())
    assert host_store({"SSL_CERT_FILE": path}) == Store(path, None)
    assert host_store({"SSL_CERT_DIR": str(tmp_path)}).label == str(tmp_path)
    assert host_store({"SSL_CERT_DIR": f"/none:{tmp_path}"}).label == f"/none:{tmp_path}"
    assert host_store({"SSL_CERT_FILE": ""}) == host_store({})


def test_a_variable_that_names_nothing_readable_is_named_and_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    useless = ("/dev/zero", "/dev/null", *(str(tmp_path / n) for n in ("pipe", "empty", "folder", "none")), "a\0b")
    for file in useless:
        assert host_store({"SSL_CERT_FILE": file}) == Store(None, None, ("SSL_CERT_FILE",)), file
    both = host_store({"SSL_CERT_FILE": useless[0], "SSL_CERT_DIR": str(tmp_path / "folder")})
    assert both == Store(None, None, ("SSL_CERT_FILE", "SSL_CERT_DIR")) and both.label == ""
    half = host_store({"SSL_CERT_FILE": useless[2], "SSL_CERT_DIR": str(tmp_path)})
    assert half == Store(None, str(tmp_path), ("SSL_CERT_FILE",))


def test_openssls_own_form_is_a_certificate_too(tmp_path):
    path = tmp_path / "trusted.pem"
    path.write_bytes(authority.root().pem().replace(b" CERTIFICATE", b" TRUSTED CERTIFICATE"))
    assert host_store({"SSL_CERT_FILE": str(path)}) == Store(str(path), None)


def test_a_public_root_is_public_and_a_private_one_is_not():
    hush()
    with open(certifi.where(), "rb") as bundle:
        public = x509.load_pem_x509_certificates(bundle.read())
    anchors = Anchors(Store(None, None))
    assert anchors.publicly([public[0]])
    assert not anchors.publicly([authority.root().certificate])
    assert not anchors.publicly([authority.good().certificate])
    assert not anchors.publicly([])


def test_dates_are_no_lack_of_trust(tmp_path):
    old = issue(HOST, authority.root(), begins=NOW - 9 * authority.DAY, ends=NOW - authority.DAY)
    anchors = Anchors(Store(stored(tmp_path, authority.root()), None))
    assert anchors.trusts([old.certificate])
    assert not anchors.trusts([authority.stranger().certificate])


def test_further_anchors(tmp_path):
    anchors = Anchors(Store(None, None))
    path = stored(tmp_path, authority.root())
    assert not anchors.trusts([authority.good().certificate])
    assert anchors.trusts([authority.good().certificate], path)
    assert anchors.trusts_by(path, [authority.good().certificate])
    assert anchors.knows_organisation("Lab", path) and not anchors.knows_organisation("Elsewhere", path)


@pytest.mark.tier("openssl")
def test_a_folder_of_anchors(tmp_path):
    import subprocess

    (tmp_path / "root.pem").write_bytes(authority.root().pem())
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True, capture_output=True)
    assert Anchors(Store(None, str(tmp_path))).trusts([authority.good().certificate])


def test_an_unreadable_store_trusts_nobody(tmp_path):
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    for file in (str(broken), str(tmp_path / "none.pem")):
        assert not Anchors(Store(file, None)).trusts([authority.good().certificate])


def test_strictness_is_a_second_look(tmp_path):
    # RFC 5280, 4.2.1.1: without an authority key identifier only a strict reader refuses
    anchors = Anchors(Store(stored(tmp_path, authority.root()), None))
    assert anchors.trusts([authority.good().certificate], strict=True)
    assert not anchors.trusts([issue(name("x"), authority.root(), bare=True).certificate], strict=True)
    assert anchors.trusts([issue(name("x"), authority.root(), bare=True).certificate])


def test_the_way_to_the_root_and_why_there_is_none(tmp_path):
    anchors, path = Anchors(Store(None, None)), stored(tmp_path, authority.root())
    leaf, middle = issue(HOST, authority.intermediate()).certificate, authority.intermediate().certificate
    root = authority.root().certificate
    assert anchors.path([leaf, middle], path) == [leaf, middle, root]
    assert anchors.path([leaf], path) == [] == anchors.path([leaf, middle])
    assert anchors.refusals([leaf, middle], path) == []
    assert anchors.refusals([leaf, middle]) == []  # no store at all: nothing that could refuse
    ((place, code, says),) = anchors.refusals([leaf], path)
    assert (place, code) == (0, 20) and "local issuer" in says
    bare = issue(HOST, authority.root(), bare=True).certificate
    assert anchors.refusals([bare], path) == [] and len(anchors.refusals([bare], path, strict=True)) == 1
