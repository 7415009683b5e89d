"""(demand, fact) -> verdict: how the files of certificate and key are written, and who may read the key."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from areas.asking import judge
from areas.certificate_facts import CERT, KEY, certificate, evidence, file
from conftest import FakePort, fake_host, header
from lab import authority
from vorflug.areas.tls_files import (
    CertificateFormRequirement,
    KeyModeFact,
    KeyModeQuery,
    KeyProtectionRequirement,
)
from vorflug.host.live.certificates import LiveCertificates
from vorflug.host.live.files import LiveFiles
from vorflug.model.certificate_files import CertificateFact, CertificateQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.netprobe.anchors import Store
from vorflug.ports.certificates import Content, Writing
from vorflug.ports.files import FileKind, FileStatus


def form(path=CERT):
    return CertificateFormRequirement.model_validate(header(certificate=path))


def protection(mode="0640", path=KEY):
    return KeyProtectionRequirement.model_validate(header(key=path, certificate=CERT, mode_at_most=mode))


def about_key(mode, certificates):
    """The answers about the key's mode and the certificate file."""
    other = certificates if isinstance(certificates, Unseen) else Seen(CertificateFact(file=certificates))
    return Evidence(
        [
            Observation(KeyModeQuery(path=KEY), Seen(KeyModeFact(mode=mode, uid=0, gid=7))),
            Observation(CertificateQuery(path=CERT), other),
        ]
    )


@pytest.mark.parametrize(
    ("change", "outcome", "says"),
    [
        ({}, Outcome.MET, "The file is plain PEM."),
        ({"writing": (Writing.CRLF,)}, Outcome.MET, "line breaks are those of Windows"),
        ({"writing": (Writing.BOM,)}, Outcome.UNMET, "byte order mark: servers written in Go pass over the first"),
        ({"writing": (Writing.GLUED,)}, Outcome.UNMET, "an END and the next BEGIN share a line"),
        ({"holds_key": True}, Outcome.MET, "The file is plain PEM."),
    ],
)
def test_form(no_io, change, outcome, says):
    demand, seen = form(), evidence(file(certificate(), **change))
    with no_io():
        verdict = demand.judge(seen)
    assert verdict.outcome is outcome and says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    assert outcome is Outcome.MET or CERT in render(verdict.fix)


def test_every_oddity_is_named_at_once_and_plain_pem_is_not_called_that_of_windows():
    verdict = form().judge(evidence(file(certificate(), writing=tuple(Writing))))
    said = render(verdict.because)
    assert all(words in said for words in ("byte order mark", "share a line"))
    assert "Windows" not in render(form().judge(evidence(file(certificate()))).because)


@pytest.mark.parametrize(
    "change", [lambda pem: b"\xef\xbb\xbf" + pem, lambda pem: pem.replace(b"-----\n-----", b"----------")]
)
def test_the_command_that_is_advised_mends_it(tmp_path, change):
    path = tmp_path / "tls.crt"
    path.write_bytes(change(authority.good().pem() + authority.root().pem()))
    host = SimpleNamespace(certificates=LiveCertificates(Store(None, None)), files=LiveFiles())
    verdict = judge(form(str(path)), host)
    assert verdict.outcome is Outcome.UNMET
    command = render(verdict.fix).partition(": ")[2]
    assert command.startswith("sed -i ") and command.endswith(str(path))
    subprocess.run(command, shell=True, check=True)
    assert judge(form(str(path)), host).outcome is Outcome.MET
    assert path.read_bytes() == authority.good().pem() + authority.root().pem()


@pytest.mark.parametrize("content", [c for c in Content if c is not Content.CERTIFICATES])
def test_a_file_of_something_else(content):
    verdict = form().judge(evidence(file(certificate(), content=content)))
    assert verdict.outcome is Outcome.UNMET and CERT in render(verdict.because)


@pytest.mark.parametrize(
    ("mode", "allowed", "outcome"),
    [
        (0o600, "0640", Outcome.MET),
        (0o640, "0640", Outcome.MET),
        (0o400, "0640", Outcome.MET),
        (0o641, "0640", Outcome.UNMET),
        (0o644, "0640", Outcome.UNMET),
        (0o660, "0640", Outcome.UNMET),
        (0o640, "0600", Outcome.UNMET),
        (0o4600, "0600", Outcome.MET),
    ],
)
def test_who_may_read_the_key(no_io, mode, allowed, outcome):
    demand, seen = protection(allowed), about_key(mode, file(certificate()))
    with no_io():
        verdict = demand.judge(seen)
    assert verdict.outcome is outcome
    assert render(verdict.seen) == f"owner 0:7, mode {mode & 0o777:04o}"
    assert outcome is Outcome.MET or f"chmod {allowed} {KEY}" in render(verdict.fix)
    assert allowed in render(demand.wanted())


@pytest.mark.parametrize(
    ("mode", "certificates", "said", "unsaid"),
    [
        (0o600, file(certificate(), holds_key=True), ("holds a private key",), "mode 0600:"),
        (0o644, file(certificate(), holds_key=True), ("holds a private key", "mode 0644"), "nothing"),
        (0o644, Unseen(Reason.DENIED), ("mode 0644",), "holds a private key"),
        (0o644, None, ("mode 0644",), "holds a private key"),
    ],
)
def test_a_key_in_the_certificate_file(mode, certificates, said, unsaid):
    verdict = protection().judge(about_key(mode, certificates))
    assert verdict.outcome is Outcome.UNMET and verdict.fix is not None
    assert all(words in render(verdict.because) for words in said) and unsaid not in render(verdict.because)


def test_a_certificate_file_that_could_not_be_looked_at_is_no_pass():
    with pytest.raises(NotSeen):
        protection().judge(about_key(0o600, Unseen(Reason.DENIED)))
    assert protection().judge(about_key(0o600, None)).outcome is Outcome.MET


def test_no_key_file_and_no_look_at_it():
    for error in (FileNotFoundError(), NotADirectoryError()):
        verdict = judge(
            protection(), fake_host(files=FakePort(status=error), certificates=FakePort(read=file(certificate())))
        )
        assert verdict.outcome is Outcome.UNMET and render(verdict.because) == f"There is no private key at {KEY}."
    with pytest.raises(NotSeen):
        judge(
            protection(),
            fake_host(files=FakePort(status=PermissionError()), certificates=FakePort(read=file(certificate()))),
        )
    for reason in Reason:
        with pytest.raises(NotSeen):
            form().judge(Evidence([Observation(CertificateQuery(path=CERT), Unseen(reason))]))
    assert KEY in render(KeyModeQuery(path=KEY).asks()) and "PEM" in render(form().wanted())


def test_the_file_is_asked_for_its_mode():
    status = FileStatus(FileKind.FILE, 0o644, 3, 4, 100)
    verdict = judge(
        protection(), fake_host(files=FakePort(status=status), certificates=FakePort(read=file(certificate())))
    )
    assert verdict.outcome is Outcome.UNMET and render(verdict.seen) == "owner 3:4, mode 0644"
