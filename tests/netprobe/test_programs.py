"""Programs that go different ways: said always, and named as the fault where only one of the ways is open."""

from __future__ import annotations

import pytest

from lab.proxies import proxy
from lab.servers import closed_port, respond, tcp
from vorflug.netprobe.programs import disagreement
from vorflug.netprobe.target import parse
from vorflug.ports.net import Check, Code, Stage

PROXY = "http://proxy.lab.test:3128"


@pytest.mark.parametrize(
    ("url", "environ", "variable"),
    [
        ("https://10.1.2.3/", {"https_proxy": PROXY, "no_proxy": "10.0.0.0/8"}, "no_proxy"),
        ("https://lab.test/", {"https_proxy": PROXY, "NO_PROXY": ".lab.test"}, "NO_PROXY"),
        ("http://a.test/", {"HTTP_PROXY": PROXY}, "HTTP_PROXY"),
        ("https://a.test/", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other.lab.test:8080"}, "https_proxy"),
        ("https://a.test/", {"https_proxy": PROXY, "HTTPS_PROXY": PROXY}, None),
        ("https://a.test/", {"https_proxy": PROXY, "no_proxy": "a.test", "NO_PROXY": "a.test"}, None),
        ("https://a.test/", {"https_proxy": PROXY, "no_proxy": "a.test", "NO_PROXY": "b.test"}, "no_proxy"),
        ("https://localhost/", {"https_proxy": PROXY}, None),
        ("https://127.0.0.1/", {"https_proxy": PROXY}, None),
        ("https://a.test/", {}, None),
        ("https://a.test/", {"PATH": "/bin"}, None),
    ],
)
def test_who_differs(url, environ, variable):
    found = disagreement(parse(url), environ)
    assert (found.variable if found else None) == variable
    if found:
        assert "curl" in found.detail and "Go" in found.detail and len(found.choices) == 2


def test_a_password_is_not_shown():
    environ = {"https_proxy": "http://user:pw-canary@p:1", "HTTPS_PROXY": "http://user:pw-canary@q:1"}
    assert "canary" not in repr(disagreement(parse("https://a.test/"), environ))


def test_the_setting_is_the_fault_where_only_one_way_is_open(ask):
    name = "service.lab.test"
    with tcp(respond()) as port, proxy(to=("127.0.0.1", port)) as (through, _), closed_port() as dead:
        upper = {"http_proxy": f"http://127.0.0.1:{dead}", "HTTP_PROXY": f"http://127.0.0.1:{through}"}
        trace = ask(f"http://{name}/", environ=upper, judged=True, timeout_s=5)
        fine = ask(f"http://{name}/", environ={"http_proxy": upper["HTTP_PROXY"]}, judged=True, timeout_s=5)
        both_dead = {"http_proxy": f"http://127.0.0.1:{dead}", "HTTP_PROXY": f"http://127.0.0.2:{dead}"}
        dead_anyhow = ask(f"http://{name}/", environ=both_dead, judged=True, timeout_s=5)
    assert (trace.code, trace.stages[-1].stage) == (Code.PROXY_CONFIG, Stage.PROXY)
    assert "http_proxy" in trace.stages[-1].detail
    assert [c.outcome for c in trace.checks if c.check is Check.PROGRAMS] == ["differs"]
    assert (fine.code, fine.warnings) == (None, ())
    assert dead_anyhow.code is Code.PROXY_REFUSED and Code.PROXY_CONFIG in dead_anyhow.warnings


def test_an_exemption_that_leads_onto_a_closed_way(ask):
    with tcp(respond()) as port, proxy(to=("127.0.0.1", port)) as (through, _):
        environ = {
            "http_proxy": f"http://127.0.0.1:{through}",
            "HTTP_PROXY": f"http://127.0.0.1:{through}",
            "no_proxy": "lab.invalid",
            "NO_PROXY": "lab.invalid",
        }
        trace = ask("http://service.lab.invalid/", environ=environ, judged=True, timeout_s=5)
    assert (trace.code, trace.stages[-1].stage, trace.route.why) == (Code.PROXY_CONFIG, Stage.PROXY, "no_proxy")
    assert [c.outcome for c in trace.checks if c.check is Check.PAST_THE_PROXY] == ["passed"]
