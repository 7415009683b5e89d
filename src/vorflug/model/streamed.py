"""What is said of a stream that was opened and proved nothing: neither that it passes nor that it is stopped."""

from __future__ import annotations

from vorflug.model.message import Message, msg
from vorflug.ports.net import Mode, StreamSeen


def unproved(mode: Mode, stream: StreamSeen) -> Message:
    """What was seen of *stream*, which is not flowing and has no fault."""
    if mode is Mode.WS:
        return msg(
            "The upgrade was granted, and the service ended the connection itself ({detail}).", detail=stream.detail
        )
    if not stream.events:
        return msg("The stream was opened, but no event came.")
    return msg("{n} events came: too few or too close together to tell whether they were held back.", n=stream.events)


def to_try(mode: Mode) -> Message:
    """With which address it can be decided."""
    if mode is Mode.WS:
        return msg("Try with an address whose WebSocket echoes, or at least answers pings, without a login.")
    return msg("Try with an address that sends five events, a second apart.")
