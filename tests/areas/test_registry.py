"""Each layer between this host and a registry, failed and passed against real TLS servers on loopback."""

from __future__ import annotations

import datetime as dt
import socket
from types import SimpleNamespace

import pytest
import trustme
from pydantic import ValidationError

from areas import traces
from areas.asking import ask, judge
from areas.registry_server import running
from conftest import header
from vorflug.areas.registry import ReachableRequirement
from vorflug.host.live import Patience
from vorflug.host.live.net import LiveNet
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.probing import TraceFact
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import Code, Stage

BEARER = {
    "status": [401],
    "headers": [{"name": "www-authenticate", "contains": "Bearer "}, {"name": "docker-distribution-api-version"}],
}
TOKEN = {"status": [200], "body": ['"token"']}


@pytest.fixture(scope="module")
def ca():
    return trustme.CA()


@pytest.fixture
def ca_file(ca, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(ca.cert_pem.bytes())
    return str(path)


@pytest.fixture
def registry(ca):
    with running(ca) as server:
        yield server


@pytest.fixture
def other(ca):
    with running(ca) as server:
        yield server


@pytest.fixture
def host():
    return SimpleNamespace(net=LiveNet(Patience(8), environ={}))


def demand(place, ca_file, **fields):
    whole = {"registry": place, "answer": BEARER, "token_answer": TOKEN, "ca_file": ca_file} | fields
    return ReachableRequirement.model_validate(header(**whole))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_registry_token_service_and_data_host_answer(registry, other, host, ca_file, no_io):
    wanted = demand(registry.place, ca_file, data_hosts=[other.place])
    evidence = ask(wanted, host)
    with no_io():
        verdict = wanted.judge(evidence)
    assert verdict.outcome is Outcome.MET
    assert [path for _, path, _ in registry.log] == ["/v2/", "/token?service=test"]
    # nothing that could log in was sent
    assert not any("authorization" in {n.lower() for n in fields} for _, _, fields in registry.log + other.log)
    assert registry.place in render(wanted.then())


def test_the_token_service_is_asked_on_another_host_where_that_is_allowed(registry, other, host, ca_file):
    registry.challenge = f'Basic realm="x, y", Bearer service="a b",realm="https://{other.place}/token"'
    assert judge(demand(registry.place, ca_file, token_hosts=[other.place]), host).outcome is Outcome.MET
    assert [path for _, path, _ in other.log] == ["/token?service=a%20b"]


def test_a_token_service_that_nobody_named_is_not_contacted(registry, other, host, ca_file):
    registry.challenge = f'Bearer realm="https://{other.place}/token"'
    verdict = judge(demand(registry.place, ca_file), host)
    assert verdict.outcome is Outcome.UNMET and other.place in render(verdict.because)
    assert other.log == []


@pytest.mark.parametrize(
    "realm", ["http://{}/token", "https://user:pw@{}/token", "ftp://x/", "https://[::1/", "javascript:alert(1)", "//x"]
)
def test_a_realm_that_is_no_good(registry, host, ca_file, realm):
    registry.challenge = f'Bearer realm="{realm.format(registry.place)}"'
    verdict = judge(demand(registry.place, ca_file), host)
    assert verdict.outcome is Outcome.UNMET and verdict.fix is not None
    assert [path for _, path, _ in registry.log] == ["/v2/"]
    assert "without TLS" in render(verdict.because) or "none of" in render(verdict.because)


def test_a_realm_in_clear_text_is_said_to_be_that(registry, host, ca_file):
    registry.challenge = f'Bearer realm="http://{registry.place}/token"'
    assert "without TLS" in render(judge(demand(registry.place, ca_file), host).because)


def test_a_registry_with_basic_has_no_token_service(registry, host, ca_file):
    registry.challenge = 'Basic realm="x"'
    basic = {"status": [401], "headers": [{"name": "www-authenticate", "contains": "Basic"}]}
    assert judge(demand(registry.place, ca_file, answer=basic), host).outcome is Outcome.MET
    assert len(registry.log) == 1


@pytest.mark.parametrize(
    ("change", "outcome", "says"),
    [
        ({"base_status": 200}, Outcome.UNMET, "status 200"),
        ({"base_status": 503}, Outcome.UNMET, "status 503"),
        ({"challenge": "Negotiate"}, Outcome.UNMET, "Bearer"),
        ({"token_status": 503}, Outcome.UNMET, "status 503"),
        ({"token_body": b"<html>portal</html>"}, Outcome.UNMET, "token"),
    ],
)
def test_another_answer(registry, host, ca_file, change, outcome, says):
    for name, value in change.items():
        setattr(registry, name, value)
    verdict = judge(demand(registry.place, ca_file), host)
    assert verdict.outcome is outcome and says in render(verdict.because)
    assert verdict.cause is not None and verdict.cause.kind == "http.wrong_target"


@pytest.mark.parametrize("fields", [{"Retry-After": "17"}, {}])
@pytest.mark.parametrize("path", ["/v2/", "/token"])
def test_too_many_requests_are_no_wrong_target(registry, host, ca_file, path, fields):
    registry.pages[path] = (429, fields, b"")
    verdict = judge(demand(registry.place, ca_file), host)
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, "registry.rate_limited")
    assert ("Retry-After: 17" in render(verdict.because)) == bool(fields)


def test_an_unverified_fingerprint_decides_nothing(registry, host, ca_file):
    registry.base_status = 403
    verdict = judge(demand(registry.place, ca_file, answer=BEARER | {"confidence": "unverified"}), host)
    assert verdict.outcome is Outcome.UNKNOWN and verdict.fix is not None


def test_without_a_fingerprint_any_token_answer_will_do(registry, host, ca_file):
    registry.token_status = 403
    assert judge(demand(registry.place, ca_file, token_answer=None), host).outcome is Outcome.MET


# ---- layers ----------------------------------------------------------------------------------------------------------


def code(verdict):
    assert verdict.outcome is Outcome.UNMET and verdict.fix is not None and verdict.cause is not None
    assert render(verdict.because) and render(verdict.cause.says)
    return verdict.cause.kind


def test_refused(host, ca_file):
    place = f"127.0.0.1:{free_port()}"
    verdict = judge(demand(place, ca_file), host)
    assert code(verdict) == "tcp.refused" and "firewall" not in render(verdict.because).lower()


def test_a_token_service_that_refuses(registry, host, ca_file):
    place = f"localhost:{free_port()}"
    registry.challenge = f'Bearer realm="https://{place}/token"'
    verdict = judge(demand(registry.place, ca_file, token_hosts=[place]), host)
    assert code(verdict) == "tcp.refused" and place in verdict.cause.subject


def test_a_data_host_that_refuses(registry, host, ca_file):
    place = f"127.0.0.1:{free_port()}"
    assert code(judge(demand(registry.place, ca_file, data_hosts=[place]), host)) == "tcp.refused"


def test_a_data_host_is_asked_up_to_tls_only(registry, other, host, ca_file):
    other.base_status = 503
    assert judge(demand(registry.place, ca_file, data_hosts=[other.place]), host).outcome is Outcome.MET


def test_an_authority_that_nobody_knows(host, ca_file):
    with running(trustme.CA(organization_name="Nobody")) as server:
        assert code(judge(demand(server.place, ca_file), host)) == "tls.unknown_ca"


def test_expired(ca, host, ca_file):
    then = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    with running(ca, not_after=then, not_before=then - dt.timedelta(days=9)) as server:
        assert code(judge(demand(server.place, ca_file), host)) == "tls.expired"


def test_another_host_s_certificate(ca, host, ca_file):
    with running(ca, host="other.example") as server:
        assert code(judge(demand(server.place, ca_file), host)) == "tls.host_mismatch"


def test_a_proxy_that_refuses(registry, ca_file):
    proxied = SimpleNamespace(net=LiveNet(Patience(8), environ={"https_proxy": f"http://127.0.0.1:{free_port()}"}))
    away = f"registry.lab.test:{registry.place.rpartition(':')[2]}"  # loopback itself is never given to a proxy
    assert code(judge(demand(away, ca_file), proxied)) == "proxy.refused"
    assert registry.log == []


@pytest.mark.parametrize("challenge", ["Bearer", "Bearer service=x", "Negotiate", '"'])
def test_a_challenge_that_nobody_can_answer(registry, host, ca_file, challenge):
    registry.challenge = challenge
    verdict = judge(demand(registry.place, ca_file, answer={"status": [401]}), host)
    assert verdict.outcome is Outcome.UNMET and "no way to log in" in render(verdict.because)


def test_a_registry_that_wants_no_login(registry, host, ca_file):
    registry.base_status = 200
    assert judge(demand(registry.place, ca_file, answer={"status": [200, 401]}), host).outcome is Outcome.MET


def test_it_is_about_its_own_endpoint(host, ca_file):
    wanted = demand(f"127.0.0.1:{free_port()}", ca_file)
    evidence = ask(wanted, host)
    assert wanted.about(evidence) == wanted.judge(evidence).cause is not None


def test_it_is_not_about_the_proxy(registry, ca_file):
    proxied = SimpleNamespace(net=LiveNet(Patience(8), environ={"https_proxy": f"http://127.0.0.1:{free_port()}"}))
    wanted = demand(registry.place, ca_file)
    assert wanted.about(ask(wanted, proxied)) is None


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(registry, host, ca_file, reason):
    wanted = demand(registry.place, ca_file)
    evidence = ask(wanted, host)
    for query in wanted.queries(evidence):
        blind = Evidence([Observation(q, evidence.result(q)) for q in wanted.queries(evidence)])
        blind.add(Observation(query, Unseen(reason)))
        with pytest.raises(NotSeen):
            wanted.judge(blind)


@pytest.mark.parametrize(
    "place", ["https://r.example", "r.example/v2", "R.example", "a@b", "", "r.example:999999", "-a"]
)
def test_a_registry_is_a_host_and_port(place):
    with pytest.raises(ValidationError):
        demand(place, None)


@pytest.mark.parametrize("data_host", ["layers.example", "layers.example:8443"])
def test_hosts_behind_the_registry_must_be_let_through(data_host):
    reachable = ReachableRequirement.model_validate(
        header(
            registry="registry-1.docker.io",
            token_hosts=["auth.docker.io"],
            data_hosts=[data_host],
            data_patterns=["*.layers.example"],
            answer={"status": [401], "confidence": "cited"},
        )
    )
    port = int(data_host.partition(":")[2] or 443)
    flows = {f.target: f for f in reachable.flows()}
    assert {name: (f.port, f.certain) for name, f in flows.items()} == {
        "registry-1.docker.io": (443, True),
        "auth.docker.io": (443, False),
        "layers.example": (port, True),
        "*.layers.example": (443, False),
    }
    assert len(reachable.flows()) == 4 and all(f.exempt is not None for f in flows.values())
    assert render(flows["layers.example"].purpose) == render(flows["*.layers.example"].purpose)


@pytest.mark.parametrize("pattern", ["layers.example", "*", "*.", "a.*.example", "*.LAYERS.example", "*.example:x"])
def test_a_pattern_begins_with_its_asterisk(pattern):
    with pytest.raises(ValidationError):
        ReachableRequirement.model_validate(
            header(registry="docker.io", data_patterns=[pattern], answer={"status": [401], "confidence": "cited"})
        )


# ---- judged ----------------------------------------------------------------------------------------------------------


def seen(query, trace):
    return Observation(query, Seen(TraceFact(trace=trace)))


def test_an_answer_that_was_not_recorded_is_unknown():
    wanted = demand("r.lab.test", None)
    (base,) = wanted.queries(Evidence())
    verdict = wanted.judge(Evidence([seen(base, traces.trace())]))
    assert verdict.outcome is Outcome.UNKNOWN and "not recorded" in render(verdict.because)


def test_what_is_wanted_names_the_data_hosts_where_there_are_some():
    assert render(demand("r.lab.test", None).wanted()) == "r.lab.test and its token service answer"
    assert "data.lab.test" in render(demand("r.lab.test", None, data_hosts=["data.lab.test"]).wanted())


@pytest.mark.parametrize("port", ["", ":443"])
def test_a_token_service_on_the_usual_port_is_the_host_that_was_named(port):
    wanted = demand("r.lab.test", None, token_hosts=["auth.lab.test"])
    (base,) = wanted.queries(Evidence())
    challenge = f'Bearer realm="https://auth.lab.test{port}/token"'
    evidence = Evidence([seen(base, traces.trace(http=traces.http(401, **{"www-authenticate": challenge})))])
    assert [q.url for q in wanted.queries(evidence)][1:] == [f"https://auth.lab.test{port}/token"]


def test_only_what_is_about_the_endpoint_itself_is_its_own_cause():
    wanted = demand("service.lab.test", None)
    (base,) = wanted.queries(Evidence())
    for trace, own in (
        (traces.trace(Code.TCP_TIMEOUT, Stage.CONNECT), True),
        (traces.trace(Code.PROXY_REFUSED, Stage.CONNECT, route=traces.BY_PROXY), False),
        (traces.trace(Code.DNS_NXDOMAIN, Stage.RESOLVE), False),
        (traces.trace(http=traces.http(401)), False),
    ):
        assert (wanted.about(Evidence([seen(base, trace)])) is not None) is own, trace.code


@pytest.mark.parametrize(
    ("there", "outcome"),
    [
        (traces.trace(http=traces.http(403)), Outcome.MET),
        (traces.trace(at=Stage.TLS), Outcome.MET),
        (traces.trace(Code.HTTP_NO_RESPONSE, Stage.HTTP), Outcome.MET),
        (traces.trace(Code.TLS_UNKNOWN_CA, Stage.TLS, tls=traces.tls(trusted=False)), Outcome.UNMET),
        (traces.trace(Code.TCP_TIMEOUT, Stage.CONNECT), Outcome.UNMET),
    ],
)
def test_a_data_host_counts_up_to_tls(there, outcome):
    wanted = demand("r.lab.test", None, answer={"status": [200]}, data_hosts=["data.lab.test"])
    base, data = wanted.queries(Evidence())
    verdict = wanted.judge(Evidence([seen(base, traces.trace(http=traces.http(200))), seen(data, there)]))
    assert verdict.outcome is outcome


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        (
            {"www-authenticate": 'Bearer realm="https://r.lab.test/t?a=b",service="s"'},
            ["https://r.lab.test/t?a=b&service=s"],
        ),
        ({"www-authenticate": 'Bearer realm="https://r.lab.test/t",service="s"'}, ["https://r.lab.test/t?service=s"]),
        ({"www-authenticate": 'Basic realm="x"', "x-other": 'Bearer realm="https://r.lab.test/t"'}, []),
    ],
)
def test_the_token_service_is_the_one_of_the_challenge(headers, asked):
    wanted = demand("r.lab.test", None)
    (base,) = wanted.queries(Evidence())
    evidence = Evidence([seen(base, traces.trace(http=traces.http(401, **headers)))])
    assert [q.url for q in wanted.queries(evidence)][1:] == asked


def test_a_realm_without_a_host_has_no_name():
    wanted = demand("r.lab.test", None, answer={"status": [401]})
    (base,) = wanted.queries(Evidence())
    challenge = {"www-authenticate": 'Bearer realm="https:///token"'}
    verdict = wanted.judge(Evidence([seen(base, traces.trace(http=traces.http(401, **challenge)))]))
    assert verdict.outcome is Outcome.UNMET and "None" not in render(verdict.because)
