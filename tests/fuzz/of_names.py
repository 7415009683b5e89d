"""Targets: names, addresses, settings and the files that hold them, and the answers of nameservers."""

from __future__ import annotations

import socket
from contextlib import suppress

import dns.message
import dns.rdatatype

from fuzz.draw import Draw, shown
from vorflug.model import resolver_files
from vorflug.model.challenge import challenges
from vorflug.model.message import msg, render, visible
from vorflug.model.no_proxy import Dialect, Setting, Settings, decide
from vorflug.netprobe import nameserver, resolve
from vorflug.netprobe import proxy as proxies
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.nameserver import At, Reply
from vorflug.netprobe.programs import disagreement
from vorflug.netprobe.target import parse


def target(data):
    """A URL: only ValueError, and what is taken can be written into a request."""
    with suppress(ValueError):
        found = parse(data.decode("utf-8", "surrogateescape"))
        assert found.absolute.isascii() and found.host and 0 < found.port < 65536
        assert not any(c <= " " or c == "\x7f" for c in found.absolute)


def proxy_setting(data):
    """A proxy variable: only ValueError, which quotes nothing; its secrets are known."""
    draw = Draw(data)
    value = draw.text()
    with suppress(ValueError):
        found = proxies.parse(value)
        shown(found.authority)
        assert found.host.isascii()
    proxies.secrets({"https_proxy": value})
    shown(proxies.variables({"https_proxy": value, "NO_PROXY": value}))
    proxies.choose(parse("https://h.test/"), {"https_proxy": value, "no_proxy": draw.text()})


def no_proxy(data):
    """A list of exceptions, in every dialect."""
    draw = Draw(data)
    url, value = draw.text(), draw.text()
    variables = proxies.variables({"https_proxy": "http://p.test:3128", "http_proxy": draw.text(), "no_proxy": value})
    settings = Settings(tuple(Setting(v) for v in variables))
    for dialect in Dialect:
        with suppress(ValueError):  # of the URL
            shown(render(decide(dialect, url, settings).why))
    with suppress(ValueError):
        disagreement(parse(url), {"https_proxy": "http://p.test:3128", "no_proxy": value})


def challenge(data):
    """WWW-Authenticate."""
    for one in challenges([data.decode("latin-1")]):
        assert one.scheme and one.scheme == one.scheme.lower()


def resolver_conf(data):
    """resolv.conf(5), hosts(5), nsswitch.conf(5)."""
    draw = Draw(data)
    name = draw.text()
    text = draw.rest().decode("utf-8", "replace")
    assert len(resolver_files.nameservers(text)) <= resolver_files.NAMESERVERS_AT_MOST
    shown(resolver_files.nameservers(text), resolver_files.search_domains(text))
    assert 0 <= resolver_files.ndots(text) <= resolver_files.NDOTS_AT_MOST
    shown(resolver_files.host_addresses(text, name))
    resolver_files.hosts_services(text)


def dns_answer(data):
    """What comes from a nameserver over UDP, and what is read from it."""
    kind = (dns.rdatatype.A, dns.rdatatype.AAAA, dns.rdatatype.PTR)[data[0] % 3 if data else 0]
    question = dns.message.make_query("service.lab.test", kind, id=0x1234)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    replies = {}
    with ours, theirs:
        with suppress(OSError):  # too long for a datagram here
            theirs.send(b"\x12\x34" + data[1:])
        nameserver._try(ours, [question], replies, Deadline(0.0))
    reply = replies.get(0x1234, Reply(None, None, "nothing"))
    shown(reply.detail, resolve.read("service.lab.test", "127.0.0.1", kind, reply))
    shown(nameserver.At("127.0.0.1") == At("127.0.0.1"))


def made_visible(data):
    """Whatever text: nothing live is left, and rendering never interprets a value."""
    draw = Draw(data)
    text = draw.text()
    shown(visible(text), visible(text, at_most=10), render(msg("{x} and {y:list}", x=text, y=(text, draw.text()))))


def _wire(build):
    answer = dns.message.make_response(
        dns.message.make_query("service.lab.test", "A", id=0x1234), recursion_available=True
    )
    build(answer)
    return b"\0" + answer.to_wire()[2:]


def _rows(*rows):
    def build(answer):
        for name, kind, value in rows:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, value))

    return _wire(build)


TARGETS = {
    target: (b"https://h.test:8443/a?b", b"http://[::1%25eth0]/", "https://bücher.test/".encode(), b"https://a..b/", b"http://h:99999/", b"https://xn--a/"),
    proxy_setting: (b"http://u:p%40@proxy.test:3128\0\n*.test,10.0.0.0/8", b"socks5h://[::1]\0\n", "http://ü@ß:1".encode()),
    no_proxy: (b"https://a.h.test:443/\0\n.test, 10.0.0.0/8,[::1]:443,*,h.test:80 localhost\0\n", b"http://0x7f.1/\0\n127.0.0.0/8,::/0", b"https://[fe80::1%25x]/\0\nfe80::/10"),
    challenge: (b'Bearer realm="https://a.test/t",service="s",scope="repository:x:pull", Basic realm="\\"", Negotiate abc==',),
    resolver_conf: (b"h.test\0\nnameserver 192.0.2.1\nsearch a.test b.test\noptions ndots:5 edns0\n192.0.2.2 h.test # c\nhosts: files [NOTFOUND=return] dns\n",),
    dns_answer: (
        _rows(("service.lab.test.", "A", "192.0.2.1")),
        _rows(("service.lab.test.", "CNAME", "x.lab.test."), ("x.lab.test.", "TXT", "y")),
        _rows(("service.lab.test.", "CNAME", "service.lab.test.")),
        b"\0\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\4",
    ),
    made_visible: (b"\x1b[2J<b>{x.__class__}\0\n" + "\u202e\u2066\u0085\U000e0041".encode(),),
}  # fmt: skip
