"""What is said of a stream that proved nothing."""

from __future__ import annotations

import pytest

from vorflug.model.message import render
from vorflug.model.streamed import to_try, unproved
from vorflug.ports.net import Mode, StreamSeen


@pytest.mark.parametrize(
    ("mode", "stream", "says", "advice"),
    [
        (Mode.SSE, StreamSeen(0, ended="complete"), "no event came", "five events"),
        (Mode.SSE, StreamSeen(3, (0.1, 1.1, 2.1), ended="complete"), "3 events came: too few or too close", "five events"),
        (Mode.WS, StreamSeen(0, ended="complete", detail="close 4001"), "ended the connection itself (close 4001)", "echoes"),
    ],
)  # fmt: skip
def test_it_says_what_was_seen_and_with_what_to_try_again(mode, stream, says, advice):
    assert says in render(unproved(mode, stream)) and advice in render(to_try(mode))
