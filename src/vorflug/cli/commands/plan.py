"""``vorflug plan``: what will be asked and who will be contacted, before anything happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, assert_never

import click

from vorflug.cli import options
from vorflug.cli.language import tell
from vorflug.cli.options import active_option, language, option, profile_options, thorough_option
from vorflug.model.message import Message, msg, visible

if TYPE_CHECKING:
    from vorflug.engine.contacts import Touch
    from vorflug.model.query import Query, Reach
    from vorflug.pipeline import Case


@click.command(
    help=tell(msg("Show every question and every contact before it happens. Asks nothing, contacts nobody.")),
    epilog=tell(msg("Example: vorflug plan --model compose --size M --site site.yaml")),
)
@profile_options
@active_option
@thorough_option
@option("--format", "format_", type=click.Choice(["terminal", "json"]), default="terminal", text=msg("Output format."))
@language
def command(
    profile_ref: str | None,
    site_file: str | None,
    size: str | None,
    model: str | None,
    phase: str | None,
    active: bool,
    thorough: bool,
    format_: str,
) -> int:
    """Print the plan; always 0 when it could be made."""
    from vorflug.cli.output import echo_wrapped
    from vorflug.documents import contacts as contact_documents
    from vorflug.documents.facts import write_query
    from vorflug.engine.plan import plan
    from vorflug.host.secrets import redact
    from vorflug.model.query import Reach
    from vorflug.model.report import Sentence
    from vorflug.model.requirement import Pending

    case = options.case(profile_ref, site_file, size, model, phase, thorough=thorough)
    asked = plan(case.asked())
    contacts = _contacts(case, active=active)
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
        plain = {"schema": "vorflug/plan/1", "active": active, "thorough": thorough}
        plain |= {"questions": rows, "waiting": waiting}
        plain |= {"contacts": contact_documents.write(contacts), "controls": contact_documents.write_controls()}
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
    _show_contacts(contacts)
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


def _contacts(case: Case, *, active: bool) -> list[Touch]:
    """Everything that a run of *case* touches, the local questions of the other operating models included."""
    from vorflug.cli.surroundings import here
    from vorflug.engine.contacts import touched
    from vorflug.engine.plan import plan
    from vorflug.model.query import Reach

    asked = {q: rs for q, rs in plan(case.asked()).items() if active or not q.active}
    for query, requirements in plan(case.asked_locally()).items():
        if query.reach is Reach.LOCAL and not query.active:
            asked.setdefault(query, requirements)
    return touched(asked, here())


def _show_contacts(contacts: list[Touch]) -> None:
    from vorflug.cli.output import echo_wrapped
    from vorflug.engine.contacts import controls
    from vorflug.host.secrets import redact
    from vorflug.model.contact import ContactKind
    from vorflug.render import contacts as words

    network = [c for c in contacts if c.contact.over_the_network]
    echo_wrapped(tell(msg("Contacts over the network (contacts: {n})", n=len(network))))
    for touch in network:
        echo_wrapped(redact(f"{tell(words.line(touch))}  [{', '.join(touch.ids)}]"), indent=2)
    if network:
        echo_wrapped(tell(msg("Only where a diagnosis needs it, also:")), indent=2)
        for control in controls():
            echo_wrapped(tell(control), indent=4)
    for heading, names in (
        (msg("Sockets"), words.names(contacts, ContactKind.SOCKET)),
        (msg("Commands, where they are installed"), words.names(contacts, ContactKind.COMMAND)),
        (msg("Files, and what lies below folders, read where they are there"), words.paths(contacts)),
    ):
        echo_wrapped(tell(heading))
        echo_wrapped(redact(", ".join(visible(name) for name in names)) if names else tell(msg("none")), indent=2)
    click.echo()


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
