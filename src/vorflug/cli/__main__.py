"""The program.  Every way out ends here, with an exit code that the design names and never with a trace."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from vorflug.cli.errors import Exit, Refusal
from vorflug.cli.language import choose, tell
from vorflug.model.message import msg


def main() -> NoReturn:
    """Run the command line and end the process."""
    leave(execute(sys.argv[1:]))


def execute(arguments: list[str]) -> int:
    """Run one command line; return its exit code."""
    choose(arguments)
    import click

    from vorflug.cli.app import build

    try:
        code = build().main(args=arguments, prog_name="vorflug", standalone_mode=False)
    except Refusal as refusal:
        click.echo(f"vorflug: {tell(refusal.message)}", err=True)
        return int(refusal.code)
    except click.exceptions.Exit as end:
        return int(end.exit_code)
    except click.exceptions.NoArgsIsHelpError as usage:
        usage.show()
        return int(Exit.USAGE)
    except click.ClickException as usage:
        usage.show()
        return int(Exit.USAGE)
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"vorflug: {tell(msg('interrupted'))}", err=True)
        return int(Exit.INTERRUPTED)
    except BrokenPipeError:
        # the reader of our output went away (head, less): nothing is wrong here
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.INTERNAL)
    except Exception as error:  # noqa: BLE001 - the last net: a sentence and a log, never a trace
        from vorflug.cli.crash import record

        click.echo(f"vorflug: {tell(record(error))}", err=True)
        return int(Exit.INTERNAL)
    return code if isinstance(code, int) else 0


def leave(code: int) -> NoReturn:
    """Flush and end at once: threads that hang in the kernel must not keep the process alive."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or int(Exit.INTERNAL)
    os._exit(code)


if __name__ == "__main__":
    main()
