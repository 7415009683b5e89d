"""``vorflug plan``: what will be asked and who will be contacted, before anything happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, assert_never

import click

from vorflug.cli import options
from vorflug.cli.language import tell
from vorflug.cli.options import active_option, language, option, profile_options
from vorflug.model.message import Message, msg

if TYPE_CHECKING:
    from vorflug.model.query import Query, Reach


@click.command(
    help=tell(msg("Show every question and every contact before it happens. Asks nothing, contacts nobody.")),
    epilog=tell(msg("Example: vorflug plan --model compose --size M --site site.yaml")),
)
@profile_options
@active_option
@option("--format", "format_", type=click.Choice(["terminal", "json"]), default="terminal", text=msg("Output format."))
@language
def command(
    profile_ref: str | None,
    site_file: str | None,
    size: str | None,
    model: str | None,
    phase: str | None,
    active: bool,
    format_: str,
) -> int:
    """Print the plan; always 0 when it could be made."""
    from vorflug.cli.output import echo_wrapped
    from vorflug.documents.facts import write_query
    from vorflug.engine.plan import plan
    from vorflug.host.secrets import redact
    from vorflug.model.query import Reach
    from vorflug.model.report import Sentence
    from vorflug.model.requirement import Pending

    case = options.case(profile_ref, site_file, size, model, phase)
    asked = plan(case.asked())
    pending = [i for i in case.items() if isinstance(i, Pending)]
    if format_ == "json":
        rows: list[dict[str, Any]] = [
            {
                "query": write_query(query),
                "asks": Sentence.of(query.asks()).model_dump(exclude_none=True),
                "reach": query.reach.value,
                "exclusive": query.exclusive,
                "active": query.active,
                **_writes(query),
                "deadline_s": query.deadline,
                "for": sorted({r.id for r in requirements}),
                "then": sorted({then.text for r in requirements if (then := r.then()) is not None}),
            }
            for query, requirements in asked.items()
        ]
        waiting = [{"id": p.header.id, "missing": p.cause.subject} for p in pending]
        plain = {"schema": "vorflug/plan/1", "active": active, "questions": rows, "waiting": waiting}
        click.echo(redact(json.dumps(plain, ensure_ascii=False, indent=1)))
        return 0
    said: set[str] = set()
    sections = [
        (_heading(reach, len(chosen)), chosen)
        for reach in Reach
        for chosen in [{q: rs for q, rs in asked.items() if q.reach is reach and not q.active}]
    ]
    if writing := {q: rs for q, rs in asked.items() if q.active}:
        sections.append((_writing(active, len(writing)), writing))
    for heading, chosen in sections:
        echo_wrapped(tell(heading))
        for query, requirements in chosen.items():
            ids = sorted({r.id for r in requirements})
            echo_wrapped(redact(f"{tell(query.asks())}  [{', '.join(ids)}]"), indent=2)
            if (writes := query.writes()) is not None:
                echo_wrapped(redact(tell(msg("writes: {what}", what=writes))), indent=4)
            for then in dict.fromkeys(t for r in requirements if (t := r.then()) is not None):
                sentence = tell(msg("then: {sentence}", sentence=then))
                if sentence not in said:  # many requirements of one kind go on in the same way
                    said.add(sentence)
                    echo_wrapped(redact(sentence), indent=4)
        click.echo()
    if pending:
        echo_wrapped(
            tell(msg("Not asked, because a value is missing in the site file (requirements: {n})", n=len(pending)))
        )
        missing: dict[str, list[str]] = {}
        for item in pending:
            missing.setdefault(item.cause.subject, []).append(item.header.id)
        for name, ids in missing.items():
            echo_wrapped(f"{name}  [{', '.join(ids)}]", indent=2)
        click.echo()
    others = [m.value for m in case.profile.models if m is not case.model]
    if others:
        echo_wrapped(
            tell(
                msg(
                    "What is local and free is also asked for the other operating models ({models}).",
                    models=tuple(others),
                )
            )
        )
    return 0


def _writes(query: Query[Any]) -> dict[str, Any]:
    """What an active question writes, for programs; nothing for the others."""
    from vorflug.model.report import Sentence

    said = query.writes()
    return {} if said is None else {"writes": Sentence.of(said).model_dump(exclude_none=True)}


def _writing(allowed: bool, count: int) -> Message:
    if allowed:
        return msg("Writes to this machine, as --active allows (questions: {n})", n=count)
    return msg("Writes to this machine, only with --active (questions: {n})", n=count)


def _heading(reach: Reach, count: int) -> Message:
    from vorflug.model.query import Reach

    match reach:
        case Reach.LOCAL:
            return msg("On this machine, read only (questions: {n})", n=count)
        case Reach.NETWORK:
            return msg("Over the network (questions: {n})", n=count)
        case _:
            assert_never(reach)
