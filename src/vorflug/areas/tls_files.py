"""How the files of certificate and key are written and protected.

Tried with Go 1.26 (``encoding/pem``, and so Caddy), OpenSSL 3.0 and Java's keytool: after a byte order mark Go passes
over the first certificate and keytool over all; where END and BEGIN share a line none of the three reads them; line
breaks of Windows all of them take.  RFC 7468, 3 (PEM's lines); chmod(1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, assert_never

from pydantic import StringConstraints

from vorflug.model.certificate_files import CertificateFileRequirement, CertificateQuery
from vorflug.model.certificates import Fault, no_key
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import Message, msg, sentences
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports import Host
from vorflug.ports.certificates import CertificateFile, Writing

TITLE = msg("TLS certificate and key files")


class KeyModeFact(Fact):
    """Who may use a file."""

    mode: int | None
    """Permission bits; None where there is no such file."""
    uid: int
    gid: int


@dataclass(frozen=True, kw_only=True)
class KeyModeQuery(Query[KeyModeFact]):
    """Who may read this private key?"""

    kind = "key_file_mode"
    path: str

    def asks(self) -> Message:
        return msg("Who may read the private key {path}?", path=self.path)

    def observe(self, host: Host) -> KeyModeFact:
        try:
            seen = host.files.status(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return KeyModeFact(mode=None, uid=0, gid=0)
        return KeyModeFact(mode=seen.mode, uid=seen.uid, gid=seen.gid)


class KeyProtectionRequirement(Requirement):
    """The private key is closed to others, and stands in no file that is not."""

    kind = "tls_key_protection"
    key: str
    """Path of the private key (PEM)."""
    certificate: str
    """Path of the certificate file (PEM), which is open to all and must not hold the key."""
    mode_at_most: Annotated[str, StringConstraints(pattern=r"^0[0-7]{3}$")]
    """The permissions that it may have at most, in octal: ``0640``."""

    def wanted(self) -> Message:
        return msg("private key with mode {mode} or stricter", mode=self.mode_at_most)

    def queries(
        self,
        known: Evidence,  # noqa: ARG002 - the same questions, whatever is known
    ) -> Sequence[KeyModeQuery | CertificateQuery]:
        return [KeyModeQuery(path=self.key), CertificateQuery(path=self.certificate)]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[KeyModeQuery(path=self.key)]
        if fact.mode is None:
            none = no_key(self.key)
            return unmet(wanted=self.wanted(), seen=none.says, because=none.says, fix=none.fix)
        mode = f"{fact.mode & 0o777:04o}"
        seen = msg("owner {uid}:{gid}, mode {mode}", uid=str(fact.uid), gid=str(fact.gid), mode=mode)
        faults = list(self._mode_faults(fact.mode & 0o777, mode))
        try:
            faults += self._file_faults(evidence[CertificateQuery(path=self.certificate)].file)
        except NotSeen:
            # what is wrong for certain is said even where the certificate could not be looked at
            if not faults:
                raise
        if not faults:
            return met(wanted=self.wanted(), seen=seen, because=msg("{key} is closed to others.", key=self.key))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=sentences(f.says for f in faults),
            fix=sentences(f.fix for f in faults),
        )

    def _mode_faults(self, bits: int, mode: str) -> Iterable[Fault]:
        if bits & ~int(self.mode_at_most, 8):
            yield Fault(
                msg("{key} has mode {mode}: others than its owner can use the key.", key=self.key, mode=mode),
                msg(
                    "chmod {wanted} {key}. If others could log in here, ask the PKI team for a new certificate "
                    "with a new key.",
                    wanted=self.mode_at_most,
                    key=self.key,
                ),
            )

    def _file_faults(self, file: CertificateFile | None) -> Iterable[Fault]:
        if file is not None and file.holds_key:
            yield Fault(
                msg("{path} holds a private key beside the certificates.", path=self.certificate),
                msg(
                    "Put the private key into a file of its own with mode 0600. If {path} was handed on, ask the PKI "
                    "team for a new certificate with a new key.",
                    path=self.certificate,
                ),
            )


class CertificateFormRequirement(CertificateFileRequirement):
    """The certificate file is written so that every server reads all of it."""

    kind = "tls_file_form"

    def wanted(self) -> Message:
        return msg("plain PEM that every server reads whole")

    def judge_file(self, file: CertificateFile) -> Verdict:
        seen = msg("{count} certificates in PEM, {size:size}", count=len(file.chain), size=file.size_bytes)
        faults = list(self._faults(file))
        if faults:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=sentences(f.says for f in faults),
                fix=sentences(f.fix for f in faults),
            )
        if Writing.CRLF in file.writing:
            says = msg("The file is plain PEM; its line breaks are those of Windows, which servers take.")
        else:
            says = msg("The file is plain PEM.")
        return met(wanted=self.wanted(), seen=seen, because=says)

    def _faults(self, file: CertificateFile) -> Iterable[Fault]:
        for how in file.writing:
            match how:
                case Writing.BOM:
                    yield Fault(
                        msg(
                            "{path} begins with a byte order mark: servers written in Go pass over the first "
                            "certificate, Java over all of them.",
                            path=self.certificate,
                        ),
                        msg("Remove it: sed -i '1s/^\\xEF\\xBB\\xBF//' {path}", path=self.certificate),
                    )
                case Writing.GLUED:
                    yield Fault(
                        msg(
                            "In {path} an END and the next BEGIN share a line, so that servers do not read on there.",
                            path=self.certificate,
                        ),
                        msg(
                            "Part them: sed -i 's/-----BEGIN/\\n&/g; s/^\\n//' {path}",
                            path=self.certificate,
                        ),
                    )
                case Writing.CRLF:
                    pass
                case _:
                    assert_never(how)
