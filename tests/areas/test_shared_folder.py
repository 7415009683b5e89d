"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.shared_folder import SharedFolderConsistentRequirement, SharedFolderFact, SharedFolderQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.package_file import FileFact
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.package import Agreement, FileRead, Reading, SharedFolder, SharedFolderRead

FOLDER, ENV, CONFIG, COMPOSE = "/opt/shared", "/srv/.env", "/srv/config.yaml", "/srv/compose.yaml"
WHERE = SharedFolder(FOLDER, ENV, "SHARED_FOLDER", CONFIG, "storage.folder", COMPOSE)
QUERY = SharedFolderQuery(where=WHERE)
DEMAND = SharedFolderConsistentRequirement.model_validate(
    header(
        path=FOLDER,
        env_path=ENV,
        env_key="SHARED_FOLDER",
        config_path=CONFIG,
        config_key="storage.folder",
        compose_path=COMPOSE,
    )
)
SAME, OTHER, ABSENT = Agreement.SAME, Agreement.OTHER, Agreement.ABSENT


def judge(fact):
    return DEMAND.judge(Evidence([Observation(QUERY, fact if isinstance(fact, Unseen) else Seen(fact))]))


def fact(env=SAME, config=SAME, compose=SAME, absent=None):
    files = {
        name: FileFact(path=name, reading=Reading.ABSENT if name == absent else Reading.GOOD)
        for name in ("env", "config", "compose")
    }
    return SharedFolderFact(**files, in_env=env, in_config=config, in_compose=compose)


def test_fact():
    reads = [FileRead(name, Reading.GOOD) for name in ("env", "config", "compose")]
    asked = []

    def shared_folder(where):
        asked.append(where)
        return SharedFolderRead(*reads, SAME, OTHER, ABSENT)

    assert QUERY.observe(fake_host(package=FakePort(shared_folder=shared_folder))) == fact(SAME, OTHER, ABSENT)
    assert asked == [WHERE]


@pytest.mark.parametrize(
    ("seen", "outcome", "words", "because"),
    [
        (fact(), Outcome.MET, "the same everywhere", f"{ENV}, {CONFIG} and {COMPOSE} mean {FOLDER}."),
        (
            fact(config=ABSENT),
            Outcome.MET,
            "the same in .env and compose file",
            f"{ENV} and {COMPOSE} mean {FOLDER}; {CONFIG} names no folder of its own.",
        ),
        (fact(env=ABSENT), Outcome.UNMET, "not set: SHARED_FOLDER", f"{ENV} does not set SHARED_FOLDER."),
        (
            fact(env=OTHER),
            Outcome.UNMET,
            "another folder in .env",
            f"SHARED_FOLDER in {ENV} is not the folder {FOLDER} that the site file names, and that was looked at here.",
        ),
        (
            fact(config=OTHER),
            Outcome.UNMET,
            "another folder in the configuration",
            f"storage.folder in {CONFIG} is not the folder {FOLDER}.",
        ),
        (
            fact(compose=OTHER),
            Outcome.UNMET,
            "no volume for it in the compose file",
            f"No service of {COMPOSE} has {FOLDER} as a volume: what is written there stays in the container.",
        ),
        (
            fact(compose=ABSENT),
            Outcome.UNMET,
            "no volume for it in the compose file",
            f"No service of {COMPOSE} has {FOLDER} as a volume: what is written there stays in the container.",
        ),
    ],
)
def test_verdict(seen, outcome, words, because):
    verdict = judge(seen)
    assert (verdict.outcome, render(verdict.seen), render(verdict.because)) == (outcome, words, because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_every_file_that_differs_is_told_with_its_fix():
    verdict = judge(fact(OTHER, OTHER, OTHER))
    assert render(verdict.seen) == (
        "another folder in .env; another folder in the configuration; no volume for it in the compose file"
    )
    assert render(verdict.because) == (
        f"SHARED_FOLDER in {ENV} is not the folder {FOLDER} that the site file names, and that was looked at here. "
        f"storage.folder in {CONFIG} is not the folder {FOLDER}. "
        f"No service of {COMPOSE} has {FOLDER} as a volume: what is written there stays in the container."
    )
    assert render(verdict.fix) == (
        f"Set SHARED_FOLDER in {ENV} to {FOLDER}, or correct the folder in the site file. "
        f"Set storage.folder in {CONFIG} to {FOLDER}, or correct the folder in the site file. "
        f"Volumes that name SHARED_FOLDER follow; else mount {FOLDER} under volumes in {COMPOSE}."
    )


@pytest.mark.parametrize(("env", "follows"), [(SAME, False), (OTHER, True), (ABSENT, True)])
def test_a_volume_follows_the_env_file_only_where_that_is_wrong(env, follows):
    assert ("follow" in render(judge(fact(env, SAME, OTHER)).fix)) is follows


@pytest.mark.parametrize("name", ["env", "config", "compose"])
def test_a_file_that_cannot_be_used_is_its_own_cause(name):
    verdict = judge(fact(absent=name))
    assert (verdict.outcome, verdict.cause.kind, verdict.cause.subject) == (Outcome.UNMET, "file.absent", name)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


def test_words():
    assert render(DEMAND.wanted()) == f"{FOLDER} in .env, configuration and compose file"
    assert DEMAND.queries(Evidence()) == [QUERY]
    assert render(QUERY.asks()) == f"Do {ENV}, {CONFIG} and {COMPOSE} mean the folder {FOLDER}?"


def test_the_plan_names_the_files():
    assert {c.target for c in QUERY.contacts()} == {ENV, CONFIG, COMPOSE}
