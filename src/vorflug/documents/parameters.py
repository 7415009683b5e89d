"""The typed values that a profile asks the customer for."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, assert_never
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, StringConstraints, model_validator

from vorflug.documents.problems import near
from vorflug.model.base import Frozen
from vorflug.model.cause import Cause, Team
from vorflug.model.message import Message, Text, msg
from vorflug.model.quantity import parse_duration, parse_percent, parse_size
from vorflug.model.requirement import LocalText

ParameterName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=64),
    Field(examples=["llm.provider"]),
]


class ParameterType(StrEnum):
    """What a parameter's value is."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    SIZE = "size"
    DURATION = "duration"
    PERCENT = "percent"
    HOST = "host"
    PORT = "port"
    URL = "url"
    PATH = "path"
    NETWORK = "network"
    DATE = "date"
    EMAIL = "email"
    SECRET = "secret"  # noqa: S105 - the word, not one


class Parameter(Frozen):
    """One value that the site file may give."""

    type: ParameterType
    title: LocalText
    why: LocalText | None = None
    """What it is needed for; a comment in the site file."""
    values: tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...] = ()
    """Of a choice: what may be chosen."""
    many: bool = False
    """A list of such values."""
    required: bool = False
    default: Any = None
    example: Any = None
    """Shown in the site file and in the line to add."""

    @model_validator(mode="after")
    def _consistent(self) -> Parameter:
        if (self.type is ParameterType.CHOICE) != bool(self.values):
            raise ValueError(msg("'values' belong to a choice, and a choice wants them"))
        if self.required and self.default is not None:
            raise ValueError(msg("wanted either 'required: true' or a default, saw both"))
        if self.type is ParameterType.SECRET and (self.default is not None or self.many):
            raise ValueError(msg("a secret has no default and is never a list"))
        for name, value in (("default", self.default), ("example", self.example)):
            for _, says in mistakes(self, value) if value is not None else ():
                raise ValueError(msg("{field}: {problem}", field=name, problem=says))
        return self

    @property
    def sample(self) -> Any:
        """A value that fits: the default, the example, else one that stands for the type."""
        for value in (self.default, self.example):
            if value is not None:
                return value
        one = self.values[0] if self.values else _SAMPLES[self.type]
        return [one] if self.many else one

    @property
    def choices(self) -> tuple[Any, ...]:
        """Every value it can have, where those can be listed."""
        one: tuple[Any, ...] = (True, False) if self.type is ParameterType.BOOLEAN else self.values
        return tuple([value] for value in one) if self.many else one


_SAMPLES: dict[ParameterType, Any] = {
    ParameterType.TEXT: "text",
    ParameterType.INTEGER: 1,
    ParameterType.BOOLEAN: True,
    ParameterType.SIZE: "40 GB",
    ParameterType.DURATION: "30 d",
    ParameterType.PERCENT: "10 %",
    ParameterType.HOST: "host.example.com",
    ParameterType.PORT: 443,
    ParameterType.URL: "https://host.example.com",
    ParameterType.PATH: "/srv/data",
    ParameterType.NETWORK: "10.20.0.0/16",
    ParameterType.DATE: "2027-01-31",
    ParameterType.EMAIL: "it@example.com",
    ParameterType.SECRET: {"env": "NAME"},
}

WANTED: dict[ParameterType, Message] = {
    ParameterType.TEXT: msg("a text of 1 to 1000 characters"),
    ParameterType.INTEGER: msg("a whole number"),
    ParameterType.BOOLEAN: msg("true or false"),
    ParameterType.CHOICE: msg("one of the listed words"),
    ParameterType.SIZE: msg("a size such as '40 GB'"),
    ParameterType.DURATION: msg("a length of time such as '30 d'"),
    ParameterType.PERCENT: msg("a share such as '10 %'"),
    ParameterType.HOST: msg("a host name or IP address such as host.example.com, without port"),
    ParameterType.PORT: msg("a port number from 1 to 65535"),
    ParameterType.URL: msg("a URL such as https://host.example.com, without user name and password"),
    ParameterType.PATH: msg("an absolute path such as /srv/data, without '..'"),
    ParameterType.NETWORK: msg("a network such as 10.20.0.0/16"),
    ParameterType.DATE: msg("a date such as 2027-01-31"),
    ParameterType.EMAIL: msg("a mail address such as it@example.com"),
    ParameterType.SECRET: msg("where the secret lies: {{env: NAME}} or {{file: /path}}, never the secret itself"),
}
"""What each type wants, as a noun phrase."""

# RFC 1123 section 2.1 letters, digits, hyphens; 63 a label and 253 in all by RFC 1035 section 2.3.4
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?", re.ASCII)
_MOST_HOST = 253
_MOST_PORT = 65535
_MOST_TEXT = 1000
_EMAIL = re.compile(r"[^@\s]{1,64}@([^@\s]{1,253})", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)


def mistakes(parameter: Parameter, value: Any) -> Iterator[tuple[tuple[int, ...], Message]]:
    """What is wrong with *value*: the path to it (an index within a list, else nothing) and a sentence."""
    if not parameter.many:
        if (says := _mistake(parameter, value)) is not None:
            yield (), says
    elif not isinstance(value, list) or not value:
        yield (), msg("wanted a list with at least one entry, each {wanted}", wanted=wanted_of(parameter))
    else:
        for index, one in enumerate(value):
            if (says := _mistake(parameter, one)) is not None:
                yield (index,), says


def wanted_of(parameter: Parameter) -> Message:
    """What one value of *parameter* must be, as a noun phrase."""
    if parameter.type is ParameterType.CHOICE:
        return msg("{values:or}", values=parameter.values)
    return WANTED[parameter.type]


def hint(parameter: Parameter, value: Any) -> Message | None:
    """What was probably meant by a *value* that does not fit, as a question or a short advice; None where unclear.

    For an entry of a list *parameter* is the entry's own, with ``many`` unset.
    """
    if parameter.many:
        one = parameter.model_copy(update={"many": False})
        return None if isinstance(value, list | dict) or _mistake(one, value) is not None else _meant([value])
    if not isinstance(value, str):
        return None
    match parameter.type:
        case ParameterType.INTEGER | ParameterType.PORT if _WHOLE.fullmatch(value) and _fits(parameter, int(value)):
            return msg("remove the quotes.")
        case ParameterType.BOOLEAN if value.lower() in ("true", "false"):
            return msg("remove the quotes.")
        case ParameterType.CHOICE:
            meant = near(value, parameter.values)
            return None if meant is None else _meant(meant)
        case ParameterType.URL if _WITHOUT_SCHEME.fullmatch(value):
            # the parameter's own example knows whether it is http or https
            scheme = str(parameter.sample).partition("://")[0] if "://" in str(parameter.sample) else "https"
            whole = f"{scheme}://{value}"
            return _meant(whole) if _mistake(parameter, whole) is None else None
        case ParameterType.NETWORK if "/" in value and _parses(lambda v: ipaddress.ip_network(v, strict=False), value):
            return msg("host bits are set: did you mean {near}?", near=str(ipaddress.ip_network(value, strict=False)))
        case _:
            return None


def _meant(value: Any) -> Message:
    return msg("did you mean {near}?", near=written(value))


_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_WITHOUT_SCHEME = re.compile(r"[A-Za-z0-9_.-]{1,253}(:[0-9]{1,5})?(/[^\s@?#]*)?", re.ASCII)


def missing(name: str, parameter: Parameter) -> Cause:
    """The cause shared by everything that waits for this parameter."""
    return Cause(
        "parameter.missing",
        name,
        msg("The parameter {name} ({title}) is not given.", name=name, title=text_of(parameter.title)),
        msg("Add to the site file, below 'parameters:': {line}", line=f"{name}: {written(parameter.sample)}"),
        Team.PROJECT,
    )


def text_of(title: LocalText) -> Text:
    """A profile's text as a value of a message."""
    return Text(title.en, title.de)


def _mistake(parameter: Parameter, value: Any) -> Message | None:
    if _fits(parameter, value):
        return None
    if parameter.type is ParameterType.URL and isinstance(value, str) and _names_a_secret(value):
        return msg("wanted a URL without key, token or password: none belongs into a site file or a report")
    return msg("wanted {wanted}", wanted=wanted_of(parameter))


def _fits(parameter: Parameter, value: Any) -> bool:
    kind = parameter.type
    match kind:
        case ParameterType.BOOLEAN:
            return isinstance(value, bool)
        case ParameterType.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case ParameterType.PORT:
            return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_PORT
        case ParameterType.SECRET:
            return _is_reference(value)
    if not isinstance(value, str) or not value.strip() or len(value) > _MOST_TEXT:
        return False
    match kind:
        case ParameterType.TEXT:
            return True
        case ParameterType.CHOICE:
            return value in parameter.values
        case ParameterType.SIZE:
            return _parses(parse_size, value)
        case ParameterType.DURATION:
            return _parses(parse_duration, value)
        case ParameterType.PERCENT:
            return _parses(parse_percent, value)
        case ParameterType.HOST:
            return is_host(value)
        case ParameterType.URL:
            return _is_url(value)
        case ParameterType.PATH:
            return value.startswith("/") and ".." not in value.split("/")
        case ParameterType.NETWORK:
            return "/" in value and _parses(ipaddress.ip_network, value)
        case ParameterType.DATE:
            return _parses(date.fromisoformat, value)
        case ParameterType.EMAIL:
            return (match := _EMAIL.fullmatch(value)) is not None and is_host(match[1])
        case _:
            assert_never(kind)


def is_host(value: str) -> bool:
    """Whether *value* can be a host name (RFC 1123) or is an IP address."""
    if _parses(ipaddress.ip_address, value):
        return True
    if len(value) > _MOST_HOST or re.fullmatch(r"[0-9.]+", value, re.ASCII):
        return False
    try:
        labels = value.encode("idna").decode("ascii").removesuffix(".").split(".")
    except UnicodeError:
        return False
    return all(_LABEL.fullmatch(label) for label in labels)


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and parts.hostname is not None
        and is_host(parts.hostname)
        and port != 0
        and "@" not in parts.netloc  # credentials do not belong into a site file
        and not any(c.isspace() for c in value)
        and not _names_a_secret(value)
    )


# as a whole, or anywhere in a name such as X-Amz-Signature; '-', '_' and '.' left out
_SECRET_NAME = re.compile(
    r"key|sig|code|sas|pass|pwd|pin|jwt|auth|.*(apikey|accesskey|subscriptionkey|functionskey|token|secret|passw|"
    r"signature|credential|session|kennwort|passwort).*"
)


def _names_a_secret(url: str) -> bool:
    """Whether query or fragment of *url* have a name under which secrets are passed."""
    _, _, behind = url.replace("#", "?").partition("?")
    pairs = parse_qsl(re.sub("[;?]", "&", behind), keep_blank_values=True)
    return any(_SECRET_NAME.fullmatch(re.sub(r"[-_.\s]", "", name.lower())) for name, _ in pairs)


def _is_reference(value: Any) -> bool:
    match value:
        case {"env": str(name), **rest} if not rest:
            return _VARIABLE.fullmatch(name) is not None
        case {"file": str(path), **rest} if not rest:
            return path.startswith("/") and ".." not in path.split("/")
        case _:
            return False


def _parses(parse: Callable[[str], object], value: str) -> bool:
    try:
        parse(value)
    except ValueError:
        return False
    return True


# words that every YAML reader takes for the same text, also between brackets
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9/._@+-]*(:[A-Za-z0-9/._@+-]+)*( [A-Za-z0-9/._@+%-]+)*", re.ASCII)
_QUANTITY = re.compile(
    r"[0-9]+(\.[0-9]+)? [A-Za-z%/]+|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]+(\.[0-9]+){3}(/[0-9]+)?", re.ASCII
)
_NO_TEXT = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


def written(value: Any) -> str:
    """*value* as one line of YAML that reads back as itself."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return json.dumps(value)
        case list() | tuple():
            return "[" + ", ".join(written(v) for v in value) + "]"
        case dict():
            return "{" + ", ".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
        case _:
            text = str(value)
            plain = _PLAIN.fullmatch(text) or _QUANTITY.fullmatch(text)
            return text if plain and text.lower() not in _NO_TEXT else json.dumps(text, ensure_ascii=False)
