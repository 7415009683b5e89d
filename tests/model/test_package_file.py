"""One cause for every finding on a file that cannot be used."""

from __future__ import annotations

import pytest

from vorflug.model.message import msg, render
from vorflug.model.package_file import FileFact, file_cause, file_gap
from vorflug.model.requirement import Outcome
from vorflug.ports.package import FileRead, Reading


@pytest.mark.parametrize("line", [None, 7])
@pytest.mark.parametrize("reading", list(Reading))
def test_every_reading_has_words_or_is_no_cause(reading, line):
    file = FileFact.of(FileRead("/srv/.env", reading, line, "wanted KEY=value", 3))
    cause, gap = file_cause(file), file_gap(msg("x"), file)
    if reading is Reading.GOOD:
        assert cause is None and gap is None
        return
    assert (cause.kind, cause.subject) == (f"file.{reading}", "/srv/.env")
    assert "/srv/.env" in render(cause.says) and "/srv/.env" in render(cause.fix)
    assert gap.outcome is (Outcome.UNKNOWN if reading is Reading.DENIED else Outcome.UNMET)
    if reading is Reading.BROKEN:
        assert "wanted KEY=value" in render(cause.says)
        assert ("7" in render(cause.fix)) == (line is not None)
