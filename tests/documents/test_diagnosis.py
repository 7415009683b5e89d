"""The document of one diagnosis, held against the schema that is published."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from render import traces
from vorflug.documents.diagnosis import OK, of
from vorflug.model.diagnosis import Origin
from vorflug.ports.net import Code, Mode, Stage, StageSeen

URL = "https://registry.corp/v2/"
PUBLISHED = Path(__file__).parent.parent.parent / "schemas" / "diagnosis.schema.json"


@cache
def validator():
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def written(trace, mode=Mode.HTTP):
    return json.loads(json.dumps(of(trace, URL, mode).model_dump(mode="json", by_alias=True)))


@pytest.mark.parametrize(
    "make",
    [traces.passed, traces.intercepted, traces.silent, traces.hostile, traces.streamed],
    ids=lambda f: f.__name__,
)
def test_every_document_is_as_the_published_schema_says(make):
    assert [e.message for e in validator().iter_errors(written(make()))] == []


def test_the_schema_forbids_what_no_document_has():
    document = written(traces.passed())
    for wrong in (
        {"code": "tls.nothing"},
        {"more": 1},
        {"schema": "vorflug/diagnosis/2"},
        {"stages": [{"stage": "x"}]},
    ):
        assert list(validator().iter_errors({**document, **wrong})) != [], wrong
    del document["code"]
    assert list(validator().iter_errors(document)) != []


def test_a_request_that_passed():
    document = written(traces.passed())
    assert (document["schema"], document["code"], document["warnings"]) == ("vorflug/diagnosis/1", OK, [])
    assert [s["stage"] for s in document["stages"]] == ["resolve", "connect", "tls", "http"]
    assert document["took_s"] == 0.256 and document["team"] is None and document["notes"] == []
    assert (
        document["means"] is document["does_not_mean"] is document["who"] is document["ask"] is document["fix"] is None
    )
    assert "status 200" in document["says"]["en"] and "Status 200" in document["says"]["de"]


def test_a_fault_is_said_whole_in_both_languages():
    document = written(traces.intercepted())
    assert document["code"] == "tls.intercepted" and document["team"] == "proxy"
    for part in ("says", "means", "does_not_mean", "who", "ask", "fix"):
        en, de = document[part]["en"], document[part]["de"]
        assert en and de and en != de and "{" not in en + de, part
    assert document["warnings"] == ["tcp.v6_broken", "dns.slow_fallback"]
    assert [n["code"] for n in document["notes"]] == document["warnings"]
    assert [c["check"] for c in document["checks"]] == ["clock", "direct"]
    assert document["stages"][-1] == {
        "stage": "tls",
        "took_s": 0.041,
        "code": "tls.intercepted",
        "detail": "verify 20 at depth 1",
    }


@pytest.mark.parametrize("code", Code)
def test_every_code_can_be_written(code):
    trace = traces.passed(stages=(StageSeen(Stage.RESOLVE, 0.1, code, "x"),), warnings=(code,), http=None)
    document = written(trace)
    assert document["code"] == code.value and [n["code"] for n in document["notes"]] == [code.value]
    assert list(validator().iter_errors(document)) == []


def test_the_query_of_a_redirect_is_not_written():
    trace = traces.passed(redirects=("https://a.example/next?token=geheim",))
    assert "geheim" not in json.dumps(written(trace))
    assert written(trace)["redirects"] == ["https://a.example/next?…"]


def test_when_and_from_where_stand_in_it():
    origin = Origin("2026-11-25T15:18:03Z", "app01.corp", "10.1.2.9")
    found = of(traces.passed(), URL, Mode.HTTP, origin)
    assert (found.checked, found.host, found.local) == ("2026-11-25T15:18:03Z", "app01.corp", "10.1.2.9")
    assert of(traces.passed(), URL, Mode.HTTP, replace(origin, local="")).local is None
    unnoted = of(traces.passed(), URL, Mode.HTTP)
    assert (unnoted.checked, unnoted.host, unnoted.local) == (None, None, None)


def test_a_time_is_there_where_the_trace_has_only_its_stages():
    assert of(replace(traces.passed(), took_s=0.0), URL, Mode.HTTP).took_s == 0.256


def test_an_upgraded_connection_has_no_answer_of_its_own():
    assert "status" not in of(traces.passed(http=None), URL, Mode.WS).says.en
