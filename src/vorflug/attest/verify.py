"""Verifies a report folder, step by step; what does not hold says at which step.

Nothing before step 6 is believed, nothing after it is read from disk again: the result holds the very bytes that were
hashed.  Every defect of the folder is a refusal, also a missing file or one too many: a file that nobody signed has no
place beside files that somebody did.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from vorflug.attest import dsse, keys, statement
from vorflug.attest.files import FileRefused, read_once
from vorflug.attest.strict import Malformed, parse
from vorflug.attest.trust import Role, TrustedKey, lies_within
from vorflug.model.message import Message, msg

ATTESTATION = "attestation.dsse.json"
PUBLIC_KEY = "report-key.pub"
"""Lies beside the report for people; nothing is verified with it, but another one than the signer's is refused."""

MOST_BYTES = 64 << 20
"""The largest report.json or report.html that is read."""

_SIZES = {
    **dict.fromkeys(statement.SUBJECTS, MOST_BYTES),
    ATTESTATION: dsse.MOST_BYTES,
    PUBLIC_KEY: keys.MOST_BYTES,
}


class Step(StrEnum):
    """The steps of verify (1 to 9) and of the gate's policy (10 to 13), in their order."""

    TRUST = "trust"
    FOLDER = "folder"
    FILES = "files"
    ENVELOPE = "envelope"
    KEY = "key"
    SIGNATURE = "signature"
    STATEMENT = "statement"
    SUBJECTS = "subjects"
    PREDICATE = "predicate"
    COMPLETE = "complete"
    AGE = "age"
    HOST = "host"
    PROFILE = "profile"

    @property
    def number(self) -> int:
        """1 for the first."""
        return list(Step).index(self) + 1

    @property
    def shown_as(self) -> Message:
        """What the step is called for people."""
        return _TITLES[self]


_TITLES = {
    Step.TRUST: msg("trust"),
    Step.FOLDER: msg("folder"),
    Step.FILES: msg("files"),
    Step.ENVELOPE: msg("envelope"),
    Step.KEY: msg("key"),
    Step.SIGNATURE: msg("signature"),
    Step.STATEMENT: msg("statement"),
    Step.SUBJECTS: msg("signed files"),
    Step.PREDICATE: msg("signed verdict"),
    Step.COMPLETE: msg("complete run"),
    Step.AGE: msg("age"),
    Step.HOST: msg("host"),
    Step.PROFILE: msg("profile"),
}


class Refused(Exception):
    """Verification or gate ends here.  *step* refused, *message* says what was wanted, seen and to do."""

    def __init__(self, step: Step, message: Message) -> None:
        super().__init__(str(message))
        self.step = step
        self.message = message


@dataclass(frozen=True)
class Verified:
    """A folder whose every byte is accounted for."""

    key: TrustedKey
    predicate: Mapping[str, Any]
    """The signed predicate, its shape checked (`statement.check_predicate`)."""
    files: Mapping[str, bytes]
    """The verified bytes of report.json and report.html."""


def verify(folder: Path, trusted: Sequence[TrustedKey], trusted_from: Path | None = None) -> Verified:
    """Verify the report in *folder* with *trusted* keys, which were read from *trusted_from*.  Raises Refused."""
    # 1. trust: the keys do not come from the folder that they are to vouch for
    if not trusted:
        raise Refused(Step.TRUST, msg("No trusted key was given."))
    try:
        own_witness = trusted_from is not None and lies_within(trusted_from, folder)
    except (OSError, ValueError):
        own_witness = False  # a folder that is not there is step 2's
    if own_witness:
        raise Refused(
            Step.TRUST,
            msg(
                "The key {file} lies in the folder that is to be verified, so it proves nothing. Use a key that came "
                "another way; or copy this one elsewhere after its fingerprint was read out to you by whoever made "
                "the report.",
                file=str(trusted_from),
            ),
        )
    # 2. folder: exactly the agreed names
    # 3. files: regular, no links, capped, each read once
    files = _files(folder)
    # 4. envelope: the one agreed spelling
    try:
        envelope = dsse.read(files.pop(ATTESTATION))
    except Malformed as error:
        raise Refused(
            Step.ENVELOPE, msg("{file} is not as agreed: {what}.", file=ATTESTATION, what=error.message)
        ) from error
    # 5. key: the envelope's key is one of the trusted ones, for reports
    key = _trusted(envelope.keyid, trusted)
    # 6. signature: it covers payload type and payload
    try:
        dsse.verify(envelope, key.key)
    except Malformed as error:
        raise Refused(Step.SIGNATURE, msg("The signature does not hold: {what}.", what=error.message)) from error
    # 7. statement: in-toto v1, our predicate type, exactly the agreed members
    try:
        said = statement.read(envelope.payload, envelope.payload_type)
    except Malformed as error:
        raise Refused(Step.STATEMENT, msg("The statement is not as agreed: {what}.", what=error.message)) from error
    # 8. subjects: each file by its name and its sha256, the public key by the key that signed
    beside = files.pop(PUBLIC_KEY, None)
    if beside is not None and beside != keys.public_pem(key.key):
        raise Refused(
            Step.SUBJECTS,
            msg(
                "{file} is not the key that signed this report ({key}). Do not use it; remove it.",
                file=PUBLIC_KEY,
                key=key.fingerprint,
            ),
        )
    for name, data in files.items():
        seen = hashlib.sha256(data).hexdigest()
        if seen != said.digests[name]:
            raise Refused(
                Step.SUBJECTS,
                msg(
                    "{file} is not the file that was signed: sha256 {wanted} was signed, {seen} was found.",
                    file=name,
                    wanted=said.digests[name],
                    seen=seen,
                ),
            )
    # 9. predicate: typed, contradicting neither itself nor the report.json that it is about
    try:
        statement.check_predicate(said.predicate)
    except Malformed as error:
        raise Refused(
            Step.PREDICATE, msg("The signed verdict is not as agreed: {what}.", what=error.message)
        ) from error
    _agrees(files["report.json"], said.predicate)
    return Verified(key, said.predicate, files)


def _agrees(report: bytes, predicate: Mapping[str, Any]) -> None:
    try:
        wanted = statement.preflight(parse(report, most=MOST_BYTES))
    except ValueError as error:
        what = error.message if isinstance(error, Malformed) else str(error)
        raise Refused(
            Step.PREDICATE, msg("{file} holds no report that can be signed: {what}.", file="report.json", what=what)
        ) from error
    if differ := tuple(name for name in wanted if predicate.get(name) != wanted[name]):
        raise Refused(
            Step.PREDICATE,
            msg("The signed verdict and {file} differ in {names:list}.", file="report.json", names=differ),
        )


def _files(folder: Path) -> dict[str, bytes]:
    wanted = (*statement.SUBJECTS, ATTESTATION)
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            names = set(os.listdir(fd))
            if names - {PUBLIC_KEY} != set(wanted):
                raise _wrong_names(folder, names, wanted)
            return {name: read_once(name, most=_SIZES[name], dir_fd=fd) for name in (*wanted, *(names - set(wanted)))}
        finally:
            os.close(fd)
    except FileRefused as error:
        raise Refused(Step.FILES, error.message) from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise Refused(
            Step.FOLDER,
            msg(
                "{folder}: wanted the folder of a report, cannot be read ({error}).",
                folder=str(folder),
                error=why or "?",
            ),
        ) from error


def _wrong_names(folder: Path, names: set[str], wanted: Sequence[str]) -> Refused:
    missing = tuple(name for name in wanted if name not in names)
    if missing:
        return Refused(
            Step.FOLDER,
            msg("{folder}: {missing:list} missing. A report is verified whole.", folder=str(folder), missing=missing),
        )
    more = tuple(sorted(names - {*wanted, PUBLIC_KEY}))[:10]
    return Refused(
        Step.FOLDER,
        msg("{folder}: {more:list} was not signed with the report. Move it elsewhere.", folder=str(folder), more=more),
    )


def _trusted(keyid: str, trusted: Sequence[TrustedKey]) -> TrustedKey:
    for key in trusted:
        if key.fingerprint == keyid and key.role is Role.REPORT:
            return key
    raise Refused(
        Step.KEY,
        msg(
            "Signed with the key {seen}, which is not trusted here. Trusted: {wanted:list}.",
            seen=keyid,
            wanted=tuple(key.fingerprint for key in trusted),
        ),
    )
