"""Starts a new area: ``python tools/new_area.py NAME`` writes the area and its test, both working, both to be changed.

The rest follows by itself: the registry finds the file, the schemas and tables are generated (``make docs``), the
binary collects it.  Profile rows and German texts are data.
"""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

AREA = '''"""{title}: what is asked here, and why.

Sources: name the man page, kernel document or upstream rule of every number and format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports import Host

TITLE = msg("{title}")


class {cls}Fact(Fact):
    """What was seen.  Raw, without opinion."""

    first_line: str


@dataclass(frozen=True, kw_only=True)
class {cls}Query(Query[{cls}Fact]):
    """One question put to a host."""

    kind = "{name}"
    path: str

    def asks(self) -> Message:
        return msg("What does the first line of {{path}} say?", path=self.path)

    def observe(self, host: Host) -> {cls}Fact:
        return {cls}Fact(first_line=host.files.read_text(self.path, limit=4096).partition("\\n")[0])


class {cls}Requirement(Requirement):
    """The first line of a file says this."""

    kind = "{name}"
    path: str
    says: str

    def wanted(self) -> Message:
        return msg("{{path}} says {{says}}", path=self.path, says=self.says)

    def queries(self, known: Evidence) -> Sequence[{cls}Query]:  # noqa: ARG002 - one question, whatever is known
        return [{cls}Query(path=self.path)]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[{cls}Query(path=self.path)]
        seen = msg("{{line}}", line=fact.first_line)
        if fact.first_line == self.says:
            return met(wanted=self.wanted(), seen=seen, because=msg("{{path}} says what is wanted.", path=self.path))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{{path}} says something else.", path=self.path),
            fix=msg("Write {{says}} into {{path}}.", says=self.says, path=self.path),
        )
'''

TEST = '''"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.{name} import {cls}Fact, {cls}Query, {cls}Requirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

QUERY = {cls}Query(path="/etc/example")


def requirement():
    return {cls}Requirement.model_validate(header(path="/etc/example", says="ready"))


def test_recorded_host_to_fact():
    host = fake_host(files=FakePort(read_text="ready\\nsecond"))
    assert QUERY.observe(host) == {cls}Fact(first_line="ready")
    assert requirement().queries(Evidence()) == [QUERY]
    assert "/etc/example" in render(QUERY.asks())


@pytest.mark.parametrize(("line", "outcome"), [("ready", Outcome.MET), ("", Outcome.UNMET), ("other", Outcome.UNMET)])
def test_verdict(line, outcome):
    verdict = requirement().judge(Evidence([Observation(QUERY, Seen({cls}Fact(first_line=line)))]))
    assert verdict.outcome is outcome
    assert (verdict.fix is not None) == (outcome is Outcome.UNMET)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        requirement().judge(Evidence([Observation(QUERY, Unseen(reason))]))
'''


def main(name: str) -> int:
    """Write the two files; refuse a name that is taken or that no module can have."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,30}", name) or keyword.iskeyword(name):
        print(f"wanted a module name such as 'printers', saw {name!r}: make new-area NAME=printers", file=sys.stderr)
        return 2
    area = ROOT / "src" / "vorflug" / "areas" / f"{name}.py"
    test = ROOT / "tests" / "areas" / f"test_{name}.py"
    taken = [str(p.relative_to(ROOT)) for p in (area, test) if p.exists()]
    if taken:
        print(f"{', '.join(taken)} is there already: choose another name", file=sys.stderr)
        return 2
    words = {
        "name": name,
        "cls": "".join(part.title() for part in name.split("_")),
        "title": name.replace("_", " ").capitalize(),
    }
    area.write_text(AREA.format(**words), encoding="utf-8")
    test.write_text(TEST.format(**words), encoding="utf-8")
    print(
        f"wrote {area.relative_to(ROOT)} and {test.relative_to(ROOT)}\n"
        f"next: change both, add rows to a profile, German to src/vorflug/texts/de/{name}.po, then make docs check test"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
