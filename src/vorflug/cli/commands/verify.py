"""``vorflug verify``: is a report genuine and whole?  Needs its folder and a key that came another way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vorflug.cli.errors import Exit, Refusal
from vorflug.cli.language import tell
from vorflug.cli.options import language, option
from vorflug.model.message import Message, msg

if TYPE_CHECKING:
    from vorflug.attest.verify import Refused, Verified


@click.command(
    help=tell(msg("Check that the report in DIR is whole and was signed by a trusted key.")),
    epilog=tell(msg("Example: vorflug verify vorflug-audit-vm-01-20261124T101200Z --trust customer.pub")),
)
@click.argument("folder", metavar="DIR")
@option(
    "--trust",
    metavar="KEY",
    required=True,
    text=msg("File with the trusted public keys (PEM or OpenSSH); never a file in DIR."),
)
@option("--format", "format_", type=click.Choice(["terminal", "json"]), default="terminal", text=msg("Output format."))
@language
def command(folder: str, trust: str, format_: str) -> int:
    """Say whether the report is genuine; end with 0 or 6."""
    from vorflug.attest.verify import Refused

    try:
        found = verified(folder, trust)
    except Refused as refused:
        if format_ == "json":
            click.echo(
                json.dumps(
                    {
                        "verified": False,
                        "step": refused.step.value,
                        "step_number": refused.step.number,
                        "reason": str(refused.message),
                    }
                )
            )
        raise refusal(refused) from refused
    said = found.predicate
    if format_ == "json":
        shown = {name: said[name] for name in ("verdict", "host", "profile", "tool", "times")}
        click.echo(json.dumps({"verified": True, "key": found.key.fingerprint, **shown}))
        return int(Exit.READY)
    click.echo(
        tell(msg("Verified: report.json and report.html are what the key {key} signed.", key=found.key.fingerprint))
    )
    click.echo(
        tell(
            msg(
                "Host {host}, profile {profile} {version}, {model}, size {size}, finished {finished}.",
                host=said["host"]["name"],
                profile=said["profile"]["name"],
                version=said["profile"]["version"],
                model=said["profile"]["model"],
                size=said["profile"]["size"],
                finished=said["times"]["finished"],
            )
        )
    )
    if said["times"].get("interrupted") is not None:
        click.echo(tell(msg("The run was interrupted ({by}): partial.", by=said["times"]["interrupted"])))
    word = outcome(said["verdict"]["outcome"], said["verdict"]["exit_code"])
    click.echo(tell(msg("The report's verdict: {outcome}.", outcome=word)))
    click.echo(
        tell(msg("Not proved: that the host told the truth. Whoever is root there holds the key of the report."))
    )
    return int(Exit.READY)


def verified(folder: str, trust: str) -> Verified:
    """The verified report.  Raises attest's Refused, or Refusal (2) where *trust* cannot be read."""
    from vorflug.attest.trust import Role, TrustUnreadable, load
    from vorflug.attest.verify import verify

    try:
        keys = load(Path(trust), Role.REPORT)
    except TrustUnreadable as error:
        raise Refusal(msg("--trust {what}", what=error.message), Exit.USAGE) from error
    return verify(Path(folder), keys, Path(trust))


def refusal(refused: Refused) -> Refusal:
    """The sentence that ends the command with 6."""
    return Refusal(
        msg(
            "refused at step {number} ({step}): {why}",
            number=refused.step.number,
            step=refused.step.shown_as,
            why=refused.message,
        ),
        Exit.REFUSED,
    )


def outcome(name: str, code: int) -> Message:
    """The verdict's words for people; where it is ready and *code* is not 0, what else was asked for."""
    match name, code:
        case "ready", Exit.SHOULD_UNMET:
            return msg("ready, but at least one should is not met (--strict)")
        case "ready", Exit.NOT_READY:
            return msg("ready, but a confirmation was answered no (--with-confirmations)")
        case "ready", Exit.UNDETERMINED:
            return msg("ready, but a confirmation is outstanding (--with-confirmations)")
        case "ready", _:
            return msg("ready")
        case "not_ready", _:
            return msg("not ready")
        case _:
            return msg("undetermined")
