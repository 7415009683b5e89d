"""``vorflug evaluate``: judge saved facts again, anywhere."""

from __future__ import annotations

import click

from vorflug.cli import options
from vorflug.cli.language import current, tell
from vorflug.cli.options import language, option, profile_options, verdict_options
from vorflug.model.message import msg


@click.command(
    help=tell(
        msg("Judge saved facts again, for any size, model, phase or profile version. Needs no machine and no network.")
    ),
    epilog=tell(msg("Example: vorflug evaluate facts.json --size L --model kubernetes")),
)
@click.argument("facts_file", metavar="FACTS|REPORT")
@profile_options
@verdict_options
@option("--out", metavar="REPORT", text=msg("Also write the new report.json here; a file that is there is replaced."))
@option("--format", "format_", type=click.Choice(["terminal", "json"]), default="terminal", text=msg("Output format."))
@language
def command(
    facts_file: str,
    profile_ref: str | None,
    site_file: str | None,
    size: str | None,
    model: str | None,
    phase: str | None,
    strict: bool,
    with_confirmations: bool,
    out: str | None,
    format_: str,
) -> int:
    """Print the findings; end with their verdict."""
    from pathlib import Path

    from vorflug.cli.output import output_file, read_file, terminal_width
    from vorflug.documents import facts, library
    from vorflug.documents import site as site_documents
    from vorflug.host.secrets import redact
    from vorflug.pipeline import judge

    document = options.refusing(lambda: facts.read(read_file(facts_file), facts_file))
    seen = document.profile
    profile = options.refusing(lambda: library.load(profile_ref or f"{seen.name}@{seen.version}"))
    if (profile.name, profile.version) == (seen.name, seen.version) and profile.digest != seen.digest:
        click.echo(
            tell(
                msg(
                    "note: the profile {name} {version} here is not the one that the facts were made with (digest)",
                    name=profile.name,
                    version=profile.version,
                )
            ),
            err=True,
        )
    site = (
        options.refusing(lambda: site_documents.load(Path(site_file), profile, options.today()))
        if site_file
        else options.refusing(lambda: site_documents.from_info(document.site, profile, options.today(), facts_file))
    )
    case = options.make_case(
        profile,
        site,
        size or (None if site_file and site.size else seen.size.value),
        model or (None if site_file and site.model else seen.model.value),
        phase or (None if site_file and site.phase else seen.phase.value),
        strict=strict,
        with_confirmations=with_confirmations,
        thorough=seen.thorough,
    )
    observations = options.refusing(lambda: facts.observations(document))
    report = options.judging(lambda: judge(case, observations, document.host, document.times))
    data = facts.write(report, redact)
    if out is not None:
        with output_file(out) as file:
            file.write(data)
    if format_ == "json":
        click.echo(data, nl=False)
    else:
        from vorflug.model.report import Report
        from vorflug.render.terminal import render_terminal

        # what is shown is what is written: the same secrets struck out
        report = Report.model_validate_json(data)
        click.echo(render_terminal(report, lang=current(), width=terminal_width(), color=False), nl=False)
    return report.verdict.exit_code
