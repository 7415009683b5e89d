"""``vorflug version``."""

from __future__ import annotations

import json

import click

from vorflug import __version__
from vorflug.cli.language import tell
from vorflug.cli.options import language, option
from vorflug.model.message import msg


@click.command(
    help=tell(msg("Show the version of the program and of the profiles that it carries.")),
    epilog=tell(msg("Example: vorflug version --format json")),
)
@option("--format", "format_", type=click.Choice(["terminal", "json"]), default="terminal", text=msg("Output format."))
@language
def command(format_: str) -> int:
    """Print the versions."""
    from vorflug.documents import library

    profiles = [f"{s.name}@{s.version}" for s in library.shipped()]
    if format_ == "json":
        from vorflug.engine import registry

        click.echo(json.dumps({"vorflug": __version__, "profiles": profiles, "areas": list(registry.names())}))
    else:
        click.echo(f"vorflug {__version__}")
        for profile in profiles:
            click.echo(f"  {profile}")
    return 0
