"""A key: read where it lies, sent to one origin inside TLS, and found nowhere else."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import trustme
from pydantic import ValidationError

from areas import traces
from areas.asking import ask, judge
from areas.registry_server import running
from conftest import header
from vorflug.areas.llm_key import KeyFact, KeyReference, KeyRequirement
from vorflug.documents.facts import write_observation
from vorflug.host.live import Patience
from vorflug.host.live.net import LiveNet
from vorflug.host.live.service_key import read_key
from vorflug.host.secrets import redact
from vorflug.model.cause import Team
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.llm_provider import KEY_FORMS, Provider
from vorflug.model.message import render
from vorflug.model.netcause import BY_PROXY
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.netprobe.key import Key
from vorflug.netprobe.target import parse
from vorflug.ports.net import Code, HttpSeen, Keyed, Route, Stage, StageSeen, Trace
from vorflug.ports.net_key import KeyPlace, KeyState

MET, UNMET, UNKNOWN = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN
KEY = "canary-key-0815-4711"
PATH = "/v1/models"


@pytest.fixture(scope="module")
def ca():
    return trustme.CA()


@pytest.fixture
def ca_file(ca, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(ca.cert_pem.bytes())
    return str(path)


@pytest.fixture
def server(ca):
    with running(ca) as one:
        one.pages[PATH] = (200, {"Content-Type": "application/json"}, b'{"data": []}')
        yield one


def demand(url="https://llm.lab.test", **fields):
    return KeyRequirement.model_validate(
        header(**{"provider": "openai", "url": url, "path": PATH, "key": {"env": "LLM_KEY"}} | fields)
    )


def host(**environ):
    return SimpleNamespace(net=LiveNet(Patience(8), environ=environ))


@pytest.mark.parametrize("provider", list(Provider))
def test_the_key_goes_once_to_the_list_of_models_as_the_provider_wants_it(server, ca_file, provider):
    wanted = demand(f"https://{server.place}", provider=provider.value, ca_file=ca_file)
    evidence = ask(wanted, host(LLM_KEY=KEY))
    verdict = wanted.judge(evidence)
    assert verdict.outcome is MET and "$LLM_KEY" in render(verdict.because)
    ((method, path, fields),) = server.log
    sent = {name.lower(): value for name, value in fields.items()}
    form = KEY_FORMS[provider]
    assert (method, path) == ("GET", PATH)
    assert sent[form.header] == f"{form.scheme} {KEY}".strip()
    assert all(sent[name] == value for name, value in form.besides)
    (query,) = wanted.queries(Evidence())
    fact = evidence[query].model_dump_json()
    assert KEY not in fact + repr(evidence[query]) + repr(query) + render(verdict.because) + render(query.asks())
    assert KEY not in redact(f"somebody quotes {KEY}")


def test_a_key_in_a_file(server, ca_file, tmp_path):
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    wanted = demand(f"https://{server.place}", key={"file": str(file)}, ca_file=ca_file)
    assert judge(wanted, host()).outcome is MET
    assert server.log[0][2]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_accepted(server, ca_file, status):
    server.pages[PATH] = (status, {}, b'{"error": "no"}')
    verdict = judge(demand(f"https://{server.place}", ca_file=ca_file), host(LLM_KEY=KEY))
    assert verdict.outcome is UNMET and verdict.cause.kind == "llm.key_rejected" and verdict.cause.team is Team.PROJECT
    assert len(server.log) == 1


@pytest.mark.parametrize(
    ("provider", "body", "outcome"),
    [
        ("openai", b'{"error": {"message": "Incorrect API key"}}', UNKNOWN),
        ("openai", b'{"error": {"message": "Incorrect API key"}, "data": null}', UNKNOWN),
        ("openai", b'{"status": "ok"}', UNKNOWN),
        ("openai", b'{"object":"list","data":[{"id":"m"}]}', MET),
        ("gemini", b'{"models": [{"name": "models/m"}]}', MET),
        ("vertex", b'{"publisherModels": []}', MET),
        ("aws_bedrock", b'{"modelSummaries": []}', MET),
        ("local", b'{"models": []}', MET),
    ],
)
def test_only_a_list_of_models_shows_that_the_key_is_accepted(server, ca_file, provider, body, outcome):
    server.pages[PATH] = (200, {"Content-Type": "application/json"}, body)
    verdict = judge(demand(f"https://{server.place}", provider=provider, ca_file=ca_file), host(LLM_KEY=KEY))
    assert verdict.outcome is outcome


def test_a_redirect_does_not_take_the_key_along(server, ca, ca_file):
    with running(ca) as other:
        server.pages[PATH] = (307, {"Location": f"https://{other.place}{PATH}"}, b"")
        verdict = judge(demand(f"https://{server.place}", ca_file=ca_file), host(LLM_KEY=KEY))
        assert verdict.outcome is UNKNOWN and other.log == []


def test_no_key_is_sent_in_the_clear():
    with running(None) as server:
        verdict = judge(demand(f"http://{server.place}"), host(LLM_KEY=KEY))
        assert server.log == []
    assert verdict.outcome is UNKNOWN and "in the clear" in render(verdict.because)


def test_no_key_is_sent_to_whom_nobody_trusts(tmp_path):
    with running(trustme.CA(organization_name="Nobody")) as server:
        verdict = judge(demand(f"https://{server.place}"), host(LLM_KEY=KEY))
        assert server.log == []
    assert verdict.outcome is UNMET and verdict.cause.kind == "tls.unknown_ca"


def test_without_a_key_nothing_is_asked_and_nothing_decided():
    wanted = demand(key=None)
    assert wanted.queries(Evidence()) == []
    verdict = wanted.judge(Evidence())
    assert verdict.outcome is UNKNOWN and "No key is given" in render(verdict.because)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (KEY, KEY),
        (f" {KEY}\n", KEY),
        ("k" * 8192, "k" * 8192),
        ("k" * 8193, KeyState.MALFORMED),
        ("two words", KeyState.MALFORMED),
        ("line\r\nX-Injected: 1", KeyState.MALFORMED),
        ("schlüssel", KeyState.MALFORMED),
        ("\x7f", KeyState.MALFORMED),
        ("", KeyState.EMPTY),
        (" \n", KeyState.EMPTY),
    ],
)
def test_what_is_a_key(tmp_path, text, state):
    assert read_key(KeyPlace(variable="K"), {"K": text}) == state
    file = tmp_path / "key"
    file.write_text(text)
    assert read_key(KeyPlace(file=str(file)), {}) == state


def test_where_there_is_no_key(tmp_path):
    assert read_key(KeyPlace(variable="K"), {}) is KeyState.ABSENT
    assert read_key(KeyPlace(file=str(tmp_path / "none")), {}) is KeyState.ABSENT
    assert read_key(KeyPlace(file=str(tmp_path)), {}) is KeyState.UNREADABLE


def test_a_key_is_for_one_origin_and_two_attempts():
    key = Key("llm.lab.test", 443, (("authorization", KEY),))
    for other in ("https://llm.lab.test:444/", "https://evil.lab.test/", "http://llm.lab.test:443/"):
        assert key.for_target(parse(other)) == ()
    own = parse("https://llm.lab.test/v1/models")
    assert [bool(key.for_target(own)) for _ in range(3)] == [True, True, False]
    assert KEY not in repr(key)


# ---- judged ----------------------------------------------------------------------------------------------------------


def trace(status, kind="json", looks_like=None, code=None, found=('"data"',)):
    http = HttpSeen(status, (), (), kind, found, 2, looks_like=looks_like) if status else None
    stages = (StageSeen(Stage.HTTP, 0.1, code, "detail"),)
    return Trace("llm.lab.test", 443, Route(None, ""), (), "192.0.2.1:443", stages, http=http)


USED = KeyState.USED


@pytest.mark.parametrize(
    ("keyed", "outcome", "says"),
    [
        (Keyed(USED, trace(200)), MET, "accepts the key"),
        (Keyed(USED, trace(299)), MET, "accepts the key"),
        (Keyed(USED, trace(300)), UNKNOWN, "says nothing about the key"),
        (Keyed(USED, trace(200, "html")), UNKNOWN, "says nothing about the key"),
        (Keyed(USED, trace(200, found=())), UNKNOWN, "not with a list of models"),
        (Keyed(USED, trace(200, found=('"error"',))), UNKNOWN, "not with a list of models"),
        (Keyed(USED, trace(200, found=('"data"', '"error"'))), UNKNOWN, "not with a list of models"),
        (Keyed(USED, trace(429)), UNKNOWN, "says nothing about the key"),
        (Keyed(USED, trace(401)), UNMET, "does not accept"),
        (Keyed(USED, trace(403, "html", Code.HTTP_BLOCK_PAGE)), UNMET, "page of a filter"),
        (Keyed(USED, trace(0, code=Code.TCP_TIMEOUT)), UNMET, ""),
        (Keyed(USED, trace(0)), UNKNOWN, "not recorded"),
        (Keyed(USED), UNKNOWN, "no answer was recorded"),
        (Keyed(USED, trace(403, "html", Code.HTTP_BLOCK_PAGE, Code.HTTP_TRUNCATED)), UNMET, "broke off"),
        (Keyed(KeyState.ABSENT), UNKNOWN, "does not exist"),
        (Keyed(KeyState.ABSENT, trace(200)), UNKNOWN, "does not exist"),
        (Keyed(KeyState.EMPTY), UNKNOWN, "is empty"),
        (Keyed(KeyState.MALFORMED), UNKNOWN, "is no key"),
        (Keyed(KeyState.UNREADABLE), UNKNOWN, "may not be read"),
        (Keyed(KeyState.HELD_BACK), UNKNOWN, "in the clear"),
    ],
)
def test_judged(no_io, keyed, outcome, says):
    wanted = demand()
    (query,) = wanted.queries(Evidence())
    with no_io():
        verdict = wanted.judge(Evidence([Observation(query, Seen(KeyFact(keyed=keyed)))]))
    assert verdict.outcome is outcome, render(verdict.because)
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is MET) and (verdict.cause is not None) == (outcome is UNMET)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    wanted = demand()
    (query,) = wanted.queries(Evidence())
    with pytest.raises(NotSeen):
        wanted.judge(Evidence([Observation(query, Unseen(reason))]))


@pytest.mark.parametrize(
    "key",
    [
        {},
        {"env": "A", "file": "/a"},
        {"env": "A", "given": True},
        {"parameter": "p"},
        {"given": False},
        {"env": "A B"},
        {"file": "relative"},
        KEY,
    ],
)
def test_a_reference_that_is_none(key):
    with pytest.raises(ValidationError):
        demand(key=key)


def test_what_a_key_is_called():
    assert KeyReference(env="A").name == "$A" and KeyReference(file="/run/key").name == "/run/key"
    for place in ({"env": "A"}, {"file": "/run/key"}, {"given": True}):
        assert KeyReference(**place, parameter="llm.key").name == "llm.key"
    assert "accepts the key" in render(demand().wanted())


PLACES = {"variable": {"env": "CANARY_NAME"}, "file": {"file": "/run/CANARY_NAME"}}


@pytest.mark.parametrize("place", PLACES)
def test_where_a_customers_key_lies_is_used_and_never_written(place):
    wanted = demand(key={**PLACES[place], "parameter": "llm.key"})
    (query,) = wanted.queries(Evidence())
    assert (query.variable, query.file) == tuple(PLACES[place].get(name, "") for name in ("env", "file"))
    assert "llm.key" in render(query.asks())
    seen = [Keyed(state) for state in KeyState] + [Keyed(USED, trace(status)) for status in (200, 401, 500)]
    for keyed in seen:
        observation = Observation(query, Seen(KeyFact(keyed=keyed)))
        verdict = wanted.judge(Evidence([observation]))
        assert "CANARY_NAME" not in repr(verdict) + repr(observation) + repr(write_observation(observation))


@pytest.mark.parametrize("place", PLACES)
def test_facts_are_judged_again_without_knowing_where_the_key_lay(place):
    """The question is found by its other fields, and every sentence is the same."""
    then = demand(key={**PLACES[place], "parameter": "llm.key"})
    again = demand(key={"given": True, "parameter": "llm.key"})
    (query,) = then.queries(Evidence())
    # what is written down knows no place (tests/documents/test_facts.py)
    kept = replace(query, variable="", file="")
    evidence = Evidence([Observation(kept, Seen(KeyFact(keyed=Keyed(USED, trace(200)))))])
    assert again.judge(evidence) == then.judge(evidence) and then.judge(evidence).outcome is MET


def test_two_keys_for_one_address_are_two_questions():
    names = ({"env": "A", "parameter": "one"}, {"env": "A", "parameter": "other"}, {"env": "A"}, {"env": "B"})
    assert len({query for key in names for query in demand(key=key).queries(Evidence())}) == 4


@pytest.mark.parametrize(("provider", "outside"), [("openai", True), ("local", False)])
def test_only_the_way_to_a_provider_may_lead_through_a_proxy_that_nobody_named(provider, outside):
    wanted = demand(provider=provider)
    (query,) = wanted.queries(Evidence())
    unresolved = Keyed(USED, traces.trace(Code.DNS_NXDOMAIN, Stage.RESOLVE))
    verdict = wanted.judge(Evidence([Observation(query, Seen(KeyFact(keyed=unresolved)))]))
    assert verdict.outcome is UNMET and (render(BY_PROXY) in render(verdict.fix)) is outside
