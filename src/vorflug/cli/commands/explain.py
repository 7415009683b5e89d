"""``vorflug explain``: the page of a requirement, or of one of the codes of network diagnosis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from vorflug.cli import options
from vorflug.cli.errors import Exit, Refusal
from vorflug.cli.language import tell
from vorflug.cli.options import language, option, profile_options
from vorflug.model.message import Message, Text, msg

if TYPE_CHECKING:
    from vorflug.ports.net_codes import Code

CODES = "codes"
"""The word that lists them all; no requirement is called so: their ids have a number."""


@click.command(
    help=tell(
        msg(
            "What a requirement means, why it is asked, its source and what to do. For a code of network diagnosis "
            "(tls.intercepted): what was seen, what it proves and what not, who acts and what to ask for. "
            "“explain codes” lists all codes."
        )
    ),
    epilog=tell(msg("Example: vorflug explain tls.intercepted --lang de")),
)
@click.argument("wanted", metavar="ID|CODE", required=False)
@option("--list", "listed", is_flag=True, text=msg("List all codes with what was seen."))
@profile_options
@language
def command(
    wanted: str | None,
    listed: bool,
    profile_ref: str | None,
    site_file: str | None,
    size: str | None,
    model: str | None,
    phase: str | None,
) -> int:
    """Print the page of one requirement or code."""
    from vorflug.ports.net_codes import Code

    if listed or (wanted is not None and wanted.casefold() == CODES):
        return _codes()
    if wanted is None:
        raise Refusal(
            msg("Wanted the id of a requirement or a code, saw nothing: vorflug explain codes lists the codes."),
            Exit.USAGE,
        )
    if (code := {c.value: c for c in Code}.get(wanted.casefold())) is not None:
        return _code(code)
    return _requirement(wanted, profile_ref, site_file, size, model, phase)


def _requirement(
    wanted: str,
    profile_ref: str | None,
    site_file: str | None,
    size: str | None,
    model: str | None,
    phase: str | None,
) -> int:
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
    found = {id_.casefold(): item for id_, item in items.items()}.get(wanted.casefold())
    if found is None:
        raise _unknown(wanted, case.profile.name, items)
    item: Item = found
    header = header_of(item)

    def line(label: Message, text: Message | Text | str) -> None:
        echo_wrapped(f"{tell(label)}: {tell(text) if not isinstance(text, str) else text}")

    echo_wrapped(f"{header.id}  {tell(Text(header.title.en, header.title.de))}")
    click.echo()
    if header.why is not None:
        line(msg("Why"), Text(header.why.en, header.why.de))
    line(msg("Level"), LEVELS[header.level])
    line(msg("Subject"), registry.title(registry.area_of_kind(item.kind)))
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


def _codes() -> int:
    from vorflug.cli.output import echo_wrapped
    from vorflug.model.codes import PAGES

    for code, page in PAGES.items():
        click.echo(code.value)
        echo_wrapped(tell(page.seen), indent=2)
    return 0


def _code(code: Code) -> int:
    from vorflug.cli.output import echo_wrapped
    from vorflug.model.cause import TEAM_NAMES
    from vorflug.model.codes import PAGES
    from vorflug.model.netcause import team_of

    page = PAGES[code]
    click.echo(f"{code.value}\n")
    team = team_of(code)
    for label, text in page.parts(None if team is None else TEAM_NAMES[team]):
        echo_wrapped(f"{tell(label)}: {tell(text)}")
    click.echo(f"\n{tell(msg('To look for oneself'))}:")
    for line in page.look:
        # not wrapped: it is there to be copied
        click.echo(f"  {line}")
    return 0


def _unknown(wanted: str, profile: str, ids: Iterable[str]) -> Refusal:
    """The refusal, with what is near among requirements and codes."""
    from vorflug.ports.net_codes import Code

    near = (*_near(wanted, ids, 1), *_near(wanted, (code.value for code in Code), 3))
    if near:
        return Refusal(
            msg(
                "There is no requirement {id} in {profile} and no such code; did you mean {near:or}?",
                id=wanted,
                profile=profile,
                near=near,
            ),
            Exit.USAGE,
        )
    return Refusal(
        msg(
            "There is no requirement {id} in {profile} and no such code; vorflug profile show lists the requirements, "
            "vorflug explain codes the codes.",
            id=wanted,
            profile=profile,
        ),
        Exit.USAGE,
    )


def _near(wanted: str, names: Iterable[str], most: int) -> list[str]:
    folded = {name.casefold(): name for name in names}
    return [folded[near] for near in get_close_matches(wanted.casefold(), folded, n=most)]
