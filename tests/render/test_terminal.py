from __future__ import annotations

import re

import pytest

from render.sample import in_a_container, interrupted, report
from vorflug.model.message import msg
from vorflug.render.columns import wants_color
from vorflug.render.terminal import render_terminal

FOLDER = "vorflug-audit-vm-01-20261124T101200Z"
KEY = "SHA256:4ZC0xQXb1m0qV3Yw8m3nTtbq0yq4s7dQmX5O0bV9m2k"


def shown(sample=None, *, lang="en", width=80, color=False) -> str:
    return render_terminal(
        sample or report(hostile=False), lang=lang, width=width, color=color, folder=FOLDER, fingerprint=KEY
    )


@pytest.mark.parametrize("width", [40, 80, 140])
@pytest.mark.parametrize("lang", ["en", "de"])
@pytest.mark.parametrize("color", [False, True])
def test_no_line_is_wider_than_the_terminal_or_ends_in_blanks(width, lang, color):
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown(report(), lang=lang, width=width, color=color))
    lines = text.splitlines()
    assert max(len(line) for line in lines) <= width
    assert [line for line in lines if line != line.rstrip()] == []
    assert text.endswith("\n") and not text.endswith("\n\n")


def test_the_order_is_verdict_to_do_not_looked_report():
    text = shown(width=140)
    order = [
        "  NOT READY   7 musts unmet", "  AI Audit Assist 1.0.0 · Compose · size M · audit-vm-01 · 2026-11-24 10:12 UTC",
        "  What to do\n  Proxy      proxy.corp:3128 wants Negotiate", "             blocks 4 · Ask for an exemption", "32 GB wanted · fits S",
        "  Undetermined\n  DNS        10.1.0.53 gave no answer in 5 s", f"  Report     {FOLDER}/report.html", f"  Key        {KEY}", "  Next       ",
    ]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_continued_lines_keep_the_right_column():
    text = shown(width=60)
    body = text[text.index("What to do") : text.index("Undetermined")].splitlines()[1:-1]
    body = [line for line in body if line.strip()]
    assert all(line.startswith(" " * 13) or re.match(r"  \S+ +", line) for line in body)
    assert any(line.startswith(" " * 13) for line in body)


def test_plain_text_holds_no_escape_whatever_the_report_holds():
    text = shown(report())
    assert "\x1b" not in text and "\u202e" not in text and "\\u001b[31mred" in text


def test_with_colours_only_our_own_escapes_are_there():
    text = shown(report(), color=True)
    assert "\x1b[1;31m" in text
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert "\x1b[31mred" not in text


def test_colours_change_no_word():
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown(color=True)) == shown()


def test_in_german():
    text = shown(lang="de")
    assert text.startswith("  NICHT BEREIT   7 Muss nicht erfüllt")
    assert "Was zu tun ist" in text and "Nicht feststellbar" in text and "Schlüssel" in text


def test_a_ready_report_points_to_verify():
    text = shown(report(ready=True), width=140)
    assert text.startswith("  READY ")
    assert "Undetermined" not in text and f"vorflug verify {FOLDER}" in text


def test_an_interrupted_run_is_called_partial():
    assert "(SIGINT): this report is partial" in shown(interrupted())


def test_a_note_on_the_key_is_said_and_without_a_folder_no_report_is_promised():
    text = render_terminal(report(), lang="en", key_note=msg("report"))
    assert "  Key        report" in text
    assert "Report     " not in text and "Next" not in text


def test_shoulds_beyond_a_handful_are_counted_and_musts_never_hidden():
    sample = report()
    bad = [f for f in sample.findings if f.id.startswith("BAD-")]
    many = tuple(bad[0].model_copy(update={"id": f"MANY-{n}"}) for n in range(20))
    text = shown(sample.model_copy(update={"findings": (*sample.findings, *many)}), width=140)
    assert "and 18 more in the report" in text


class _Stream:
    def __init__(self, terminal: bool) -> None:
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "environment", "wanted"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False), (True, {"NO_COLOR": ""}, True), (True, {"TERM": "dumb"}, False)],
)  # fmt: skip
def test_colours_are_for_terminals_whose_owner_wants_them(monkeypatch, terminal, environment, wanted):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout", _Stream(terminal))
    assert wants_color() is wanted


def test_many_missing_parameters_share_one_entry():
    sample = report(hostile=False)
    one = next(r for r in sample.roots if r.cause.kind == "parameter.missing")
    names = ("a.one", "b.two", "c.three")
    roots = tuple(
        one.model_copy(update={"cause": one.cause.model_copy(update={"subject": name}), "blocks": one.blocks})
        for name in names
    )
    text = shown(sample.model_copy(update={"roots": roots}), width=140)
    assert "3 parameters are not given: a.one, b.two and c.three" in text and "vorflug site init" in text
    assert "parameter llm.endpoint not given" not in text


def test_two_requirements_with_one_remedy_are_said_once():
    sample = report(hostile=False)
    lone = next(f for f in sample.findings if f.id == "DCK-009")
    twin = lone.model_copy(update={"id": "DCK-010"})
    text = shown(sample.model_copy(update={"findings": (*sample.findings, twin)}), width=140)
    assert text.count("What does the engine say about itself?") == 1


def test_each_entry_ends_with_the_ids_that_explain_takes_and_a_bare_cause_has_none():
    text = shown(width=200)
    assert "32 GB wanted · fits S · HW-002\n" in text
    assert "parameter llm.endpoint not given\n" in text
    assert "\x1b[2m · HW-002\x1b[0m" in shown(width=200, color=True)


def test_twins_name_both_ids():
    sample = report(hostile=False)
    twin = next(f for f in sample.findings if f.id == "DCK-009").model_copy(update={"id": "DCK-010"})
    text = shown(sample.model_copy(update={"findings": (*sample.findings, twin)}), width=200)
    assert "say about itself? · DCK-009, DCK-010\n" in text


def test_a_run_in_a_container_says_what_it_hides():
    said = " ".join(shown(in_a_container("podman")).split())
    assert "inside a container (podman)" in said
    assert "inside a container" not in " ".join(shown(in_a_container("")).split())
