"""``vorflug render``: a report as something to read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vorflug.cli import options
from vorflug.cli.errors import Refusal
from vorflug.cli.language import current, tell
from vorflug.cli.options import language, option
from vorflug.model.message import msg

if TYPE_CHECKING:
    from vorflug.model.report import Report

FORMATS = ("html", "markdown", "junit", "csv", "terminal")


@click.command(
    help=tell(
        msg(
            "Write a report as HTML, Markdown, JUnit XML, CSV or text. REPORT is a report.json or the folder that "
            "holds it. It is shown as it is, not verified: vorflug verify does that."
        )
    ),
    epilog=tell(msg("Example: vorflug render report.json --format junit --out vorflug-junit.xml")),
)
@click.argument("report_file", metavar="REPORT")
@option("--format", "format_", type=click.Choice(FORMATS), required=True, text=msg("What to write."))
@option("--out", metavar="FILE", text=msg("Write to this file instead of stdout; one that is there is replaced."))
@language
def command(report_file: str, format_: str, out: str | None) -> int:
    """Print the page, or write it to a file."""
    from vorflug.cli.output import output_file

    if out is None:
        text = _render(_read(report_file), format_, to_terminal=True)
        # bytes, so that neither line ends nor the byte order mark of the CSV are changed on the way
        encoding = sys.stdout.encoding if format_ == "terminal" else "utf-8"
        click.echo(text.encode(encoding, "replace"), nl=False)
        return 0
    with output_file(out) as file:
        file.write(_render(_read(report_file), format_, to_terminal=False).encode("utf-8"))
    return 0


def _read(report_file: str) -> Report:
    from vorflug.cli.output import read_file
    from vorflug.documents import facts
    from vorflug.model.report import Report

    path = Path(report_file) / "report.json" if Path(report_file).is_dir() else Path(report_file)
    document = options.refusing(lambda: facts.read(read_file(str(path)), str(path)))
    if not isinstance(document, Report):
        raise Refusal(
            msg(
                "{file}: wanted a report, saw a facts file. Judge it first: vorflug evaluate {file} --out report.json",
                file=str(path),
            )
        )
    return document


def _render(report: Report, format_: str, *, to_terminal: bool) -> str:
    lang = current()
    match format_:
        case "html":
            from vorflug.render.html import render_html

            return render_html(report, lang=lang)
        case "markdown":
            from vorflug.render.markdown import render_markdown

            return render_markdown(report, lang=lang)
        case "junit":
            from vorflug.render.junit import render_junit

            return render_junit(report, lang=lang)
        case "csv":
            from vorflug.render.csv import render_csv

            return render_csv(report, lang=lang)
        case _:
            from vorflug.cli.output import terminal_width
            from vorflug.render.columns import wants_color
            from vorflug.render.terminal import render_terminal

            color = to_terminal and wants_color()
            return render_terminal(report, lang=lang, width=terminal_width(), color=color)
