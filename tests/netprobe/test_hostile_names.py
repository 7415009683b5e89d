"""Nameservers and files of names that mean harm."""

from __future__ import annotations

import os
from contextlib import ExitStack
from itertools import pairwise

import dns.message
import dns.name
import dns.rrset

from lab.hostile_checks import SECONDS, live, wrong
from lab.nameserver import nameserver


def _response(build):
    def behave(query):
        answer = dns.message.make_response(query, recursion_available=True)
        answer.request_payload = 0  # as long as it is, whatever the question allows
        build(answer, query.question[0])
        return answer

    return behave


def _aliases(count):
    def build(answer, question):
        names = [question.name.to_text(), *(f"a{n}.lab.test." for n in range(count))]
        for here, there in pairwise(names):
            answer.answer.append(dns.rrset.from_text(here, 60, "IN", "CNAME", there))

    return _response(build)


def _rows(kind, *values):
    return _response(
        lambda answer, question: answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
    )


def _wire(change):
    """Bytes instead of a message: *change* is given those of a sound answer."""
    return lambda query: change(_rows("A", "192.0.2.1")(query).to_wire())


def _ring(query):
    """A name that points at itself (RFC 1035, 4.1.4)."""
    return query.to_wire()[:2] + b"\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\1\0\1\xc0\x0c\0\1\0\1\0\0\0\1\0\4\1\2\3\4"


def _question(name):
    def behave(query):
        answer = _rows("A", "192.0.2.1")(query)
        answer.question[0].name = dns.name.from_text(name)
        return answer

    return behave


def _long(query):
    """64 kB."""
    answer = _rows("A", "192.0.2.1")(query)
    for number in range(200):
        text = f'"{number}{"x" * 250}"'
        answer.additional.append(dns.rrset.from_text(f"t{number}.test.", 60, "IN", "TXT", text))
    return answer


_CUT = _response(lambda answer, _: setattr(answer, "flags", answer.flags | 0x0200))
_LIVE_NAME = "\\027[2J<script>\\226\\128\\174.test."

_500 = _rows("A", *(f"10.0.{n >> 8}.{n & 255}" for n in range(500)))

NAMESERVERS = {
    "a name that points at itself": (_ring, None),
    "another question": (_question("other.test"), None),
    "another id": (_wire(lambda wire: b"\0\0" + wire[2:]), None),
    "half a message": (_wire(lambda wire: wire[:20]), None),
    "noise": (lambda query: query.to_wire()[:2] + os.urandom(200), None),
    "64 kB over TCP": (_CUT, _long),
    "cut for ever": (_CUT, _CUT),
    "1000 aliases": (_CUT, _aliases(1000)),
    "20 aliases": (_aliases(20), None),
    "text for an address": (_rows("TXT", '"\\027[2J"'), None),
    "500 addresses": (lambda query: _500(query).to_wire(max_size=65535), _long),
    "a live alias": (_rows("CNAME", _LIVE_NAME), None),
    "a live PTR": (_rows("PTR", _LIVE_NAME), None),
    "a live SOA": (_response(lambda a, q: a.authority.append(dns.rrset.from_text(q.name, 60, "IN", "SOA", f"{_LIVE_NAME} {_LIVE_NAME} 1 2 3 4 5"))), None),
}  # fmt: skip


def test_hostile_nameservers(run):
    with ExitStack() as servers:
        jobs = {
            name: ("nameserver", {"port": servers.enter_context(nameserver(udp, over_tcp=by_tcp))})
            for name, (udp, by_tcp) in NAMESERVERS.items()
        }
        results = run(jobs)
        for name, result in results.items():
            if result["took_s"] > 2 * SECONDS:
                results |= run({name: jobs[name]})
    for name, result in results.items():
        assert not list(wrong(name, result | {"took_s": result["took_s"] - SECONDS}, (result.get("code"),))), (
            name,
            result,
        )
        for value in (*result["said"].values(), *result["seen"].values(), *result["pointer"]["names"]):
            assert not live(str(value)), (name, value)
        assert len(result["said"]["addresses"]) <= 32
    good = {name for name, result in results.items() if result["code"] is None}
    assert good == {"64 kB over TCP", "500 addresses"}


def test_huge_and_binary_resolver_files(run, tmp_path):
    big, binary = tmp_path / "big", tmp_path / "binary"
    with big.open("wb") as file:
        file.write(b"nameserver 192.0.2.53\n192.0.2.1 Service.lab.test\n")
        for _ in range(20):
            file.write(b"192.0.2.2 \xf0\x9f\x92\xa3 x.service.lab.test\n" * 25000)
        file.truncate(100 << 20)
    binary.write_bytes(os.urandom(1 << 20) + b"\nnameserver 192.0.2.53\0\n" + bytes(1 << 20))
    jobs = {path.name: ("resolver_files", {"resolv_conf": str(path), "hosts": str(path)}) for path in (big, binary)}
    results = run(jobs)
    assert not [p for name, result in results.items() for p in wrong(name, result | {"code": "x"}, "x")]
    assert results["big"]["servers"] == ["192.0.2.53"] and results["big"]["listed"] == ["192.0.2.1"]
