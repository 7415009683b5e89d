"""What is left of an internal error: a log for the vendor, without secrets."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from collections.abc import Sequence

from vorflug import __version__
from vorflug.model.message import Message, msg, visible


def record(error: BaseException) -> Message:
    """Write the trace to a new private file; return the sentence that names it."""
    from vorflug.host.secrets import redact

    what = redact(f"{type(error).__name__}: {error}")[:300]
    path = _write([error])
    if path is None:
        return msg("internal error: {what}. Please send this line to the vendor.", what=what)
    return msg("internal error: {what}. Please send {path} to the vendor.", what=what, path=path)


def questions(errors: Sequence[BaseException]) -> Message:
    """The same for questions that failed in a way nobody foresaw; the report has them as undetermined."""
    path = _write(errors)
    if path is None:
        return msg("{count} questions failed; the reasons are in the report.", count=len(errors))
    return msg("{count} questions failed; the log for the vendor: {path}", count=len(errors), path=path)


def _write(errors: Sequence[BaseException]) -> str | None:
    from vorflug.host.secrets import redact

    # frames without their local values: those could hold anything
    text = redact("\n".join("".join(traceback.format_exception(error)) for error in errors))
    # somebody will look at it on a terminal
    text = "\n".join(visible(line, at_most=2000) for line in text.split("\n"))
    try:
        handle, path = tempfile.mkstemp(prefix="vorflug-crash-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as log:
            log.write(f"vorflug {__version__}, Python {platform.python_version()}, {platform.platform()}\n{text}")
    except OSError:
        return None
    return path
