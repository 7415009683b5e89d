"""``vorflug run``: the whole line."""

from __future__ import annotations

import click

from vorflug.cli import options
from vorflug.cli.language import current, tell
from vorflug.cli.options import (
    active_option,
    deadline_option,
    language,
    option,
    profile_options,
    thorough_option,
    verdict_options,
)
from vorflug.model.message import msg


@click.command(
    help=tell(msg("Ask this machine and its network, judge the answers, and leave a signed report.")),
    epilog=tell(msg("Example: vorflug run --model compose --size M --site site.yaml --out reports")),
)
@profile_options
@verdict_options
@option("--out", metavar="DIR", default=".", text=msg("Where the report folder is made; default: the working folder."))
@deadline_option
@active_option
@thorough_option
@option(
    "--key",
    "key_file",
    metavar="FILE",
    text=msg("Private key that signs; default: the user's own report key, made on first use."),
)
@option("--format", "format_", type=click.Choice(["terminal", "json"]), default="terminal", text=msg("Output format."))
@language
def command(
    profile_ref: str | None,
    site_file: str | None,
    size: str | None,
    model: str | None,
    phase: str | None,
    strict: bool,
    with_confirmations: bool,
    out: str,
    deadline: float | None,
    active: bool,
    thorough: bool,
    key_file: str | None,
    format_: str,
) -> int:
    """Leave the report folder; end with the verdict."""
    from vorflug.cli import interrupts, reporting
    from vorflug.cli.collecting import collect_here
    from vorflug.cli.errors import Exit, Refusal
    from vorflug.engine.collect import Stop
    from vorflug.pipeline import judge

    case = options.case(
        profile_ref,
        site_file,
        size,
        model,
        phase,
        strict=strict,
        with_confirmations=with_confirmations,
        thorough=thorough,
    )
    key = reporting.signing_key(key_file)
    seconds = options.deadline_of(deadline, thorough=thorough)
    stop = Stop()
    # before the first question: a report that cannot be written is found now, not after two minutes
    with interrupts.noted(stop.set), reporting.folder(out) as folder:
        collected = collect_here(case, seconds, stop, active=active)
        report = options.judging(lambda: judge(case, collected.observations, collected.host, collected.times))
        try:
            written = reporting.write(folder, report, key, current())
        except Refusal:
            # the disk may be full, but what was found is not lost
            reporting.show(report, None, format_, current())
            raise
    reporting.show(report, written, format_, current())
    return int(Exit.INTERRUPTED) if collected.signalled else report.verdict.exit_code
