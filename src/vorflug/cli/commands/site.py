"""``vorflug site``: write and check the customer's site file."""

from __future__ import annotations

from pathlib import Path

import click

from vorflug.cli.errors import Refusal
from vorflug.cli.language import current, tell
from vorflug.cli.options import MODELS, PHASES, language, option, refusing, today
from vorflug.model.message import msg


@click.group(help=tell(msg("Write and check the customer's site file.")), no_args_is_help=True)
@language
def command() -> None:
    """Hold the subcommands."""


@command.command(
    short_help=tell(msg("Write a site file to fill in.")),
    help=tell(msg("Write a site file to fill in: every parameter and confirmation, explained and commented out.")),
    epilog=tell(msg("Example: vorflug site init --model compose --out site.yaml --lang de")),
)
@option(
    "--profile", "profile_ref", metavar="NAME|FILE", text=msg("The profile it is for; default: the newest shipped.")
)
@option("--model", text=msg("Leave out what only other operating models ask for."), type=click.Choice(MODELS))
@option(
    "--out",
    default="site.yaml",
    show_default=True,
    metavar="FILE",
    text=msg("Where to write it; '-' is standard output. What is there is never overwritten."),
)
@language
def init(profile_ref: str | None, model: str | None, out: str) -> int:
    """Write the file, or print it."""
    from vorflug.documents import library, sitefile
    from vorflug.model.requirement import OperatingModel

    profile = refusing(lambda: library.load(profile_ref))
    text = sitefile.template(profile, OperatingModel(model) if model else None, current())
    if out == "-":
        click.echo(text, nl=False)
        return 0
    from vorflug.attest.files import FileRefused, create_file

    try:
        create_file(Path(out), text.encode())
    except FileRefused as refused:
        raise Refusal(refused.message) from refused
    click.echo(tell(msg("{file} is written. Next: fill it in, then vorflug site check {file}", file=out)), err=True)
    return 0


@command.command(
    short_help=tell(msg("Check a site file.")),
    help=tell(
        msg(
            "Check a site file: every mistake with its line (ends with 2), then the required parameters that are not "
            "given and the confirmations that are outstanding (ends with 0)."
        )
    ),
    epilog=tell(msg("Example: vorflug site check site.yaml")),
)
@click.argument("file", metavar="FILE")
@option(
    "--profile",
    "profile_ref",
    metavar="NAME|FILE",
    text=msg("The profile it is for; default: the one that the file names, else the newest shipped."),
)
@option("--model", text=msg("Only what this operating model asks for."), type=click.Choice(MODELS))
@option("--phase", text=msg("Only what this delivery phase asks for; default: all phases."), type=click.Choice(PHASES))
@language
def check(file: str, profile_ref: str | None, model: str | None, phase: str | None) -> int:
    """Name the mistakes, or what is still open."""
    from vorflug.documents import library, site
    from vorflug.documents.parameters import text_of, written
    from vorflug.model.requirement import OperatingModel, Phase

    path = Path(file)
    if profile_ref is None:
        profile_ref = refusing(lambda: site.pinned(path))
    profile = refusing(lambda: library.load(profile_ref))
    given = refusing(lambda: site.load(path, profile, today()))
    chosen = OperatingModel(model) if model else given.model
    says = msg("{file}: no mistakes, for {name} {version}", file=file, name=profile.name, version=profile.version)
    click.echo(tell(says))
    only = Phase(phase) if phase else None
    missing = given.missing(profile, chosen, only)
    if missing:
        heading = (
            msg(
                "Required parameters that are not given, for the phase {phase} ({count}):",
                phase=phase,
                count=len(missing),
            )
            if phase
            else msg("Required parameters that are not given, for all phases ({count}):", count=len(missing))
        )
        click.echo(tell(heading))
    for name in missing:
        parameter = profile.parameters[name]
        example = tell(msg("{name}  e.g. {value}", name=name, value=written(parameter.sample)))
        click.echo(f"  {example}  # {tell(text_of(parameter.title))}")
    open_ = given.outstanding(profile, chosen, only)
    if open_:
        heading = (
            msg("Outstanding confirmations in the phase {phase} ({count}):", phase=phase, count=len(open_))
            if phase
            else msg("Outstanding confirmations in all phases ({count}):", count=len(open_))
        )
        click.echo(tell(heading))
    for row in open_:
        click.echo(f"  {row.id}  {tell(text_of(next(iter(row.headers.values())).title))}")
    return 0
