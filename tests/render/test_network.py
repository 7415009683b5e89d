from __future__ import annotations

from render import traces
from render.sample import report
from vorflug.model.message import msg
from vorflug.model.report import Sentence
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code
from vorflug.render.network import groups, requests


def grouped(*facts):
    return groups(report(hostile=False).model_copy(update={"facts": facts}))


def test_a_report_without_requests_has_no_groups():
    assert groups(report(hostile=False).model_copy(update={"facts": ()})) == ()


def test_endpoints_behind_one_dead_resolver_are_one_group_and_the_largest_comes_first():
    found = grouped(
        traces.fact(traces.passed(), "https://ok.example/"),
        traces.fact(traces.intercepted(), "https://registry.corp/"),
        *(traces.fact(traces.silent(f"h{n}.example"), f"https://h{n}.example/") for n in range(23)),
        traces.unseen("https://late.example/"),
        traces.fact(traces.passed(warnings=(Code.TLS_STRICT_ONLY,)), "https://odd.example/"),
    )
    assert [(g.outcome, str(g.heading), g.size) for g in found] == [
        (Outcome.UNMET, "dns.timeout – 10.1.0.53", 23),
        (Outcome.UNMET, "tls.intercepted – CN=Corp Inspection CA", 1),
        (Outcome.UNKNOWN, "no answer in time", 1),
        (Outcome.MET, "passed", 1),
        (Outcome.MET, "passed, something seen besides: tls.strict_only", 1),
    ]
    assert str(requests(1)) == "1 request" and str(requests(23)) == "23 requests"


def test_what_another_version_wrote_is_said_and_not_drawn():
    fact = traces.fact(traces.passed(), "https://a.example/").model_copy(update={"fact": {"trace": {"host": 1}}})
    (group,) = grouped(fact)
    assert group.outcome is Outcome.UNKNOWN and group.requests[0].path == ()


def test_an_unknown_reason_is_not_taken_for_an_answer():
    fact = traces.unseen("https://a.example/").model_copy(update={"unseen": {"reason": "odd", "detail": ""}})
    (group,) = grouped(fact)
    assert group.outcome is Outcome.UNKNOWN


def test_the_query_of_an_address_is_not_shown():
    (group,) = grouped(traces.fact(traces.passed(), "https://a.example/x?token=geheim"))
    assert group.requests[0].url == "https://a.example/x"


def test_a_mode_that_nobody_knows_is_drawn_as_a_plain_request():
    fact = traces.fact(traces.passed(), "https://a.example/")
    (group,) = grouped(fact.model_copy(update={"query": {**fact.query, "mode": "smoke"}}))
    assert len(group.requests[0].path) == 4


def queried(trace, url, **query):
    fact = traces.fact(trace, url)
    return fact.model_copy(update={"query": {**fact.query, **query}})


def test_requests_to_one_address_that_came_equally_far_are_one():
    url = "https://a.example/v1/"
    slow = traces.passed(took_s=9.0)
    (group,) = grouped(
        queried(traces.passed(), url, method="GET"),
        queried(slow, url, method="GET"),
        queried(traces.passed(), url, method="HEAD", public_ca=True),
        queried(traces.passed(), url, kind="upload", size=2 * 1024 * 1024),
        queried(traces.passed(), "https://b.example/"),
    )
    first, second = group.requests
    assert [str(p) for p in first.purposes] == ["GET", "HEAD, a public certificate is wanted", "request of 2 MiB"]
    assert (first.count, first.took_s, second.count, group.size) == (4, 9.0, 1, 5)


def test_streams_are_named_as_such_and_another_way_is_another_request():
    url = "https://a.example/v1/"
    (group,) = grouped(
        queried(traces.passed(), url, kind="stream", mode="sse"),
        queried(traces.passed(), url, kind="stream", mode="ws"),
        queried(traces.passed(route=traces.PROXY), url),
    )
    # a stream has a layer of its own, which was not reached here
    assert [[str(p) for p in r.purposes] for r in group.requests] == [["stream of events", "WebSocket"], ["GET"]]
    assert [r.by_proxy for r in group.requests] == [False, True]


def test_the_requirements_that_name_the_host_stand_by_it():
    whole = report(hostile=False)
    wanted = Sentence.of(msg("{hosts:list} answer", hosts=("a.example", "b.example")))
    named = whole.findings[0].model_copy(update={"wanted": wanted})
    facts = (traces.fact(traces.passed(), "https://a.example/x"), traces.fact(traces.passed(), "https://[::1/"))
    (group,) = groups(whole.model_copy(update={"findings": (named, *whole.findings[1:]), "facts": facts}))
    assert [r.ids for r in group.requests] == [(named.id,), ()]
