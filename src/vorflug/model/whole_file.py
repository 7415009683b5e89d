"""Files of which the end counts as much as the beginning: what was cut is not taken for the whole."""

from __future__ import annotations

from vorflug.ports import Host

_MOST_BYTES = 1 << 20
"""What `vorflug.ports.files.Files.read_text` reads while nothing else is said."""


class NotWhole(NotImplementedError):
    """The whole text of a file cannot be had; the message names the file."""


def read_whole(host: Host, path: str, *, limit: int = _MOST_BYTES) -> str:
    """The whole text of the file at *path*, which must have less than *limit* bytes.

    Raises NotWhole where it cannot be had: the file is too long, or *path* is a FIFO,
    socket, device or folder; and what `vorflug.ports.files.Files.read_text` raises besides.
    """
    try:
        text = host.files.read_text(path, limit=limit)
    except IsADirectoryError:
        raise NotWhole(f"{path} is no file but a folder") from None
    except ValueError as error:
        raise NotWhole(str(error)) from None
    return uncut(path, text, limit)


def uncut(path: str, text: str, limit: int) -> str:
    """*text*, of which at most *limit* bytes were read.  Raises NotWhole where as many as that were."""
    if len(text.encode()) >= limit:
        raise NotWhole(f"{path} has {limit} bytes or more, and its end could say something else")
    return text
