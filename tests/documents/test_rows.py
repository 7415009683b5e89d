"""Sizes and parameters at any depth of a field."""

from __future__ import annotations

import pytest

from documents.samples import HEAD, load, row
from vorflug.documents.rows import Missing, fields_of
from vorflug.engine import registry
from vorflug.model.requirement import HostSize, Organisational

HEAD = HEAD.replace(
    "requirements:",
    "  words: {type: text, many: true, title: {en: Words, de: Wörter}}\n"
    "  word: {type: text, title: {en: Word, de: Wort}}\nrequirements:",
)


def sources_row(fields):
    """A confirmation whose ``asks`` texts stand for any nested field."""
    return load(row("ORG-1", "confirmation", fields), head=HEAD).rows[0]


def test_below_a_mapping_and_by_size():
    found = sources_row("asks:\n  en: {param: llm.provider}\n  de: {S: klein, M: mittel, L: {param: llm.provider}}")
    assert set(found.uses) == {"llm.provider"} and found.open == {"asks"}
    asks = {size: found.requirement(size, {"llm.provider": "aws"}).asks for size in HostSize}
    assert [asks[s].de for s in HostSize] == ["klein", "mittel", "aws"] and asks["S"].en == "aws"
    with pytest.raises(Missing):
        found.requirement(HostSize.S, {})


LISTS = [
    ("[a, {param: words}, b]", {"words": ["x", "y"]}, ("a", "x", "y", "b")),
    ("[a, {param: words}, b]", {}, ("a", "b")),
    ("[a, {param: word}]", {"word": "x"}, ("a", "x")),
    ("{S: [a], M: [a, b], L: {param: words}}", {}, ("a",)),
]


@pytest.mark.parametrize(("written", "answers", "values"), LISTS)
def test_a_list_takes_in_what_a_parameter_lists(written, answers, values):
    found = load(row("A-1", "admin_access", f"groups: {written}"), head=HEAD).rows[0]
    assert found.requirement(HostSize.S, answers).groups == values


def test_a_row_without_references_is_made_once():
    found = load(row()).rows[0]
    assert found.requirement(HostSize.S, {}) is found.requirement(HostSize.S, {"llm.provider": "aws"})


def test_a_persons_answer_is_no_field_of_a_profile():
    for type_ in registry.requirements().values():
        assert ("answer" in fields_of(type_)) is (
            "answer" in type_.model_fields and not issubclass(type_, Organisational)
        )
