"""What a page about one code says."""

from __future__ import annotations

from dataclasses import dataclass

from vorflug.model.message import Message, msg


@dataclass(frozen=True, kw_only=True)
class Page:
    """One code, for a reader who has only its name.  Holds no value of any run."""

    seen: Message
    """What was seen on the wire, and no more."""
    proves: Message
    """What follows from that with certainty."""
    not_proves: Message
    """What it is easily taken for, and what else looks the same."""
    who: Message
    """Who mends it, and who else it may be.  The team that is asked first is `netcause.team_of`."""
    ask: Message
    """What to ask them for: sentences that can be forwarded as they are, with the values of the case below them."""
    look: tuple[str, ...]
    """Command lines with which a stranger sees the same; words in capitals (NAME, PORT) are placeholders."""

    def parts(self, team: Message | None) -> tuple[tuple[Message, Message], ...]:
        """Everything but the command lines with its heading, in reading order; *team* is the one to ask first."""
        return (
            (msg("Seen"), self.seen),
            (msg("Means"), self.proves),
            (msg("Not proved"), self.not_proves),
            (msg("Who acts"), self.who),
            *(((msg("Ask first"), team),) if team is not None else ()),
            (msg("To be forwarded"), self.ask),
            (
                msg("Below that"),
                msg(
                    "target and port, proxy or nameserver, this host and its address, time, code and evidence, as "
                    "vorflug diagnose prints them under “For”."
                ),
            ),
        )
