"""The C library's resolver and real nameservers, in a namespace; what needs no files of the system, without one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time

import pytest

from lab import lookups
from lab.nameserver import counted, mute, nameserver, records
from lab.prober import SHORT
from vorflug.netprobe import hosts_file
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.lookup import look_up
from vorflug.netprobe.nameserver import At
from vorflug.netprobe.random_names import RandomNames
from vorflug.ports.net import Code

GOOD, OTHER, CATCH_ALL = lookups.GOOD, lookups.OTHER, lookups.CATCH_ALL
V6 = "2001:db8::1"


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """All look-ups in five namespaces: to start a program for each would take longer than they do."""
    names = list(lookups.CASES)
    running = [start(tmp_path_factory.mktemp("lookups"), names[n::5]) for n in range(5)]
    # all are waited for before any is judged
    done = [(*one.communicate(timeout=60), one.returncode) for one in running]
    assert all(code == 0 for _, _, code in done), [errors for _, errors, _ in done]
    return {name: found for out, _, _ in done for name, found in json.loads(out).items()}


def start(folder, names):
    command = ["unshare", "-nm", sys.executable, lookups.__file__, str(folder), *names]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.tier("namespaces")
@pytest.mark.tier("packet-filters")
@pytest.mark.parametrize(
    ("name", "code", "addresses", "warnings"),
    [
        ("healthy", None, {GOOD, V6}, []),
        ("healthy over IPv6", None, {GOOD, V6}, []),
        ("a nameserver with a scope", None, {GOOD, V6}, []),
        ("NXDOMAIN", Code.DNS_NXDOMAIN, set(), []),
        ("NODATA", Code.DNS_NODATA, set(), []),
        ("SERVFAIL", Code.DNS_SERVFAIL, set(), []),
        ("REFUSED", Code.DNS_REFUSED, set(), []),
        ("lame", Code.DNS_SERVFAIL, set(), []),
        ("first lame", None, {GOOD, V6}, []),
        ("silent", Code.DNS_TIMEOUT, set(), []),
        ("silent, waited for", Code.DNS_TIMEOUT, set(), []),
        ("all silent", Code.DNS_TIMEOUT, set(), []),
        ("closed", Code.DNS_UNREACHABLE, set(), []),
        ("no route", Code.DNS_UNREACHABLE, set(), []),
        ("dropped here", Code.DNS_TIMEOUT, set(), []),
        ("no nameserver", Code.DNS_UNREACHABLE, set(), []),
        ("no nameserver, and one here", None, {GOOD, V6}, []),
        ("TCP closed", Code.DNS_TRUNCATED_TCP_BLOCKED, set(), []),
        ("TCP open", None, {GOOD, V6}, []),
        ("first silent", None, {GOOD, V6}, [Code.DNS_SLOW_FALLBACK]),
        ("first silent, waited for", None, {GOOD, V6}, [Code.DNS_SLOW_FALLBACK]),
        ("first closed", None, {GOOD, V6}, [Code.DNS_SLOW_FALLBACK]),
        ("second silent", None, {GOOD, V6}, []),
        ("first refuses", None, {GOOD, V6}, []),
        ("first fails, second silent", Code.DNS_SERVFAIL, set(), []),
        ("first silent, second fails", Code.DNS_SERVFAIL, set(), []),
        ("first silent, second knows none", Code.DNS_NXDOMAIN, set(), [Code.DNS_SLOW_FALLBACK]),
        # measured: once an answer was cut, the C library asks every nameserver over TCP
        ("first cut, second whole", Code.DNS_TRUNCATED_TCP_BLOCKED, set(), [Code.DNS_TRUNCATED_TCP_BLOCKED]),
        ("first cut, second whole over TCP", None, {GOOD, V6}, [Code.DNS_TRUNCATED_TCP_BLOCKED]),
        ("first knows none", Code.DNS_NXDOMAIN, set(), []),
        ("circle", Code.DNS_CNAME_LOOP, set(), []),
        ("circle, one alias at a time", Code.DNS_CNAME_LOOP, set(), []),
        ("circle, SERVFAIL", Code.DNS_CNAME_LOOP, set(), []),
        ("alias to nowhere", Code.DNS_NODATA, set(), []),
        ("alias", None, {GOOD}, []),
        ("AAAA silent", None, {GOOD}, [Code.DNS_TIMEOUT]),
        ("AAAA fails", None, {GOOD}, []),
        ("A fails", None, {V6}, []),
        ("A fails, no AAAA", Code.DNS_SERVFAIL, set(), []),
        ("an odd answer", Code.DNS_SERVFAIL, set(), []),
        ("made up", Code.DNS_HIJACK, {CATCH_ALL}, []),
        ("made up, but not this", None, {GOOD}, [Code.DNS_HIJACK]),
        ("made up by the second, which is not asked", None, {GOOD, V6}, []),
        ("made up by the second, which is asked", Code.DNS_HIJACK, {CATCH_ALL}, [Code.DNS_SLOW_FALLBACK]),
        ("hosts file alone", None, {OTHER}, [Code.DNS_HOSTS_OVERRIDE]),
        ("hosts file against DNS", None, {OTHER}, [Code.DNS_HOSTS_OVERRIDE]),
        ("hosts file like DNS", None, {GOOD}, []),
        ("hosts file, nameserver silent", None, {OTHER}, []),
        ("hosts file, made up", None, {OTHER}, [Code.DNS_HOSTS_OVERRIDE]),
        ("hosts file, ::1", None, {"::1"}, [Code.DNS_HOSTS_OVERRIDE]),
        ("hosts file, other name", None, {GOOD, V6}, []),
        ("search domain", None, {GOOD, V6}, [Code.DNS_SEARCH_DOMAIN]),
        ("search domain and an alias", None, {GOOD}, [Code.DNS_SEARCH_DOMAIN]),
        ("search domain before the name", None, {OTHER}, [Code.DNS_SEARCH_DOMAIN]),
        ("label, silent", Code.DNS_TIMEOUT, set(), [Code.DNS_SLOW_FALLBACK]),
        ("loopback of a public name", None, {"127.0.0.1"}, [Code.DNS_BOGON]),
        ("loopback of an inner name", None, {"127.0.0.1"}, []),
        ("loopback by the hosts file", None, {"127.0.0.1"}, []),
        ("private address of a public name", None, {"10.0.0.1"}, []),
        ("localhost", None, {"127.0.0.1"}, []),
        ("garbage", Code.DNS_SERVFAIL, set(), []),
        ("another id first", Code.DNS_TIMEOUT, set(), []),
        ("underscore", None, {GOOD}, []),
    ],
)
def test_what_a_name_comes_to(seen, name, code, addresses, warnings):
    found = seen[name]
    assert (found["code"], set(found["addresses"]), found["warnings"]) == (code, addresses, warnings), found
    limits = lookups.CASES[name]["limits"]
    assert found["took"] < limits.resolve + 0.3
    if code is not None:
        assert found["detail"]


@pytest.mark.tier("namespaces")
@pytest.mark.tier("packet-filters")
def test_every_case_is_judged(seen):
    (mark,) = [m for m in test_what_a_name_comes_to.pytestmark if m.name == "parametrize"]
    assert {row[0] for row in mark.args[1]} == set(lookups.CASES) == set(seen)


@pytest.mark.tier("namespaces")
@pytest.mark.tier("packet-filters")
def test_controls(seen):
    assert seen["healthy"]["checks"]["random_name"][0] == "passed"
    assert seen["healthy"]["checks"]["nameservers"][0] == "same"
    assert seen["made up"]["checks"]["random_name"][0] == "failed"
    assert CATCH_ALL in seen["made up"]["checks"]["random_name"][1]
    assert seen["first silent"]["checks"]["nameservers"][0] == "differs"
    assert seen["first knows none"]["checks"]["nameservers"][0] == "differs"
    assert seen["NXDOMAIN"]["checks"]["nameservers"][0] == "same"
    for name in ("NXDOMAIN", "hosts file, made up", "localhost"):
        assert "random_name" not in seen[name]["checks"], "nothing came from DNS"
    assert seen["second silent"]["took"] < 0.3, "later ones are not waited for"
    assert seen["hosts file, nameserver silent"]["took"] < 2 * lookups.IMPATIENT.nameserver


def look(name, servers=("127.0.0.1",), port=1, *, limits=SHORT, seconds=5.0, **options):
    options = {"hosts_file": "/nonexistent", "random_names": RandomNames(), **options}
    return look_up(name, servers, limits, Deadline(seconds), port, **options)


@pytest.mark.parametrize("name", ["192.0.2.1", "2001:db8::1", "fe80::1%lo"])
def test_an_address_is_not_looked_up(name):
    asked = []
    with nameserver(counted(mute, asked)) as port:
        found = look(name, port=port)
    assert found.addresses == (name.partition("%")[0],) and found.code is None and not asked and not found.checks


def test_this_machine_is_not_looked_up():
    asked = []
    with nameserver(counted(records(**{"*": [CATCH_ALL]}), asked)) as port:
        found = look("localhost", port=port)
    assert "127.0.0.1" in found.addresses and found.code is None and not asked


def test_a_label_that_is_too_long_is_no_crash():
    assert look("a" * 70 + ".test").code is Code.DNS_NXDOMAIN


def test_as_a_resolver_says_it():
    said = look("localhost").resolved("localhost")
    assert (said.name, said.server, said.code) == ("localhost", "system", None) and "127.0.0.1" in said.addresses


def test_one_control_for_many_names():
    asked = []
    names = RandomNames()
    with nameserver(counted(records(**{"*": [CATCH_ALL]}), asked)) as port:
        at = At("127.0.0.1", port)
        found = []
        threads = [threading.Thread(target=lambda: found.append(names.start(at, SHORT).result(2))) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(asked) == 4 and {a for _, a in asked} == {"A", "AAAA"}
    assert {name.rpartition(".")[2] for name, _ in asked} == {"invalid", "com"}
    assert all(f == found[0] and f.addresses == {CATCH_ALL} and f.answered for f in found) and len(found) == 40


def test_a_control_is_made_anew_after_its_time():
    asked = []
    for kept_s, times in ((0.0, 2), (60.0, 1)):
        names = RandomNames(kept_s)
        with nameserver(counted(records(), asked)) as port:
            asked.clear()
            for _ in range(2):
                found = names.start(At("127.0.0.1", port), SHORT).result(2)
                assert found.answered and not found.addresses
        assert len(asked) == 4 * times


def test_a_control_that_nobody_answers():
    limits = Limits(nameserver=0.1)
    with nameserver(mute) as port:
        began = time.monotonic()
        question = RandomNames().start(At("127.0.0.1", port), limits)
        assert question.result(0.0) is None
        found = question.result(2)
    assert not found.answered and not found.addresses
    assert 0.15 < time.monotonic() - began < 0.5


def test_the_hosts_file(tmp_path):
    file = tmp_path / "hosts"
    file.write_text(
        "127.0.0.1 localhost\n"
        "192.0.2.1\tAPP.lab.test app # app2\n"
        "2001:DB8::1 app.lab.test.\n"
        "# 192.0.2.9 app.lab.test\n"
        "192.0.2.8 myapp.lab.test app.lab.test.x app.lab.testing\n"
        "nonsense app.lab.test\n"
        "\n"
        "::1 six\n"
        "192.0.2.7 last",
        encoding="utf-8",
    )
    listed = lambda name: hosts_file.listed(name, str(file))  # noqa: E731
    assert listed("app.lab.test") == listed("App.Lab.Test.") == {"192.0.2.1", "2001:db8::1"}
    assert listed("app") == {"192.0.2.1"} and listed("app2") == frozenset()
    assert listed("last") == {"192.0.2.7"} and listed("six") == {"::1", "127.0.0.1"}
    assert listed("192.0.2.7") == frozenset() == listed("nonsense")
    file.write_text("192.0.2.2 app\n", encoding="utf-8")
    assert listed("app") == {"192.0.2.2"}, "a file that was changed is read again"
    assert hosts_file.listed("app", str(tmp_path / "none")) == frozenset()
