"""Signs and verifies reports: DSSE envelopes over in-toto statements, keys, trust, and the gate's policy.

Works on bytes and plain dicts.  Nothing here reads a report's findings; the gate reads the signed predicate alone.
"""

from __future__ import annotations

from vorflug.attest.sign import sign_report
from vorflug.attest.statement import preflight

__all__ = ["preflight", "sign_report"]
