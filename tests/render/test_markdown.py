from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from render.sample import in_a_container, report
from vorflug.render.markdown import escape, render_markdown

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def kinds(text: str) -> set[str]:
    return {t.type for token in READER.parse(text) for t in (token, *(token.children or ()))}


@pytest.mark.parametrize("lang", ["en", "de"])
def test_nothing_in_the_page_is_html_a_link_or_an_image(lang):
    found = kinds(render_markdown(report(), lang=lang))
    assert {"table_open", "heading_open", "bullet_list_open", "strong_open"} <= found
    assert not {k for k in found if "html" in k or "link" in k or "image" in k or "code" in k or k == "fence"}


def test_every_table_row_has_as_many_cells_as_its_heading():
    for token, following in zip(tokens := READER.parse(render_markdown(report(), lang="en")), tokens[1:], strict=False):
        assert not (token.type == "tr_open" and following.type == "tr_close")
    rows = [line for line in render_markdown(report(), lang="en").splitlines() if line.startswith("|")]
    assert len(rows) > 100


@given(st.text(alphabet=st.sampled_from(list("`*_{}[]()<>#+-.!|~&\\^$=:@ ab1/\"'wht")), max_size=40))
def test_whatever_stands_there_is_read_back_as_text(text):
    tokens = READER.parse(f"x {escape(text)} x")
    assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    inner = tokens[1].children
    assert {t.type for t in inner} <= {"text", "text_special"}
    assert "".join(t.content for t in inner) == f"x {text} x"


@pytest.mark.parametrize("text", ["https://evil.example", "www.evil.example", "WWW.evil.example", "a@evil.example"])
def test_bare_addresses_do_not_become_links_in_githubs_dialect(text):
    shown = escape(text)
    assert "://" not in shown and "www." not in shown.lower() and "www\\." not in shown.lower() and "@" not in shown


def test_it_tells_the_same_story():
    text = render_markdown(report(hostile=False), lang="en", fingerprint="SHA256:abc")
    assert text.startswith("# AI Audit Assist 1.0.0: NOT READY\n")
    order = [
        "## What to do",
        "### Proxy",
        "## Undetermined",
        "## To be confirmed",
        "## Sizes",
        "## Wanted and seen",
        "SHA256",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "- [ ] Ticket queue" in text


def test_in_german():
    assert "NICHT BEREIT" in render_markdown(report(), lang="de")


@pytest.mark.parametrize(
    "text",
    ["1.0.0", "registry-1.docker.io", "Run: systemctl enable --now docker.", "at least 8 GB (7 %)", "-1", "5.15+"],
)
def test_what_markdown_would_not_interpret_is_left_as_it_is(text):
    assert escape(text) == text


@given(st.text(alphabet=st.sampled_from(list("-+=#>123.) ab*")), max_size=12).map(str.strip).filter(bool))
def test_where_a_line_begins_it_is_read_back_as_text_too(text):
    tokens = READER.parse(f"- {escape(text)}\n")
    assert [t.type for t in tokens if t.nesting == 1] == ["bullet_list_open", "list_item_open", "paragraph_open"]
    assert "".join(c.content for t in tokens for c in t.children or ()) == text


def test_a_run_in_a_container_says_what_it_hides():
    said = render_markdown(in_a_container("podman"), lang="en")
    assert "inside a container (podman)" in said
    assert "inside a container" not in render_markdown(in_a_container(""), lang="en")


def test_each_request_is_a_row_with_its_path_as_far_as_it_came():
    text = render_markdown(report(hostile=False), lang="en")
    rows = text[text.index("## Network paths") : text.index("## Wanted and seen")].splitlines()[2:]
    assert rows[:3] == [
        "| Request | Path | Result |",
        "| --- | --- | --- |",
        "| https&#58;//a.example/ | Name 5 s (stopped here) | dns.timeout – 10.1.0.53 |",
    ]
    assert any("Name 12 ms → Connection 3 ms → TLS 41 ms → Answer 200 ms | passed |" in row for row in rows)
    assert any("| https&#58;//late.example/ | – | no answer in time |" in row for row in rows)
