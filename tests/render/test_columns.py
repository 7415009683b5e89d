from __future__ import annotations

import pytest

from vorflug.render.columns import Columns, spelled


def page(width=40, *, color=False) -> Columns:
    return Columns(width, color=color)


def test_what_stands_at_the_right_edge_stands_there_whatever_the_text():
    columns = page()
    columns.put("label", "short", right="12 ms")
    columns.put("label", "long enough that it must be wrapped twice over", right="9 s")
    first, second, *rest = columns.write().splitlines()
    assert first == "  label      short                 12 ms" and len(first) == 40
    assert second.endswith("9 s") and len(second) == 40
    assert all(line.startswith(" " * 13) and len(line) <= 35 for line in rest)


def test_the_rail_is_drawn_down_the_lines_without_a_label():
    columns = page()
    columns.put("a", "long enough that it must be wrapped twice over", rail="|")
    columns.put("", "hop", rail="|")
    lines = columns.write().splitlines()
    assert lines[0].startswith("  a  ") and all(line.startswith("  |  ") for line in lines[1:])


def test_a_label_alone_ends_in_no_blanks():
    columns = page()
    columns.put("label", "")
    assert columns.write() == "  label\n"


def test_no_page_is_narrower_than_forty_columns():
    columns = page(5)
    columns.put("label", "x" * 200)
    assert max(map(len, columns.write().splitlines())) == 40


@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [
        ("✓ a → b", "utf-8", "✓ a → b"),
        ("✓ a → b", "ascii", "+ a -> b"),
        ("Größe · „x“", "ascii", 'Groesse - "x"'),
        ("Größe · x", "latin-1", "Größe · x"),
        ("Größe ✗", "latin-1", "Größe x"),
        ("日本", "ascii", "日本"),
        ("✓", "no-such-encoding", "+"),
    ],
)
def test_what_an_encoding_cannot_write_is_spelled(text, encoding, shown):
    assert spelled(text, encoding) == shown
