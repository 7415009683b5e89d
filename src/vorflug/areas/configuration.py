"""The customer's configuration: are the keys of ``.env`` and ``config.yaml`` set, and none still as shipped?

Values are compared behind the package port; here are names of keys and what is true of their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.package_file import FileFact, file_gap
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unmet
from vorflug.ports import Host
from vorflug.ports.package import Allowed, KeysRead, ValueState

TITLE = msg("Configuration")

FilePath = Annotated[str, StringConstraints(pattern=r"^/", max_length=4096)]
"""An absolute path."""


class KeysFact(Fact):
    """The keys that were asked about."""

    class Key(Fact):
        """One key."""

        name: str
        state: ValueState
        allowed: bool | None
        """Whether the value is one of those asked about; None where none were, or where it is not set."""

    file: FileFact
    keys: tuple[Key, ...]
    defaults: tuple[str, ...]
    """Every key of the file whose value is a shipped default, asked about or not."""

    @classmethod
    def of(cls, read: KeysRead) -> KeysFact:
        """The fact that a port's answer is."""
        return cls(
            file=FileFact.of(read.file),
            keys=tuple(cls.Key(name=k.name, state=k.state, allowed=k.allowed) for k in read.keys),
            defaults=read.defaults,
        )

    def missing(self, keys: Sequence[str]) -> tuple[str, ...]:
        """Those of *keys* that are absent or empty."""
        unset = {k.name for k in self.keys if k.state in (ValueState.ABSENT, ValueState.EMPTY)}
        return tuple(key for key in keys if key in unset)


@dataclass(frozen=True, kw_only=True)
class EnvQuery(Query[KeysFact]):
    """Which keys does the env file set?"""

    kind = "package_env"
    path: str
    keys: tuple[str, ...]
    defaults: tuple[str, ...]
    allowed: tuple[Allowed, ...] = ()

    def asks(self) -> Message:
        return msg("Which keys does {path} set, and is a value still as shipped?", path=self.path)

    def observe(self, host: Host) -> KeysFact:
        return KeysFact.of(host.package.env(self.path, self.keys, self.defaults, self.allowed))


@dataclass(frozen=True, kw_only=True)
class ConfigQuery(Query[KeysFact]):
    """Which keys does the configuration file set?"""

    kind = "package_config"
    path: str
    keys: tuple[str, ...]
    defaults: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Does {path} set {keys:list}?", path=self.path, keys=self.keys)

    def observe(self, host: Host) -> KeysFact:
        return KeysFact.of(host.package.config(self.path, self.keys, self.defaults))


class ProxyFact(Fact):
    """Proxy variables of the env file."""

    file: FileFact
    http: bool
    https: bool
    no_proxy: bool
    """Whether they are set."""
    missing: tuple[str, ...]
    """Of the names asked about: those that NO_PROXY does not cover."""


@dataclass(frozen=True, kw_only=True)
class ProxyQuery(Query[ProxyFact]):
    """Which proxy variables does the env file set?"""

    kind = "package_env_proxy"
    path: str
    no_proxy: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Which proxy variables does {path} set?", path=self.path)

    def observe(self, host: Host) -> ProxyFact:
        read = host.package.env_proxy(self.path, self.no_proxy)
        return ProxyFact(
            file=FileFact.of(read.file),
            http=read.http,
            https=read.https,
            no_proxy=read.no_proxy,
            missing=read.missing,
        )


_Fault = tuple[Message, Message, Message]
"""What was seen, what to say, what to do."""


def _not_set(path: str, keys: tuple[str, ...]) -> list[_Fault]:
    if not keys:
        return []
    return [
        (
            msg("not set: {keys:list}", keys=keys),
            msg("{path} does not set {keys:list}.", path=path, keys=keys),
            msg("Set {keys:list} in {path}.", keys=keys, path=path),
        )
    ]


def _as_shipped(path: str, keys: tuple[str, ...]) -> list[_Fault]:
    if not keys:
        return []
    return [
        (
            msg("as shipped: {keys:list}", keys=keys),
            msg("{path} still has the shipped value for {keys:list}.", path=path, keys=keys),
            msg("Set a value of your own for each of these keys in {path}: {keys:list}.", keys=keys, path=path),
        )
    ]


def _unmet(wanted: Message, faults: Sequence[_Fault]) -> Verdict:
    return unmet(
        wanted=wanted,
        seen=listed(seen for seen, _, _ in faults),
        because=sentences(because for _, because, _ in faults),
        fix=sentences(fix for _, _, fix in faults),
    )


class EnvKeysRequirement(Requirement):
    """The env file sets these keys, and no key of it still has a shipped default."""

    kind = "env_keys"
    path: FilePath
    keys: tuple[str, ...] = ()
    """Keys that must be set."""
    defaults: tuple[str, ...] = ()
    """Values that count as never changed (``changeme``), whatever their case."""
    allowed: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Keys whose value must be one of a list, whatever its case: ``LOG_LEVEL: [info, warning, error]``."""

    def wanted(self) -> Message:
        names = tuple(dict.fromkeys((*self.keys, *self.allowed)))
        if not names:
            return msg("no value of {path} as shipped", path=self.path)
        return msg("{keys:list} set in {path}, no value as shipped", keys=names, path=self.path)

    def queries(self, known: Evidence) -> Sequence[EnvQuery]:  # noqa: ARG002 - one question, whatever is known
        return [self._query()]

    def _query(self) -> EnvQuery:
        return EnvQuery(
            path=self.path,
            keys=self.keys,
            defaults=self.defaults,
            allowed=tuple(Allowed(key, values) for key, values in self.allowed.items()),
        )

    def judge(self, evidence: Evidence) -> Verdict:
        env = evidence[self._query()]
        if (gap := file_gap(self.wanted(), env.file)) is not None:
            return gap
        faults = self._faults(env)
        if faults:
            return _unmet(self.wanted(), faults)
        return met(
            wanted=self.wanted(),
            seen=msg("all set"),
            because=msg("{path} sets what is wanted, and nothing is as shipped.", path=self.path),
        )

    def _faults(self, env: KeysFact) -> list[_Fault]:
        refused = [k.name for k in env.keys if k.allowed is False]
        return [
            *_not_set(self.path, env.missing((*self.keys, *self.allowed))),
            *_as_shipped(self.path, env.defaults),
            *(
                (
                    msg("{key} has another value", key=key),
                    msg("{key} in {path} has none of the values wanted.", key=key, path=self.path),
                    msg("Set {key} in {path} to {values:or}.", key=key, path=self.path, values=self.allowed[key]),
                )
                for key in refused
            ),
        ]


class ConfigKeysRequirement(Requirement):
    """The configuration file sets these keys to values of their own."""

    kind = "config_keys"
    path: FilePath
    keys: Annotated[tuple[str, ...], Field(min_length=1)]
    """Dotted: ``embedding.model``; a number is an index in a list."""
    defaults: tuple[str, ...] = ()
    """Placeholders that count as not set (``<model>``), whatever their case."""

    def wanted(self) -> Message:
        return msg("{keys:list} set in {path}", keys=self.keys, path=self.path)

    def queries(self, known: Evidence) -> Sequence[ConfigQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ConfigQuery(path=self.path, keys=self.keys, defaults=self.defaults)]

    def judge(self, evidence: Evidence) -> Verdict:
        config = evidence[ConfigQuery(path=self.path, keys=self.keys, defaults=self.defaults)]
        if (gap := file_gap(self.wanted(), config.file)) is not None:
            return gap
        placeholders = tuple(k for k in self.keys if k in config.defaults)
        faults = [*_not_set(self.path, config.missing(self.keys)), *_as_shipped(self.path, placeholders)]
        if faults:
            return _unmet(self.wanted(), faults)
        return met(
            wanted=self.wanted(),
            seen=msg("all set"),
            because=msg("{path} sets {keys:list}.", path=self.path, keys=self.keys),
        )


class EnvProxyRequirement(Requirement):
    """Containers get the proxy from the env file, and leave it out where they must."""

    kind = "env_proxy"
    path: FilePath
    no_proxy: tuple[str, ...] = ()
    """Names, addresses or networks that NO_PROXY must cover: ``localhost``, service names, the local LLM."""

    def wanted(self) -> Message:
        if self.no_proxy:
            return msg("proxy variables in {path}, NO_PROXY for {names:list}", path=self.path, names=self.no_proxy)
        return msg("proxy variables in {path}", path=self.path)

    def queries(self, known: Evidence) -> Sequence[ProxyQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ProxyQuery(path=self.path, no_proxy=self.no_proxy)]

    def judge(self, evidence: Evidence) -> Verdict:
        proxy = evidence[ProxyQuery(path=self.path, no_proxy=self.no_proxy)]
        if (gap := file_gap(self.wanted(), proxy.file)) is not None:
            return gap
        named = (("HTTP_PROXY", proxy.http), ("HTTPS_PROXY", proxy.https), ("NO_PROXY", proxy.no_proxy))
        unset = tuple(name for name, is_set in named if not is_set)
        faults = _not_set(self.path, unset)
        if proxy.no_proxy and proxy.missing:
            faults.append(
                (
                    msg("NO_PROXY without {names:list}", names=proxy.missing),
                    msg("NO_PROXY in {path} leaves out {names:list}.", path=self.path, names=proxy.missing),
                    msg("Add {names:list} to NO_PROXY in {path}.", names=proxy.missing, path=self.path),
                )
            )
        if faults:
            return _unmet(self.wanted(), faults)
        return met(
            wanted=self.wanted(),
            seen=msg("all set"),
            because=msg("{path} sets the proxy variables.", path=self.path),
        )
