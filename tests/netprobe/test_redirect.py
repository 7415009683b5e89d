"""Where a redirect leads, in every spelling, and what is never asked."""

from __future__ import annotations

import pytest

from lab.nameserver import nameserver, records
from lab.servers import head, respond, tcp
from vorflug.netprobe.redirect import AT_MOST, Leads, is_metadata, read
from vorflug.netprobe.target import parse
from vorflug.ports.net import Code, Stage

HERE = parse("http://service.lab.test:8080/a/b?c=d")


@pytest.mark.parametrize(
    ("location", "leads"),
    [
        ("/x", Leads.HERE),
        ("x?y=z", Leads.HERE),
        ("http://service.lab.test:8080/x", Leads.HERE),
        ("http://SERVICE.lab.test:8080/x", Leads.HERE),
        ("https://service.lab.test/x", Leads.HERE),
        ("https://service.lab.test:9443/x", Leads.HERE),
        ("http://service.lab.test/x", Leads.ELSEWHERE),
        ("http://service.lab.test:8081/x", Leads.ELSEWHERE),
        ("https://other.lab.test/x", Leads.ELSEWHERE),
        ("//other.lab.test/x", Leads.ELSEWHERE),
        ("http://10.0.0.1/x", Leads.ELSEWHERE),
        ("http://168.254.169.254/", Leads.ELSEWHERE),
        ("ftp://service.lab.test/x", Leads.FORBIDDEN),
        ("javascript:alert(1)", Leads.FORBIDDEN),
        ("http://169.254.169.254/latest", Leads.FORBIDDEN),
        ("http://2852039166/", Leads.FORBIDDEN),
        ("http://0251.0376.0251.0376/", Leads.FORBIDDEN),
        ("http://0xA9FEA9FE/", Leads.FORBIDDEN),
        ("http://169.254.43518/", Leads.FORBIDDEN),
        ("http://[::ffff:169.254.169.254]/", Leads.FORBIDDEN),
        ("http://[::ffff:a9fe:a9fe]/", Leads.FORBIDDEN),
        ("http://[::a9fe:a9fe]/", Leads.FORBIDDEN),
        ("http://[64:ff9b::a9fe:a9fe]/", Leads.FORBIDDEN),
        ("http://[2002:a9fe:a9fe::]/", Leads.FORBIDDEN),
        ("http://[fe80::1]/", Leads.FORBIDDEN),
        ("http://[fd00:ec2::254]/", Leads.FORBIDDEN),
        ("http://169.254.169.254./", Leads.FORBIDDEN),
        ("http://metadata.google.internal/", Leads.FORBIDDEN),
        ("http://localhost/", Leads.FORBIDDEN),
        ("http://127.1/", Leads.FORBIDDEN),
        ("http://[::1]/", Leads.FORBIDDEN),
        ("http://0/", Leads.FORBIDDEN),
        ("http://224.0.0.1/", Leads.FORBIDDEN),
        (None, Leads.NOWHERE),
        ("  ", Leads.NOWHERE),
        ("http://[::", Leads.NOWHERE),
        ("http://a:99999/", Leads.NOWHERE),
        ("/ü", Leads.HERE),
        ("/a b", Leads.HERE),
    ],
)
def test_where_it_leads(location, leads):
    step = read(location, HERE)
    assert step.leads is leads
    assert (step.target is not None) == (leads is Leads.HERE)


def test_from_https_it_never_leads_back_to_http():
    assert read("http://a.lab.test/", parse("https://a.lab.test/")).leads is Leads.FORBIDDEN


def test_a_ticket_and_a_password_are_not_shown():
    step = read("https://user:pw-canary@service.lab.test/x?ticket=canary#y", HERE)
    assert "canary" not in step.shown and step.target.path == "/x?ticket=canary"
    assert "\x1b" not in read("http://b.test/\x1b[2J", HERE).shown


def get(ask, handler, **fields):
    with tcp(handler) as port:
        return ask(f"http://localhost:{port}/", judged=True, **fields)


@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/latest", "http://2852039166/", "http://[::ffff:a9fe:a9fe]/"]
)
def test_a_metadata_address_is_named_and_never_asked(ask, location):
    trace = get(ask, respond("302 Found", b"", Location=location))
    assert (trace.code, trace.stopped_at.stage) == (Code.HTTP_REDIRECT_BLOCKED, Stage.HTTP)
    assert {a.address for a in trace.attempts} <= {"127.0.0.1", "::1"}


def test_a_redirect_on_the_same_host_is_followed(ask):
    def handler(sock):
        line = head(sock).split(b"\r\n")[0]
        if line.startswith(b"GET / "):
            sock.sendall(b"HTTP/1.1 302 Found\r\nLocation: /ready?x=1\r\nContent-Length: 0\r\n\r\n")
        else:
            sock.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    trace = get(ask, handler)
    assert (trace.code, trace.http.status) == (None, 204)
    assert trace.redirects[0].endswith("/ready")


def test_a_name_that_leads_to_a_metadata_service_is_not_asked(ask, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("169.254.169.254 metadata.lab.test\n")
    with nameserver(records(metadata__lab__test=["169.254.169.254"])) as port:
        trace = ask("http://metadata.lab.test/", judged=True, nameservers=("127.0.0.1",), dns_port=port, timeout_s=4)
    assert trace.code in (Code.DNS_BOGON, Code.DNS_NXDOMAIN) and trace.attempts == ()


@pytest.mark.parametrize(
    ("address", "yes"),
    [
        ("169.254.169.254", True),
        ("169.254.170.2", True),
        ("fd00:ec2::254", True),
        ("::ffff:169.254.169.254", True),
        ("100.100.100.200", True),
        ("169.254.1.1", False),
        ("192.0.2.1", False),
        ("fe80::1", False),
    ],
)
def test_metadata_services(address, yes):
    assert is_metadata(address) is yes


def test_a_loop_and_an_endless_chain(ask):
    asked = []

    def endless(sock):
        asked.append(head(sock))
        sock.sendall(f"HTTP/1.1 302 F\r\nLocation: /{len(asked)}\r\nContent-Length: 0\r\n\r\n".encode())

    assert get(ask, respond("302 Found", b"", Location="/")).code is Code.HTTP_REDIRECT_LOOP
    assert get(ask, endless).code is Code.HTTP_REDIRECT_LOOP
    assert len(asked) == AT_MOST + 1
