"""Each layer between this host and a model's endpoint, failed and passed against real servers on loopback."""

from __future__ import annotations

import datetime as dt
import json
import socket
from dataclasses import replace
from types import SimpleNamespace

import pytest
import trustme
from pydantic import ValidationError

from areas import traces
from areas.asking import ask, judge
from areas.registry_server import running
from conftest import header
from vorflug.areas.llm import PROVIDERS, EndpointRequirement, Provider
from vorflug.host.live import Patience
from vorflug.host.live.net import LiveNet
from vorflug.model.cause import Team
from vorflug.model.contact import CONTAINERS_EXEMPT
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.netcause import BY_PROXY
from vorflug.model.probing import TraceFact
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Stage

AZURE_PATH = "/openai/models"
AZURE = {
    "provider": "azure_openai",
    "answer": {"status": [401], "headers": [{"name": "apim-request-id"}], "body": ["invalid subscription key"]},
    "acl_status": [403],
    "acl_marks": ["Virtual Network/Firewall rules"],
}
AZURE_HEALTHY = (
    401,
    {"apim-request-id": "x"},
    b'{"error":{"message":"Access denied due to invalid subscription key"}}',
)
AZURE_ACL = (
    403,
    {"apim-request-id": "x"},
    b'{"error":{"message":"Access denied due to Virtual Network/Firewall rules."}}',
)
BEDROCK_PATH = "/model/x/invoke"
BEDROCK = {
    "provider": "aws_bedrock",
    "method": "POST",
    "answer": {
        "status": [403],
        "headers": [
            {"name": "x-amzn-requestid"},
            {"name": "x-amzn-errortype", "contains": "MissingAuthenticationToken"},
        ],
        "confidence": "unverified",
    },
}
LOCAL_PATH = "/v1/models"
LOCAL = {"provider": "local", "answer": {"status": [200, 401]}, "model": "qwen3"}


def models(*names):
    return (
        200,
        {},
        json.dumps({"data": [{"id": n, "object": "model"} for n in names]}, separators=(",", ":")).encode(),
    )


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
        yield one


@pytest.fixture
def host():
    return SimpleNamespace(net=LiveNet(Patience(8), environ={}))


def demand(place, path, kind, **fields):
    scheme = fields.pop("scheme", "https")
    return EndpointRequirement.model_validate(header(**{"url": f"{scheme}://{place}{path}"} | kind | fields))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "path", "page", "outcome", "says"),
    [
        (AZURE, AZURE_PATH, AZURE_HEALTHY, Outcome.MET, "as Azure OpenAI does"),
        (AZURE, AZURE_PATH, AZURE_ACL, Outcome.UNMET, "network rules"),
        (AZURE, AZURE_PATH, (403, {}, b"blocked"), Outcome.UNMET, "status 403"),
        (AZURE, AZURE_PATH, (401, {}, AZURE_HEALTHY[2]), Outcome.UNMET, "apim-request-id"),
        (AZURE, AZURE_PATH, (401, AZURE_HEALTHY[1], b"{}"), Outcome.UNMET, "in the body"),
        (AZURE, AZURE_PATH, (200, {}, b"<html>Virtual Network/Firewall rules</html>"), Outcome.UNMET, "status 200"),
        (BEDROCK, BEDROCK_PATH, (403, {"x-amzn-RequestId": "1", "x-amzn-ErrorType": "MissingAuthenticationTokenException"}, b""), Outcome.MET, "AWS Bedrock"),
        (BEDROCK, BEDROCK_PATH, (403, {}, b"blocked"), Outcome.UNKNOWN, "no header x-amzn-requestid"),
        (LOCAL, LOCAL_PATH, models("qwen3", "e5"), Outcome.MET, "lists the model"),
        (LOCAL, LOCAL_PATH, models("qwen3:latest"), Outcome.MET, "lists the model"),
        (LOCAL, LOCAL_PATH, models("qwen3:32b", "qwen3-coder"), Outcome.UNMET, "does not name qwen3"),
        (LOCAL, LOCAL_PATH, models(), Outcome.UNMET, "does not name qwen3"),
        (LOCAL, LOCAL_PATH, (401, {}, b"{}"), Outcome.MET, "cannot be seen"),
        (LOCAL, LOCAL_PATH, (404, {}, b"{}"), Outcome.UNMET, "status 404"),
        (LOCAL | {"model": None}, LOCAL_PATH, models(), Outcome.MET, "model server"),
        (LOCAL | {"model": "qwen3:32b"}, LOCAL_PATH, models("qwen3:32b"), Outcome.MET, "lists the model"),
    ],
)  # fmt: skip
def test_answers(server, host, ca_file, no_io, kind, path, page, outcome, says):
    server.pages[path] = page
    wanted = demand(server.place, path, kind, ca_file=ca_file)
    evidence = ask(wanted, host)
    with no_io():
        verdict = wanted.judge(evidence)
    assert verdict.outcome is outcome, render(verdict.because)
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    (request,) = server.log
    assert request[0] == kind.get("method", "GET")
    assert not {"authorization", "api-key"} & {name.lower() for name in request[2]}


def test_the_resource_s_own_rules_are_no_firewall_of_this_site(server, host, ca_file):
    server.pages[AZURE_PATH] = AZURE_ACL
    verdict = judge(demand(server.place, AZURE_PATH, AZURE, ca_file=ca_file), host)
    assert verdict.cause.kind == "http.denied_by_service"
    assert "was reached" in render(verdict.because) and "public address" in render(verdict.fix)


def test_a_model_server_without_tls(host):
    with running(None) as server:
        server.pages[LOCAL_PATH] = models("qwen3")
        assert judge(demand(server.place, LOCAL_PATH, LOCAL, scheme="http"), host).outcome is Outcome.MET


def test_a_model_server_on_this_machine_is_not_asked_by_the_proxy_of_the_site(host):
    with running(None) as server:
        server.pages[LOCAL_PATH] = models("qwen3")
        wanted = demand(server.place, LOCAL_PATH, LOCAL, scheme="http", proxy=f"http://127.0.0.1:{free_port()}")
        assert judge(wanted, host).outcome is Outcome.MET


def test_a_model_that_is_not_loaded_is_for_those_who_run_the_server(server, host, ca_file):
    server.pages[LOCAL_PATH] = models("other")
    assert judge(demand(server.place, LOCAL_PATH, LOCAL, ca_file=ca_file), host).cause.team is Team.PLATFORM


# ---- layers ----------------------------------------------------------------------------------------------------------


def code(verdict):
    assert verdict.outcome is Outcome.UNMET and verdict.fix is not None
    return verdict.cause.kind


def test_refused(host):
    verdict = judge(demand(f"127.0.0.1:{free_port()}", AZURE_PATH, AZURE), host)
    assert code(verdict) == "tcp.refused" and "firewall" not in render(verdict.because).lower()


def test_an_authority_that_nobody_knows(host):
    with running(trustme.CA(organization_name="Nobody")) as server:
        assert code(judge(demand(server.place, AZURE_PATH, AZURE), host)) == "tls.unknown_ca"


def test_expired(ca, host, ca_file):
    then = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    with running(ca, not_after=then, not_before=then - dt.timedelta(days=9)) as server:
        assert code(judge(demand(server.place, AZURE_PATH, AZURE, ca_file=ca_file), host)) == "tls.expired"


def test_another_host_s_certificate(ca, host, ca_file):
    with running(ca, host="other.example") as server:
        assert code(judge(demand(server.place, AZURE_PATH, AZURE, ca_file=ca_file), host)) == "tls.host_mismatch"


def test_plain_http_where_tls_was_wanted(host):
    with running(None) as server:
        assert code(judge(demand(server.place, AZURE_PATH, AZURE), host)) == "tls.not_tls"


def test_the_proxy_is_to_blame_where_it_is(server, ca_file):
    there = f"127.0.0.1:{free_port()}"
    proxied = SimpleNamespace(net=LiveNet(Patience(8), environ={"https_proxy": f"http://{there}"}))
    away = f"llm.lab.test:{server.place.rpartition(':')[2]}"
    verdict = judge(demand(away, AZURE_PATH, AZURE, ca_file=ca_file), proxied)
    assert code(verdict) == "proxy.refused" and verdict.cause.subject == there
    # a demand that must not go by the proxy goes round it
    server.pages[AZURE_PATH] = AZURE_HEALTHY
    assert (
        judge(demand(server.place, AZURE_PATH, AZURE, ca_file=ca_file, proxied=False), proxied).outcome is Outcome.MET
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    wanted = demand("llm.example", AZURE_PATH, AZURE)
    (query,) = wanted.queries(Evidence())
    with pytest.raises(NotSeen):
        wanted.judge(Evidence([Observation(query, Unseen(reason))]))


@pytest.mark.parametrize(
    "url", ["llm.example", "ftp://x/", "https://user:key@llm.example/", "https://x/ y", "https://x/#y"]
)
def test_an_address_that_is_none(url):
    with pytest.raises(ValidationError):
        EndpointRequirement.model_validate(header(**{"url": url} | AZURE))


def test_every_provider_has_a_name():
    assert set(PROVIDERS) == set(Provider)


@pytest.mark.parametrize(
    ("url", "path", "target"),
    [
        ("https://x.example", "/v1/models", "https://x.example/v1/models"),
        ("https://x.example/", "/v1/models", "https://x.example/v1/models"),
        ("https://x.example/base", "/v1/models?a=b", "https://x.example/base/v1/models?a=b"),
        ("https://x.example/whole", None, "https://x.example/whole"),
    ],
)
def test_a_site_file_names_the_endpoint_and_the_profile_the_path(url, path, target):
    requirement = EndpointRequirement.model_validate(header(url=url, path=path, **LOCAL))
    assert [q.url for q in requirement.queries(Evidence())] == [target]
    assert target in render(requirement.wanted())


@pytest.mark.parametrize("behind", ["/v1?api-key=CANARY", "/v1?CANARY", "?CANARY", "/#CANARY"])
def test_what_would_hold_a_key_is_refused_unquoted(behind):
    with pytest.raises(ValidationError) as refused:
        EndpointRequirement.model_validate(header(url=f"https://llm.example.com{behind}", path="/v1/models", **LOCAL))
    assert all("CANARY" not in detail["msg"] for detail in refused.value.errors())


# ---- every provider's answer without a key (shared catalogue of outbound endpoints) ----------------------------------

PROVIDER_ANSWERS = {
    "openai": ({"status": [401], "headers": [{"name": "x-request-id", "contains": "req_"}], "body": ["You didn't provide an API key"]}, (401, {"x-request-id": "req_1"}, b'{"error":{"message":"You didn\'t provide an API key."}}')),
    "anthropic": ({"status": [401], "body": ["authentication_error"], "confidence": "unverified"}, (401, {}, b'{"type":"error","error":{"type":"authentication_error","message":"x-api-key header is required"}}')),
    "mistral": ({"status": [401], "confidence": "unverified"}, (401, {}, b'{"detail":"Unauthorized"}')),
    "gemini": ({"status": [403], "body": ["PERMISSION_DENIED"], "confidence": "unverified"}, (403, {}, b'{"error":{"status":"PERMISSION_DENIED"}}')),
    "vertex": ({"status": [401], "body": ["UNAUTHENTICATED"], "confidence": "unverified"}, (401, {}, b'{"error":{"status":"UNAUTHENTICATED"}}')),
    "azure_openai": (AZURE["answer"], AZURE_HEALTHY),
    "aws_bedrock": (BEDROCK["answer"], (403, {"x-amzn-RequestId": "1", "x-amzn-ErrorType": "MissingAuthenticationTokenException"}, b"")),
    "local": (LOCAL["answer"], (401, {}, b"{}")),
}  # fmt: skip
BLOCKED = (403, {"Server": "FortiGate", "Content-Type": "text/html"}, b"<html><title>Web Page Blocked!</title>FortiGuard Intrusion Prevention: access to this web page has been blocked</html>")  # fmt: skip


def test_every_provider_has_an_answer():
    assert set(PROVIDER_ANSWERS) == {p.value for p in Provider}


@pytest.mark.parametrize("provider", PROVIDER_ANSWERS)
def test_the_right_service_answers(server, host, ca_file, provider):
    answer, page = PROVIDER_ANSWERS[provider]
    server.pages["/p"] = page
    wanted = demand(server.place, "/p", {"provider": provider, "answer": answer}, ca_file=ca_file)
    assert judge(wanted, host).outcome is Outcome.MET


@pytest.mark.parametrize("provider", PROVIDER_ANSWERS)
def test_another_service_answers(server, host, ca_file, provider):
    answer, _ = PROVIDER_ANSWERS[provider]
    server.pages["/p"] = (418, {}, b"{}")
    verdict = judge(demand(server.place, "/p", {"provider": provider, "answer": answer}, ca_file=ca_file), host)
    cited = answer.get("confidence") != "unverified"
    assert verdict.outcome is (Outcome.UNMET if cited else Outcome.UNKNOWN)
    assert not cited or verdict.cause.kind == "http.wrong_target"


@pytest.mark.parametrize("provider", PROVIDER_ANSWERS)
def test_the_page_of_a_filter_answers(server, host, ca_file, provider):
    answer, _ = PROVIDER_ANSWERS[provider]
    server.pages["/p"] = BLOCKED
    wanted = demand(
        server.place, "/p", {"provider": provider, "answer": answer | {"body": ["never there"]}}, ca_file=ca_file
    )
    verdict = judge(wanted, host)
    assert verdict.outcome is Outcome.UNMET and verdict.cause.kind == "http.block_page", render(verdict.because)


# ---- judged ----------------------------------------------------------------------------------------------------------


def verdict_on(wanted, trace):
    (query,) = wanted.queries(Evidence())
    return wanted.judge(Evidence([Observation(query, Seen(TraceFact(trace=trace)))]))


def test_an_answer_that_was_not_recorded_is_unknown():
    verdict = verdict_on(demand("llm.lab.test", LOCAL_PATH, LOCAL), traces.trace())
    assert verdict.outcome is Outcome.UNKNOWN and "not recorded" in render(verdict.because)


@pytest.mark.parametrize(("status", "says"), [(299, "does not name qwen3"), (300, "cannot be seen without one")])
def test_only_a_success_holds_the_list_of_models(status, says):
    """RFC 9110, 15.3."""
    wanted = demand("llm.lab.test", LOCAL_PATH, LOCAL | {"answer": {"status": [status]}})
    assert says in render(verdict_on(wanted, traces.trace(http=traces.http(status))).because)


def test_a_tag_that_is_named_is_not_put_behind_another():
    wanted = demand("llm.lab.test", LOCAL_PATH, LOCAL | {"model": "qwen3:32b"})
    assert wanted.queries(Evidence())[0].look_for == ('"qwen3:32b"',)
    assert demand("llm.lab.test", LOCAL_PATH, LOCAL | {"model": None}).queries(Evidence())[0].look_for == ()


def test_the_right_answer_is_right_though_it_looks_like_a_page():
    page = replace(traces.http(200), looks_like=Code.HTTP_BLOCK_PAGE)
    wanted = demand("llm.lab.test", LOCAL_PATH, LOCAL | {"model": None})
    assert verdict_on(wanted, traces.trace(http=page)).outcome is Outcome.MET
    page = replace(page, status=403)
    assert verdict_on(wanted, traces.trace(http=page)).cause.kind == "http.block_page"


def test_what_is_wanted_names_the_model_where_one_is():
    assert "qwen3 is among them" in render(demand("llm.lab.test", LOCAL_PATH, LOCAL).wanted())
    assert render(demand("llm.lab.test", AZURE_PATH, AZURE).wanted()).endswith("/openai/models answers as Azure OpenAI")


def test_only_the_providers_outside_are_behind_a_proxy_or_an_inspection():
    """What is said of a model server of the customer's own, and what of a provider's."""
    unresolved = traces.trace(Code.DNS_NXDOMAIN, Stage.RESOLVE)
    for kind, outside in ((LOCAL, False), (AZURE, True)):
        wanted = demand("llm.lab.test", AZURE_PATH, kind)
        assert (wanted.tls_exempt() == CONTAINERS_EXEMPT) is outside
        assert (render(BY_PROXY) in render(verdict_on(wanted, unresolved).fix)) is outside
        other = verdict_on(wanted, traces.trace(http=traces.http(418)))
        assert ("an OpenAI-compatible server" in render(other.fix)) is not outside


@pytest.mark.parametrize("url", ["https://llm.lab.test/#key", 5, None])
def test_an_address_of_another_kind_is_refused(url):
    with pytest.raises(ValidationError) as refused:
        EndpointRequirement.model_validate(header(**{"url": url} | AZURE))
    assert url != "https://llm.lab.test/#key" or "a key never belongs there" in str(refused.value.errors()[0]["msg"])


def test_an_address_that_is_whole_may_have_a_query():
    url = "https://llm.lab.test/models?api-version=1"
    assert EndpointRequirement.model_validate(header(url=url, path=None, **AZURE)).target == url


@pytest.mark.parametrize(("provider", "exempt"), [("azure_openai", CONTAINERS_EXEMPT), ("local", None)])
def test_what_the_firewall_must_let_through(provider, exempt):
    endpoint = EndpointRequirement.model_validate(
        header(provider=provider, url="https://llm.example:8443", answer={"status": [200], "confidence": "cited"})
    )
    (flow,) = endpoint.flows()
    assert (flow.target, flow.port, flow.exempt) == ("llm.example", 8443, exempt)
    assert render(flow.purpose) == "Language model: every answer of the product"
