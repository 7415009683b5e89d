"""What is left of an internal error: a log for the vendor, without secrets."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback

from vorflug import __version__
from vorflug.model.message import Message, msg


def record(error: BaseException) -> Message:
    """Write the trace to a new private file; return the sentence that names it."""
    from vorflug.host.secrets import redact

    # frames without their local values: those could hold anything
    text = redact("".join(traceback.format_exception(error)))
    what = redact(f"{type(error).__name__}: {error}")[:300]
    try:
        handle, path = tempfile.mkstemp(prefix="vorflug-crash-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"vorflug {__version__}, Python {platform.python_version()}, {platform.platform()}\n{text}")
    except OSError:
        return msg("internal error: {what}. Please send this line to the vendor.", what=what)
    return msg("internal error: {what}. Please send {path} to the vendor.", what=what, path=path)
