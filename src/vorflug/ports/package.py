"""The files that the customer was given: ``.env``, configuration, compose file, licence.

Files with secrets are parsed behind this port.  What comes back is the names of keys and what is true of their values
(set, empty, a default that was shipped), never a value.  Values that names or demands may hold are compared here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

READ_AT_MOST = 1 << 20
"""Bytes: a longer file is refused as `Reading.TOO_LARGE`."""


class Format(StrEnum):
    """How a file is meant to be written."""

    ANY = "any"
    ENV = "env"
    YAML = "yaml"
    JSON = "json"
    COMPOSE = "compose"
    """YAML with a mapping ``services`` (Compose Specification)."""


class Reading(StrEnum):
    """What became of the attempt to read a file."""

    GOOD = "good"
    ABSENT = "absent"
    DENIED = "denied"
    NOT_A_FILE = "not_a_file"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    BROKEN = "broken"
    """It is there and cannot be parsed."""


class Problem(StrEnum):
    """Why a text cannot be parsed."""

    ENCODING = "encoding"
    """Not UTF-8, by its first bytes."""
    KEY_VALUE = "key_value"
    """A line of an env file that is no ``KEY=value``."""
    CLOSING_QUOTE = "closing_quote"
    VARIABLE = "variable"
    """A dollar sign and a brace that begin no variable."""
    REQUIRED_VARIABLE = "required_variable"
    """``${NAME?message}``, and it is not set."""
    NESTED_VARIABLES = "nested_variables"
    LONG_VALUES = "long_values"
    JSON = "json"
    YAML = "yaml"
    """Not as the grammar wants it; the parser's own words are the detail."""
    CHARACTER = "character"
    """One that may not stand in YAML."""
    VALUE = "value"
    """One that has a type's form and is none of its values: 2026-13-45."""
    NESTING = "nesting"
    CYCLIC_ALIAS = "cyclic_alias"
    SIZE = "size"
    """More nodes than the number in the detail, aliases written out."""
    MAPPING = "mapping"
    SERVICES = "services"
    """No mapping ``services``, or an empty one."""
    SERVICE = "service"
    """The service of the detail is no mapping."""


@dataclass(frozen=True)
class FileRead:
    """A file, as far as it could be read."""

    path: str
    reading: Reading
    line: int | None = None
    """Where parsing stopped, from 1; None where the parser does not say."""
    problem: Problem | None = None
    """Given where it is broken."""
    detail: str = ""
    """A foreign parser's own words, or what `Problem` says; nothing of the file's own text but a service's name."""
    size_bytes: int = 0


class ValueState(StrEnum):
    """What may be said of a value."""

    SET = "set"
    EMPTY = "empty"
    """Nothing, blanks, or YAML's null."""
    DEFAULT = "default"
    """One of the values that the package is shipped with, or one of the placeholders asked about."""
    ABSENT = "absent"
    """No such key."""


@dataclass(frozen=True)
class KeySeen:
    """A key, and what may be said of its value."""

    name: str
    state: ValueState
    allowed: bool | None = None
    """Whether the value is one of those asked about (case ignored); None where none were."""


@dataclass(frozen=True)
class Allowed:
    """A key whose value must be one of a list: ``LOG_LEVEL`` of ``info``, ``warning``."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class KeysRead:
    """The keys of a ``.env`` or YAML file that were asked about, and how many there are."""

    file: FileRead
    keys: tuple[KeySeen, ...] = ()
    """In the order they were asked for."""
    total: int = 0
    """How many keys the file has (top level)."""
    defaults: tuple[str, ...] = ()
    """Every key of the file, asked about or not, whose value is a shipped default."""


@dataclass(frozen=True)
class ProxyRead:
    """Proxy variables of a ``.env`` file."""

    file: FileRead
    http: bool = False
    https: bool = False
    no_proxy: bool = False
    """Whether they are set, in either spelling."""
    missing: tuple[str, ...] = ()
    """Of the names asked about: those that NO_PROXY does not cover."""


@dataclass(frozen=True)
class LicenceRead:
    """A licence file.  Its signature is the product's own affair."""

    file: FileRead
    now: str = ""
    """The host's time, RFC 3339 UTC."""
    not_after: str | None = None
    """Day of expiry, ISO 8601; None where the field is missing, empty or is no date."""
    users: int | None = None
    """Licensed users; None where the field is missing or is no number."""
    not_after_given: bool = False
    """Whether the field of the day of expiry holds anything, a date or not."""


@dataclass(frozen=True)
class ComposeRead:
    """A compose file."""

    file: FileRead
    env: FileRead
    """What the variables are filled in from; where it was not read, they are empty or their defaults."""
    services: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    """Published host ports, sorted, ranges written out, variables filled in."""
    unresolved: tuple[str, ...] = ()
    """Variables used without a default that the env file does not set."""
    missing_paths: tuple[str, ...] = ()
    """Relative host paths (bind mounts, env files) that do not exist beside the compose file."""


class Agreement(StrEnum):
    """Whether a place names the folder that was asked about."""

    SAME = "same"
    OTHER = "other"
    """It names another path, or no path at all."""
    ABSENT = "absent"
    """It names none: no such key, an empty value, no volume."""


@dataclass(frozen=True)
class SharedFolder:
    """Where the folder that services share is named, and how."""

    path: str
    """The folder, as the site file has it."""
    env_path: str
    env_key: str
    config_path: str
    config_key: str
    """Dotted."""
    compose_path: str


@dataclass(frozen=True)
class SharedFolderRead:
    """What three files say of one folder.

    A path is no secret, but what stands in its place may be one (a URL with a password, a line that was pasted to the
    wrong key): so what the files say is compared here and never shown.
    """

    env: FileRead
    config: FileRead
    compose: FileRead
    in_env: Agreement = Agreement.ABSENT
    in_config: Agreement = Agreement.ABSENT
    in_compose: Agreement = Agreement.ABSENT
    """Whether some service has it, a folder in it or a folder above it as a volume."""


@dataclass(frozen=True)
class ImageUse:
    """The image of one service.  A name that is no image's name (OCI distribution specification) is never given."""

    service: str
    image: str | None
    """As the env file fills it in; None where there is none, or where it is no valid name."""


@dataclass(frozen=True)
class ImagesRead:
    """Which images the services of a compose file run."""

    file: FileRead
    env: FileRead
    """What the variables are filled in from; where it was not read, they are empty or their defaults."""
    uses: tuple[ImageUse, ...] = ()
    """Sorted by service."""


class Package(Protocol):
    """Reads the files of the delivered package.  A file that cannot be read is a value (`FileRead`)."""

    def read(self, path: str, format: Format) -> FileRead:  # noqa: A002 - the field's own word
        """Whether *path* is there, readable and parses as *format*."""
        ...

    def env(
        self, path: str, keys: tuple[str, ...], defaults: tuple[str, ...], allowed: tuple[Allowed, ...]
    ) -> KeysRead:
        """What may be said of *keys* (and of the keys of *allowed*) in a ``.env`` file.

        *defaults*: values that count as never changed.
        """
        ...

    def config(self, path: str, keys: tuple[str, ...], defaults: tuple[str, ...]) -> KeysRead:
        """What may be said of dotted *keys* (``llm.embedding.model``; a number is an index) in a YAML or JSON file."""
        ...

    def env_proxy(self, path: str, no_proxy: tuple[str, ...]) -> ProxyRead:
        """Which proxy variables a ``.env`` file sets, and which names its NO_PROXY leaves out."""
        ...

    def licence(self, path: str, not_after: str, users: str) -> LicenceRead:
        """The dotted fields *not_after* and *users* (empty: not asked) of a YAML or JSON licence file."""
        ...

    def compose(self, path: str, env_path: str) -> ComposeRead:
        """A compose file, held against the ``.env`` beside it (*env_path*)."""
        ...

    def shared_folder(self, where: SharedFolder) -> SharedFolderRead:
        """Whether the env file, the configuration and the compose file mean the same folder, symlinks followed."""
        ...

    def images(self, path: str, env_path: str) -> ImagesRead:
        """The images of a compose file's services, its variables filled in from the env file.

        Raises ValueError for more services than are kept: what was left out would read as checked.
        """
        ...
