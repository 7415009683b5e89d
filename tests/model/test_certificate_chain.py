"""Where a chain ends and why, who completes it, which keys are strong enough, and what to order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from areas.certificate_facts import ROOT, certificate, file
from vorflug.model.certificate_chain import (
    as_fault,
    broken,
    incomplete,
    is_root,
    order,
    refused,
    self_signed,
    strong,
    who_completes,
)
from vorflug.model.message import msg, render
from vorflug.ports.certificates import KeyKind, Refusal

NO_ISSUER, NO_CA = Refusal(0, 20, "unable to get local issuer certificate"), Refusal(1, 79, "invalid CA certificate")


@pytest.mark.parametrize(
    ("seen", "kind"),
    [
        (file(certificate()), None),
        (file(), None),
        (file(certificate(), root=None, public=True), None),
        (file(certificate(), root=None, public=True, refusal=NO_CA), None),
        (file(certificate(), filled=(ROOT,), public=True), None),
        (file(certificate(), root=None, refusal=NO_ISSUER), "tls.missing_intermediate"),
        (file(certificate(), root=None), "tls.missing_intermediate"),  # no store was found at all
        (file(certificate(), filled=(ROOT,)), "tls.missing_intermediate"),
        (file(certificate(), root=None, refusal=NO_CA), "tls.chain_refused"),
        (file(certificate(issuer_at=0), root=None, refusal=NO_ISSUER), "tls.self_signed"),
        (file(certificate(issuer_at=0, is_ca=True)), "tls.self_signed"),
        (file(certificate(issuer_at=0, is_ca=True), certificate(issuer_at=0)), None),
    ],
)
def test_what_breaks_a_chain(seen, kind):
    cause = broken(seen, "/c.pem")
    assert (None if cause is None else cause.kind) == kind
    if cause is not None:
        assert cause.subject == "/c.pem" and cause.team.value == "pki"
        fault = as_fault(cause, msg("And more."))
        assert render(fault.says) == f"{render(cause.says)} And more." and fault.fix == cause.fix


def test_the_parts_of_it():
    alone = file(certificate(issuer_at=0), root=None, refusal=NO_ISSUER)
    assert self_signed(alone, "p") is not None and incomplete(alone, "p") is not None and refused(alone, "p") is None
    assert self_signed(file(), "p") is None


def test_what_is_missing_is_asked_for():
    fix = render(incomplete(file(certificate(), root=None, refusal=NO_ISSUER), "/c.pem").fix)
    assert "Ask the PKI team for: all intermediates above CN=app as PEM" in fix and "append it to /c.pem" in fix
    filled = render(incomplete(file(certificate(), filled=(replace(ROOT, subject="CN=Gap"),)), "/c.pem").fix)
    assert filled.startswith("Append CN=Gap to /c.pem: ask the PKI team")
    root = file(certificate(issuer_at=1), certificate(issuer_at=1, subject="CN=R"), root=None, refusal=NO_ISSUER)
    assert "If CN=R is the corporate root" in render(incomplete(root, "/c.pem").fix)


def test_who_completes_looks_at_the_last_one_of_the_chain():
    urls = ("http://a.example/1", "http://a.example/2")
    above = certificate(issuer_urls=urls, subject="CN=M")
    said = render(who_completes(file(certificate(issuer_at=1), above)))
    assert "issuer of CN=M could be fetched from http://a.example/1 and http://a.example/2" in said
    assert "CN=app names no address" in render(who_completes(file(certificate(), above)))


@pytest.mark.parametrize(
    ("key", "yes"),
    [
        ({"key_bits": 3000}, True),
        ({"key_bits": 2999}, False),
        ({"key_kind": KeyKind.EC, "curve": "secp256r1"}, True),
        ({"key_kind": KeyKind.EC, "curve": "secp256k1"}, False),
        ({"key_kind": KeyKind.ED25519}, True),
        ({"key_kind": KeyKind.ED448}, False),
        ({"key_kind": KeyKind.DSA, "key_bits": 4096}, False),
        ({"key_kind": KeyKind.OTHER}, False),
    ],
)
def test_strong(key, yes):
    assert strong(certificate(**key), 3000, ("secp256r1", "Ed25519")) is yes


def test_a_root_signed_itself():
    seen = file(certificate(issuer_at=1), certificate(issuer_at=1), certificate(issuer_at=0))
    assert [is_root(one, seen) for one in seen.chain] == [False, True, False]


def test_the_order_has_all_that_an_authority_asks():
    said = render(order("a.example", 3000, ("secp256r1",), ("sha256",)))
    for word in ("a.example", "RSA from 3000 bits or secp256r1", "sha256", "serverAuth", "digitalSignature", "PEM"):
        assert word in said
