"""Every answer of a nameserver, from a real one on loopback."""

from __future__ import annotations

import time

import dns.flags
import dns.message
import pytest

from lab.nameserver import aliases, counted, mute, nameserver, only_aliases, records, truncated, without
from lab.prober import SHORT
from vorflug.netprobe import resolve
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.ports.net import Code

NAME = "app.lab.test"
QUICK = Limits(nameserver=0.15)
"""For what is silent."""
HEALTHY = records(app__lab__test=["192.0.2.1", "2001:db8::1"])


def ask(port, name=NAME, host="127.0.0.1", limits=SHORT):
    return resolve.ask(name, host, limits, Deadline(5), port)


def test_both_families():
    with nameserver(records(app__lab__test=["192.0.2.1", "2001:db8::1"])) as port:
        seen = ask(port)
    assert seen.addresses == ("192.0.2.1", "2001:db8::1")
    assert seen.code is None and seen.server == "127.0.0.1" and seen.canonical == NAME


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_one_family_is_enough(address):
    with nameserver(records(app__lab__test=[address])) as port:
        assert ask(port).addresses == (address,)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("NXDOMAIN", Code.DNS_NXDOMAIN),
        ("SERVFAIL", Code.DNS_SERVFAIL),
        ("NOTIMP", Code.DNS_SERVFAIL),
        ("REFUSED", Code.DNS_REFUSED),
        ([], Code.DNS_NODATA),
    ],
)
def test_without_an_address(said, code):
    with nameserver(records(app__lab__test=said)) as port:
        seen = ask(port)
    assert (seen.code, seen.addresses) == (code, ())


def test_silence_is_a_timeout_and_soon():
    with nameserver(mute) as port:
        began = time.monotonic()
        assert ask(port, limits=QUICK).code is Code.DNS_TIMEOUT
        assert 2 * QUICK.nameserver < time.monotonic() - began < 2 * QUICK.nameserver + 0.3


def test_one_lost_packet_is_no_fault():
    dropped = []
    healthy = records(app__lab__test=["192.0.2.1"])

    def behave(query):
        if not dropped:
            dropped.append(query)
            return None
        return healthy(query)

    with nameserver(behave) as port:
        assert ask(port).code is None


def test_a_closed_port_is_heard():
    with nameserver(mute) as port:
        pass
    began = time.monotonic()
    seen = ask(port)
    assert seen.code is Code.DNS_UNREACHABLE and "ECONNREFUSED" in seen.detail
    assert time.monotonic() - began < 0.4


def test_too_long_for_udp():
    with nameserver(truncated) as port:
        assert ask(port).code is Code.DNS_TRUNCATED_TCP_BLOCKED
    with nameserver(truncated, over_tcp=records(app__lab__test=["192.0.2.1"])) as port:
        assert ask(port).code is None


def test_silence_about_aaaa_alone_still_resolves():
    healthy = records(app__lab__test=["192.0.2.1"])
    with nameserver(lambda q: None if q.question[0].rdtype == 28 else healthy(q)) as port:
        seen = ask(port, limits=QUICK)
    assert seen.code is None and seen.addresses == ("192.0.2.1",) and "AAAA" in seen.detail


@pytest.mark.parametrize("name", ["a" * 70 + ".test", "..", "x" * 300])
def test_what_cannot_be_a_name(name):
    with nameserver(mute) as port:
        assert ask(port, name).code is Code.DNS_NXDOMAIN


def test_a_circle_of_aliases():
    circle = {"app__lab__test": "b.lab.test", "b__lab__test": NAME}
    for behave in (aliases(**circle), aliases(chased=False, **circle), only_aliases(aliases(**circle))):
        with nameserver(behave) as port:
            seen = ask(port)
        assert seen.code is Code.DNS_CNAME_LOOP and seen.addresses == ()
    assert seen.detail == "app.lab.test -> b.lab.test -> app.lab.test"


def test_aliases_that_end():
    with nameserver(aliases(app__lab__test="b.lab.test", b__lab__test=["192.0.2.1"])) as port:
        seen = ask(port)
    assert (seen.code, seen.addresses, seen.canonical) == (None, ("192.0.2.1",), "b.lab.test")
    for behave in (aliases, only_alias):
        with nameserver(behave(app__lab__test="b.lab.test", b__lab__test=[])) as port:
            assert ask(port).code is Code.DNS_NODATA


def only_alias(**names):
    return aliases(chased=False, **names)


@pytest.mark.parametrize(("longest", "code"), [(9, Code.DNS_NODATA), (8, Code.DNS_CNAME_LOOP)])
def test_aliases_are_followed_so_far(longest, code):
    names = {f"a{n}__lab__test": f"a{n + 1}.lab.test" for n in range(longest)}
    names[f"a{longest - 1}__lab__test"] = "a0.lab.test"
    with nameserver(only_alias(**names)) as port:
        assert ask(port, "a0.lab.test").code is code


@pytest.mark.parametrize(
    ("behave", "half"),
    [
        (without("AAAA", HEALTHY, rcode="SERVFAIL"), Code.DNS_SERVFAIL),
        (without("A", HEALTHY, rcode="REFUSED"), Code.DNS_REFUSED),
        (records(app__lab__test=["192.0.2.1"]), None),
        (records(app__lab__test=["2001:db8::1"]), None),
    ],
)
def test_one_family_that_fails_is_told(behave, half):
    with nameserver(behave) as port:
        said = resolve.ask_both(NAME, "127.0.0.1", SHORT, Deadline(5), port)
    assert (said.code, said.half) == (None, half) and not said.is_silent
    assert (half or "") in said.resolved.detail


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [("NOERROR", "SERVFAIL", Code.DNS_SERVFAIL), ("SERVFAIL", "NOERROR", Code.DNS_SERVFAIL)],
)
def test_a_failure_of_one_family_is_no_proof_of_absence(first, second, code):
    empty = records(app__lab__test=[])
    with nameserver(without("A", without("AAAA", empty, rcode=second), rcode=first)) as port:
        assert ask(port).code is code


def test_both_families_at_once_and_once():
    asked = []
    with nameserver(counted(HEALTHY, asked)) as port:
        ask(port)
    assert sorted(asked) == [(NAME, "A"), (NAME, "AAAA")]


def test_only_what_is_unanswered_is_put_again():
    asked = []
    with nameserver(counted(without("AAAA", HEALTHY), asked)) as port:
        ask(port, limits=QUICK)
    assert sorted(asked) == [(NAME, "A"), (NAME, "AAAA"), (NAME, "AAAA")]


def test_a_late_answer_is_taken():
    def behave(query):
        if query.question[0].rdtype == 1:
            time.sleep(1.3 * QUICK.nameserver)
        return HEALTHY(query)

    with nameserver(behave) as port:
        assert ask(port, limits=QUICK).addresses[0] == "192.0.2.1"


@pytest.mark.parametrize(
    ("flags", "code"), [(0, Code.DNS_SERVFAIL), (dns.flags.AA, Code.DNS_NODATA), (dns.flags.RA, Code.DNS_NODATA)]
)
def test_nothing_from_one_that_does_not_look_further_proves_nothing(flags, code):
    def behave(query):
        response = dns.message.make_response(query)
        response.flags |= flags
        return response

    with nameserver(behave) as port:
        assert ask(port).code is code


def test_what_is_no_answer_is_not_waited_for():
    with nameserver(lambda query: query.to_wire()[:2] + b"\x80") as port:
        seen = ask(port)
    assert seen.code is Code.DNS_SERVFAIL and seen.detail.startswith("no DNS answer")


def test_what_answers_something_else_is_not_heard():
    def other_question(query):
        other = dns.message.make_query("other.lab.test", "A")
        other.id = query.id
        return dns.message.make_response(other)

    for behave in (other_question, lambda query: b"\x00\x00" + query.to_wire()[2:], lambda query: b"x"):
        with nameserver(behave) as port:
            assert ask(port, limits=QUICK).code is Code.DNS_TIMEOUT


def test_nothing_after_the_deadline():
    with nameserver(mute) as port:
        began = time.monotonic()
        assert resolve.ask(NAME, "127.0.0.1", SHORT, Deadline(0.1), port).code is Code.DNS_TIMEOUT
    assert time.monotonic() - began < 0.3


def test_many_addresses_are_capped():
    with nameserver(truncated, over_tcp=records(app__lab__test=[f"192.0.2.{n}" for n in range(100)])) as port:
        assert len(ask(port).addresses) == resolve.ADDRESSES_AT_MOST
