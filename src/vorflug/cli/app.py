"""The command group.  A command's module is imported when that command is called, so that start stays fast.

``--help`` of the group shows the summaries below and imports no command at all.
"""

from __future__ import annotations

import importlib
from typing import Any

import click

from vorflug import __version__
from vorflug.cli.language import tell
from vorflug.model.message import Message, msg

SUMMARIES: dict[str, Message] = {
    "run": msg("Ask, judge, and leave a signed report: the whole line."),
    "plan": msg("Show every question and every contact before it happens."),
    "collect": msg("Ask only: write the facts to a file."),
    "record": msg("Ask only, and write down every answer without personal data, so that a mistake can be reproduced."),
    "evaluate": msg("Judge saved facts again, for any size or model; needs no machine and no network."),
    "render": msg("Write a report as HTML, Markdown, JUnit XML, CSV or text."),
    "verify": msg("Check that a report is genuine and whole."),
    "gate": msg("Let a deployment through, or not, by a verified report."),
    "profile": msg("Look at, check and compare requirements profiles."),
    "site": msg("Write and check the customer's site file."),
    "keys": msg("Make and show signing keys."),
    "diagnose": msg("How far a request to one URL comes, what stops it, and who mends that; needs no profile."),
    "proxy": msg("Which proxy each program would take to one URL, by which setting and why; sends nothing."),
    "explain": msg("What a requirement or a code of network diagnosis means, and what to do."),
    "version": msg("Show the version."),
}


class Lazy(click.Group):
    """Imports ``vorflug.cli.commands.NAME`` when NAME is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in SUMMARIES:
            return None
        module = importlib.import_module(f"vorflug.cli.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section(tell(msg("Commands"))):
            formatter.write_dl([(name, tell(text)) for name, text in SUMMARIES.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from difflib import get_close_matches

        if args and args[0] not in SUMMARIES and not args[0].startswith("-"):
            near = get_close_matches(args[0], SUMMARIES, n=1)
            refusal = (
                msg("There is no command {name}; did you mean {near}?", name=args[0], near=near[0])
                if near
                else msg("There is no command {name}; vorflug --help lists them.", name=args[0])
            )
            raise click.UsageError(tell(refusal), ctx)
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"vorflug {__version__}")
        ctx.exit()


def build() -> click.Group:
    """The group in the chosen language."""
    settings: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
    group = Lazy(
        name="vorflug",
        context_settings=settings,
        help=tell(
            msg(
                "Pre-flight checks before an installation: asks this machine and its network what a versioned "
                "requirements profile needs to know, touches nothing, and leaves a signed report."
            )
        ),
        epilog=tell(msg("Example: vorflug run --size M --site site.yaml")),
        no_args_is_help=True,
    )
    group.params.append(
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help=tell(msg("Show the version and end.")),
        )
    )
    group.params.append(
        click.Option(
            ["--lang"], expose_value=False, type=click.Choice(["de", "en"]), help=tell(msg("Language of all texts."))
        )
    )
    return group
