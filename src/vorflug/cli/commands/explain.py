"""``vorflug explain``: what a requirement means, why it is asked, where it comes from, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

import click

from vorflug.cli import options
from vorflug.cli.errors import Refusal
from vorflug.cli.language import tell
from vorflug.cli.options import language, profile_options
from vorflug.model.message import Message, Text, msg


@click.command(
    help=tell(msg("What a requirement means, why it is asked, its source and what to do.")),
    epilog=tell(msg("Example: vorflug explain OS-005 --lang de")),
)
@click.argument("requirement_id", metavar="ID")
@profile_options
@language
def command(
    requirement_id: str,
    profile_ref: str | None,
    site_file: str | None,
    size: str | None,
    model: str | None,
    phase: str | None,
) -> int:
    """Print the page of one requirement."""
    from vorflug.cli.output import echo_wrapped
    from vorflug.engine import registry
    from vorflug.model.cause import TEAM_NAMES
    from vorflug.model.evidence import Evidence
    from vorflug.model.requirement import Excluded, Item, Pending, Phase, Requirement, header_of
    from vorflug.render.words import BASES, LEVELS, PHASES

    case = options.case(profile_ref, site_file, size, model, phase)
    # a row of another phase is shown as it is judged there, unless one phase was asked for
    phases = (case.phase,) if phase else (case.phase, *(p for p in Phase if p is not case.phase))
    items: dict[str, Item] = {}
    for other in (case.model, *(m for m in case.profile.models if m is not case.model)):
        best: dict[str, Item] = {}
        for one_phase in phases:
            for one in replace(case, model=other, phase=one_phase).items():
                id_ = header_of(one).id
                if id_ not in best or (isinstance(best[id_], Excluded) and not isinstance(one, Excluded)):
                    best[id_] = one
        items = best | items
    found = {id_.casefold(): item for id_, item in items.items()}.get(requirement_id.casefold())
    if found is None:
        near = _near(requirement_id, items)
        raise Refusal(
            msg(
                "There is no requirement {id} in {profile}; did you mean {near}?",
                id=requirement_id,
                profile=case.profile.name,
                near=near,
            )
            if near
            else msg(
                "There is no requirement {id} in {profile}; vorflug profile show lists them.",
                id=requirement_id,
                profile=case.profile.name,
            )
        )
    item: Item = found
    header = header_of(item)

    def line(label: Message, text: Message | Text | str) -> None:
        echo_wrapped(f"{tell(label)}: {tell(text) if not isinstance(text, str) else text}")

    echo_wrapped(f"{header.id}  {tell(Text(header.title.en, header.title.de))}")
    click.echo()
    if header.why is not None:
        line(msg("Why"), Text(header.why.en, header.why.de))
    line(msg("Level"), LEVELS[header.level])
    line(msg("Subject"), registry.title(registry.area_of(registry.requirements()[item.kind])))
    line(msg("Team"), TEAM_NAMES[header.team])
    line(msg("Operating models"), ", ".join(m.value for m in header.models))
    line(msg("Phases"), ", ".join(tell(PHASES[p]) for p in header.phases))
    line(msg("Basis"), BASES[header.basis])
    for key in header.sources:
        line(msg("Source"), f"{key}: {case.profile.sources[key]}")
    match item:
        case Requirement():
            line(msg("Wanted"), item.wanted())
            for query in item.queries(Evidence()):
                line(msg("Asked"), query.asks())
            if (then := item.then()) is not None:
                line(msg("Then"), then)
        case Pending():
            line(msg("Wanted"), item.wanted)
            line(msg("Not asked"), item.cause.says)
        case Excluded():
            line(msg("Not applicable"), item.because)
    line(msg("If it is not met"), Text(header.advice.en, header.advice.de))
    return 0


def _near(wanted: str, ids: Iterable[str]) -> str | None:
    folded = {id_.casefold(): id_ for id_ in ids}
    near = get_close_matches(wanted.casefold(), folded, n=1)
    return folded[near[0]] if near else None
