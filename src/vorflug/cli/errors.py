"""Refusals that a person reads, and the exit codes they end with (a contract: docs/exit-codes.md)."""

from __future__ import annotations

from enum import IntEnum

from vorflug.model.message import Message


class Exit(IntEnum):
    """What the process ends with."""

    READY = 0
    INTERNAL = 1
    USAGE = 2
    NOT_READY = 3
    SHOULD_UNMET = 4
    UNDETERMINED = 5
    REFUSED = 6
    INTERRUPTED = 130


class Refusal(Exception):
    """Ends the command with a sentence on stderr and *code*; never with a trace."""

    def __init__(self, message: Message, code: Exit = Exit.USAGE) -> None:
        super().__init__(str(message))
        self.message = message
        self.code = code
