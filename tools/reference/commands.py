"""``docs/reference/commands.md``: the help of every command, as the program itself says it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from reference.markdown import document
from vorflug.cli import language

_WIDTH = 100
"""Columns: the help's widest form."""


def page() -> str:
    """The whole page.  Must be made before any command is imported: their help is said as they are."""
    language.choose(["--lang", "en"])
    from vorflug.cli.app import build

    return document("Commands", _lines(build(), None, "vorflug"))


def _lines(command: click.Command, parent: click.Context | None, name: str) -> Iterator[str]:
    context = click.Context(
        command,
        parent=parent,
        info_name=name,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    yield from (f"## {context.command_path}", "", "```text", command.get_help(context), "```", "")
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is None:
                raise LookupError(f"{context.command_path} lists {child}, but has no such command")
            yield from _lines(found, context, child)
