"""One cause for every finding that a silent engine leaves open."""

from __future__ import annotations

import pytest

from vorflug.model.container_engine import (
    EngineFact,
    daemon_file_cause,
    daemon_file_gap,
    engine_cause,
    engine_fault,
    engine_gap,
    engine_seen,
)
from vorflug.model.message import msg, render
from vorflug.model.requirement import Outcome
from vorflug.ports.containers import EngineState


@pytest.mark.parametrize("state", list(EngineState))
def test_every_state_has_words_or_is_no_cause(state):
    cause = engine_cause(state, "/run/x.sock")
    gap = engine_gap(msg("x"), cause)
    if state is EngineState.ANSWERING:
        assert cause is None and gap is None
        return
    assert (cause.kind, cause.subject) == (f"docker.{state}", "/run/x.sock")
    assert "/run/x.sock" in render(cause.says) and render(cause.fix)
    assert (gap.outcome, gap.cause, gap.fix) == (Outcome.UNKNOWN, cause, cause.fix)


CLOSED = (EngineState.DENIED, EngineState.TIMEOUT, EngineState.REMOTE)


@pytest.mark.parametrize("state", [state for state in EngineState if state is not EngineState.ANSWERING])
def test_the_engine_s_own_fault_is_unmet_but_behind_a_closed_door_unknown(state):
    engine = EngineFact(state=state, socket="/run/x.sock", detail="EXYZ")
    fault = engine_fault(msg("x"), engine)
    assert fault.outcome is (Outcome.UNKNOWN if state in CLOSED else Outcome.UNMET)
    assert (fault.cause, fault.because, fault.fix) == (engine.cause, engine.cause.says, engine.cause.fix)
    assert render(fault.seen) == render(engine_seen(engine)) != render(fault.because)


@pytest.mark.parametrize(
    ("fields", "seen"),
    [
        ({"state": "absent"}, "no /s, neither docker nor dockerd"),
        ({"state": "absent", "installed": True}, "no /s; docker or dockerd is installed"),
        ({"state": "refused", "detail": "ECONNREFUSED"}, "/s: ECONNREFUSED"),
        ({"state": "denied"}, "/s: denied"),
        ({"state": "answering", "version": "20.10.24+dfsg1"}, "Docker Engine 20.10.24+dfsg1"),
        ({"state": "answering", "product": "Podman Engine", "version": "4.9.4"}, "Podman Engine 4.9.4"),
    ],
)
def test_what_was_found_at_the_socket(fields, seen):
    assert render(engine_seen(EngineFact(socket="/s", **fields))) == seen


@pytest.mark.parametrize("product", ["Podman Engine", "podman"])
def test_podman_speaks_the_api_and_is_another_product(product):
    engine = EngineFact(state=EngineState.ANSWERING, socket="/s", product=product, version="4.9.4")
    assert engine.cause.kind == "docker.other_product" and product in render(engine.cause.says)
    assert engine_fault(msg("x"), engine).outcome is Outcome.UNMET
    assert engine_gap(msg("x"), engine.cause).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("product", ["", "Docker Engine - Community", "Mirantis Container Runtime"])
def test_an_engine_that_answers_has_no_fault(product):
    engine = EngineFact(state=EngineState.ANSWERING, socket="/s", product=product)
    assert engine.cause is None and engine_fault(msg("x"), engine) is None


def test_a_broken_daemon_file_is_unmet_with_what_the_parser_saw():
    gap = daemon_file_gap(msg("x"), "/d.json", "/d.json:3: wanted JSON")
    assert (gap.outcome, gap.cause) == (Outcome.UNMET, daemon_file_cause("/d.json", "/d.json:3: wanted JSON"))
    assert render(gap.seen) == "/d.json:3: wanted JSON" != render(gap.because)
    assert gap.fix == gap.cause.fix


def test_a_broken_daemon_file_is_named_with_its_line():
    cause = daemon_file_cause("/etc/docker/daemon.json", "/etc/docker/daemon.json:3: wanted JSON")
    assert cause.subject == "/etc/docker/daemon.json"
    assert ":3:" in render(cause.says)
