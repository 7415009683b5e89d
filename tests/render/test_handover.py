from __future__ import annotations

import re
from dataclasses import replace

import pytest

from render.sample import report
from vorflug.model.cause import Team
from vorflug.model.codes import PAGES
from vorflug.model.message import msg
from vorflug.model.report import Sentence
from vorflug.ports.net import Code
from vorflug.render.handover import handover
from vorflug.render.view import view
from vorflug.render.words import Speaker


def text(team, lang="en", sample=None):
    sample = sample or report(hostile=False)
    story = view(sample)
    found = next(t for lists in (story.to_do, story.could_not_look) for t in lists if t.team is team)
    return handover(found, sample, Speaker(lang))


def test_it_has_a_subject_what_is_asked_for_and_the_evidence():
    said = text(Team.PROXY)
    lines = said.splitlines()
    assert lines[0] == "Subject: AI Audit Assist 1.0.0 on audit-vm-01: 1 point for Proxy"
    assert "looked at audit-vm-01 on 2026-11-24 10:12 UTC." in " ".join(lines[2:6])
    assert re.search(r"^1\. proxy.corp:3128 wants Negotiate", said, re.MULTILINE)
    assert "   Fix: Ask for an exemption" in said
    assert next(line for line in lines if line.startswith("   - ")).startswith("   - PRX-001, ")
    assert len([line for line in lines if line.startswith("   - EGR-")]) == 1
    assert len(re.findall("EGR-", next(line for line in lines if line.startswith("     also: ")))) == 3


def test_the_evidence_names_finding_code_endpoint_and_time():
    first = next(line for line in text(Team.PROXY).splitlines() if line.startswith("   - EGR-"))
    assert re.match(r"   - EGR-001, proxy\.auth_unsupported, proxy\.corp:3128, 2026-11-24 10:12 UTC:", first), first


def test_what_to_ask_for_comes_from_the_codes_page():
    said = " ".join(text(Team.PROXY).split())
    assert f"What we ask for: {' '.join(str(PAGES[Code.PROXY_AUTH_UNSUPPORTED].ask).split())}" in said


@pytest.mark.parametrize("lang", ["en", "de"])
@pytest.mark.parametrize("hostile", [False, True])
def test_it_is_plain_text_of_short_lines(lang, hostile):
    sample = report(hostile=hostile)
    story = view(sample)
    for team in (*story.to_do, *story.could_not_look):
        said = handover(team, sample, Speaker(lang))
        lines = said.splitlines()
        assert said.endswith("\n") and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", said)
        # the subject stands on one line, and a word that is longer than a line is not broken
        assert all(len(line) <= 78 or len(line.split()) <= 3 for line in lines[1:])


def test_german_is_german_throughout():
    said = text(Team.PROXY, "de")
    assert said.startswith("Betreff: AI Audit Assist 1.0.0 auf audit-vm-01: 1 Punkt für Proxy\n")
    assert not re.search(r"\b(Subject|Evidence|What we|Please)\b", said)


def test_of_much_evidence_the_first_is_listed_and_the_rest_counted():
    sample = report(hostile=False)
    story = view(sample)
    team = next(t for t in story.to_do if t.team is Team.PROXY)
    entry = team.entries[0]
    many = tuple(
        entry.blocks[0].model_copy(update={"id": f"X-{n}", "seen": Sentence.of(msg("{n} seen", n=n))})
        for n in range(60)
    )
    crowded = replace(team, entries=(replace(entry, blocks=many),))
    said = handover(crowded, sample, Speaker("en"))
    assert said.count("   - X-") == 39 and "and 21 more in the report" in said


def test_one_sentence_stands_once_with_all_the_findings_it_is_true_of():
    sample = report(hostile=False)
    team = next(t for t in view(sample).to_do if t.team is Team.PROXY)
    entry = team.entries[0]
    many = tuple(entry.blocks[0].model_copy(update={"id": f"X-{n}"}) for n in range(9))
    said = handover(replace(team, entries=(replace(entry, blocks=many),)), sample, Speaker("en"))
    assert said.count("   - X-") == 1
    assert "     also: X-1, X-2, X-3, X-4, X-5, X-6, X-7, X-8\n" in said
