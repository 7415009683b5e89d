"""The program.  Every way out ends here, with an exit code that the design names and never with a trace."""

from __future__ import annotations

# what takes time to load is imported once a Ctrl-C can no longer print a trace
import os
import sys
from typing import NoReturn

from vorflug.cli import interrupts


def main() -> NoReturn:
    """Run the command line and end the process."""
    interrupts.arm()
    from vorflug.cli import streams

    streams.prepare()
    leave(execute(sys.argv[1:]))


def execute(arguments: list[str]) -> int:
    """Run one command line; return its exit code."""
    from vorflug.cli.errors import Exit, Refusal
    from vorflug.cli.language import choose, tell
    from vorflug.cli.surroundings import without_openssl_settings
    from vorflug.model.message import msg

    without_openssl_settings(os.environ)
    choose(arguments)
    import click

    from vorflug.cli.app import build

    interrupted = f"vorflug: {tell(msg('interrupted'))}"
    interrupts.say(interrupted)
    try:
        code = build().main(args=arguments, prog_name="vorflug", standalone_mode=False)
    except Refusal as refusal:
        _complain(f"vorflug: {tell(refusal.message)}")
        return int(refusal.code)
    except click.exceptions.Exit as end:
        return int(end.exit_code)
    except click.ClickException as usage:
        from vorflug.cli.hints import complaint, hint

        click.echo(complaint(usage), err=True, nl=False)
        if (meant := hint(usage)) is not None:
            _complain(tell(meant))
        return int(Exit.USAGE)
    except (KeyboardInterrupt, click.Abort):
        _complain(interrupted)
        return int(Exit.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last net: a sentence and a log, never a trace
        from vorflug.cli.crash import record

        _complain(f"vorflug: {tell(record(error))}")
        return int(Exit.INTERNAL)
    return code if isinstance(code, int) else 0


def leave(code: int) -> NoReturn:
    """Flush and end at once: threads that hang in the kernel must not keep the process alive."""
    from vorflug.cli import streams
    from vorflug.cli.errors import Exit
    from vorflug.cli.language import tell
    from vorflug.model.message import msg

    lost = streams.flush()
    if lost is not None:
        _complain(
            "vorflug: "
            + tell(msg("standard output cannot be written ({error}): it is not complete.", error=lost.strerror or "?"))
        )
        streams.flush()
        code = code or int(Exit.INTERNAL)
    os._exit(code)


def _complain(sentence: str) -> None:
    import click

    from vorflug.host.secrets import redact

    # a refusal may quote what it saw
    click.echo(redact(sentence), err=True)


if __name__ == "__main__":
    main()
