"""The rules of each program, held against a table of cases, and the table against the real programs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from model import real_programs
from vorflug.model.message import render
from vorflug.model.no_proxy import (
    NAMES,
    Dialect,
    Setting,
    Settings,
    Way,
    decide,
    hidden,
    list_names,
    matching,
    parse,
    proxy_names,
)
from vorflug.model.no_proxy import (
    given as given_to,
)
from vorflug.model.no_proxy.python import UnreadableEntry
from vorflug.ports.net import PlaceState, ProxyPlace, ProxyReader, ProxyVariable

TABLE = yaml.safe_load((Path(__file__).parent / "no_proxy_cases.yaml").read_text(encoding="utf-8"))
COLUMNS = ("curl", "curl-7.88", "wget", "go", "python", "requests", "httpx")
AT_LEAST = 120
BOTH = {"http_proxy": "http://{proxy}", "https_proxy": "http://{proxy}"}
ROWS = [(BOTH | ({"no_proxy": row["no_proxy"]} if row["no_proxy"] else {}), row) for row in TABLE["lists"]]
ROWS += [(row["set"], row) for row in TABLE["variables"]]
CASES = [(variables, row["url"]) for variables, row in ROWS]
P = "http://proxy.corp:3128"


def settings(variables):
    """What a program is given by these variables."""
    named = {n: v.replace("{proxy}", "proxy.corp:3128") for n, v in variables.items() if n != "REQUEST_METHOD"}
    found = tuple(Setting(ProxyVariable(n, v, has_credentials=False, valid=True)) for n, v in named.items() if v)
    return Settings(found, frozenset(n for n, v in named.items() if not v), "REQUEST_METHOD" in variables)


def right(row, column):
    if column in row.get("refused", "").split():
        return Way.REFUSED
    return Way.DIRECT if row["direct"] == "all" or column in row["direct"].split() else Way.PROXY


def release_of(column):
    return (7, 88) if column == "curl-7.88" else (8, 18)


def by_rules(column, variables, url):
    return decide(Dialect(column.partition("-")[0]), url, settings(variables), release_of(column)).way


# ---- the table -------------------------------------------------------------------------------------------------------


def test_the_table_is_large_and_no_row_stands_twice():
    assert len(ROWS) >= AT_LEAST
    keys = [(tuple(sorted(variables.items())), url) for variables, url in CASES]
    assert len(set(keys)) == len(keys)
    words = {w for _, row in ROWS for w in (row["direct"] + " " + row.get("refused", "")).split()}
    assert words == {"all", *COLUMNS}


@pytest.mark.parametrize("column", COLUMNS)
def test_the_rules_say_what_the_table_says(column):
    wrong = [
        (variables, row["url"], by_rules(column, variables, row["url"]))
        for variables, row in ROWS
        # wget takes no URL with a zone; that is no rule of its lists
        if not (column == "wget" and "%25" in row["url"])
        and by_rules(column, variables, row["url"]) is not right(row, column)
    ]
    assert not wrong


@pytest.mark.parametrize("row", TABLE["java"], ids=lambda row: f"{row['list']} {row['url']}")
def test_java_as_the_table_says(row):
    variables = {"http.proxyHost": "proxy.corp:3128", "https.proxyHost": "proxy.corp:3128"}
    variables |= {} if row["list"] is None else {"http.nonProxyHosts": row["list"]}
    assert decide(Dialect.JAVA, row["url"], settings(variables)).way == row["way"]


# ---- the real programs -----------------------------------------------------------------------------------------------


def differing(column, answers, *, but=lambda _url: False):
    """Rows in which a real program went another way than the table says."""
    assert len(answers) == len(ROWS)
    return [
        (variables, row["url"], answer)
        for (variables, row), answer in zip(ROWS, answers, strict=True)
        if answer != right(row, column) and not but(row["url"])
    ]


@pytest.mark.tier("curl")
def test_the_real_curl():
    said = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"curl (\d+)\.(\d+)", said)
    assert found is not None
    release = (int(found[1]), int(found[2]))
    answers = real_programs.curl(CASES)
    wrong = [
        (variables, url, answer)
        for (variables, url), answer in zip(CASES, answers, strict=True)
        if decide(Dialect.CURL, url, settings(variables), release).way != answer
    ]
    assert not wrong
    if (7, 87) <= release < (8, 9):
        assert not differing("curl-7.88", answers)


@pytest.mark.tier("wget")
def test_the_real_wget():
    assert not differing("wget", real_programs.wget(CASES))


@pytest.fixture(scope="module")
def go_program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("go")
    (folder / "main.go").write_text(real_programs.GO_PROGRAM)
    subprocess.run(["go", "build", "-o", "asks", "main.go"], cwd=folder, check=True, timeout=300)
    return str(folder / "asks")


@pytest.mark.tier("go")
def test_the_real_go(go_program):
    said = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    found = re.match(r"go1\.(\d+)", said)
    # before 1.23.7 and 1.24.1 an address with a zone was compared as a name (CVE-2025-22870)
    old = found is not None and int(found[1]) < 24
    assert not differing("go", real_programs.go(go_program, CASES), but=lambda url: old and "%25" in url)


@pytest.mark.parametrize("library", ["python", pytest.param("requests", marks=pytest.mark.tier("requests")), "httpx"])
def test_the_real_python_libraries(library):
    assert not differing(library, real_programs.python(library, CASES))


# ---- what is said ----------------------------------------------------------------------------------------------------


def test_the_dialects_that_take_the_rules_of_another():
    for dialect, other in (
        (Dialect.DOCKERD, Dialect.GO),
        (Dialect.CONTAINERD, Dialect.GO),
        (Dialect.SYSTEMD, Dialect.CURL),
        (Dialect.LOGIN, Dialect.CURL),
        (Dialect.CONTAINERS, Dialect.HTTPX),
    ):
        for variables, url in CASES:
            assert decide(dialect, url, settings(variables)).way is decide(other, url, settings(variables)).way
    assert set(NAMES) == set(Dialect)


@pytest.mark.parametrize(
    ("dialect", "variables", "url", "variable", "entry", "words"),
    [
        (Dialect.CURL, {}, "http://lab.test/", None, None, "curl reads http_proxy, all_proxy or ALL_PROXY here, and none"),
        (Dialect.CURL, {"HTTP_PROXY": P}, "http://lab.test/", None, None, "not HTTP_PROXY: it goes direct"),
        (Dialect.CURL, BOTH, "http://lab.test/", "http_proxy", None, "no_proxy or NO_PROXY sets no exceptions"),
        (Dialect.CURL, BOTH | {"NO_PROXY": "x"}, "https://lab.test/", "https_proxy", None, "nothing in NO_PROXY covers lab.test:443"),
        (Dialect.GO, BOTH | {"no_proxy": "x, *.lab.test"}, "http://a.lab.test/", "no_proxy", "*.lab.test", "entry *.lab.test of no_proxy"),
        (Dialect.GO, BOTH, "http://127.0.0.1/", None, "127.0.0.1", "always reaches localhost"),
        (Dialect.GO, BOTH | {"REQUEST_METHOD": "GET"}, "http://lab.test/", "http_proxy", None, "refuses the proxy of http_proxy"),
        (Dialect.HTTPX, BOTH | {"no_proxy": "[::1]"}, "http://lab.test/", "no_proxy", "[::1]", "cannot read the entry [::1]"),
        (Dialect.JAVA, BOTH, "http://lab.test/", None, None, "Java does not read the environment"),
        (Dialect.JAVA, {"http.proxyHost": P}, "http://localhost/", None, "localhost", "unless http.nonProxyHosts is empty"),
        (Dialect.SYSTEMD, {}, "https://lab.test/", None, None, "no variable of a login shell"),
        (Dialect.DOCKERD, {"https-proxy": P, "HTTPS_PROXY": "http://x:1"}, "https://lab.test/", "https-proxy", None, "of https-proxy"),
        (Dialect.DOCKERD, {"https-proxy": P, "no-proxy": "lab.test"}, "https://lab.test/", "no-proxy", "lab.test", "of no-proxy"),
    ],
)  # fmt: skip
def test_what_decided_and_why(dialect, variables, url, variable, entry, words):
    decision = decide(dialect, url, settings(variables))
    assert (decision.dialect, decision.variable, decision.entry) == (dialect, variable, entry)
    assert words in render(decision.why)
    assert (decision.proxy is not None) is (decision.way is Way.PROXY)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_a_value_that_is_no_proxy_is_named_and_not_quoted(dialect):
    name = proxy_names(dialect, "https")[0]
    bad = Setting(ProxyVariable(name, "", has_credentials=True, valid=False), "/etc/x")
    decision = decide(dialect, "https://lab.test/", Settings((bad,)))
    assert (decision.way, decision.proxy, decision.variable, decision.where) == (Way.REFUSED, None, name, "/etc/x")
    assert f"{name} names no proxy that can be read" in render(decision.why)
    # what is exempt goes direct all the same
    exempt = Setting(ProxyVariable(list_names(dialect)[0], "lab.test", has_credentials=False, valid=True))
    assert decide(dialect, "https://lab.test/", Settings((bad, exempt))).way is Way.DIRECT


@pytest.mark.parametrize(
    "url", ["ftp://lab.test/", "lab.test", "http:///x", "http://u:secret@lab.test/", "http://[::1", "http://a:b/"]
)
def test_what_is_no_url_is_refused_without_quoting_it(url):
    with pytest.raises(ValueError) as refused:
        decide(Dialect.CURL, url, Settings())
    assert url not in str(refused.value) and "secret" not in str(refused.value)


def test_a_url_as_programs_compare_it():
    asked = parse("https://[2001:DB8::1%25eth0]:8443/x")
    assert (asked.host, asked.port, asked.written) == ("2001:db8::1%eth0", 8443, "[2001:db8::1%25eth0]:8443")
    assert str(asked.address) == "2001:db8::1"
    assert (parse("http://Lab.TEST").host, parse("http://Lab.TEST").written) == ("Lab.TEST", "Lab.TEST")
    assert (parse("http://lab.test:80/").shown, parse("http://lab.test/").shown) == ("lab.test:80", "lab.test:80")
    assert parse("http://lab.test:").host == "lab.test"


@pytest.mark.parametrize(
    ("value", "release", "url", "exempt"),
    [
        ("10.0.0.0/8", (7, 85), "http://10.1.2.3/", False),
        ("10.0.0.0/8", (7, 87), "http://10.1.2.3/", True),
        ("1.2.3", (7, 85), "http://10.1.2.3/", True),
        ("lab.test.", (7, 85), "http://lab.test/", False),
        ("a.test lab.test", (8, 8), "http://lab.test/", True),
        ("a.test lab.test", (8, 9), "http://lab.test/", False),
        ("2001:db8::/32", (8, 17), "http://[2001:db8:1::1]/", False),
        ("2001:db8::/32", (8, 18), "http://[2001:db8:1::1]/", True),
        ("10.1.2.3/", (8, 17), "http://10.1.2.3/", True),
        ("10.1.2.3/", (8, 18), "http://10.1.2.3/", False),
        ("10.1.2.3/33", (8, 17), "http://10.1.2.3/", False),
        ("10.1.2.3", (8, 18), "http://10.66051/", True),
        ("10.1.2.3", (8, 18), "http://012.1.2.3/", True),
        ("10.1.2.3", (8, 18), "http://08.1.2.3/", False),
        ("10.1.2.3", (8, 18), "http://10.1.2.999/", False),
    ],
)
def test_what_changed_with_releases_of_curl(value, release, url, exempt):
    assert (matching(Dialect.CURL, value, parse(url), release) is not None) is exempt


@given(st.text(max_size=60), st.sampled_from([url for _, url in CASES]), st.sampled_from(list(Dialect)))
def test_no_list_breaks_a_rule(value, url, dialect):
    try:
        found = matching(dialect, value, parse(url))
    except UnreadableEntry as unreadable:
        found = unreadable.entry
    assert found is None or found == "*" or dialect is Dialect.JAVA or found in value or found in value.replace(" ", "")


# ---- where settings stand --------------------------------------------------------------------------------------------


def place(reader, path, state=PlaceState.READ, **variables):
    found = tuple(ProxyVariable(n, v, has_credentials=False, valid=True) for n, v in variables.items() if v)
    return ProxyPlace(reader, path, state, found, tuple(n for n, v in variables.items() if not v))


def test_each_program_is_given_what_stands_in_its_places():
    places = (
        place(ProxyReader.PROCESS, "", https_proxy="http://env:1", no_proxy="a.test"),
        place(ProxyReader.SERVICES, "system.conf", HTTPS_PROXY="http://services:1", NO_PROXY="s.test"),
        place(ProxyReader.DOCKERD, "docker.conf", HTTPS_PROXY="http://unit:1"),
        place(ProxyReader.DOCKERD, "daemon.json", **{"https-proxy": "http://daemon:1"}),
        place(ProxyReader.CONTAINERD, "containerd.service", PlaceState.DENIED),
        place(ProxyReader.WGET, "/etc/wgetrc", no_proxy="w.test"),
    )

    def way(dialect, url="https://lab.test/"):
        decision = decide(dialect, url, given_to(dialect, places))
        return decision.proxy, decision.variable, decision.where

    assert way(Dialect.CURL) == ("http://env:1", "https_proxy", "")
    assert way(Dialect.DOCKERD) == ("http://daemon:1", "https-proxy", "daemon.json")
    assert way(Dialect.DOCKERD, "https://s.test/") == (None, "NO_PROXY", "system.conf")
    assert way(Dialect.CONTAINERD) == ("http://services:1", "HTTPS_PROXY", "system.conf")
    assert way(Dialect.SYSTEMD) == ("http://services:1", "HTTPS_PROXY", "system.conf")
    assert (
        way(Dialect.WGET, "https://a.test/")
        == way(Dialect.WGET, "https://w.test/")
        == (None, "no_proxy", "/etc/wgetrc")
    )
    assert way(Dialect.JAVA) == (None, None, "")
    assert [p.path for p in hidden(Dialect.CONTAINERD, places)] == ["containerd.service"]
    assert hidden(Dialect.DOCKERD, places) == ()


def test_what_is_set_to_nothing_above_wins_over_what_is_set_below():
    below = Settings.of([ProxyVariable("https_proxy", P, has_credentials=False, valid=True)])
    assert below.under(Settings(empty=frozenset({"https_proxy"}))).by_name == {}
    again = below.under(Settings(empty=frozenset({"https_proxy"}))).under(below)
    assert again.first(["x", "https_proxy"]).variable.value == P
