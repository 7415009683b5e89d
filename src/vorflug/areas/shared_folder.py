"""SHARED_FOLDER: do the env file, the configuration and the compose file mean the folder that the site file names?

What the files say is compared behind the package port and never shown: a path is no secret, but what stands in its
place may be one.  The folder that the site file names is shown.
Source: Compose Specification, "volumes", "Interpolation".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

from vorflug.model.contact import Contact, written
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.package_file import FileFact, file_gap
from vorflug.model.path import AbsolutePath
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports import Host
from vorflug.ports.package import Agreement, SharedFolder

TITLE = msg("Shared folder")


class SharedFolderFact(Fact):
    """How three files name one folder."""

    env: FileFact
    config: FileFact
    compose: FileFact
    in_env: Agreement
    in_config: Agreement
    in_compose: Agreement


@dataclass(frozen=True, kw_only=True)
class SharedFolderQuery(Query[SharedFolderFact]):
    """Do the delivered files mean this folder?"""

    kind = "shared_folder"
    where: SharedFolder

    def asks(self) -> Message:
        return msg(
            "Do {env}, {config} and {compose} mean the folder {path}?",
            env=self.where.env_path,
            config=self.where.config_path,
            compose=self.where.compose_path,
            path=self.where.path,
        )

    def contacts(self) -> tuple[Contact, ...]:
        return tuple(written((self.where.env_path, self.where.config_path, self.where.compose_path)))

    def observe(self, host: Host) -> SharedFolderFact:
        read = host.package.shared_folder(self.where)
        return SharedFolderFact(
            env=FileFact.of(read.env),
            config=FileFact.of(read.config),
            compose=FileFact.of(read.compose),
            in_env=read.in_env,
            in_config=read.in_config,
            in_compose=read.in_compose,
        )


class SharedFolderConsistentRequirement(Requirement):
    """The env file, the configuration where it names one, and a volume of the compose file mean the same folder."""

    kind = "shared_folder_consistent"
    path: AbsolutePath
    env_path: AbsolutePath
    env_key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    config_path: AbsolutePath
    config_key: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Dotted; a configuration without it follows the env file."""
    compose_path: AbsolutePath

    def wanted(self) -> Message:
        return msg("{path} in .env, configuration and compose file", path=self.path)

    def queries(self, known: Evidence) -> Sequence[SharedFolderQuery]:  # noqa: ARG002 - one question, whatever is known
        return [self._query()]

    def _query(self) -> SharedFolderQuery:
        return SharedFolderQuery(
            where=SharedFolder(
                self.path, self.env_path, self.env_key, self.config_path, self.config_key, self.compose_path
            )
        )

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[self._query()]
        for file in (fact.env, fact.config, fact.compose):
            if (gap := file_gap(self.wanted(), file)) is not None:
                return gap
        faults = [fault for wrong, *fault in self._faults(fact) if wrong]
        if faults:
            return unmet(
                wanted=self.wanted(),
                seen=listed(seen for seen, _, _ in faults),
                because=sentences(because for _, because, _ in faults),
                fix=sentences(fix for _, _, fix in faults),
            )
        if fact.in_config is Agreement.ABSENT:
            return met(
                wanted=self.wanted(),
                seen=msg("the same in .env and compose file"),
                because=msg(
                    "{env} and {compose} mean {path}; {config} names no folder of its own.",
                    env=self.env_path,
                    compose=self.compose_path,
                    config=self.config_path,
                    path=self.path,
                ),
            )
        return met(
            wanted=self.wanted(),
            seen=msg("the same everywhere"),
            because=msg(
                "{env}, {config} and {compose} mean {path}.",
                env=self.env_path,
                config=self.config_path,
                compose=self.compose_path,
                path=self.path,
            ),
        )

    def _faults(self, fact: SharedFolderFact) -> Sequence[tuple[bool, Message, Message, Message]]:
        """Every fault that is looked for, worst first: whether it is there, what was seen, what to say, what to do."""
        env_is_wrong = fact.in_env is not Agreement.SAME
        return (
            (
                fact.in_env is Agreement.ABSENT,
                msg("not set: {keys:list}", keys=(self.env_key,)),
                msg("{path} does not set {keys:list}.", path=self.env_path, keys=(self.env_key,)),
                self._set(self.env_key, self.env_path),
            ),
            (
                fact.in_env is Agreement.OTHER,
                msg("another folder in .env"),
                msg(
                    "{key} in {file} is not the folder {path} that the site file names, and that was looked at here.",
                    key=self.env_key,
                    file=self.env_path,
                    path=self.path,
                ),
                self._set(self.env_key, self.env_path),
            ),
            (
                fact.in_config is Agreement.OTHER,
                msg("another folder in the configuration"),
                msg(
                    "{key} in {file} is not the folder {path}.",
                    key=self.config_key,
                    file=self.config_path,
                    path=self.path,
                ),
                self._set(self.config_key, self.config_path),
            ),
            (
                fact.in_compose is not Agreement.SAME,
                msg("no volume for it in the compose file"),
                msg(
                    "No service of {file} has {path} as a volume: what is written there stays in the container.",
                    file=self.compose_path,
                    path=self.path,
                ),
                (
                    msg(
                        "Volumes that name {key} follow; else mount {path} under volumes in {file}.",
                        key=self.env_key,
                        path=self.path,
                        file=self.compose_path,
                    )
                    if env_is_wrong
                    else msg(
                        "Mount {path} into the services that use it, under volumes in {file}.",
                        path=self.path,
                        file=self.compose_path,
                    )
                ),
            ),
        )

    def _set(self, key: str, file: str) -> Message:
        return msg(
            "Set {key} in {file} to {path}, or correct the folder in the site file.",
            key=key,
            file=file,
            path=self.path,
        )
