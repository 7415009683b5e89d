"""What stands before many endpoints is one root, however each of them met it, and every page says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from areas.traces import known
from conftest import header
from render import traces
from render.sample import report as sample
from vorflug.areas.egress import EgressEndpoint
from vorflug.documents.report import Run, assemble
from vorflug.engine.evaluate import evaluate
from vorflug.engine.verdict import roots
from vorflug.model.evidence import Evidence
from vorflug.model.probing import TraceFact
from vorflug.model.query import Observation, Seen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Route, Stage, StageSeen
from vorflug.render.html import render_html
from vorflug.render.terminal import render_terminal

COUNT = 25
PROXY = Route("proxy.corp:3128", "https_proxy")


def dead_resolver(number: int, host: str):
    trace = traces.silent(host)
    detail = ("EAI_AGAIN", "silence", "")[number % 3]
    return replace(trace, stages=(replace(trace.stages[0], took_s=4.0 + number / 10, detail=detail),))


def dead_proxy(number: int, host: str):
    stages = (
        StageSeen(Stage.RESOLVE, 0.001 * number),
        StageSeen(Stage.CONNECT, 0.01 * number, Code.PROXY_REFUSED, f"ECONNREFUSED 10.1.9.{number}:3128"),
    )
    return traces.passed(host, route=PROXY, addresses=(), peer="", stages=stages, tls=None, http=None)


def gateway(number: int, host: str):
    """Where an issuer is known, it is interception; where none is, only an authority that nobody knows."""
    code = Code.TLS_INTERCEPTED if number % 5 == 0 else Code.TLS_UNKNOWN_CA
    stages = (StageSeen(Stage.RESOLVE, 0.01), StageSeen(Stage.CONNECT, 0.02), StageSeen(Stage.TLS, 0.03, code, "20"))
    return traces.passed(host, stages=stages, http=None)


def judged(met_by):
    demands = [
        EgressEndpoint.model_validate(header(id=f"EGR-{n:03}", url=f"https://h{n}.example/", public_ca=n % 5 == 0))
        for n in range(1, COUNT + 1)
    ]
    observations = [
        Observation(query, Seen(TraceFact(trace=met_by(n, f"h{n}.example"))), 0.1)
        for n, demand in enumerate(demands, start=1)
        for query in demand.queries(Evidence())
    ]
    return evaluate(demands, observations), observations


CASES = [
    (dead_resolver, "dns.timeout", "10.1.0.53"),
    (dead_proxy, "proxy.refused", "proxy.corp:3128"),
    (gateway, "tls.intercepted", "CN=Corp Inspection CA"),
]


@pytest.mark.parametrize(("met_by", "kind", "subject"), CASES)
def test_it_is_one_root_that_blocks_all_of_them(met_by, kind, subject):
    findings, _ = judged(met_by)
    assert [f.verdict.outcome for f in findings] == [Outcome.UNMET] * COUNT
    (root,) = roots(findings)
    assert (root.cause.kind, root.cause.subject, len(root.blocks)) == (kind, subject, COUNT)


@pytest.mark.parametrize(("met_by", "kind", "subject"), CASES)
def test_its_words_name_what_it_is_about_and_none_of_the_endpoints(met_by, kind, subject):
    findings, _ = judged(met_by)
    (root,) = roots(findings)
    words = f"{root.cause.says.en} {root.cause.fix.en}"
    assert subject in words and ".example" not in words
    # each finding still says what was seen at its own endpoint
    assert all(f"h{n}.example" in str(f.verdict.wanted) for n, f in enumerate(findings, start=1))


@pytest.mark.parametrize(("met_by", "kind", "subject"), CASES)
@pytest.mark.parametrize(("lang", "blocks"), [("en", "blocks 25"), ("de", "blockiert 25")])
def test_every_page_says_it_once_with_how_much_hangs_on_it(met_by, kind, subject, lang, blocks):
    findings, observations = judged(met_by)
    like = sample(hostile=False)
    run = Run(like.tool, like.profile, like.site, like.host, like.times, {})
    report = assemble(run, findings, {}, {}, observations)
    terminal = render_terminal(report, lang=lang, width=200)
    assert terminal.count(blocks) == 1 and subject in terminal
    assert len([line for line in terminal.splitlines() if ".example" in line]) == 0
    page = render_html(report, lang=lang)
    assert page.count('class="entry ') == 1
    assert page.count('class="request"') == COUNT


def test_an_unknown_authority_stays_one_where_no_gateway_was_met():
    findings, _ = judged(lambda number, host: gateway(number * 5 + 1, host))
    (root,) = roots(findings)
    assert root.cause.kind == "tls.unknown_ca"


def test_a_gateway_and_another_unknown_authority_are_two():
    def met_by(number, host):
        trace = gateway(number, host)
        if number % 5 == 1:
            return replace(trace, tls=replace(trace.tls, issuer="CN=Other CA"))
        return trace

    findings, _ = judged(met_by)
    assert {(r.cause.kind, r.cause.subject) for r in roots(findings)} == {
        ("tls.intercepted", "CN=Corp Inspection CA"),
        ("tls.unknown_ca", "CN=Other CA"),
    }


def test_the_question_is_the_one_that_was_asked():
    """The test itself: what is observed are the demands' own queries."""
    demand = EgressEndpoint.model_validate(header(url="https://a.example/"))
    (query,) = demand.queries(Evidence())
    trace = traces.passed("a.example")
    assert demand.judge(known([(query, TraceFact(trace=trace))])).outcome is Outcome.MET
