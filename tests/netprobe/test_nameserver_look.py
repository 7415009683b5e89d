"""Each way of asking, against a real nameserver on loopback."""

from __future__ import annotations

import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from lab.nameserver import mute, nameserver, records, truncated
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.nameserver_look import look, pointer
from vorflug.ports.net import Code
from vorflug.ports.net_names import Edns

NAME = "app.lab.test"
HEALTHY = records(app__lab__test=["192.0.2.1"])
STEADY = Limits(nameserver=1.0)
QUICK = Limits(nameserver=0.1)


def asked(port, limits=STEADY, name=NAME):
    return look("127.0.0.1", name, limits, Deadline(5), port)


def test_healthy():
    with nameserver(HEALTHY, over_tcp=HEALTHY) as port:
        seen = asked(port)
    assert (seen.server, seen.name, seen.code, seen.tcp, seen.bogus) == ("127.0.0.1", NAME, None, True, False)
    assert 0 < seen.took_s < 0.5 and seen.tcp_detail == ""
    assert seen.edns is Edns.TAKEN and seen.udp_bytes > 0


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("NXDOMAIN", Code.DNS_NXDOMAIN),
        ([], Code.DNS_NODATA),
        ("SERVFAIL", Code.DNS_SERVFAIL),
        ("REFUSED", Code.DNS_REFUSED),
    ],
)
def test_other_answers(said, code):
    behave = records(app__lab__test=said)
    with nameserver(behave, over_tcp=behave) as port:
        seen = asked(port)
    assert (seen.code, seen.tcp, seen.bogus) == (code, True, False)


def test_tcp_alone():
    with nameserver(mute, over_tcp=HEALTHY) as port:
        seen = asked(port, QUICK)
    assert seen.code is Code.DNS_TIMEOUT and seen.tcp and seen.edns is Edns.NO_ANSWER


def test_udp_alone():
    with nameserver(HEALTHY) as port:
        seen = asked(port)
    assert seen.code is None and not seen.tcp and "ECONNREFUSED" in seen.tcp_detail


def test_closed():
    with nameserver(mute) as port:
        pass
    seen = asked(port)
    assert seen.code is Code.DNS_UNREACHABLE and "ECONNREFUSED" in seen.detail and not seen.tcp


def test_cut_and_no_tcp():
    with nameserver(truncated) as port:
        assert asked(port).code is Code.DNS_TRUNCATED_TCP_BLOCKED


def test_the_second_answer_may_come_from_a_cache():
    first = []

    def behave(query):
        if not first:
            first.append(query)
            time.sleep(0.2)
        return HEALTHY(query)

    with nameserver(behave, over_tcp=HEALTHY) as port:
        assert asked(port).took_s < 0.15


def test_one_that_answers_but_once():
    heard = []

    def behave(query):
        heard.append(query)
        return HEALTHY(query) if len(heard) == 1 else None

    with nameserver(behave, over_tcp=HEALTHY) as port:
        seen = asked(port, QUICK)
    assert seen.code is None and seen.took_s < 0.1 and seen.edns is Edns.NO_ANSWER


def edns(behave):
    return lambda query: behave(query) if query.edns >= 0 else HEALTHY(query)


def bare(query):
    response = HEALTHY(query)
    response.use_edns(-1)
    return response


def with_payload(size):
    def behave(query):
        response = HEALTHY(query)
        response.use_edns(0, payload=size)
        return response

    return behave


@pytest.mark.parametrize(
    ("behave", "state", "size"),
    [(mute, Edns.NO_ANSWER, 0), (bare, Edns.NOT_KNOWN, 0), (with_payload(4096), Edns.TAKEN, 4096)],
)
def test_edns(behave, state, size):
    with nameserver(edns(behave), over_tcp=HEALTHY) as port:
        seen = asked(port, QUICK)
    assert (seen.edns, seen.udp_bytes, seen.code) == (state, size, None)


def validating(rcode):
    """SERVFAIL, unless validation is switched off; then *rcode*."""

    def behave(query):
        response = dns.message.make_response(query, recursion_available=True)
        response.set_rcode(rcode if query.flags & dns.flags.CD else dns.rcode.SERVFAIL)
        return response

    return behave


@pytest.mark.parametrize(
    ("rcode", "bogus"),
    [(dns.rcode.NOERROR, True), (dns.rcode.NXDOMAIN, True), (dns.rcode.SERVFAIL, False), (dns.rcode.REFUSED, False)],
)
def test_signatures_that_do_not_hold(rcode, bogus):
    with nameserver(validating(rcode), over_tcp=HEALTHY) as port:
        seen = asked(port)
    assert (seen.code, seen.bogus) == (Code.DNS_SERVFAIL, bogus)


def test_silence_without_validation_proves_nothing():
    def behave(query):
        return None if query.flags & dns.flags.CD else validating(dns.rcode.NOERROR)(query)

    with nameserver(behave, over_tcp=HEALTHY) as port:
        assert not asked(port, QUICK).bogus


def test_what_is_no_name():
    assert asked(1, name="a" * 70 + ".test").code is Code.DNS_NXDOMAIN


def reverse(*names, alias=False):
    def behave(query):
        response = dns.message.make_response(query, recursion_available=True)
        owner = query.question[0].name
        if alias:
            response.answer.append(dns.rrset.from_text(owner, 60, "IN", "CNAME", "1.sub.192.in-addr.arpa."))
            owner = dns.name.from_text("1.sub.192.in-addr.arpa.")
        if names:
            response.answer.append(dns.rrset.from_text(owner, 60, "IN", "PTR", *names))
        return response

    return behave


@pytest.mark.parametrize("alias", [False, True])
@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_the_names_of_an_address(address, alias):
    with nameserver(reverse("APP.lab.test.", "b.lab.test.", alias=alias)) as port:
        seen = pointer(address, "127.0.0.1", STEADY, Deadline(5), port)
    assert seen.code is None and sorted(seen.names) == ["APP.lab.test", "b.lab.test"] and seen.address == address


@pytest.mark.parametrize(
    ("behave", "code"),
    [
        (reverse(), Code.DNS_NODATA),
        (records(), Code.DNS_NXDOMAIN),
        (records(**{"*": "REFUSED"}), Code.DNS_REFUSED),
        (mute, Code.DNS_TIMEOUT),
    ],
)
def test_no_names(behave, code):
    with nameserver(behave) as port:
        seen = pointer("192.0.2.1", "127.0.0.1", QUICK, Deadline(5), port)
    assert (seen.names, seen.code) == ((), code)


def test_many_names_are_capped():
    with nameserver(truncated, over_tcp=reverse(*(f"n{n}.test." for n in range(50)))) as port:
        assert len(pointer("192.0.2.1", "127.0.0.1", STEADY, Deadline(5), port).names) == 10
