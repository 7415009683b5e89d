from __future__ import annotations

from conftest import header
from vorflug.areas.dns import DnsResolves
from vorflug.areas.egress import EgressEndpoint
from vorflug.documents import library
from vorflug.documents.resolve import resolve
from vorflug.documents.site import Site
from vorflug.engine.contacts import Surroundings
from vorflug.engine.firewall import names, open_points, rows
from vorflug.model.requirement import HostSize, OperatingModel, Phase
from vorflug.ports.net import Code, Resolved, Route

HERE = Surroundings(lambda url, proxy: Route(None, ""), ("10.0.0.53",))
WHY = {"en": "Sign-in reads its keys here.", "de": "Die Anmeldung liest hier ihre Schlüssel."}


def endpoint(url="https://api.example/", **fields):
    return EgressEndpoint.model_validate(header(**{"id": "E-1", "url": url, **fields}))


def resolved(name, *addresses):
    return {name: Resolved(name, "system", addresses, name, None if addresses else Code.DNS_NXDOMAIN, 0.1)}


def found(*items, known=None, own=()):
    return {r.contact.target: r for r in rows(items, HERE, known or {}, None, own=own)}


def test_rows_are_numbered_from_one():
    every = rows([endpoint(), endpoint("https://b.example/", id="E-2")], HERE, {}, None)
    assert [r.number for r in every] == [1, 2, 3] and [r.proofs for r in every] == [(), (), ()]


def test_names_are_asked_once_and_addresses_never():
    items = [endpoint(), endpoint(id="E-2"), endpoint("https://192.0.2.1/", id="E-3")]
    assert names(items, HERE) == ("api.example",)


def test_addresses_come_from_the_answer_or_from_the_target_itself():
    every = found(endpoint(), endpoint("https://192.0.2.1/"), known=resolved("api.example", "192.0.2.9"))
    assert every["api.example"].addresses == ("192.0.2.9",) and every["192.0.2.1"].addresses == ("192.0.2.1",)
    assert found(endpoint())["api.example"].resolved is None


def test_a_name_of_this_host_is_no_flow():
    known = resolved("api.example", "192.0.2.2")
    assert "api.example" not in found(endpoint(), known=known, own=("192.0.2.2", "fd00::2"))
    assert "api.example" in found(endpoint(), known=known, own=("192.0.2.3",))
    assert "api.example" in found(endpoint(), known=resolved("api.example"), own=("192.0.2.2",))


def test_the_purpose_is_why_it_is_asked_or_the_title():
    (purpose,) = found(endpoint(why=WHY))["api.example"].purposes
    assert purpose.en == WHY["en"]
    (purpose,) = found(endpoint())["api.example"].purposes
    assert purpose.en == "Title"


def test_a_nameserver_belongs_to_those_that_ask_it():
    dns = DnsResolves.model_validate(header(id="D-1", names=["api.example"]))
    assert found(endpoint(), dns)["10.0.0.53"].ids == ("D-1",)
    assert found(endpoint())["10.0.0.53"].ids == ("E-1",)


def test_what_waits_for_a_value_is_an_open_point():
    profile = library.load(None)
    items = resolve(profile, Site.empty(), model=OperatingModel.COMPOSE, size=HostSize.S, phase=Phase.PRE_INSTALL)
    missing = {point.id: point.missing for point in open_points(items)}
    assert missing["EGR-002"] == "llm.provider" and not any(id_.startswith("TLS-") for id_ in missing)
