"""One cause for every finding that a silent engine leaves open."""

from __future__ import annotations

import pytest

from vorflug.model.container_engine import daemon_file_cause, engine_cause, engine_gap
from vorflug.model.message import msg, render
from vorflug.model.requirement import Outcome
from vorflug.ports.containers import EngineState


@pytest.mark.parametrize("state", list(EngineState))
def test_every_state_has_words_or_is_no_cause(state):
    cause, gap = engine_cause(state, "/run/x.sock"), engine_gap(msg("x"), state, "/run/x.sock")
    if state is EngineState.ANSWERING:
        assert cause is None and gap is None
        return
    assert (cause.kind, cause.subject) == (f"docker.{state}", "/run/x.sock")
    assert "/run/x.sock" in render(cause.says) and render(cause.fix)
    assert (gap.outcome, gap.cause, gap.fix) == (Outcome.UNKNOWN, cause, cause.fix)


def test_a_broken_daemon_file_is_named_with_its_line():
    cause = daemon_file_cause("/etc/docker/daemon.json", "/etc/docker/daemon.json:3: wanted JSON")
    assert cause.subject == "/etc/docker/daemon.json"
    assert ":3:" in render(cause.says)
