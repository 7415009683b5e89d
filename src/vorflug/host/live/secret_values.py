"""Which of the values that a file holds are secrets, to be struck out of everything that is written.

The net must be fine, and must not catch what a report needs: a value that is a plain word (``changeme``), a placeholder
or a path would blot out harmless texts, and so it is left alone.
"""

from __future__ import annotations

import re
from typing import Any

from vorflug.host.live.structured import scalar
from vorflug.host.secrets import remember, userinfo

_SECRET_KEY = re.compile(
    r"SECRET|TOKEN|KEY|PASS|PWD|KENNWORT|GEHEIM|CREDENTIAL|DSN|SALT|SIGNATURE|CONNECTION|(?<![A-Z])PW(?![A-Z])|AUTH$",
    re.IGNORECASE,
)
_HARMLESS_KEY = re.compile(
    r"(FILE|PATH|DIR|FOLDER|URL|URI|HOST|PORT|ENDPOINT|TYPE|NAME|ID|ALGORITHM|TTL)$", re.IGNORECASE
)
_WORDS = re.compile(r"[A-Za-z]+([-_ ][A-Za-z]+)*")
_LONGEST_WORDS = 20
"""Longer runs of letters may be random."""
_PLACEHOLDER = re.compile(r"<.*>|\$\{.*\}|\$[A-Za-z_]+")


def sounds_secret(key: str) -> bool:
    """Whether the value of *key* is to be taken as a secret: ``JWT_SECRET_KEY``, but not ``TLS_KEY_FILE``."""
    return bool(_SECRET_KEY.search(key)) and not _HARMLESS_KEY.search(key)


def remember_value(value: str) -> None:
    """Note a secret, unless it is a plain word or a placeholder."""
    plain = value.strip()
    if _PLACEHOLDER.fullmatch(plain) or (len(plain) <= _LONGEST_WORDS and _WORDS.fullmatch(plain)):
        return
    remember(value, plain)


def remember_userinfo(text: str) -> None:
    """Note user and password of every URL in *text*."""
    found = {text[start:end] for start, end in userinfo(text)}
    # a word may hold several URLs: the password of the first ends at its own "@"
    found |= {one.partition("/")[0].rpartition("@")[0] for one in found}
    remember(*found, *(one.partition(":")[2] for one in found))


def remember_all(data: Any) -> None:
    """Note the values of all keys that sound secret, and every userinfo, in what YAML or JSON gave."""
    todo: list[tuple[str, Any]] = [("", data)]
    seen: set[tuple[int, bool]] = set()
    while todo:
        key, value = todo.pop()
        if isinstance(value, dict | list):
            if (id(value), sounds_secret(key)) in seen:
                continue  # an alias gives the same object again, perhaps for ever
            seen.add((id(value), sounds_secret(key)))
        match value:
            case dict():
                named = value.get("name")
                # lists of {name: DB_PASSWORD, value: …} are environments
                todo += [(named if k == "value" and isinstance(named, str) else scalar(k), v) for k, v in value.items()]
            case list():
                todo += [(key, v) for v in value]
            case str():
                remember_userinfo(value)
                name, has_value, rest = value.partition("=")
                if sounds_secret(key):
                    remember_value(value)
                elif has_value and sounds_secret(name):
                    remember_value(
                        rest
                    )  # KEY=value in the environment lists of compose files, --key=value in arguments
