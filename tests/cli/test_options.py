"""``--thorough`` and the deadline that goes with it, from the command line to facts that are judged again."""

from __future__ import annotations

import json
import time

import pytest

from documents.samples import HEAD, row
from lab.servers import tcp
from lab.streams import sse
from vorflug.cli.__main__ import execute
from vorflug.cli.options import deadline_of


@pytest.mark.parametrize(
    ("given", "thorough", "seconds"), [(None, False, 120), (None, True, 420), (7.5, False, 7.5), (7.5, True, 7.5)]
)
def test_a_thorough_run_has_more_time_unless_its_time_is_given(given, thorough, seconds):
    assert deadline_of(given, thorough=thorough) == seconds


def _profile(folder, port):
    url = f"http://127.0.0.1:{port}/events"
    fields = f"url: '{url}'\nidle: 40 s\nidle_thorough: 300 s\nproxied: false"
    file = folder / "profile.yaml"
    file.write_text(HEAD + row("STR-1", "event_stream", fields), encoding="utf-8")
    return str(file)


def _judged(folder, profile, *options):
    """What collect wrote, and the finding that evaluate makes of it, which knows of no option."""
    facts, report = folder / "facts.json", folder / "report.json"
    assert execute(["collect", "--profile", profile, "--out", str(facts), "--deadline", "2", *options]) == 0
    execute(["evaluate", str(facts), "--profile", profile, "--out", str(report)])
    (finding,) = json.loads(report.read_bytes())["findings"]
    return json.loads(facts.read_bytes()), finding


@pytest.mark.parametrize(("options", "idle", "words"), [((), 40, "40 s"), (("--thorough",), 300, "5 min")])
def test_the_longer_silence_is_asked_for_and_remembered_and_ends_with_the_deadline(tmp_path, options, idle, words):
    with tcp(sse(events=1, then="silent")) as port:
        began = time.monotonic()
        facts, finding = _judged(tmp_path, _profile(tmp_path, port), *options)
    assert time.monotonic() - began < 2 + 5, "not beyond the deadline, give or take a busy machine"
    assert facts["profile"]["thorough"] is bool(options)
    assert [one["query"]["idle_s"] for one in facts["facts"]] == [idle]
    assert words in finding["wanted"]["en"] and finding["outcome"] == "unknown", finding
    assert (finding["cause"] or {}).get("kind") != "unseen.not_asked", "its own question was found again"
