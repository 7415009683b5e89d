from __future__ import annotations

import pytest

from conftest import header
from vorflug.areas.clock_offset import ClockOffsetRequirement
from vorflug.areas.egress import EgressEndpoint
from vorflug.areas.ports import PortFreeRequirement
from vorflug.areas.swap import SwapQuery
from vorflug.engine.contacts import Surroundings, controls, flows, touched
from vorflug.engine.plan import plan
from vorflug.model.contact import ContactKind, Direction
from vorflug.ports.net import Route


def direct(url, proxy):
    return Route(None, "")


def by_proxy(url, proxy):
    return Route("proxy.corp:3128", "https_proxy")


HERE = Surroundings(direct, ("10.0.0.53", "10.0.1.53"), ("ntp.corp",))


def endpoint(url="https://api.example/", **fields):
    return EgressEndpoint.model_validate(header(**{"id": "E-1", "url": url, **fields}))


def seen(touches):
    return {(t.contact.kind.value, t.contact.target, t.contact.port) for t in touches if t.contact.over_the_network}


def test_a_direct_connection_needs_the_nameservers():
    assert seen(touched(plan([endpoint()]), HERE)) == {
        ("tcp", "api.example", 443),
        ("nameserver", "10.0.0.53", 53),
        ("nameserver", "10.0.1.53", 53),
    }


def test_an_address_needs_none():
    assert seen(touched(plan([endpoint("https://192.0.2.1/")]), HERE)) == {("tcp", "192.0.2.1", 443)}


def test_by_a_proxy_its_own_name_is_resolved():
    here = Surroundings(by_proxy, ("10.0.0.53",))
    found = touched(plan([endpoint()]), here)
    assert seen(found) == {("tcp", "api.example", 443), ("tcp", "proxy.corp", 3128), ("nameserver", "10.0.0.53", 53)}
    via = {t.contact.target: t.via for t in found if t.contact.kind is ContactKind.TCP}
    assert via["api.example"] == Route("proxy.corp:3128", "https_proxy") and via["proxy.corp"] is None


def test_a_proxy_with_an_ipv6_address():
    here = Surroundings(lambda url, proxy: Route("[2001:db8::1]:3128", "site"), ("10.0.0.53",))
    assert ("tcp", "2001:db8::1", 3128) in seen(touched(plan([endpoint()]), here))
    assert not any(kind == "nameserver" for kind, *_ in seen(touched(plan([endpoint()]), here)))


def test_where_no_nameserver_is_known_it_is_shown_all_the_same():
    assert ("nameserver", "", 53) in seen(touched(plan([endpoint()]), Surroundings(direct)))


def test_equal_contacts_are_one_and_name_everybody():
    both = [endpoint(), endpoint(id="E-2", method="HEAD")]
    found = [t for t in touched(plan(both), HERE) if t.contact.kind is ContactKind.TCP]
    assert [t.ids for t in found] == [("E-1", "E-2")]


def test_what_goes_over_the_network_comes_first():
    order = [t.contact.over_the_network for t in touched(plan([endpoint()]), HERE)]
    assert order == sorted(order, reverse=True) and False in order


def test_a_run_reads_which_machine_it_is_on():
    found = touched({SwapQuery(): []}, HERE)
    assert any(t.contact.target == "/etc/machine-id" and t.ids == () for t in found)


def test_time_servers_are_a_flow_of_the_machine_and_no_contact_of_a_run():
    clock = ClockOffsetRequirement.model_validate(header(id="C-1", at_most="2 s"))
    assert seen(flows([clock], HERE)) == {("time_server", "ntp.corp", 123)}
    assert not seen(touched(plan([clock]), HERE))


def test_what_is_inbound_comes_last_and_is_no_contact_of_a_run():
    ports = PortFreeRequirement.model_validate(header(id="P-1", ports=[443]))
    assert [t.contact.direction for t in flows([ports, endpoint()], HERE)][-1] is Direction.INBOUND
    assert not seen(touched(plan([ports]), HERE))


@pytest.mark.parametrize("url", ["https://127.0.0.1:8443/", "http://localhost:8000/", "https://[::1]/"])
def test_loopback_needs_no_firewall(url):
    assert not any(t.contact.port in {443, 8443, 8000} for t in flows([endpoint(url)], HERE))


def test_whoever_comes_by_a_nameserver_did_not_name_it():
    nameserver = next(t for t in flows([endpoint()], HERE) if t.contact.kind is ContactKind.NAMESERVER)
    assert nameserver.ids == ("E-1",) and nameserver.named_by == ()


def test_controls_are_sentences_each_once():
    every = controls()
    assert len(every) == len(set(every)) > 5
