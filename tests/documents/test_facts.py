"""Facts and reports as JSON and back; whatever is wrong with one is a sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from vorflug.areas.llm_key import KeyQuery
from vorflug.areas.memory import MemoryFact, MemoryQuery
from vorflug.documents import facts
from vorflug.documents.problems import DocumentError
from vorflug.model.llm_provider import Provider
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.report import Facts, HostInfo, ProfileInfo, SiteInfo, Times, ToolInfo
from vorflug.model.requirement import HostSize, LocalText, OperatingModel, Phase

WHEN = datetime(2026, 11, 25, tzinfo=UTC)
SEEN = Observation(
    MemoryQuery(), Seen(MemoryFact(total_bytes=8, available_bytes=4, limit_bytes=None, limited_by=None)), 0.25
)


def test_where_a_key_lies_is_not_written_and_the_question_is_the_same_without_it():
    query = KeyQuery(
        url="https://llm.lab.test/v1/models", provider=Provider.OPENAI, key="llm.key", variable="CANARY", file="/CANARY"
    )
    row = facts.write_observation(Observation(query, Unseen(Reason.TIMEOUT)))
    assert "CANARY" not in row.model_dump_json() + repr(query)
    again = facts.read_observation(row).query
    assert (again, hash(again)) == (query, hash(query)) and (again.variable, again.file) == ("", "")


def document(*observations):
    return Facts(
        tool=ToolInfo(version="0"),
        profile=ProfileInfo(
            name="p",
            version="1.0.0",
            title=LocalText(en="P", de="P"),
            digest="0" * 64,
            model=OperatingModel.COMPOSE,
            size=HostSize.S,
            phase=Phase.PRE_INSTALL,
        ),
        site=SiteInfo(given=False),
        host=HostInfo(name="h-canary", identity="unknown", user="u", elevated=False),
        times=Times(started=WHEN, finished=WHEN, evaluated=WHEN),
        facts=tuple(facts.write_observation(o) for o in observations),
    )


@pytest.mark.parametrize(
    "observation", [SEEN, *(Observation(MemoryQuery(), Unseen(reason, "why"), 1.0) for reason in Reason)]
)
def test_round_trip(observation):
    data = facts.write(document(observation), str)
    assert facts.observations(facts.read(data, "f")) == [observation]
    assert facts.write(facts.read(data, "f"), str) == data


def test_secrets_are_struck_out_before_they_are_escaped():
    unseen = Observation(MemoryQuery(), Unseen(Reason.CRASHED, 'said "canary\\1"'))
    data = facts.write(document(unseen), lambda text: text.replace('"canary\\1"', "[redacted]"))
    assert b"canary" not in data.replace(b"h-canary", b"")
    assert b"[redacted]" in data


def test_a_question_is_never_struck_out_so_that_its_answer_is_found_again():
    data = facts.write(document(SEEN), lambda text: text.replace("memory", "[redacted]"))
    assert facts.observations(facts.read(data, "f")) == [SEEN]


def test_text_that_is_no_unicode_is_written_all_the_same():
    data = facts.write(document(Observation(MemoryQuery(), Unseen(Reason.CRASHED, "a\udcffb"))), str)
    assert b"a\\\\udcffb" in data


GOOD = json.loads(facts.write(document(SEEN), str))


def changed(**fields):
    return json.dumps({**GOOD, **fields}).encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "f:1:1: wanted a facts file"),
        (b'{\n "schema": nope}', "f:2:1: wanted a facts file"),
        (b"[]", "saw none"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "at most 64 levels of brackets"),
        (b"[" * 65 + b"1" + b"]" * 65, "at most 64 levels of brackets"),
        (b'{"schema": ' + b'{"a":' * 200 + b"1" + b"}" * 201, "at most 64 levels of brackets"),
        (b'{"took_s": Infinity}', "wanted a number, saw Infinity"),
        (b'{"took_s": NaN}', "wanted a number, saw NaN"),
        (b'{"took_s": 1e400}', "wanted a number, saw 1e400"),
        (b'{"a": 1' + b"0" * 400 + b"}", "at most 40 digits, saw 401"),
        (b'{"verdict": 1, "verdict": 2}', "saw verdict twice"),
        (b'{"a": [{"b": 1, "c": 2, "b": 1}]}', "saw b twice"),
        (b'{"schema": "vorflug/facts/9"}', "saw vorflug/facts/9"),
        (changed(tool=None), "tool"),
        (changed(extra=1), "extra"),
    ],
)
def test_what_is_no_document_is_refused(data, says):
    with pytest.raises(DocumentError) as refused:
        facts.read(data, "f")
    assert says in str(refused.value)


def test_a_huge_document_is_refused_before_it_is_parsed():
    with pytest.raises(DocumentError, match="larger than 64 MiB"):
        facts.read(b" " * (facts.MOST_BYTES + 1), "f")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"query": {"kind": "no_such"}}, "unknown kind no_such"),
        ({"query": {"kind": "memory", "more": 1}}, "not known here: more"),
        ({"fact": {"total_bytes": "many"}}, "cannot be read"),
        ({"fact": None}, "neither a fact nor a reason"),
        ({"fact": None, "unseen": {"reason": "lazy"}}, "cannot be read"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused(row, says):
    document_ = facts.read(changed(facts=[{**GOOD["facts"][0], **row}]), "f")
    with pytest.raises(DocumentError) as refused:
        facts.observations(document_)
    assert says in str(refused.value)


def test_order_does_not_depend_on_who_answered_first():
    from vorflug.areas.kernel import KernelVersionQuery

    other = Observation(KernelVersionQuery(), Unseen(Reason.DENIED))
    assert facts.in_order([SEEN, other]) == facts.in_order([other, SEEN])


def test_a_question_with_two_answers_is_refused():
    rows = GOOD["facts"] * 2
    for second in (rows, [rows[0], {**rows[0], "fact": None, "unseen": {"reason": "timeout"}}]):
        document_ = facts.read(changed(facts=second), "f")
        with pytest.raises(DocumentError, match="a question of kind memory is answered twice: How much memory"):
            facts.observations(document_)


def test_a_lone_surrogate_in_a_question_is_written_out():
    row = {**GOOD["facts"][0], "query": {"kind": "memory", "\ud800": ["\udfff"]}}
    written = facts.write(facts.read(changed(facts=[row]), "f"), str)
    assert b'"\\\\ud800"' in written and b'"\\\\udfff"' in written
    assert facts.read(written, "f")


@pytest.mark.parametrize("name", ["started", "finished", "evaluated"])
def test_a_time_without_its_zone_is_refused(name):
    with pytest.raises(DocumentError, match=f"times.{name}"):
        facts.read(changed(times={**GOOD["times"], name: "2026-11-25T10:00:00"}), "f")
