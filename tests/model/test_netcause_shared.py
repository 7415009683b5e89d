from __future__ import annotations

from dataclasses import replace
from string import Formatter

import pytest

from render import traces
from vorflug.model.netcause import stopped
from vorflug.model.netcause_shared import FIXES, PART_OF, SAYS
from vorflug.model.netcause_texts import TEXTS
from vorflug.ports.net import Code, Stage, StageSeen

OF_ONE_ENDPOINT = {"name", "endpoint", "url", "peer", "names", "subject"}
"""Words that only one of many endpoints can fill."""


def words(template) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template.text) if name}


@pytest.mark.parametrize("code", SAYS)
def test_what_many_share_names_none_of_them(code):
    says, fix = SAYS[code], FIXES.get(code, TEXTS[code][1])
    assert not (words(says) | words(fix)) & OF_ONE_ENDPOINT
    assert words(says)  # it names what they share


@pytest.mark.parametrize("code", SAYS)
def test_the_finding_says_what_it_met_and_the_cause_what_is_shared(code):
    trace = traces.passed(stages=(StageSeen(Stage.TLS, 0.1, code, "x"),), http=None)
    here, there = stopped(trace, "https://a.example/"), stopped(replace(trace, host="b.example"), "https://b.example/")
    assert here.cause == there.cause and here.cause.says == there.cause.says and here.cause.fix == there.cause.fix
    assert here.says != there.says


def test_a_cause_can_only_be_part_of_one_about_the_same_thing():
    for part, whole in PART_OF.items():
        trace = traces.passed(stages=(StageSeen(Stage.TLS, 0.1, part, "x"),), http=None)
        other = traces.passed(stages=(StageSeen(Stage.TLS, 0.1, whole, "x"),), http=None)
        cause, of = stopped(trace, "https://a.example/").cause, stopped(other, "https://a.example/").cause
        assert (cause.part_of, cause.subject) == (of.kind, of.subject) and of.part_of is None


def test_a_cause_about_one_endpoint_is_said_as_it_was_met():
    trace = traces.passed(stages=(StageSeen(Stage.CONNECT, 0.1, Code.TCP_REFUSED, "ECONNREFUSED"),), http=None)
    found = stopped(trace, "https://a.example/")
    assert found.cause.says == found.says and found.cause.part_of is None
