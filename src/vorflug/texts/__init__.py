"""The program's sentences in the reader's language: gettext catalogues, the English template is the key."""

from __future__ import annotations

import gettext
import locale
import os
from functools import cache
from pathlib import Path

from vorflug.model.message import Message, Text, Translate, render

LANGUAGES = ("en", "de")
"""What the program speaks."""

_FOLDER = Path(__file__).parent


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The compiled catalogue.  Raises FileNotFoundError where a build left it out: never silently English."""
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation("vorflug", _FOLDER, [language])


def translator(language: str) -> Translate:
    """The function that gives a template in *language*."""
    return catalogue(language).gettext


def say(message: Message | Text | str, language: str) -> str:
    """The sentence in *language*."""
    return render(message, translator(language), language)


def preferred() -> str:
    """The language of the environment (LC_ALL, LC_MESSAGES, LANG as in locale(7)); English where it is none of ours."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name, "")
        if value:
            code = (locale.normalize(value).partition("_")[0]).lower()
            return code if code in LANGUAGES else "en"
    return "en"
