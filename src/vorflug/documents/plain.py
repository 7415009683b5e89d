"""Documents as the bytes that leave this machine: JSON without secrets, and nothing in it that acts on a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Redact = Callable[[str], str]
"""Strikes secrets out of a string."""

_UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Controls and format characters, bidirectional marks among them, that JSON does not escape by itself.

A report is also looked at with ``cat``, and ``--format json`` prints it (Unicode TR #36, CVE-2021-42574).
"""


def encode(plain: Any) -> bytes:
    """JSON with one space of indent and a final newline.  Raises ValueError for a number that JSON has not."""
    text = json.dumps(plain, ensure_ascii=False, indent=1, allow_nan=False)
    return (_UNSEEN.sub(lambda found: json.dumps(found[0])[1:-1], text) + "\n").encode()


def struck_out(value: Any, redact: Redact) -> Any:
    """*value* with every string in it as *redact* gives it back: before it is encoded, which would hide a secret."""
    match value:
        case str():
            return redact(value).encode("utf-8", "backslashreplace").decode()
        case dict():
            return {struck_out(k, redact): struck_out(v, redact) for k, v in value.items()}
        case list():
            return [struck_out(v, redact) for v in value]
        case _:
            return value
