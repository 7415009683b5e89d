"""The report as JUnit XML, as CI servers read it: one suite per subject, one case per requirement.

A job that counts failures and errors comes to the same verdict as the exit code:

====================================  ============================================================================
a technical must that is unmet        ``failure``
a technical must that is unknown      ``error``: "could not look" is never a pass
a should or note, unmet or unknown    passes, with what was found in ``system-out``
a must confirmation answered with no  ``failure`` of the type ``confirmation.refused`` where the report's exit code is
                                      the one that counts confirmations; else ``skipped`` of that type
a confirmation outstanding            ``error`` where the exit code is 5 for nothing else (a must, judged with
                                      ``--with-confirmations``); else ``skipped``, type ``confirmation.outstanding``
any other confirmation that is a no   ``skipped`` of the type ``confirmation.refused``
what does not apply                   ``skipped``
====================================  ============================================================================

The report does not say whether it was judged with ``--with-confirmations``, but whether its exit code would be another
one without: a refused must fails a job only where the job fails by the exit code as well, so that the two agree.

Format: the schema of the Jenkins xUnit plug-in (``junit-10.xsd``), which GitLab, Azure and GitHub actions read too.
"""

from __future__ import annotations

from typing import assert_never
from xml.etree import ElementTree as ET

from vorflug.engine.verdict import NOT_READY, UNDETERMINED
from vorflug.model.message import msg
from vorflug.model.report import FindingInfo, Report, VerdictInfo, VerdictOutcome
from vorflug.model.requirement import Level, Nature, Outcome
from vorflug.render.view import Subject, advice, subjects
from vorflug.render.words import LEVELS, OUTCOMES, Speaker


def render_junit(report: Report, *, lang: str) -> str:
    """An XML document with its declaration (UTF-8)."""
    say = Speaker(lang)
    took = (report.times.finished - report.times.started).total_seconds()
    root = ET.Element(
        "testsuites", name=say(f"vorflug {report.profile.name} {report.profile.version}"), time=f"{took:.3f}"
    )
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for subject in subjects(report):
        suite = _suite(report, subject, say)
        root.append(suite)
        for name in totals:
            totals[name] += int(suite.attrib[name])
    root.attrib.update({name: str(count) for name, count in totals.items()})
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(report: Report, subject: Subject, say: Speaker) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        name=say.subject(subject.name),
        hostname=say(report.host.name),
        timestamp=f"{report.times.started:%Y-%m-%dT%H:%M:%S}",
        time="0",
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("profile", f"{report.profile.name} {report.profile.version}"),
        ("model", report.profile.model.value),
        ("size", report.profile.size.value),
        ("phase", report.profile.phase.value),
    ):
        ET.SubElement(properties, "property", name=name, value=say(value))
    cases = [_case(f, report.verdict, say) for f in subject.findings]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(1 for c in cases if c.find(tag) is not None)))
    return suite


def _case(finding: FindingInfo, verdict: VerdictInfo, say: Speaker) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=say(f"{finding.subject}.{finding.kind}"),
        name=say(msg("{id} {title}", id=finding.id, title=say(finding.title))),
        time="0",
    )
    counts = finding.nature is Nature.TECHNICAL and finding.level is Level.MUST
    match finding.outcome:
        case Outcome.MET:
            pass
        case Outcome.NOT_APPLICABLE:
            ET.SubElement(case, "skipped", message=say(finding.because))
        case Outcome.UNMET | Outcome.UNKNOWN if finding.nature is Nature.ORGANISATIONAL:
            answer = ET.SubElement(case, _confirmation(finding, verdict), message=say(finding.because))
            answer.set(
                "type", "confirmation.refused" if finding.outcome is Outcome.UNMET else "confirmation.outstanding"
            )
            answer.text = _details(finding, say)
        case Outcome.UNMET if counts:
            failure = ET.SubElement(case, "failure", message=say(finding.because), type=say(_cause(finding, "unmet")))
            failure.text = _details(finding, say)
        case Outcome.UNKNOWN if counts:
            error = ET.SubElement(case, "error", message=say(finding.because), type=say(_cause(finding, "unknown")))
            error.text = _details(finding, say)
        case Outcome.UNMET | Outcome.UNKNOWN:
            note = f"{say(LEVELS[finding.level])}: {say(OUTCOMES[finding.outcome])}. {say(finding.because)}"
            ET.SubElement(case, "system-out").text = f"{note}\n{_details(finding, say)}"
        case _:
            assert_never(finding.outcome)
    return case


def _confirmation(finding: FindingInfo, verdict: VerdictInfo) -> str:
    """The element for a confirmation that is not given."""
    if finding.level is not Level.MUST:
        return "skipped"
    if finding.outcome is Outcome.UNMET:
        return "failure" if verdict.exit_code == verdict.exit_code_with_confirmations == NOT_READY else "skipped"
    return "error" if verdict.outcome is VerdictOutcome.READY and verdict.exit_code == UNDETERMINED else "skipped"


def _cause(finding: FindingInfo, otherwise: str) -> str:
    return finding.cause.kind if finding.cause else otherwise


def _details(finding: FindingInfo, say: Speaker) -> str:
    rows = (
        (msg("Wanted"), say(finding.wanted)),
        (msg("Seen"), say(finding.seen)),
        (msg("Fix"), say(finding.fix)),
        (msg("Advice"), say(advice(finding))),
        (msg("Team"), say.team(finding.team)),
        (msg("Waits for"), say(finding.blocked_by)),
    )
    return "\n".join(f"{say(label)}: {value}" for label, value in rows if value)
