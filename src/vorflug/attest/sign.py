"""The one call that turns report files into an attestation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vorflug.attest import dsse, statement
from vorflug.attest.keys import SigningKey


def sign_report(files: Mapping[str, bytes], predicate: Mapping[str, Any], key: SigningKey) -> bytes:
    """The bytes of ``attestation.dsse.json`` over *files*.

    *files* holds exactly ``report.json`` and ``report.html`` as they are written; *predicate* comes from
    `statement.preflight`.  Raises ValueError where either is not as agreed: such a report would never verify.
    """
    return dsse.sign(statement.build(files, predicate), statement.PAYLOAD_TYPE, key)
