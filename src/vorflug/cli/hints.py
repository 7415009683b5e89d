"""What a person probably meant by an option that click refuses: one more sentence after its own."""

from __future__ import annotations

import re
from io import StringIO

import click

from vorflug.model.message import Message, msg

_OTHERS = {"--timeout": "--deadline", "--max-time": "--deadline", "--cacert": "--ca", "-x": "--proxy"}
"""How other programs call an option (curl(1), wget(1))."""
_LIST = re.compile(r"'([^'\s,]+(?:,[^'\s,]+)+)'")
_SHOWN = 4
_QUOTED = re.compile(r"""(['"(])[^'"()\n]*@[^'"()\n]*(['")])""")
_WORD = re.compile(r"\S*@\S*")


def complaint(usage: click.ClickException) -> str:
    """What click says, without anything that holds an ``@``: it quotes what it refuses."""
    said = StringIO()
    usage.show(said)
    return _WORD.sub("…", _QUOTED.sub(r"\1…\2", said.getvalue()))


def hint(usage: click.ClickException) -> Message | None:
    """A sentence to be said after *usage*; None where nothing better is known."""
    match usage:
        case click.NoSuchOption(option_name=name, ctx=context) if context is not None and name in _OTHERS:
            ours = _OTHERS[name]
            has = any(ours in parameter.opts for parameter in context.command.params)
            # click guesses by spelling; where it guessed ours, nothing is left to say
            if has and ours not in (usage.possibilities or ()):
                return msg("Did you mean {option}?", option=ours)
            return None
        case click.BadParameter(param=click.Option() as option):
            if isinstance(option.type, click.DateTime):
                return msg("Wanted a date as YYYY-MM-DD, for example 2027-12-31.")
            listed = _LIST.search(usage.message)
            if option.multiple and listed is not None:
                every = " ".join(f"{option.opts[0]} {value}" for value in listed[1].split(",")[:_SHOWN])
                return msg("Give it more than once, each time with one value: {options}", options=every)
            return None
        case _:
            return None
