"""The contacts of a plan as they are written: plain values for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from vorflug.engine.contacts import Touch, controls
from vorflug.model.report import Sentence


def write(touches: Iterable[Touch]) -> list[dict[str, Any]]:
    """One object for each contact.

    ``kind``, ``target`` (empty where only an answer names it), ``port`` and ``protocol`` (null and empty where there
    is none), ``certain`` (false: only an answer, or an alternative, leads there), ``via`` (null where no proxy can be
    the way; else ``proxy``, null for direct, and ``why``), ``purpose`` (null where the requirements' titles say it) and
    ``for``: the requirements' ids, empty for what every run touches.
    """
    return [_one(touch) for touch in touches]


def write_controls() -> list[dict[str, Any]]:
    """Whom a diagnosis may ask besides, as sentences."""
    return [Sentence.of(control).model_dump(exclude_none=True) for control in controls()]


def _one(touch: Touch) -> dict[str, Any]:
    contact = touch.contact
    purpose = contact.purpose
    return {
        "kind": contact.kind.value,
        "target": contact.target,
        "port": contact.port,
        "protocol": contact.protocol,
        "certain": contact.certain,
        "via": None if touch.via is None else {"proxy": touch.via.proxy, "why": touch.via.why},
        "purpose": None if purpose is None else Sentence.of(purpose).model_dump(exclude_none=True),
        "for": list(touch.ids),
    }
