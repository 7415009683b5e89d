"""``vorflug site``: write and check the customer's site file."""

from __future__ import annotations

from pathlib import Path

import click

from vorflug.cli.errors import Refusal
from vorflug.cli.language import current, tell
from vorflug.cli.options import MODELS, language, option, refusing
from vorflug.model.message import msg


@click.group(help=tell(msg("Write and check the customer's site file.")), no_args_is_help=True)
@language
def command() -> None:
    """Hold the subcommands."""


@command.command(
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
@language
def check(file: str, profile_ref: str | None, model: str | None) -> int:
    """Name the mistakes, or what is still open."""
    from vorflug.documents import library, site
    from vorflug.documents.parameters import text_of, written
    from vorflug.model.requirement import OperatingModel

    path = Path(file)
    if profile_ref is None:
        profile_ref = refusing(lambda: site.pinned(path))
    profile = refusing(lambda: library.load(profile_ref))
    given = refusing(lambda: site.load(path, profile))
    chosen = OperatingModel(model) if model else given.model
    says = msg("{file}: no mistakes, for {name} {version}", file=file, name=profile.name, version=profile.version)
    click.echo(tell(says))
    missing = given.missing(profile, chosen)
    if missing:
        click.echo(tell(msg("Required parameters that are not given ({count}):", count=len(missing))))
    for name in missing:
        parameter = profile.parameters[name]
        click.echo(f"  {name}: {written(parameter.sample)}  # {tell(text_of(parameter.title))}")
    open_ = [row for row in profile.confirmations(chosen) if row.id not in given.confirmations]
    if open_:
        click.echo(tell(msg("Outstanding confirmations ({count}):", count=len(open_))))
    for row in open_:
        click.echo(f"  {row.id}  {tell(text_of(next(iter(row.headers.values())).title))}")
    return 0
