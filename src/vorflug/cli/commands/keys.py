"""``vorflug keys``: make and show signing keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vorflug.cli.errors import Exit, Refusal
from vorflug.cli.language import tell
from vorflug.cli.options import language, option
from vorflug.model.message import msg

if TYPE_CHECKING:
    from vorflug.attest.keys import PublicKey


@click.group(
    help=tell(
        msg(
            "Make and show signing keys. A passphrase is taken from the environment variable VORFLUG_KEY_PASSPHRASE, "
            "never from the command line."
        )
    ),
    epilog=tell(msg("Example: vorflug keys fingerprint")),
)
@language
def command() -> None:
    """Hold the commands below."""


@command.command(
    "new",
    short_help=tell(msg("Make a private key.")),
    help=tell(msg("Make a private key (PEM, PKCS #8, mode 600); what is there already is never overwritten.")),
    epilog=tell(msg("Example: vorflug keys new --out ci-report-key.pem")),
)
@option(
    "--type",
    "type_",
    type=click.Choice(["p256", "ed25519"]),
    default="p256",
    text=msg("Kind of key: ECDSA P-256 (default) or Ed25519."),
)
@option("--out", metavar="FILE", required=True, text=msg("Where the private key is written."))
@language
def new(type_: str, out: str) -> int:
    """Write the key; print its fingerprint."""
    from vorflug.attest.files import FileRefused, create_file
    from vorflug.attest.keys import PASSPHRASE, KeyRefused, KeyType, fingerprint, generate, passphrase, private_pem
    from vorflug.cli import interrupts
    from vorflug.host import secrets

    secrets.remember(os.environ.get(PASSPHRASE))
    key = generate(KeyType(type_))
    try:
        with interrupts.held():
            create_file(Path(out), private_pem(key, passphrase()))
    except (FileRefused, KeyRefused) as error:
        raise Refusal(error.message, Exit.USAGE) from error
    click.echo(fingerprint(key.public_key()))
    return int(Exit.READY)


@command.command(
    "show",
    short_help=tell(msg("Print a public key.")),
    help=tell(msg("Print the public key, as --trust wants it; default: the user's own report key.")),
    epilog=tell(msg("Example: vorflug keys show > customer.pub")),
)
@click.argument("file", metavar="[FILE]", required=False)
@language
def show(file: str | None) -> int:
    """Print public keys as PEM."""
    from vorflug.attest.keys import public_pem

    for key in _public_keys(file):
        click.echo(public_pem(key).decode("ascii"), nl=False)
    return int(Exit.READY)


@command.command(
    "fingerprint",
    short_help=tell(msg("Print a key's fingerprint.")),
    help=tell(msg("Print the fingerprint, as ssh-keygen does; default: of the user's own report key.")),
    epilog=tell(msg("Example: vorflug keys fingerprint report-key.pub")),
)
@click.argument("file", metavar="[FILE]", required=False)
@language
def show_fingerprint(file: str | None) -> int:
    """Print one fingerprint per key."""
    from vorflug.attest.keys import fingerprint

    for key in _public_keys(file):
        click.echo(fingerprint(key))
    return int(Exit.READY)


def _public_keys(file: str | None) -> tuple[PublicKey, ...]:
    """The keys in *file*, else the user's own report key.  Raises Refusal (2)."""
    from vorflug.attest.keys import PASSPHRASE, KeyRefused, report_key_path
    from vorflug.attest.trust import TrustUnreadable, public_keys
    from vorflug.host import secrets

    secrets.remember(os.environ.get(PASSPHRASE))
    path = Path(file) if file is not None else report_key_path()
    if path is None:
        raise Refusal(msg("There is no folder for a report key: neither XDG_CONFIG_HOME nor HOME names one."))
    if file is None and not os.path.lexists(path):
        raise Refusal(
            msg(
                "There is no report key yet ({file}). The first run makes it; or make one: vorflug keys new --out FILE",
                file=str(path),
            )
        )
    try:
        return public_keys(path)
    except (KeyRefused, TrustUnreadable) as error:
        raise Refusal(error.message, Exit.USAGE) from error
