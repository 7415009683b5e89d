"""recorded host -> fact; (demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from areas.traces import known
from conftest import FakePort, fake_host, header
from vorflug.areas.proxy_dialects import ProxyDialects, ProxyPac, ProxyPlacesFact, ProxyPlacesQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Reason, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.net import PlaceState, ProxyPlace, ProxyReader, ProxyVariable

HUB, LLM = "https://registry.lab.test/v2/", "https://llm.corp.test/"
P, Q = "http://proxy.corp:3128", "http://other.corp:8080"
OTHERS = "What the environments of other users hold is not known here."


def place(reader, path="", state=PlaceState.READ, *, pac=(), cgi=False, **variables):
    found = tuple(
        ProxyVariable(n.replace("__", "-"), v, has_credentials=False, valid=v != "?") for n, v in variables.items()
    )
    return ProxyPlace(reader, path, state, found, cgi=cgi, pac=pac)


def env(**more):
    return place(ProxyReader.PROCESS, **more)


def docker(**more):
    return place(ProxyReader.DOCKERD, "/etc/systemd/system/docker.service.d/proxy.conf", **more)


def demand(*programs, urls=(HUB,)):
    return ProxyDialects.model_validate(header(urls=urls, programs=programs or ("curl", "dockerd")))


def judged(requirement, *places):
    return requirement.judge(known([(ProxyPlacesQuery(), ProxyPlacesFact(places=places))]))


def said(verdict):
    return render(verdict.seen), render(verdict.because), render(verdict.fix) if verdict.fix is not None else None


def test_what_is_asked():
    places = (env(),)
    assert ProxyPlacesQuery().observe(fake_host(net=FakePort(proxy_places=places))).places == places
    assert demand().queries(Evidence()) == ProxyPac.model_validate(header()).queries(Evidence()) == [ProxyPlacesQuery()]
    assert "daemon.json" in render(ProxyPlacesQuery().asks())
    assert render(demand("curl", "go").wanted()) == "curl and Go take the same way to each address"


def test_one_program_cannot_differ():
    with pytest.raises(ValidationError):
        demand("curl")


def test_all_alike():
    verdict = judged(demand(), env(https_proxy=P), docker(HTTPS_PROXY=P))
    assert verdict.outcome is Outcome.MET
    assert said(verdict)[:2] == (
        f"to registry.lab.test:443 by {P} (curl and dockerd)",
        f"curl and dockerd take the same way to each address. {OTHERS}",
    )
    nothing = judged(demand(), env(), docker())
    assert nothing.outcome is Outcome.MET
    assert said(nothing)[0] == "to registry.lab.test:443 directly (curl and dockerd)"


def test_the_docker_daemon_goes_direct():
    seen, because, fix = said(judged(demand(), env(https_proxy=P), docker()))
    assert seen == f"to registry.lab.test:443 directly (dockerd), by {P} (curl)"
    assert because == (
        f"curl takes the proxy {P} of https_proxy; no_proxy or NO_PROXY sets no exceptions. dockerd reads https-proxy, "
        f"HTTPS_PROXY or https_proxy here, and none is set: it goes direct. {OTHERS}"
    )
    assert fix == (
        f'Set "http-proxy" and "https-proxy" to {P} under "proxies" in /etc/docker/daemon.json, and restart Docker.'
    )


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("containerd", 'Write Environment="HTTP_PROXY=http://proxy.corp:3128" "HTTPS_PROXY='),
        ("systemd", "into Environment= of the services' units"),
        ("java", "-Dhttps.proxyHost=proxy.corp -Dhttps.proxyPort=3128"),
        ("wget", "Set http_proxy and https_proxy, in both spellings, to http://proxy.corp:3128 in the environment."),
    ],
)
def test_how_a_program_is_given_the_proxy(program, words):
    # wget and Go read one spelling each before the other: HTTPS_PROXY alone is nothing to wget
    verdict = judged(demand("go", program), env(HTTPS_PROXY=P), place(ProxyReader.CONTAINERD, "containerd.service"))
    assert verdict.outcome is Outcome.UNMET and words in render(verdict.fix)


def test_curl_goes_direct_and_the_docker_daemon_uses_the_proxy():
    seen, _, fix = said(judged(demand("curl", "python", "dockerd"), env(), docker(HTTPS_PROXY=P)))
    assert seen == f"to registry.lab.test:443 directly (curl and Python urllib), by {P} (dockerd)"
    assert fix == f"Set http_proxy and https_proxy, in both spellings, to {P} in the environment."


def test_an_entry_that_is_read_in_two_ways():
    places = env(https_proxy=P, no_proxy="x,*.corp.test"), docker(HTTPS_PROXY=P, NO_PROXY="x,*.corp.test")
    seen, because, fix = said(judged(demand(urls=[HUB, LLM]), *places))
    assert seen == f"to llm.corp.test:443 directly (dockerd), by {P} (curl)"
    assert "dockerd takes the entry *.corp.test of NO_PROXY to cover llm.corp.test:443" in because
    assert fix == (
        "If llm.corp.test is to be reached directly, write llm.corp.test itself into no_proxy and NO_PROXY: every "
        "program reads a plain name alike. If not, take *.corp.test out of NO_PROXY."
    )
    assert said(judged(demand(urls=[HUB]), *places))[2] is None


@pytest.mark.parametrize(
    ("program", "reader", "words"),
    [
        ("dockerd", ProxyReader.DOCKERD, '"no-proxy" in /etc/docker/daemon.json'),
        ("containerd", ProxyReader.CONTAINERD, "NO_PROXY of containerd.service"),
    ],
)
def test_the_list_that_lacks_a_name(program, reader, words):
    verdict = judged(demand("curl", program), env(https_proxy=P, no_proxy="10.0.0.1,registry.lab.test"), place(reader, "f", HTTPS_PROXY=P))  # fmt: skip
    assert f"write registry.lab.test itself into {words}" in render(verdict.fix)


def test_containers_and_logins_count_where_their_files_say_something():
    both = demand("curl", "containers", "login")
    alone = judged(both, env(https_proxy=P))
    assert alone.outcome is Outcome.NOT_APPLICABLE and "Only curl can be looked at here" in render(alone.because)
    containers = place(ProxyReader.CONTAINERS, "config.json", http_proxy=P)
    verdict = judged(both, env(https_proxy=P), containers)
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.fix) == f'Set "httpProxy" and "httpsProxy" to {P} in ~/.docker/config.json.'
    listed = place(ProxyReader.CONTAINERS, "config.json", https_proxy=P)
    verdict = judged(both, env(https_proxy=P, no_proxy=".lab.test"), listed)
    assert 'into "noProxy" in ~/.docker/config.json' in render(verdict.fix)
    login = place(ProxyReader.LOGIN, "/etc/environment", http_proxy=P)
    assert "in /etc/environment" in render(judged(both, env(https_proxy=P), login).fix)


def test_two_proxies():
    verdict = judged(demand(), env(https_proxy=P), docker(HTTPS_PROXY=Q))
    assert said(verdict)[0] == f"to registry.lab.test:443 by {P} (curl), by {Q} (dockerd)"
    file = "/etc/systemd/system/docker.service.d/proxy.conf"
    assert render(verdict.fix) == f"Set HTTPS_PROXY in {file} to {P}, or the others to its value."
    turned = judged(demand("dockerd", "curl"), env(https_proxy=P), docker(HTTPS_PROXY=Q))
    assert render(turned.fix) == f"Set https_proxy to {Q}, or the others to its value."


def test_a_proxy_that_cannot_be_read_is_named_and_not_quoted():
    verdict = judged(demand(), env(https_proxy="?"), docker(HTTPS_PROXY="?"))
    assert verdict.outcome is Outcome.UNMET, "alike, but wrong"
    seen, because, fix = said(verdict)
    assert seen == "to registry.lab.test:443 not at all (curl and dockerd)"
    assert "https_proxy names no proxy that can be read" in because
    assert fix == "Set https_proxy to http://host:port. Set HTTPS_PROXY in /etc/systemd/system/docker.service.d/proxy.conf to http://host:port."  # fmt: skip


def test_what_keeps_a_program_from_asking_at_all():
    entry = judged(demand("curl", "httpx"), env(https_proxy=P, no_proxy="a,[::1]"))
    assert render(entry.fix) == "Take [::1] out of no_proxy."
    cgi = judged(demand("curl", "go", urls=["http://lab.test/"]), env(http_proxy=P, cgi=True))
    assert render(cgi.fix) == "Unset REQUEST_METHOD: only a CGI program has it."


def test_where_no_program_takes_a_proxy_none_is_set():
    verdict = judged(demand("curl", "go", urls=["http://lab.test/"]), env(HTTP_PROXY=P, cgi=True))
    assert said(verdict)[0] == "to lab.test:80 directly (curl), not at all (Go)"
    assert render(verdict.fix) == "Unset REQUEST_METHOD: only a CGI program has it."


def test_a_daemon_that_is_not_there_is_not_compared():
    absent = place(ProxyReader.DOCKERD, "docker.service", PlaceState.ABSENT)
    verdict = judged(demand("curl", "go", "dockerd"), env(https_proxy=P), absent)
    assert verdict.outcome is Outcome.MET
    assert "dockerd is not installed as a service here, and not compared." in said(verdict)[1]
    assert "dockerd is not" in said(judged(demand("curl", "wget", "dockerd"), env(HTTPS_PROXY=P), absent))[1]
    alone = judged(demand(), env(https_proxy=P), absent)
    assert alone.outcome is Outcome.NOT_APPLICABLE and "not compared" in render(alone.because)
    file = place(ProxyReader.DOCKERD, "/etc/docker/daemon.json")
    assert judged(demand(), env(https_proxy=P), absent, file).outcome is Outcome.UNMET


def test_loopback_which_go_never_gives_to_a_proxy():
    verdict = judged(demand("curl", "go", urls=["http://[::1]:11434/"]), env(http_proxy=P))
    assert render(verdict.fix) == "Write ::1 into no_proxy and NO_PROXY: Go reaches it directly in any case."


def test_what_could_not_be_read_is_no_pass():
    closed = place(ProxyReader.DOCKERD, "/etc/docker/daemon.json", PlaceState.DENIED)
    verdict = judged(demand(), env(), closed)
    assert verdict.outcome is Outcome.UNKNOWN
    assert said(verdict) == (
        "/etc/docker/daemon.json could not be read",
        "Which proxy dockerd uses is not known without /etc/docker/daemon.json.",
        "Run Vorflug as a user who may read /etc/docker/daemon.json.",
    )
    broken = place(ProxyReader.DOCKERD, "/etc/docker/daemon.json", PlaceState.BROKEN)
    assert render(judged(demand(), env(), broken).fix) == "Mend /etc/docker/daemon.json, and run Vorflug again."
    # what is not compared does not matter, and a difference that was seen is one
    assert judged(demand("curl", "go"), env(), closed).outcome is Outcome.MET
    three = demand("curl", "go", "dockerd")
    assert judged(three, env(HTTP_PROXY=P, HTTPS_PROXY=P), closed).outcome is Outcome.UNKNOWN
    assert judged(demand("curl", "wget", "dockerd"), env(HTTPS_PROXY=P), closed).outcome is Outcome.UNMET
    with pytest.raises(NotSeen):
        demand().judge(known([(ProxyPlacesQuery(), Unseen(Reason.UNSUPPORTED))]))


def test_of_many_addresses_five_are_shown():
    urls = [f"https://a{n}.lab.test/" for n in range(7)]
    verdict = judged(demand(urls=[*urls, urls[0]]), env(https_proxy=P), docker())
    assert "a4.lab.test" in render(verdict.seen) and "a5.lab.test" not in render(verdict.seen)
    every = [*urls[:5], "http://plain.lab.test/"]
    plain = judged(demand("curl", "go", "dockerd", urls=every), env(https_proxy=P, http_proxy=P), docker(HTTPS_PROXY=P))
    assert "plain.lab.test" in render(plain.seen), "addresses that are alike are not shown beside those that are not"


# ---- PAC -------------------------------------------------------------------------------------------------------------


def test_a_pac_file_is_told_and_not_evaluated():
    pac = ProxyPac.model_validate(header())
    assert judged(pac, env()).outcome is Outcome.MET
    assert render(pac.wanted()) == "a proxy by address and port, not by a PAC file"
    verdict = judged(pac, env(pac=("PAC_URL",)), docker(pac=("PAC_URL", "auto_proxy")))
    assert verdict.outcome is Outcome.UNKNOWN
    assert said(verdict)[0] == "a PAC file, named by PAC_URL and auto_proxy"
    assert "It is not evaluated" in said(verdict)[1] and "which address and port" in said(verdict)[2]
    site = ProxyPac.model_validate(header(pac="http://wpad.corp.test/wpad.dat"))
    assert said(judged(site, env()))[0] == "a PAC file, named by proxy.pac"
    assert judged(site, env()).outcome is Outcome.UNKNOWN
