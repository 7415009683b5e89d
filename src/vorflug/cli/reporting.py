"""Writes the report folder of a run and tells where it lies."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vorflug.cli.errors import Refusal
from vorflug.cli.output import terminal_width

if TYPE_CHECKING:
    from vorflug.attest.keys import SigningKey
    from vorflug.documents.folder import ReportFolder
    from vorflug.model.report import Report


@dataclass(frozen=True)
class Written:
    """Where a report lies, and who signed it."""

    folder: Path
    key: SigningKey


def signing_key(key_file: str | None) -> SigningKey:
    """The key that was named, else the user's own.  Raises Refusal (2) for one that cannot be used."""
    from vorflug.attest import keys
    from vorflug.cli import interrupts
    from vorflug.host import secrets

    secrets.remember(os.environ.get(keys.PASSPHRASE))
    try:
        with interrupts.held():
            return keys.load(Path(key_file)) if key_file else keys.report_key()
    except keys.KeyRefused as refused:
        raise Refusal(refused.message) from refused


@contextmanager
def folder(out: str) -> Iterator[ReportFolder]:
    """The new report folder in *out*, gone again unless a whole report lies in it at the end.

    Raises Refusal (2) where it cannot be written.
    """
    from vorflug.cli import interrupts
    from vorflug.documents.folder import OutputRefused, ReportFolder
    from vorflug.host.live import identity

    with ExitStack() as stack:
        try:
            with interrupts.held():
                opened = stack.enter_context(ReportFolder.open(Path(out), identity.name(), datetime.now(UTC)))
                stack.enter_context(interrupts.undoing(opened.discard))
        except OutputRefused as refused:
            raise Refusal(refused.message) from refused
        yield opened


def write(folder: ReportFolder, report: Report, key: SigningKey, language: str) -> Written:
    """Write the four files.  Raises Refusal (2) where that fails; the findings were shown by then."""
    from vorflug.attest.sign import sign_report
    from vorflug.attest.statement import preflight
    from vorflug.documents import facts
    from vorflug.documents.folder import OutputRefused
    from vorflug.host.secrets import redact
    from vorflug.model.report import Report
    from vorflug.render.html import render_html

    data = facts.write(report, redact)
    # what is signed and what is shown is made from the very bytes that are written
    plain = json.loads(data)
    page = render_html(Report.model_validate(plain), lang=language, fingerprint=key.fingerprint).encode()
    predicate = preflight(plain)
    envelope = sign_report({"report.json": data, "report.html": page}, predicate, key)
    try:
        folder.write("report.json", data)
        folder.write("report.html", page)
        folder.write("report-key.pub", key.public_pem, 0o644)
        # last, so that a folder with an envelope is a whole one
        folder.write("attestation.dsse.json", envelope)
    except OutputRefused as refused:
        raise Refusal(refused.message) from refused
    return Written(folder.path, key)


def show(report: Report, written: Written | None, format_: str, language: str) -> None:
    """Print what was asked for on stdout; *written* is None where the folder could not be written."""
    from vorflug.documents import facts
    from vorflug.host.secrets import redact
    from vorflug.model.report import Report
    from vorflug.render.columns import wants_color
    from vorflug.render.terminal import render_terminal

    data = facts.write(report, redact)
    if format_ == "json":
        click.echo(data, nl=False)
        return
    # the terminal gets to see what the files hold: the same secrets struck out
    report = Report.model_validate_json(data)
    click.echo(
        render_terminal(
            report,
            lang=language,
            width=terminal_width(),
            color=wants_color(),
            folder=str(written.folder) if written else None,
            fingerprint=written.key.fingerprint if written else None,
            key_note=written.key.ephemeral_because if written else None,
        ),
        nl=False,
    )
