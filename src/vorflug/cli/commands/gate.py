"""``vorflug gate``: lets a deployment through, or not, by a verified report."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from vorflug.cli.commands.verify import outcome, refusal, verified
from vorflug.cli.errors import Exit, Refusal
from vorflug.cli.language import tell
from vorflug.cli.options import language, option
from vorflug.model.message import msg


@click.command(
    help=tell(
        msg(
            "Verify the report in DIR and hold it against what is asked here. Ends with 0 where the report is ready, "
            "with the report's own 3, 4 or 5 where it is not, and with 6 where it is refused."
        )
    ),
    epilog=tell(
        msg(
            "Example: vorflug gate report/ --trust customer.pub --max-age 36h --host audit-vm-01 "
            "--profile 'ai-audit-assist@>=1.0,<2'"
        )
    ),
)
@click.argument("folder", metavar="DIR")
@option(
    "--trust",
    metavar="KEY",
    required=True,
    text=msg("File with the trusted public keys (PEM or OpenSSH); never a file in DIR."),
)
@option("--max-age", metavar="D", text=msg("How old the run may be: 90m, 36h or 7d."))
@option("--host", metavar="ID", text=msg("Which host it must be: its name, or its identity (sha256:…)."))
@option(
    "--profile",
    "profile_range",
    metavar="NAME@RANGE",
    text=msg("Which profile it must be, with a version range as in PEP 440."),
)
@option("--with-confirmations", is_flag=True, text=msg("Let outstanding confirmations count in the exit code."))
@language
def command(
    *,
    folder: str,
    trust: str,
    max_age: str | None,
    host: str | None,
    profile_range: str | None,
    with_confirmations: bool,
) -> int:
    """End with the report's own exit code, or 6."""
    from vorflug.attest.gate import BadPolicy, Policy, decide, parse_age, parse_profile
    from vorflug.attest.verify import Refused

    try:
        policy = Policy(
            max_age=parse_age(max_age) if max_age is not None else None,
            host=host,
            profile=parse_profile(profile_range) if profile_range is not None else None,
            with_confirmations=with_confirmations,
        )
    except BadPolicy as error:
        raise Refusal(error.message, Exit.USAGE) from error
    try:
        said = verified(folder, trust).predicate
        code = decide(said, policy, datetime.now(UTC))
    except Refused as refused:
        raise refusal(refused) from refused
    values = {
        "host": said["host"]["name"],
        "profile": said["profile"]["name"],
        "version": said["profile"]["version"],
        "outcome": outcome(said["verdict"]["outcome"], code),
        "code": code,
    }
    click.echo(
        tell(
            msg("Let through: {host} for {profile} {version}, {outcome}.", **values)
            if code == Exit.READY
            else msg(
                "Not let through: the verified report of {host} for {profile} {version} ends with {code}: {outcome}.",
                **values,
            )
        )
    )
    return code
