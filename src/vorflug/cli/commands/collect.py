"""``vorflug collect``: ask only."""

from __future__ import annotations

import click

from vorflug.cli import options
from vorflug.cli.errors import Exit
from vorflug.cli.language import tell
from vorflug.cli.options import active_option, deadline_option, language, option, profile_options, thorough_option
from vorflug.model.message import msg


@click.command(
    help=tell(msg("Ask this machine and write the facts to a file; judge them later and elsewhere with evaluate.")),
    epilog=tell(msg("Example: vorflug collect --site site.yaml --out facts.json")),
)
@profile_options
@option("--out", metavar="FACTS", required=True, text=msg("File to write the facts to; one that is there is replaced."))
@deadline_option
@active_option
@thorough_option
@language
def command(
    profile_ref: str | None,
    site_file: str | None,
    size: str | None,
    model: str | None,
    phase: str | None,
    out: str,
    deadline: float | None,
    active: bool,
    thorough: bool,
) -> int:
    """Write the facts; 0 when they were collected, 130 when that was interrupted."""
    from vorflug.cli import interrupts
    from vorflug.cli.collecting import collect_here
    from vorflug.cli.output import note, output_file
    from vorflug.documents import facts
    from vorflug.engine.collect import Stop
    from vorflug.host.secrets import redact
    from vorflug.pipeline import facts as gather

    case = options.case(profile_ref, site_file, size, model, phase, thorough=thorough)
    seconds = options.deadline_of(deadline, thorough=thorough)
    stop = Stop()
    with output_file(out) as file, interrupts.noted(stop.set):
        collected = collect_here(case, seconds, stop, active=active)
        file.write(facts.write(gather(case, collected.observations, collected.host, collected.times), redact))
    note(msg("{count} facts in {file}", count=len(collected.observations), file=out))
    return int(Exit.INTERRUPTED if collected.signalled else Exit.READY)
