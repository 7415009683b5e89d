"""What the sample report is made of: findings, causes and hostile text."""

from __future__ import annotations

from typing import Any

from vorflug.model.cause import Team
from vorflug.model.message import Message, Text, msg
from vorflug.model.report import (
    CauseInfo,
    FindingInfo,
    GaugeInfo,
    Judged,
    Sentence,
    SourceInfo,
)
from vorflug.model.requirement import Basis, HostSize, Level, LocalText, Nature, OperatingModel, Outcome, Phase

GB, GIB = 10**9, 2**30
SCRIPT = "<script>alert(1)</script>"
ESCAPE = "\x1b[31mred\x1b[0m"
RIGHT_TO_LEFT = "abc\u202egpj.exe"
LONG = "n" * 10_240
HOSTILE = (SCRIPT, ESCAPE, RIGHT_TO_LEFT, LONG)


def finding(id_: str, subject: str, outcome: Outcome, en: str, de: str, **more: Any) -> FindingInfo:
    """One finding; what is not given is filled in plainly."""
    wanted = more.pop("wanted", msg("present"))
    because = more.pop("because", msg("It is as wanted.") if outcome is Outcome.MET else msg("It is not as wanted."))
    fix = more.pop("fix", None)
    seen = more.pop("seen", msg("present") if outcome is Outcome.MET else None)
    if outcome is Outcome.UNMET:
        fix = fix or msg("Bring it to the wanted state.")
        seen = seen or msg("absent")
    return FindingInfo(
        id=id_,
        kind=more.pop("kind", subject),
        subject=subject,
        nature=more.pop("nature", Nature.TECHNICAL),
        level=more.pop("level", Level.MUST),
        phases=(Phase.PRE_INSTALL,),
        models=(OperatingModel.COMPOSE,),
        team=more.pop("team", Team.OS),
        basis=more.pop("basis", Basis.VENDOR),
        sources=more.pop("sources", (SourceInfo(id="V-ENV", title="System requirements, https://docs.example/env"),)),
        title=LocalText(en=en, de=de),
        advice=more.pop(
            "advice",
            LocalText(en="See the operations manual, chapter 3.", de="Siehe Betriebshandbuch, Kapitel 3."),
        ),
        outcome=outcome,
        wanted=Sentence.of(wanted),
        seen=Sentence.of(seen) if seen else None,
        because=Sentence.of(because),
        fix=Sentence.of(fix) if fix else None,
        **{"cause": None, **more},
    )


def cause(kind: str, subject: str, says: Message, fix: Message | None = None) -> CauseInfo:
    """What stands behind several findings."""
    return CauseInfo(kind=kind, subject=subject, says=Sentence.of(says), fix=Sentence.of(fix) if fix else None)


PROXY = cause(
    "proxy.auth_unsupported",
    "proxy.corp:3128",
    msg(
        "{proxy} wants {scheme} authentication, which services cannot give", proxy="proxy.corp:3128", scheme="Negotiate"
    ),
    msg("Ask for an exemption for {n} targets: vorflug profile firewall", n=6),
)
SILENT = cause(
    "dns.timeout",
    "10.1.0.53",
    msg("{server} gave no answer in {time:duration}: {n} names not judged", server="10.1.0.53", time=5.0, n=4),
    msg("Let UDP and TCP port {port} through from this host to {server}.", port=53, server="10.1.0.53"),
)
PARAMETER = cause(
    "parameter.missing",
    "llm.endpoint",
    msg("parameter {name} not given", name="llm.endpoint"),
    msg("Add to the site file: {line}", line="llm.endpoint: https://llm.example.com/v1"),
)


def capacity(
    id_: str,
    subject: str,
    en: str,
    de: str,
    have: float,
    want: dict[HostSize, float],
    unit: str,
    size: HostSize,
    **more: Any,
) -> tuple[FindingInfo, dict[HostSize, Judged]]:
    def outcome(at: HostSize) -> Outcome:
        return Outcome.MET if have >= want[at] * 0.93 else Outcome.UNMET

    def wanted(at: HostSize) -> Message:
        return (
            msg("at least {need:size} (tolerance {tolerance:percent})", need=int(want[at]), tolerance=0.07)
            if unit == "B"
            else msg("at least {need}", need=int(want[at]))
        )

    def because(at: HostSize) -> Message:
        return (
            msg("{have:size} of {what}, {want:size} wanted.", have=have, what=Text(en, de), want=int(want[at]))
            if unit == "B"
            else msg("{have} {what}, {want} wanted.", have=have, what=Text(en, de), want=want[at])
        )

    own = finding(
        id_,
        subject,
        outcome(size),
        en,
        de,
        wanted=wanted(size),
        seen=msg("{have:size}", have=have) if unit == "B" else msg("{have}", have=have),
        because=because(size),
        fix=msg("Give this machine {need:size} of memory.", need=int(want[size]))
        if unit == "B" and outcome(size) is Outcome.UNMET
        else None,
        gauge=GaugeInfo(have=have, want=want[size], unit=unit),
        **more,
    )
    level = more.get("level", Level.MUST)
    return own, {
        at: Judged(
            id=id_,
            level=level,
            nature=Nature.TECHNICAL,
            outcome=outcome(at),
            title=LocalText(en=en, de=de),
            wanted=Sentence.of(wanted(at)),
            because=Sentence.of(because(at)),
            gauge=GaugeInfo(have=have, want=want[at], unit=unit),
        )
        for at in HostSize
    }


def short(found: FindingInfo) -> Judged:
    return Judged(
        id=found.id,
        level=found.level,
        nature=found.nature,
        outcome=found.outcome,
        title=found.title,
        wanted=found.wanted,
        because=found.because,
    )


S, M, L = HostSize.S, HostSize.M, HostSize.L


def capacities(size: HostSize) -> list[tuple[FindingInfo, dict[HostSize, Judged]]]:
    return [
        capacity("HW-002", "memory", "Memory", "Arbeitsspeicher", 15.6 * GIB, {S: 16 * GB, M: 32 * GB, L: 64 * GB}, "B", size),
        capacity(
            "HW-002.recommended", "memory", "Memory, recommended", "Arbeitsspeicher, empfohlen", 15.6 * GIB,
            {S: 24 * GB, M: 48 * GB, L: 96 * GB}, "B", size, level=Level.SHOULD,
        ),
        capacity("HW-001", "cpu", "CPU cores", "CPU-Kerne", 8, {S: 4, M: 8, L: 16}, "1", size),
        capacity(
            "HW-003", "storage", "Free space for images and volumes", "Freier Platz für Abbilder und Volumes", 31 * GIB,
            {S: 20 * GB, M: 40 * GB, L: 200 * GB}, "B", size, team=Team.STORAGE,
        ),
        capacity("HW-004", "storage", "Inodes", "Inodes", 6_500_000, {S: 10**5, M: 10**6, L: 4 * 10**6}, "1", size),
    ]  # fmt: skip


def network() -> list[FindingInfo]:
    egress = [
        finding(
            f"EGR-00{n}",
            "egress",
            Outcome.UNMET,
            f"{name} reachable",
            f"{name} erreichbar",
            team=Team.PROXY,
            wanted=msg("{url} answers", url=f"https://{name}/v2/"),
            seen=msg("CONNECT answered with {status}", status=407),
            because=PROXY.says.message(),
            fix=PROXY.fix.message() if PROXY.fix else None,
            cause=PROXY,
            blocked_by="PRX-001",
        )
        for n, name in enumerate(("registry.example.com", "ghcr.io", "api.openai.com", "login.microsoftonline.com"), 1)
    ]
    names = [
        finding(
            f"DNS-00{n}",
            "dns",
            Outcome.UNKNOWN,
            f"{name} resolves",
            f"{name} wird aufgelöst",
            team=Team.DNS,
            wanted=msg("an address for {name}", name=name),
            because=SILENT.says.message(),
            fix=SILENT.fix.message() if SILENT.fix else None,
            cause=SILENT,
            reason=SILENT.kind,
        )
        for n, name in enumerate(("app.example.com", "db.example.com", "idp.example.com", "llm.example.com"), 1)
    ]
    proxy = finding(
        "PRX-001",
        "proxy",
        Outcome.UNMET,
        "Proxy lets services through",
        "Proxy lässt Dienste durch",
        team=Team.PROXY,
        wanted=msg("no authentication, or Basic"),
        seen=msg("Proxy-Authenticate: {schemes}", schemes=("Negotiate", "NTLM")),
        because=PROXY.says.message(),
        fix=PROXY.fix.message() if PROXY.fix else None,
        cause=PROXY,
    )
    return [proxy, *egress, *names]


def hostile_ones() -> list[FindingInfo]:
    return [
        finding(
            f"BAD-00{n}",
            "files",
            Outcome.UNMET,
            f"Container name {n}",
            f"Containername {n}",
            level=Level.SHOULD,
            team=Team.PLATFORM,
            wanted=msg("a plain name"),
            seen=msg("{name}", name=text),
            because=msg("The name is {name}.", name=text),
            fix=msg("Rename {name}.", name=text),
        )
        for n, text in enumerate(HOSTILE, 1)
    ]


def people() -> list[FindingInfo]:
    who = {"nature": Nature.ORGANISATIONAL, "team": Team.PROJECT, "basis": Basis.RUNBOOK}
    outstanding = cause("confirmation.outstanding", "confirmation", msg("confirmation outstanding"))
    return [
        *(
            finding(
                f"ORG-00{n}",
                "confirmation",
                Outcome.UNKNOWN,
                en,
                de,
                wanted=msg("confirmed by a person"),
                because=msg("Nobody has confirmed this yet."),
                cause=outstanding,
                reason=outstanding.kind,
                **who,
            )
            for n, (en, de) in enumerate(
                (
                    ("Ticket queue and technical mailbox agreed", "Ticket-Queue und technisches Postfach vereinbart"),
                    ("Customer contacts named per role", "Ansprechpartner des Kunden je Rolle benannt"),
                    ("Change and release process clarified", "Change- und Freigabeprozess geklärt"),
                ),
                1,
            )
        ),
        finding(
            "ORG-004",
            "confirmation",
            Outcome.MET,
            "Kick-off scheduled",
            "Kick-off terminiert",
            wanted=msg("confirmed by a person"),
            seen=msg("confirmed by {who} on {when:date}", who="E. Muster", when="2026-11-20"),
            because=msg("Confirmed."),
            **who,
        ),
        finding(
            "ORG-005",
            "confirmation",
            Outcome.UNMET,
            "Data protection impact assessment done",
            "Datenschutz-Folgenabschätzung liegt vor",
            wanted=msg("confirmed by a person"),
            seen=msg("answered with no by {who} on {when:date}", who="E. Muster", when="2026-11-20"),
            because=msg("{who} answered with no.", who="E. Muster"),
            fix=msg("Do what is asked, then answer again in the site file."),
            **who,
        ),
    ]


def plain_ones(count: int) -> list[FindingInfo]:
    subjects = ("os", "kernel", "clock", "ports", "account", "docker")
    some = [
        finding(
            f"OK-{n:03}",
            subjects[n % len(subjects)],
            Outcome.MET,
            f"Setting {n} as documented",
            f"Einstellung {n} wie dokumentiert",
            wanted=msg("at least {version}", version=f"5.{n}"),
            seen=msg("{version}", version="6.1.0-18-amd64"),
            basis=list(Basis)[n % len(Basis)],
            level=Level.MUST if n % 3 else Level.SHOULD,
        )
        for n in range(1, count + 1)
    ]
    return [
        *some,
        finding(
            "DCK-009",
            "docker",
            Outcome.UNKNOWN,
            "Storage driver overlay2",
            "Storage-Treiber overlay2",
            team=Team.PLATFORM,
            because=msg(
                "Could not look: {reason}. The question was: {question}",
                reason=msg("access denied"),
                question=msg("What does the engine say about itself?"),
            ),
            fix=msg("Run again as a user who may look (root, or as the fix of the requirement says)."),
            reason="unseen.denied",
        ),
        finding(
            "LLM-001",
            "llm",
            Outcome.UNKNOWN,
            "LLM endpoint answers",
            "LLM-Endpunkt antwortet",
            team=Team.PROJECT,
            wanted=msg("a value in the site file"),
            because=PARAMETER.says.message(),
            fix=PARAMETER.fix.message() if PARAMETER.fix else None,
            cause=PARAMETER,
            reason=PARAMETER.kind,
        ),
        finding(
            "LLM-002",
            "llm",
            Outcome.UNKNOWN,
            "LLM answers in time",
            "LLM antwortet rechtzeitig",
            level=Level.SHOULD,
            team=Team.PROJECT,
            wanted=msg("a value in the site file"),
            because=PARAMETER.says.message(),
            fix=PARAMETER.fix.message() if PARAMETER.fix else None,
            cause=PARAMETER,
            reason=PARAMETER.kind,
        ),
        finding(
            "OS-031",
            "os",
            Outcome.NOT_APPLICABLE,
            "XFS with ftype=1",
            "XFS mit ftype=1",
            seen=msg("{kind}", kind="ext4"),
            because=msg("The file system is {kind}, not XFS.", kind="ext4"),
        ),
        finding(
            "OS-040",
            "os",
            Outcome.UNMET,
            "Distribution in maintenance for another year",
            "Distribution noch ein Jahr in Pflege",
            level=Level.INFO,
            wanted=msg("at least {time:duration}", time=365 * 86400.0),
            seen=msg("{time:duration}", time=200 * 86400.0),
        ),
    ]
