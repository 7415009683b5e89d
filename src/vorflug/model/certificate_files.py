"""The questions about certificate and key files that several areas put.  Equal questions are asked once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from vorflug.model.certificates import file_verdict
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict
from vorflug.ports import Host
from vorflug.ports.certificates import CertificateFile, Content, KeyFile


class CertificateFact(Fact):
    """A certificate file of the host."""

    file: CertificateFile | None
    """None where there is no such file."""
    ca_file_missing: bool = False
    """There is no file of further trust anchors where one was named."""


class KeyFact(Fact):
    """A private key file of the host, held against a certificate."""

    file: KeyFile | None
    """None where there is no such file."""


@dataclass(frozen=True, kw_only=True)
class CertificateQuery(Query[CertificateFact]):
    """What is in this certificate file?"""

    kind = "certificate_file"
    touches = ("@certificates.read",)
    path: str
    ca_file: str | None = None

    def asks(self) -> Message:
        return msg("Which certificates are in {path}, and do they lead to a trusted root?", path=self.path)

    def observe(self, host: Host) -> CertificateFact:
        try:
            return CertificateFact(file=host.certificates.read(self.path, self.ca_file))
        except (FileNotFoundError, NotADirectoryError):
            if self.ca_file is not None and host.files.exists(self.path):
                return CertificateFact(file=host.certificates.read(self.path), ca_file_missing=True)
            return CertificateFact(file=None)


@dataclass(frozen=True, kw_only=True)
class KeyQuery(Query[KeyFact]):
    """Does this private key belong to that certificate?"""

    kind = "key_file"
    touches = ("@certificates.key",)
    path: str
    certificate: str

    def asks(self) -> Message:
        return msg(
            "Does the private key in {path} belong to the certificate in {certificate}?",
            path=self.path,
            certificate=self.certificate,
        )

    def observe(self, host: Host) -> KeyFact:
        try:
            return KeyFact(file=host.certificates.key(self.path, self.certificate))
        except (FileNotFoundError, NotADirectoryError):
            return KeyFact(file=None)


def usable(file: CertificateFile | None, wanted: Message, path: str) -> CertificateFile | Verdict:
    """*file*, where it holds a certificate or more in PEM; else the verdict that it does not."""
    if file is None or file.content is not Content.CERTIFICATES or not file.chain:
        return file_verdict(wanted, path, None if file is None else file.content)
    return file


class CertificateFileRequirement(Requirement, ABC):
    """What is judged by a certificate file alone: a file of something else is unmet, whatever is demanded of it."""

    certificate: str
    """Path of the certificate file (PEM, leaf first)."""

    def queries(self, known: Evidence) -> Sequence[CertificateQuery]:  # noqa: ARG002 - one question, whatever is known
        return [self.question()]

    def question(self) -> CertificateQuery:
        """The question that the file is asked."""
        return CertificateQuery(path=self.certificate)

    def judge(self, evidence: Evidence) -> Verdict:
        file = usable(evidence[self.question()].file, self.wanted(), self.certificate)
        return file if isinstance(file, Verdict) else self.judge_file(file)

    @abstractmethod
    def judge_file(self, file: CertificateFile) -> Verdict:
        """Decide about a file with one certificate or more."""


class ChainFileRequirement(CertificateFileRequirement, ABC):
    """The same, where it matters which root the certificates lead to."""

    ca_file: str | None = None
    """PEM file of the corporate root, where the certificate comes from an authority of the site's own."""

    def question(self) -> CertificateQuery:
        return CertificateQuery(path=self.certificate, ca_file=self.ca_file)
