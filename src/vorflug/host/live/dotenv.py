"""``.env`` files: quotes, ``export``, comments; ``${VAR}`` is not expanded.  Parsed by python-dotenv."""

from __future__ import annotations

from io import StringIO

from vorflug.host.live.structured import Unparsable


def parse_env(text: str, name: str) -> dict[str, str]:
    """Keys and values; of a key that stands twice the last value counts.  Raises Unparsable with the line."""
    from dotenv.parser import parse_stream

    values: dict[str, str] = {}
    for binding in parse_stream(StringIO(text.removeprefix("\ufeff"))):
        if binding.error:
            # what the parser gives back begins with the blank lines before
            blank = binding.original.string[: -len(binding.original.string.lstrip()) or None].count("\n")
            raise Unparsable(name, binding.original.line + blank, "wanted KEY=value")
        if binding.key is not None:
            # a key without "=" takes its value from the environment of compose, which nobody knows here
            values[binding.key] = binding.value or ""
    return values
