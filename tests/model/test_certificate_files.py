"""The shared questions about certificate files: what is not there is a fact, whichever of two files it is."""

from __future__ import annotations

import pytest

from areas.certificate_facts import CERT, KEY, certificate, file
from conftest import FakePort, fake_host
from vorflug.model.certificate_files import CertificateFact, CertificateQuery, KeyFact, KeyQuery
from vorflug.model.message import render
from vorflug.ports.certificates import Content, KeyFile, KeyFit

FILE = file(certificate())


def reading(missing, exists=True):
    """A host that lacks the files *missing*."""

    def read(path, ca_file=None):
        if path in missing or ca_file in missing:
            raise FileNotFoundError
        return FILE

    return fake_host(certificates=FakePort(read=read), files=FakePort(exists=exists))


@pytest.mark.parametrize(
    ("host", "ca_file", "fact"),
    [
        (reading(()), None, CertificateFact(file=FILE)),
        (reading(()), "/root.pem", CertificateFact(file=FILE)),
        (reading((CERT,)), None, CertificateFact(file=None)),
        (reading(("/root.pem",)), "/root.pem", CertificateFact(file=FILE, ca_file_missing=True)),
        (reading((CERT, "/root.pem"), exists=False), "/root.pem", CertificateFact(file=None)),
    ],
)
def test_what_is_not_there(host, ca_file, fact):
    assert CertificateQuery(path=CERT, ca_file=ca_file).observe(host) == fact


def test_the_key():
    seen = KeyFile(KeyFit.FITS, Content.KEY)
    query = KeyQuery(path=KEY, certificate=CERT)
    assert query.observe(fake_host(certificates=FakePort(key=seen))) == KeyFact(file=seen)
    assert query.observe(fake_host(certificates=FakePort(key=NotADirectoryError()))) == KeyFact(file=None)
    assert KEY in render(query.asks()) and CERT in render(query.asks())
    assert CERT in render(CertificateQuery(path=CERT).asks())
