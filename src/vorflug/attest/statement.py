"""The in-toto Statement v1 over a report, and the predicate that it carries.

Sources: in-toto attestation spec v1 (statement, resource descriptor, field types) and its predicate ``test-result``
v0.1.  The predicate type is a URN: in-toto's TypeURI is any RFC 3986 URI with a version, needs no registration, and a
URN claims no domain that somebody else may own.  The namespace ``vorflug`` is not registered with IANA.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vorflug.attest.strict import Malformed, dump, integer, mapping, members, names, parse, text
from vorflug.model.message import msg

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""in-toto attestation spec v1, envelope layer."""

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:vorflug:preflight:v1"
TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"

SUBJECTS = ("report.json", "report.html")
"""What is signed, by name: in this order in the statement."""

MOST_BYTES = 4 << 20
"""A statement is some 30 KB; two hundred requirements never come near this."""

OUTCOMES = ("met", "unmet", "unknown", "not_applicable")
VERDICTS = ("ready", "not_ready", "undetermined")
EXIT_CODES = (0, 3, 4, 5)
"""What a run that came to its end says about its findings (docs/report-and-exit-codes.md)."""
INTERRUPTED = 130

TOOL = "vorflug"

_COUNTS = (
    "total", "met", "unmet", "unknown", "not_applicable", "must_unmet", "must_unknown", "should_unmet",
    "confirmations_met", "confirmations_outstanding", "confirmations_refused",
)  # fmt: skip
_VERDICT = ("outcome", "exit_code", "exit_code_with_confirmations", "counts")
_PROFILE = ("name", "version", "digest", "model", "size", "phase")
_HOST = ("name", "identity")
_TIMES = ("started", "finished", "evaluated", "interrupted")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Statement:
    """A statement whose shape was checked."""

    digests: Mapping[str, str]
    """sha256 (lower-case hex) by subject name; exactly `SUBJECTS`."""
    predicate: Mapping[str, Any]


def preflight(report: Mapping[str, Any]) -> dict[str, Any]:
    """The predicate for *report*, the object in ``report.json``: parse the very bytes that are signed.

    Members keep the names that they have in ``report.json``; ``test_result`` is an in-toto test-result v0.1 for tools
    that know only that.  Raises ValueError where the report lacks something or judged nothing.
    """
    try:
        findings = report["findings"]
        outcomes = {finding["id"]: finding["outcome"] for finding in findings}
        predicate = {
            "verdict": {name: report["verdict"][name] for name in _VERDICT},
            "outcomes": outcomes,
            "profile": {name: report["profile"][name] for name in _PROFILE},
            "tool": dict(report["tool"]),
            "host": {name: report["host"][name] for name in _HOST},
            "engagement": None,
            "times": {name: report["times"].get(name) for name in _TIMES},
            "test_result": _test_result(report),
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no report: {error!r}") from error
    if len(outcomes) != len(findings):
        raise ValueError("two findings of the report have one id")
    check_predicate(predicate)
    return predicate


def _test_result(report: Mapping[str, Any]) -> dict[str, Any]:
    # What could not be looked at is no pass: an unknown technical must fails here, all else that is open warns.
    passed, warned, failed = [], [], []
    for finding in report["findings"]:
        match finding["outcome"], finding["level"], finding["nature"]:
            case "not_applicable", _, _:
                pass
            case "met", _, _:
                passed.append(finding["id"])
            case _, "must", "technical":
                failed.append(finding["id"])
            case _:
                warned.append(finding["id"])
    profile = report["profile"]
    return {
        "result": "FAILED" if failed else "WARNED" if warned else "PASSED",
        "configuration": [
            {
                "name": f"{profile['name']}@{profile['version']}",
                "digest": {"sha256": profile["digest"]},
                "annotations": {name: profile[name] for name in ("model", "size", "phase")},
            }
        ],
        "passedTests": passed,
        "warnedTests": warned,
        "failedTests": failed,
    }


def build(files: Mapping[str, bytes], predicate: Mapping[str, Any]) -> bytes:
    """The statement's bytes over exactly the files named in `SUBJECTS`.  Raises ValueError."""
    if set(files) != set(SUBJECTS):
        raise ValueError(f"wanted exactly {', '.join(SUBJECTS)}, saw {', '.join(sorted(files)) or 'nothing'}")
    data = dump(
        {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": hashlib.sha256(files[name]).hexdigest()}} for name in SUBJECTS
            ],
            "predicateType": PREDICATE_TYPE,
            "predicate": dict(predicate),
        }
    )
    read(data, PAYLOAD_TYPE)
    return data


def read(data: bytes, payload_type: str) -> Statement:
    """Read the statement in an envelope's payload, strictly.  Raises Malformed."""
    if payload_type != PAYLOAD_TYPE:
        raise Malformed(msg("wanted the payload type {wanted}, saw {seen}", wanted=PAYLOAD_TYPE, seen=payload_type))
    plain = members(parse(data, most=MOST_BYTES), ("_type", "subject", "predicateType", "predicate"), "statement")
    text(plain, "_type", "statement", among=(STATEMENT_TYPE,))
    text(plain, "predicateType", "statement", among=(PREDICATE_TYPE,))
    subjects = plain["subject"]
    if not isinstance(subjects, list) or len(subjects) != len(SUBJECTS):
        raise Malformed(msg("statement.subject: wanted a list of {count} files", count=len(SUBJECTS)))
    digests: dict[str, str] = {}
    for subject in subjects:
        name = text(members(subject, ("name", "digest"), "subject"), "name", "subject", among=SUBJECTS)
        digest = text(members(subject["digest"], ("sha256",), "subject.digest"), "sha256", "subject.digest")
        if not _SHA256.fullmatch(digest):
            raise Malformed(msg("subject.digest.sha256: wanted 64 lower-case hex digits, saw {seen}", seen=digest))
        if name in digests:
            raise Malformed(msg("statement.subject: wanted each file once, saw {name} twice", name=name))
        digests[name] = digest
    return Statement(digests, mapping(plain, "predicate", "statement"))


def check_predicate(predicate: Mapping[str, Any]) -> None:
    """Hold *predicate* against what every reader relies on.  Raises Malformed.

    Members that are not known are ignored (in-toto parsing rules: extension fields), all that is read is typed, and
    verdict and exit code may not contradict each other.
    """
    verdict = mapping(predicate, "verdict", "predicate")
    times = mapping(predicate, "times", "predicate")
    profile = mapping(predicate, "profile", "predicate")
    host = mapping(predicate, "host", "predicate")
    tool = mapping(predicate, "tool", "predicate")
    outcomes = mapping(predicate, "outcomes", "predicate")
    result = mapping(predicate, "test_result", "predicate")
    if {text(outcomes, name, "predicate.outcomes", among=OUTCOMES) for name in outcomes} <= {"not_applicable"}:
        raise Malformed(msg("predicate.outcomes: wanted at least one requirement that was judged, saw none"))
    for name in _PROFILE:
        text(profile, name, "predicate.profile")
    for name in _HOST:
        text(host, name, "predicate.host")
    text(tool, "name", "predicate.tool", among=(TOOL,))
    text(tool, "version", "predicate.tool")
    _check_times(times)
    if times.get("interrupted") is not None:
        text(times, "interrupted", "predicate.times")
    counts = mapping(verdict, "counts", "predicate.verdict")
    for name in _COUNTS:
        integer(counts, name, "predicate.verdict.counts")
    _check_counts(counts, outcomes)
    _check_verdict(verdict, counts)
    _check_tests(result, counts, outcomes)


def _check_times(times: Mapping[str, Any]) -> None:
    found = []
    for name in ("started", "finished", "evaluated"):
        written = text(times, name, "predicate.times")
        try:
            found.append(datetime.fromisoformat(written))
        except ValueError:
            found.append(datetime.min)  # noqa: DTZ901 - without a zone, so it is refused
        if found[-1].utcoffset() is None:
            raise Malformed(
                msg(
                    "predicate.times.{name}: wanted a time with its zone (RFC 3339), saw {seen}",
                    name=name,
                    seen=written,
                )
            )
    if found != sorted(found):
        raise Malformed(msg("predicate.times: wanted started, finished and evaluated in this order, saw another"))


def _check_counts(counts: Mapping[str, int], outcomes: Mapping[str, str]) -> None:
    # what people answer is counted apart, but what does not apply to them is not counted at all
    told = {outcome: sum(1 for one in outcomes.values() if one == outcome) for outcome in OUTCOMES}
    agree = (
        counts["total"] == len(outcomes)
        and counts["met"] + counts["confirmations_met"] == told["met"]
        and counts["unmet"] + counts["confirmations_refused"] == told["unmet"]
        and counts["unknown"] + counts["confirmations_outstanding"] == told["unknown"]
        and counts["not_applicable"] <= told["not_applicable"]
        and counts["must_unmet"] + counts["should_unmet"] <= counts["unmet"]
        and counts["must_unknown"] <= counts["unknown"]
    )
    if not agree:
        raise Malformed(msg("predicate.verdict.counts: wanted the numbers of predicate.outcomes, saw others"))


def _check_tests(result: Mapping[str, Any], counts: Mapping[str, int], outcomes: Mapping[str, str]) -> None:
    where = "predicate.test_result"
    passed, warned, failed = (names(result, f"{which}Tests", where) for which in ("passed", "warned", "failed"))
    listed = [*passed, *warned, *failed]
    agree = (
        len(set(listed)) == len(listed)
        and set(passed) == {id_ for id_, outcome in outcomes.items() if outcome == "met"}
        and {*warned, *failed} == {id_ for id_, outcome in outcomes.items() if outcome in ("unmet", "unknown")}
        and len(failed) == counts["must_unmet"] + counts["must_unknown"]
    )
    if not agree:
        raise Malformed(msg("predicate.test_result: wanted the tests of predicate.outcomes, saw others"))
    text(result, "result", where, among=("FAILED" if failed else "WARNED" if warned else "PASSED",))


def _check_verdict(verdict: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    where = "predicate.verdict"
    outcome = text(verdict, "outcome", where, among=VERDICTS)
    code = integer(verdict, "exit_code", where, among=(*EXIT_CODES, INTERRUPTED))
    people = integer(verdict, "exit_code_with_confirmations", where, among=(*EXIT_CODES, INTERRUPTED))
    wanted = "not_ready" if counts["must_unmet"] else "undetermined" if counts["must_unknown"] else "ready"
    if outcome != wanted:
        raise Malformed(
            msg(
                "{where}: the outcome {outcome} contradicts its counts, which make it {wanted}",
                where=where,
                outcome=outcome,
                wanted=wanted,
            )
        )
    if not _codes_agree(outcome, code, people, counts):
        raise Malformed(
            msg(
                "predicate.verdict: the outcome {outcome} and the exit codes {code} and {people} contradict each other",
                outcome=outcome,
                code=code,
                people=people,
            )
        )


def _codes_agree(outcome: str, code: int, people: int, counts: Mapping[str, int]) -> bool:
    """Whether a run with these counts can end with *code*, and with *people* where confirmations count."""
    if INTERRUPTED in (code, people):
        return code == people
    refused, outstanding = counts["confirmations_refused"], counts["confirmations_outstanding"]
    # a person's answer makes it only worse, and only where there is such an answer
    worse = (3,) * bool(refused)
    match outcome:
        case "not_ready":
            technical: tuple[int, ...] = (3,)
            with_people: tuple[int, ...] = (3,)
        case "undetermined":
            technical, with_people = (5,), (5, *worse)
        case _:
            technical = (0, *(4,) * bool(counts["should_unmet"]))
            worse += (5,) * bool(outstanding) + (4,) * bool(refused)
            with_people = ((4,) if code == 4 else technical) + worse  # noqa: PLR2004 - strict
    # a run that counted confirmations ends with the code that they make
    return people in with_people and code in (*technical, people)
