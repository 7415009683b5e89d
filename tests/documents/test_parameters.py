"""What each type takes, and what it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.documents import yamlstrict
from vorflug.documents.parameters import Parameter, ParameterType, hint, mistakes, written

TITLE = {"en": "x", "de": "x"}


def parameter(type_, **more):
    more = {"values": ["a", "b"], **more} if type_ == "choice" else more
    return Parameter.model_validate({"type": type_, "title": TITLE, **more})


TAKES = {
    "text": (["x", "a b"], ["", "  ", 1, True, None, "x" * 1001, ["x"]]),
    "integer": ([0, -3, 7], [True, "7", 7.0, None]),
    "boolean": ([True, False], ["true", 1, None]),
    "choice": (["a", "b"], ["c", "A", None, 1]),
    "size": (["40 GB", "1.5 GiB"], [40, "40", "40 Gb", "GB"]),
    "duration": (["30 d", "10 ms"], [30, "30", "30 days"]),
    "percent": (["7 %", "0 %", "100 %"], [0.07, "7", "101 %"]),
    "host": (
        ["a.example.com", "vm01", "10.1.2.3", "::1", "büro.example.com", "a.example.com."],
        ["", "a b", "a:443", "https://a", "-a.b", "a..b", "a" * 64 + ".b", "10.1.2", "10.1.2.300", 1, "*.a.b"],
    ),
    "port": ([1, 443, 65535], [0, 65536, "443", True, 443.0]),
    "url": (
        ["https://a.example.com", "http://10.1.2.3:8080/x?y=z", "https://[::1]:8443/"],
        ["a.example.com", "ftp://a.b", "https://u:p@a.b", "https://", "https://a b", "https://a:0", "https://a:99999", "https://[::1", 1],
    ),
    "path": (["/", "/srv/data"], ["srv", "./x", "/a/../b", "C:\\x", ""]),
    "network": (["10.20.0.0/16", "fd00::/8"], ["10.20.0.0", "10.20.0.1/16", "10.20.0.0/33", "x/8"]),
    "date": (["2027-01-31"], ["2027-02-30", "31.01.2027", 20270131]),
    "email": (["it@example.com"], ["it", "it@", "@b.c", "a b@c.d", "a@b@c.d"]),
    "secret": (
        [{"env": "API_KEY"}, {"file": "/run/secrets/key"}],
        ["key", {"env": "a-b"}, {"file": "key"}, {"file": "/a/../b"}, {"env": "A", "file": "/b"}, {}, {"value": "x"}, None],
    ),
}  # fmt: skip


def test_every_type_is_tried():
    assert set(TAKES) == {t.value for t in ParameterType}


@pytest.mark.parametrize("type_", TAKES)
def test_takes(type_):
    good, bad = TAKES[type_]
    for value in good:
        assert not list(mistakes(parameter(type_), value)), value
    for value in bad:
        assert list(mistakes(parameter(type_), value)), value


@pytest.mark.parametrize("type_", TAKES)
def test_the_sample_fits(type_):
    for many in {False, type_ != "secret"}:
        one = parameter(type_, many=many)
        assert not list(mistakes(one, one.sample))


def test_a_list_names_its_bad_entries():
    assert [path for path, _ in mistakes(parameter("port", many=True), [443, 0, 80, "x"])] == [(1,), (3,)]
    assert list(mistakes(parameter("port", many=True), [])) and list(mistakes(parameter("port", many=True), 443))


@pytest.mark.parametrize(
    "more",
    [
        {"type": "text", "values": ["a"]},
        {"type": "choice", "values": []},
        {"type": "text", "required": True, "default": "x"},
        {"type": "port", "default": 0},
        {"type": "port", "example": "x"},
        {"type": "secret", "default": {"env": "A"}},
        {"type": "secret", "many": True},
    ],
)
def test_a_declaration_that_contradicts_itself(more):
    with pytest.raises(ValueError):
        Parameter.model_validate({"title": TITLE, **more})


PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=30)
VALUES = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | PLAIN


@given(VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(PLAIN.filter(bool), VALUES, max_size=2))
def test_written_reads_back_as_itself(value):
    assert yamlstrict.load(f"a: {written(value)}\n".encode(), "f")["a"] == value
    assert yamlstrict.load(f"a: [{written(value)}]\n".encode(), "f")["a"] == [value]


@pytest.mark.parametrize(
    "behind",
    [
        "?api-key=CANARY", "?x=1&token=CANARY", "?X-Amz-Signature=CANARY", "?code=CANARY", "?sig=CANARY", "?KEY=CANARY",
        "?client_secret=CANARY", "?Password=CANARY", "?apikey=CANARY", "?subscription-key=CANARY", "?a=1;sig=CANARY",
        "#access_token=CANARY", "?%74oken=CANARY", "?a?token=CANARY", "?token",
    ],
)  # fmt: skip
def test_a_url_that_names_a_secret_is_refused_without_its_value(behind):
    ((_, says),) = mistakes(parameter("url"), f"https://app.example.com/health{behind}")
    assert "without key, token or password" in str(says) and "CANARY" not in str(says)


@pytest.mark.parametrize("behind", ["", "?", "?api-version=2024-10-21", "?verbose=1&monkey=2", "#top", "?country=de"])
def test_other_urls_keep_their_query(behind):
    assert not list(mistakes(parameter("url"), f"https://app.example.com/health{behind}"))


@pytest.mark.parametrize(
    ("value", "example", "meant"),
    [
        ("proxy:8080", "http://proxy.example.com:3128", "http://proxy:8080"),
        ("llm.corp", "https://my.example.com", "https://llm.corp"),
        ("llm.corp/path", None, "https://llm.corp/path"),
        ("proxy:99999", None, None),
        ("two words", None, None),
    ],
)
def test_a_url_without_its_scheme_is_completed(value, example, meant):
    found = hint(parameter("url", example=example), value)
    assert (None if found is None else str(found)) == (None if meant is None else f"did you mean {meant}?")
