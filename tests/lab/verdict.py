"""Is an answer of the program right?  Everything that is wrong with it, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatch
from zlib import crc32

from lab.client import Done
from lab.row import NONE, PROXIED, Row

OVER_S = 1.0
"""How far past its deadline a diagnosis may be."""
PAGES = 3
"""Of so many rows one has its terminal page looked at."""
RSS = 150 << 20
"""Bytes of memory at most; the loaded program has 40 MiB."""
SECRETS = ("battery-staple", "secret-word", "right-horse")
_LIVE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of writing."""


@dataclass(frozen=True)
class Case:
    """One row on one way."""

    row: Row
    way: str

    @property
    def id(self) -> str:
        return f"{self.row.id}-{self.way}"


@dataclass
class Outcome:
    """What came of one case."""

    code: str = ""
    warnings: tuple[str, ...] = ()
    took_s: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def answer(self) -> str:
        return " + ".join((self.code, *self.warnings))


def cases(rows: tuple[Row, ...]) -> tuple[Case, ...]:
    return tuple(Case(row, way) for row in rows for way in row.ways)


def examine(lab, case: Case, *, prove: bool = True, page: bool = True, thorough: bool = False) -> Outcome:
    """Prove the fault, ask the program, and say what is wrong.

    Only where *thorough*, what is proved over IPv4 is proved over IPv6, too (the servers are the same ones), and every
    row has its terminal page looked at.
    """
    row, way = case.row, case.way
    outcome = Outcome()
    first = way in (row.ways[0], PROXIED) or thorough
    if prove and first and row.prove and (way != PROXIED or row.prove[0] != "dig"):
        said = lab.prove(row, way)
        if not re.search(row.proof, said, re.IGNORECASE):
            outcome.wrong.append(
                f"the fault is not proved: wanted {row.proof!r} of {' '.join(row.prove)}, saw {said[-600:]}"
            )
    _document(lab, case, lab.diagnose(row, way), outcome)
    if page and way == row.ways[0] and row.fault != NONE and (thorough or crc32(row.id.encode()) % PAGES == 0):
        lang = "de" if len(row.id) % 2 else "en"
        shown = lab.diagnose(row, way, "terminal", lang)
        if shown.code not in (0, 3) or (outcome.code == row.wanted(way) and outcome.code not in shown.out):
            outcome.wrong.append(f"terminal: exit {shown.code}, {shown.out[:600]} {shown.err[:600]}")
        outcome.wrong += _inert("terminal page", shown.out)
        outcome.wrong += _in_time(row, shown)
    return outcome


def _document(lab, case: Case, done: Done, outcome: Outcome) -> None:
    row, wrong = case.row, outcome.wrong
    outcome.took_s = done.took_s
    wrong += _in_time(row, done)
    if done.code not in (0, 3):
        wrong.append(f"exit {done.code}: {done.err[:800]}")
        return
    doc = done.json()
    code, warnings = doc["code"], tuple(doc["warnings"])
    outcome.code, outcome.warnings = code, warnings
    wanted = row.wanted(case.way)
    expected = row.warnings if wanted == row.code else ()
    if code != wanted or sorted(warnings) != sorted(expected):
        seen = "; ".join(f"{s['stage']} {s['code']} {s['detail']}" for s in doc["stages"] if s["code"] or s["detail"])
        checks = "; ".join(f"{c['check']} {c['outcome']}" for c in doc["checks"])
        wanted_answer = " + ".join((wanted, *expected))
        wrong.append(f"wanted {wanted_answer}, saw {outcome.answer} [{seen}] [{checks}]")
    if done.code != (0 if code == "ok" else 3):
        wrong.append(f"exit {done.code} with {code}")
    by_stages = [s["code"] for s in doc["stages"] if s["code"]]
    if (by_stages[:1] or ["ok"]) != [code]:
        wrong.append(f"the first stage that failed says {by_stages[:1]}, the document {code}")
    for pattern in row.never:
        wrong += [f"must not say {said}" for said in {code, *warnings, *by_stages} - {"ok"} if fnmatch(said, pattern)]
    for pattern in row.shows:
        if not re.search(lab.fill(row, pattern, case.way), done.out, re.IGNORECASE):
            wrong.append(f"does not show {pattern!r}")
    for sentence in _sentences(doc):
        wrong += [f"must not say {p!r}: {sentence}" for p in row.never_words if re.search(p, sentence, re.IGNORECASE)]
    if lab.seen.get("metadata"):
        wrong.append("somebody asked the metadata service")
    if (secret := next((s for s in SECRETS if s in done.out + done.err), None)) is not None:
        wrong.append(f"a secret is written: {secret}")
    wrong += _inert("document", "".join(_texts(doc)))
    if done.rss > RSS:
        wrong.append(f"{done.rss >> 20} MiB of memory")


def _in_time(row: Row, done: Done) -> list[str]:
    late = done.took_s - row.deadline
    return [f"{late:.1f} s past its deadline"] if late > OVER_S else []


def _inert(what: str, text: str) -> list[str]:
    live = _LIVE.search(text)
    return [f"live in the {what}: {live[0]!r}"] if live else []


def _texts(value) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return []
    return [text for one in value for text in _texts(one)]


def _sentences(doc) -> list[str]:
    """All but what is said not to be meant."""
    places = (doc, *doc["notes"])
    return [p[k]["en"] for p in places for k in ("says", "means", "fix", "ask") if p.get(k)]
