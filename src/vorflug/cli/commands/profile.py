"""``vorflug profile``: look at, check and compare requirements profiles."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

import click

from vorflug.cli.errors import Refusal
from vorflug.cli.language import tell
from vorflug.cli.options import MODELS, SIZES, language, option, profile_options, refusing
from vorflug.model.message import Message, Text, msg

if TYPE_CHECKING:
    from datetime import datetime

    from vorflug.documents.diff import Difference
    from vorflug.documents.profile import Profile
    from vorflug.documents.rows import Row
    from vorflug.model.requirement import HostSize

_LONGEST_VALUE = 100


@click.group(help=tell(msg("Look at, check and compare requirements profiles.")), no_args_is_help=True)
@language
def command() -> None:
    """Hold the subcommands."""


@command.command(
    "list",
    short_help=tell(msg("The profiles that come with the program.")),
    help=tell(msg("The profiles that come with the program, with version, title and number of requirements.")),
    epilog=tell(msg("Example: vorflug profile list")),
)
@language
def list_() -> int:
    """One line per shipped profile."""
    from vorflug.documents import library, profile

    every = library.shipped()
    if not every:
        raise Refusal(msg("No profile came with this program; --profile FILE takes one of your own."))
    for found in every:
        loaded = refusing(partial(profile.load, found.folder))
        count = msg("{count} requirements", count=len(loaded.rows))
        title = tell(Text(loaded.title.en, loaded.title.de))
        click.echo(f"{loaded.name}@{loaded.version}  {loaded.preamble.published}  {title}  ({tell(count)})")
    return 0


@command.command(
    short_help=tell(msg("What a profile demands.")),
    help=tell(msg("What a profile demands: its requirements and parameters.")),
    epilog=tell(msg("Example: vorflug profile show ai-audit-assist --model compose --size M")),
)
@click.argument("ref", required=False, metavar="[NAME[@VERSION]|FILE]")
@option("--model", text=msg("Only the requirements of this operating model."), type=click.Choice(MODELS))
@option("--size", text=msg("Sizing class whose numbers are shown."), type=click.Choice(SIZES))
@language
def show(ref: str | None, model: str | None, size: str | None) -> int:
    """Print head, requirements and parameters."""
    from vorflug.documents import library
    from vorflug.model.requirement import HostSize, OperatingModel

    profile = refusing(lambda: library.load(ref))
    wanted = HostSize(size) if size else profile.sizes_or_all[0]
    if wanted not in profile.sizes_or_all:
        raise Refusal(msg("There is no size {size} in this profile.", size=wanted.value))
    rows = profile.rows_of(OperatingModel(model)) if model else profile.rows
    click.echo(f"{tell(Text(profile.title.en, profile.title.de))}  {profile.name}@{profile.version}")
    click.echo(
        tell(
            msg("published {date}, digest sha256:{digest}", date=str(profile.preamble.published), digest=profile.digest)
        )
    )
    models = tuple(m.value for m in profile.models)
    click.echo(tell(msg("operating models: {models:list}", models=models)))
    for info in profile.sizes:
        click.echo(tell(msg("size {size}: {title}", size=info.size.value, title=Text(info.title.en, info.title.de))))
    click.echo()
    click.echo(tell(msg("{count} requirements, numbers for size {size}:", count=len(rows), size=wanted.value)))
    for row in rows:
        _show_row(profile, row, wanted)
    _show_parameters(profile)
    return 0


def _show_row(profile: Profile, row: Row, size: HostSize) -> None:
    from vorflug.documents.rows import Missing
    from vorflug.documents.site import Site
    from vorflug.model.cause import TEAM_NAMES
    from vorflug.model.requirement import LEVEL_NAMES

    header = row.headers[size]
    level, team = tell(LEVEL_NAMES[header.level]), tell(TEAM_NAMES[header.team])
    click.echo(f"  {row.id}  {level}  {team}  {tell(Text(header.title.en, header.title.de))}")
    try:
        wanted: Message = row.requirement(size, Site.empty().answers(profile)).wanted()
    except Missing as gap:
        wanted = msg("depends on the parameter {name}", name=gap.parameter)
    click.echo(f"      {tell(wanted)}")


def _show_parameters(profile: Profile) -> None:
    from vorflug.documents.parameters import text_of, wanted_of, written

    click.echo()
    click.echo(tell(msg("{count} parameters:", count=len(profile.parameters))))
    for name, parameter in profile.parameters.items():
        if parameter.required:
            need = msg("required")
        elif parameter.default is not None:
            need = msg("{value} if not given", value=written(parameter.default))
        else:
            need = msg("may be left out")
        click.echo(f"  {name}  {tell(text_of(parameter.title))}  ({tell(need)}; {tell(wanted_of(parameter))})")


@command.command(
    short_help=tell(msg("Check profiles: every mistake with its line.")),
    help=tell(msg("Check profiles: every mistake with file, line and what was meant. Ends with 2 where there is one.")),
    epilog=tell(msg("Example: vorflug profile lint my-profile/profile.yaml")),
)
@click.argument("files", nargs=-1, required=True, metavar="NAME|FILE...")
@language
def lint(files: tuple[str, ...]) -> int:
    """Name the mistakes of all files, then end."""
    from vorflug.documents import library
    from vorflug.documents.problems import DocumentError, Problem

    problems: list[Problem] = []
    for file in files:
        try:
            loaded = library.load(file)
        except DocumentError as refused:
            problems += refused.problems
        else:
            says = msg(
                "{file}: {name} {version}, {count} requirements, no mistakes",
                file=loaded.file,
                name=loaded.name,
                version=loaded.version,
                count=len(loaded.rows),
            )
            click.echo(tell(says))
    if problems:
        raise Refusal(DocumentError(problems).message)
    return 0


@command.command(
    short_help=tell(msg("The JSON Schema of a document.")),
    help=tell(msg("The JSON Schema of profiles, overlays or site files, for editors and other programs.")),
    epilog=tell(msg("Example: vorflug profile schema > profile.schema.json")),
)
@click.argument("document", type=click.Choice(["profile", "overlay", "site"]), default="profile")
@language
def schema(document: str) -> int:
    """Print it as JSON."""
    from vorflug.documents.schema import Document, text

    click.echo(text(Document(document)), nl=False)
    return 0


@command.command(
    short_help=tell(msg("The firewall request: every flow that the product needs.")),
    help=tell(
        msg(
            "The firewall request of this host, to be signed: one row for each flow with source, target, port, "
            "protocol, proxy, TLS inspection, purpose and the last report's finding. Resolves the names, contacts "
            "nobody else."
        )
    ),
    epilog=tell(msg("Example: vorflug profile firewall --site site.yaml --format html --out request.html")),
)
@profile_options
@option("--format", "format_", type=click.Choice(["csv", "md", "html"]), default="csv", text=msg("Output format."))
@option("--out", metavar="FILE", text=msg("Write to this file instead of stdout; one that is there is replaced."))
@option(
    "--report", metavar="DIR", text=msg("Report whose findings are the test evidence; default: this host's newest.")
)
@option(
    "--until", metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), text=msg("Last day on which the flows are needed.")
)
@option("--source", metavar="NAME", text=msg("The host that the request is made for, where it is not this one."))
@option("--no-resolve", is_flag=True, text=msg("Leave out the addresses of the targets; nobody is asked then."))
@option("--bom", is_flag=True, text=msg("Begin the CSV with a byte order mark, which Excel needs."))
@language
def firewall(
    profile_ref: str | None,
    site_file: str | None,
    size: str | None,
    model: str | None,
    phase: str | None,
    format_: str,
    out: str | None,
    report: str | None,
    until: datetime | None,
    source: str | None,
    no_resolve: bool,
    bom: bool,
) -> int:
    """Write the request; 0 when it could be made."""
    from vorflug.cli import firewall as requests
    from vorflug.cli.language import current
    from vorflug.cli.options import case
    from vorflug.cli.output import output_file

    if bom and format_ != "csv":
        raise Refusal(msg("--bom: only a CSV can begin with a byte order mark; add --format csv."))
    chosen = case(profile_ref, site_file, size, model, phase)
    wishes = requests.Wishes(not no_resolve, source, report, until.date() if until is not None else None)

    def written() -> bytes:
        request = requests.make(chosen, wishes, every_phase=phase is None)
        return requests.render(request, format_, current(), bom=bom).encode()

    if out is None:
        click.echo(written(), nl=False)
        return 0
    with output_file(out) as file:
        file.write(written())
    return 0


@command.command(
    short_help=tell(msg("What changed between two profiles.")),
    help=tell(msg("What changed between two profiles: requirements, thresholds, texts, parameters, sources.")),
    epilog=tell(msg("Example: vorflug profile diff ai-audit-assist@1.0.0 my-profile/profile.yaml")),
)
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@language
def diff(old: str, new: str) -> int:
    """Print one line per change; 0 whether there is one or not."""
    from vorflug.documents import library
    from vorflug.documents.diff import compare

    before, after = refusing(lambda: library.load(old)), refusing(lambda: library.load(new))
    found = compare(before, after)
    for difference in found:
        click.echo(tell(_difference(difference)))
    if not found:
        click.echo(tell(msg("No difference.")))
    return 0


def _difference(found: Difference) -> Message:
    from vorflug.documents.diff import Change

    name = _named(found)
    if found.change is Change.ADDED:
        return msg("added    {name}: {value}", name=name, value=_value(found.new))
    if found.change is Change.REMOVED:
        return msg("removed  {name}: {value}", name=name, value=_value(found.old))
    return msg(
        "changed  {name} {field}: {old} -> {new}",
        name=name,
        field=found.field or "",
        old=_value(found.old),
        new=_value(found.new),
    )


def _named(found: Difference) -> Message | str:
    """Requirements have ids that speak for themselves; the rest is told apart by what it is."""
    from vorflug.documents.diff import Part

    match found.part:
        case Part.REQUIREMENT:
            return f"{found.name} [{', '.join(m.value for m in found.models)}]" if found.models else found.name
        case Part.PROFILE:
            return msg("profile")
        case Part.SOURCE:
            return msg("source {name}", name=found.name)
        case Part.PARAMETER:
            return msg("parameter {name}", name=found.name)
        case _:
            assert_never(found.part)


def _value(value: Any) -> Any:
    from vorflug.documents.parameters import written

    match value:
        case None:
            return msg("nothing")
        case {"title": {"en": str(en), "de": str(de)}}:
            return Text(en, de)
        case _:
            text = written(value)
            return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
