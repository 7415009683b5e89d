"""The language of one process: from ``--lang`` wherever it stands on the command line, else from the environment.

Commands are imported after this is known, so their help can be said in it.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Sequence
from pathlib import Path

from vorflug.model.message import Message, Text
from vorflug.texts import LANGUAGES, preferred, say

_chosen = "en"


def choose(arguments: Sequence[str]) -> str:
    """Set the language from the command line or the environment; return it."""
    global _chosen  # noqa: PLW0603 - one process speaks one language
    _chosen = _named(arguments) or preferred()
    # click's own sentences ("Usage:", "No such option") come from its gettext domain
    gettext.bindtextdomain("messages", str(Path(__file__).parent.parent / "texts"))
    os.environ["LANGUAGE"] = _chosen
    return _chosen


def current() -> str:
    """The language that was chosen."""
    return _chosen


def tell(message: Message | Text) -> str:
    """The sentence in the chosen language."""
    return say(message, _chosen)


def _named(arguments: Sequence[str]) -> str | None:
    for position, argument in enumerate(arguments):
        if argument == "--":
            return None
        name, equals, value = argument.partition("=")
        if name == "--lang":
            value = value if equals else (arguments[position + 1] if position + 1 < len(arguments) else "")
            return value if value in LANGUAGES else None
    return None
