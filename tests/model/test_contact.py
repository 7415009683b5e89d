from __future__ import annotations

import pytest

from vorflug.areas.llm_key import KeyQuery
from vorflug.model.contact import ContactKind, of_host, of_url, written
from vorflug.model.llm_provider import Provider
from vorflug.model.names import NameQuery
from vorflug.model.probing import RequestQuery, RouteQuery
from vorflug.model.registry_content import ContentQuery
from vorflug.ports.touched import TOUCHED


@pytest.mark.parametrize(
    ("url", "host", "port", "protocol"),
    [
        ("https://llm.example/v1?key=s3cret", "llm.example", 443, "https"),
        ("http://llm.example:8000/v1", "llm.example", 8000, "http"),
        ("https://[2001:db8::1]:8443/", "2001:db8::1", 8443, "https"),
        ("https://LLM.Example./", "llm.example", 443, "https"),
    ],
)
def test_a_url_is_one_connection(url, host, port, protocol):
    contact = of_url(url)
    assert (contact.target, contact.port, contact.protocol) == (host, port, protocol)
    assert "s3cret" not in contact.url and "/v1" not in contact.url


@pytest.mark.parametrize("url", ["ftp://files.example/", "/no/host", "https://"])
def test_what_is_no_url_is_refused(url):
    with pytest.raises(ValueError, match="wanted an http or https URL"):
        of_url(url)


def test_a_websocket_is_named_as_one():
    assert of_url("https://a.example/", websocket=True).protocol == "wss"
    assert of_url("http://a.example/", websocket=True).protocol == "ws"


def test_a_pattern_stands_for_many_names():
    assert of_host("*.data.example").is_pattern and not of_host("data.example").is_pattern


def test_the_notation():
    kinds = [
        (c.kind, c.target, c.certain)
        for c in written(("/etc/fstab", "/proc/", "~/.docker/", "unix:/run/a.sock", "nft", "docker-credential-*"))
    ]
    assert kinds == [
        (ContactKind.FILE, "/etc/fstab", True),
        (ContactKind.FOLDER, "/proc/", True),
        (ContactKind.FOLDER, "~/.docker/", True),
        (ContactKind.SOCKET, "/run/a.sock", True),
        (ContactKind.COMMAND, "nft", True),
        (ContactKind.COMMAND, "docker-credential-*", False),
    ]
    assert [c.target for c in written(("@net.nameservers",))] == list(TOUCHED["net.nameservers"])
    with pytest.raises(KeyError):
        list(written(("@net.nothing",)))


def network(query):
    return {(c.target, c.port, c.certain) for c in query.contacts() if c.over_the_network}


def test_fields_say_what_a_question_contacts():
    assert network(RequestQuery(url="https://a.example/x", proxy="http://p:1")) == {("a.example", 443, True)}
    assert network(NameQuery(name="a.example")) == {("", 53, True)}
    assert network(NameQuery(name="a.example", server="10.0.0.53")) == {("10.0.0.53", 53, True)}
    content = ContentQuery(registry="docker.io", images=("a:1",), architecture="amd64", token_hosts=("auth.docker.io",))
    assert network(content) == {("registry-1.docker.io", 443, True), ("auth.docker.io", 443, False)}


def test_a_question_about_this_machine_contacts_nobody():
    assert network(RouteQuery(url="https://a.example/")) == set()


def test_the_file_that_holds_a_key_is_named_as_every_file_that_is_read():
    query = KeyQuery(url="https://a.example/", provider=Provider.LOCAL, key="key", file="/home/anna/key.txt")
    assert "/home/anna/key.txt" in [c.target for c in query.contacts() if c.kind is ContactKind.FILE]
    assert "anna" not in repr(query), "but nowhere else"
