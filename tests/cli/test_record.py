"""A recording of this machine: whole, private, without secrets and people, and as good as the machine itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat

import pytest

from e2e.program import WITH_BAD_DAYS, Running, bad_days, profile
from vorflug.cli import options
from vorflug.cli.__main__ import execute
from vorflug.engine.collect import Stop
from vorflug.host.cassette import Cassette
from vorflug.host.live import LiveHost, personal
from vorflug.host.recorded import RecordedHost
from vorflug.host.recording import RecordingHost, Tape
from vorflug.host.stand_ins import StandIns
from vorflug.model.message import render
from vorflug.pipeline import observe

OTHERS = {"net.probe", "net.resolve", "registry.download", "registry.pull_rights", "kubernetes.server"}
"""Methods that contact other machines."""


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")


@pytest.fixture
def small(tmp_path):
    """A profile with one question to this machine and one to another."""
    return profile(
        tmp_path,
        ("memory", {"at_least": "1 MiB"}),
        ("egress_endpoint", {"url": "https://127.0.0.1:1/"}),
    )


def asked(cassette):
    return {f"{call.port}.{call.method}" for call in cassette.calls}


# ---- what a recording is worth ---------------------------------------------------------------------------------------


def look(case, open_host):
    crashed = []
    observations = list(
        observe(
            case,
            open_host,
            active=False,
            network=False,
            deadline=60,
            stop=Stop(),
            on_start=lambda _started: None,
            on_crash=crashed.append,
        )
    )
    assert crashed == []
    return {finding.header.id: finding for finding in case.findings(observations)}


def words(finding, stand_ins):
    """What a person reads; numbers may move between two readings of one counter."""
    verdict = finding.verdict
    said = [verdict.wanted, verdict.seen, verdict.because, verdict.fix]
    return [re.sub(r"[0-9]+(\.[0-9]+)?", "#", stand_ins.text(render(text))) if text else None for text in said]


@pytest.mark.parametrize("model", ["compose", "hybrid"])
def test_every_finding_of_this_machine_comes_out_of_its_recording(model):
    case = options.case(None, None, "M", model, None)
    tape = Tape()
    live = look(case, lambda seconds: RecordingHost(LiveHost(seconds), tape))
    stand_ins = StandIns(personal.names())
    text = stand_ins.cassette(tape.cassette()).to_yaml()
    host = RecordedHost(Cassette.from_yaml(text, "recording.yaml"))
    again = look(case, lambda _seconds: host)
    assert {id_: f.verdict.outcome for id_, f in again.items()} == {id_: f.verdict.outcome for id_, f in live.items()}
    assert {id_: words(f, stand_ins) for id_, f in again.items()} == {
        id_: words(f, stand_ins) for id_, f in live.items()
    }
    judged = [f for f in live.values() if f.verdict.outcome in {"met", "unmet"}]
    assert len(judged) >= 20, "hardly anything was looked at"


# ---- the file --------------------------------------------------------------------------------------------------------


def test_the_file_is_whole_private_and_said_to_be_what_it_is(tmp_path, capsys, small):
    out = tmp_path / "recording.yaml"
    assert execute(["record", "--profile", str(small), "--size", "M", "--out", str(out)]) == 0
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    cassette = Cassette.from_yaml(out.read_bytes(), str(out))
    made = cassette.recorded
    assert (made.profile, made.model, made.size, made.phase) == ("e2e@1.0.0", "compose", "M", "pre-install")
    assert (made.complete, made.network, made.elevated) == (True, False, os.geteuid() == 0)
    said = capsys.readouterr()
    assert said.out == ""
    last = said.err.splitlines()[-1]
    assert f"{len(cassette.calls)} answers of this machine in {out}" in last and "docs/recordings.md" in last
    assert "/proc/meminfo" in out.read_text() and "MemTotal:" in out.read_text()


def test_only_this_machine_is_asked_unless_the_network_was_allowed(tmp_path, small):
    local, wide = tmp_path / "local.yaml", tmp_path / "wide.yaml"
    assert execute(["record", "--profile", str(small), "--out", str(local)]) == 0
    assert execute(["record", "--profile", str(small), "--network", "--out", str(wide)]) == 0
    seen = Cassette.from_yaml(wide.read_bytes())
    assert not OTHERS & asked(Cassette.from_yaml(local.read_bytes()))
    assert "net.probe" in asked(seen) and seen.recorded.network


def test_a_second_recording_takes_the_place_of_the_first(tmp_path, small):
    out = tmp_path / "recording.yaml"
    out.write_text("old")
    assert execute(["record", "--profile", str(small), "--out", str(out)]) == 0
    assert Cassette.from_yaml(out.read_bytes()).calls


@pytest.mark.parametrize("kind", ["link", "folder", "nowhere"])
def test_where_it_cannot_be_written_nothing_is_asked(tmp_path, capsys, small, kind):
    out = tmp_path / "recording.yaml"
    match kind:
        case "link":
            (tmp_path / "other").write_text("mine")
            out.symlink_to(tmp_path / "other")
        case "folder":
            out.mkdir()
        case _:
            out = tmp_path / "nowhere/recording.yaml"
    assert execute(["record", "--profile", str(small), "--out", str(out)]) == 2
    assert str(out) in capsys.readouterr().err
    assert kind != "link" or (tmp_path / "other").read_text() == "mine"


def test_without_a_file_to_write_to_it_is_wrong_usage(capsys, small):
    assert execute(["record", "--profile", str(small)]) == 2
    assert "--out" in capsys.readouterr().err


def test_no_secret_and_no_name_is_in_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://svc:canary-of-the-recording@proxy.corp:3128")
    out = tmp_path / "recording.yaml"
    assert execute(["record", "--out", str(out)]) == 0
    text = out.read_text()
    assert "proxy.corp:3128" in text and "canary-of-the-recording" not in text
    name = socket.gethostname()
    assert len(name) < 3 or not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)


def test_interrupted_it_is_valid_and_says_that_it_is_not_whole(tmp_path):
    out = tmp_path / "recording.yaml"
    running = Running(
        ["record", "--profile", bad_days(tmp_path, "answers", "hangs"), "--out", out],
        home=tmp_path,
        program=WITH_BAD_DAYS,
    )
    running.wait_for_line("answers 0")
    running.process.send_signal(signal.SIGINT)
    ended = running.wait()
    assert ended.code == 130
    cassette = Cassette.from_yaml(out.read_bytes(), str(out))
    assert not cassette.recorded.complete
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(("recording", "."))] == ["recording.yaml"]
