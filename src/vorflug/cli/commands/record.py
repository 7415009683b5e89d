"""``vorflug record``: write down what a run asks of this machine and what it sees, for whoever looks for a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vorflug.cli import options
from vorflug.cli.errors import Exit
from vorflug.cli.language import tell
from vorflug.cli.options import active_option, deadline_option, language, option, profile_options, thorough_option
from vorflug.model.message import msg

if TYPE_CHECKING:
    from vorflug.pipeline import Case

PAGE = "docs/recordings.md"


@click.command(
    help=tell(
        msg(
            "Ask this machine and write every answer to a text file, without secrets and with stand-ins for names of "
            "users and of this machine, public addresses and hardware numbers. Whoever looks for a mistake can then "
            "repeat the run elsewhere. Other machines are asked only with --network."
        )
    ),
    epilog=tell(msg("Example: vorflug record --site site.yaml --out recording.yaml")),
)
@profile_options
@option("--out", metavar="FILE", required=True, text=msg("File to write to; one that is there is replaced."))
@option("--network", is_flag=True, text=msg("Ask also what has to contact other machines; the plan lists it."))
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
    network: bool,
    deadline: float | None,
    active: bool,
    thorough: bool,
) -> int:
    """Write the recording; 0 when it is whole, 130 when it was interrupted (it is valid all the same)."""
    from vorflug import __version__
    from vorflug.cli import interrupts
    from vorflug.cli.collecting import collect_here
    from vorflug.cli.output import note, output_file
    from vorflug.engine.collect import Stop
    from vorflug.host.cassette import Recorded
    from vorflug.host.live import personal
    from vorflug.host.recording import RecordingHost, Tape
    from vorflug.host.stand_ins import StandIns

    case = options.case(profile_ref, site_file, size, model, phase, thorough=thorough)
    seconds = options.deadline_of(deadline, thorough=thorough)
    stop, tape = Stop(), Tape()
    with output_file(out) as file, interrupts.noted(stop.set):
        collected = collect_here(
            case, seconds, stop, active=active, network=network, through=lambda host: RecordingHost(host, tape)
        )
        stand_ins = StandIns(personal.names(), _words(case))
        cassette = stand_ins.cassette(tape.cassette()).model_copy(
            update={
                "recorded": Recorded(
                    vorflug=__version__,
                    profile=f"{case.profile.name}@{case.profile.version}",
                    model=case.model.value,
                    size=case.size.value,
                    phase=case.phase.value,
                    elevated=collected.host.elevated,
                    network=network,
                    complete=collected.times.interrupted is None,
                    thorough=case.thorough,
                )
            }
        )
        text = cassette.to_yaml().encode()
        file.write(text)
    note(
        msg(
            "{count} answers of this machine in {file} ({size:size}), readable as text: look through it before you "
            "send it. {page} says what is in it and what is not.",
            count=len(cassette.calls),
            file=out,
            size=len(text),
            page=PAGE,
        )
    )
    return int(Exit.INTERRUPTED if collected.signalled else Exit.READY)


def _words(case: Case) -> set[str]:
    """The words of the profile's own questions: a user called ``docker`` must not rename ``/var/lib/docker``."""
    import re
    from dataclasses import replace

    from vorflug.documents.site import Site
    from vorflug.engine.plan import plan

    # without the customer's values, which may well hold a name
    questions = plan(replace(case, site=Site.empty()).asked())
    return {word for query in questions for word in re.findall(r"[\w-]+", repr(query))}
