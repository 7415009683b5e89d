from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from attest.samples import IDENTITY, ended, finding, new_key, report, verdict, write_report, write_trust
from vorflug.cli.__main__ import execute


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("LANGUAGE", "en")


class Gate:
    def __init__(self, folder):
        self.folder = folder
        self.key = new_key()
        self.trust = str(write_trust(folder / "customer.pub", self.key))

    def __call__(self, *options, age=timedelta(hours=2), **changes):
        then = (datetime.now(UTC) - age).isoformat().replace("+00:00", "Z")
        times = {"started": then, "finished": then, "evaluated": then, "interrupted": None}
        name = f"report-{len(list(self.folder.iterdir()))}"
        folder = write_report(self.folder / name, self.key, report(**{"times": times, **changes}))
        return execute(["gate", str(folder), "--trust", self.trust, *options])


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


def test_a_ready_report_is_let_through(gate, capsys):
    assert gate() == 0
    assert capsys.readouterr().out == "Let through: audit-vm-01 for ai-audit-assist 1.0.0, ready.\n"
    assert gate("--max-age", "3h", "--host", IDENTITY, "--profile", "ai-audit-assist@>=1.0,<2") == 0


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("not_ready", 3), ("ready", 4), ("undetermined", 5)],
)
def test_a_genuine_report_that_is_not_ready_ends_with_its_own_code(gate, capsys, outcome, code):
    assert gate(**ended(outcome, code)) == code
    assert f"ends with {code}" in capsys.readouterr().out


def test_confirmations_count_when_they_are_asked_for(gate):
    assert gate() == 0
    assert gate("--with-confirmations") == 5


@pytest.mark.parametrize(
    ("options", "changes", "says"),
    [
        (["--max-age", "1h"], {}, "step 11 (age)"),
        ([], {"age": timedelta(minutes=-6)}, "step 11 (age)"),
        (["--host", "other"], {}, "step 12 (host)"),
        (["--profile", "ai-audit-assist@>=2"], {}, "step 13 (profile)"),
        ([], {"verdict": verdict("ready", 130)}, "step 10 (complete run)"),
    ],
)
def test_policy_refuses_with_six_and_names_the_step(gate, capsys, options, changes, says):
    assert gate(*options, **changes) == 6
    out, err = capsys.readouterr()
    assert says in err and out == ""


def test_a_report_that_is_not_genuine_is_six_whatever_it_says(gate, capsys, tmp_path):
    stranger = write_report(tmp_path / "stranger", new_key())
    assert execute(["gate", str(stranger), "--trust", gate.trust]) == 6
    assert "step 5 (key)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [["--max-age", "soon"], ["--profile", "ai-audit-assist"], ["--max-age"], ["--no-such-option"]],
)
def test_wrong_usage_is_two(gate, capsys, options):
    assert gate(*options) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_deadline_is_no_interruption(gate):
    then = datetime.now(UTC).isoformat()
    times = {"started": then, "finished": then, "evaluated": then, "interrupted": "deadline"}
    assert gate(times=times, verdict=verdict("undetermined", 5), findings=[finding("A", "unknown")]) == 5


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (4, "ready, but at least one should is not met (--strict)"),
        (3, "ready, but a confirmation was answered no (--with-confirmations)"),
        (5, "ready, but a confirmation is outstanding (--with-confirmations)"),
    ],
)
def test_a_ready_report_that_is_held_back_says_by_what(gate, capsys, code, says):
    assert gate(**ended("ready", code)) == code
    assert f"the verified report of audit-vm-01 for ai-audit-assist 1.0.0 ends with {code}: {says}.\n" in (
        capsys.readouterr().out
    )


def test_in_german_it_is_the_verified_report(gate, capsys):
    assert gate("--lang", "de", **ended("ready", 4)) == 4
    assert "Der geprüfte Bericht" in (said := capsys.readouterr().out)
    assert "endet mit 4: bereit, aber mindestens ein Soll ist nicht erfüllt (--strict)." in said
