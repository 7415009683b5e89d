"""What a compose file names: host ports, relative paths, variables.

Sources: Compose Specification, "Interpolation", "ports", "volumes", "env_file".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from vorflug.host.live.interpolation import NotFilledIn, fill_in
from vorflug.host.live.secret_values import sounds_secret
from vorflug.host.live.structured import scalar
from vorflug.host.secrets import userinfo
from vorflug.model.message import visible

_VARIABLE = re.compile(
    r"\$(?:\$|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?P<operator>:?[-?+])?|(?P<plain>[A-Za-z_][A-Za-z0-9_]*))"
)
_WHOLE = re.compile(r"\$\{[^{}]*\}")
_NO_SECRETS = frozenset({"image", "ports", "published", "volumes", "source", "target", "device", "container_name"})
"""Keys of the Compose Specification whose values are names, numbers and paths."""
_COMMANDS = frozenset({"command", "entrypoint", "test"})
_IMAGE = re.compile(
    r"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]+)?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
"""``[host[:port]/]repository[:tag][@digest]`` (distribution/reference)."""
_IMAGE_AT_MOST = 400
_HIGHEST_PORT = 65535
_DIGITS = 5


def unresolved(data: Any, known: set[str]) -> set[str]:
    """Variables used without a default (``${A}``, ``$A``, ``${A:?…}``) that are not *known*.

    ``${A:-x}`` and ``${A:+x}`` do without; ``$$`` is a dollar sign.  In a password ``$A`` may be a part of it that was
    not escaped: within a secret, the key is named in its place, unless the whole value is ``${A}``.  As nobody knows
    which keys hold passwords, a bare ``$A`` within a longer value is named only where no password can stand.
    """
    missing = set()
    for key, text in _strings(data):
        name, equals, rest = text.partition("=")
        own = equals and (key == "environment" or sounds_secret(name))
        owner, value = (name.lstrip("-"), rest) if own else (key, text)
        secret = sounds_secret(owner)
        spans = tuple(userinfo(text))
        for found in _VARIABLE.finditer(text):
            variable = found["braced"] or found["plain"]
            if not variable or variable in known or (found["operator"] or "?")[-1] != "?":
                continue
            hidden = secret or any(start <= found.start() < end for start, end in spans)
            hidden = hidden or not (found["braced"] or _stands_alone(found, owner, value, text))
            whole = found["braced"] and (not secret or _WHOLE.fullmatch(value.strip()))
            missing.add(visible(owner) if hidden and not whole else variable)
    return missing


def _stands_alone(found: re.Match[str], owner: str, value: str, text: str) -> bool:
    """Whether a bare ``$A`` cannot be a part of a password."""
    if owner in _NO_SECRETS or found[0] == value.strip() or "://" in text:  # of a URL, the password is told apart
        return True
    around = text[: found.start()][-1:], text[found.end() :][:1]
    return owner in _COMMANDS and all(not one or one.isspace() for one in around)


def published(services: dict[str, Any], values: Mapping[str, str]) -> tuple[int, ...]:
    """Host ports, short and long syntax, ranges written out, variables filled in from *values*."""
    ports = bytearray(_HIGHEST_PORT + 1)
    for service in services.values():
        for entry in _list(service.get("ports")):
            is_long = isinstance(entry, dict)
            host = _filled(entry.get("published"), values) if is_long else _host_port(_filled(entry, values))
            first, _, last = host.partition("-")
            if first.isdecimal() and len(first) <= _DIGITS and (not last or last.isdecimal()):
                to = int(last or first) if len(last) <= _DIGITS else _HIGHEST_PORT
                end = min(to, _HIGHEST_PORT) + 1
                ports[int(first) : end] = b"\1" * max(0, end - int(first))
    return tuple(port for port, used in enumerate(ports) if used)


def _host_port(short: str) -> str:
    # [[address:]host:]container[/protocol]; an IPv6 address stands in brackets
    parts = short.partition("/")[0].rpartition(":")[0]
    return parts.rpartition(":")[2] if parts else ""


def relative_paths(services: dict[str, Any]) -> set[str]:
    """Relative host paths of bind mounts and env files, as written; those with a variable are left out."""
    paths: set[str] = set()
    for service in services.values():
        paths.update(source for source in _sources(service, scalar) if source.startswith("."))
        for entry in _list(service.get("env_file")):
            path, required = (entry.get("path"), entry.get("required")) if isinstance(entry, dict) else (entry, True)
            if isinstance(path, str) and path and not path.startswith("/") and required is not False:
                paths.add(path)
    return {p for p in paths if "$" not in p}


def _sources(service: dict[str, Any], text: Callable[[Any], str]) -> Iterator[str]:
    """What the volumes of a service are made of, by *text*: a host path (``/``, ``.``), else the name of a volume."""
    for volume in _list(service.get("volumes")):
        if isinstance(volume, dict):
            yield text(volume.get("source")) if volume.get("type") == "bind" else ""
        else:
            yield text(volume).partition(":")[0]


def host_paths(data: dict[str, Any], values: Mapping[str, str]) -> set[str]:
    """Host paths of bind mounts, and of named volumes that stand for a folder, variables filled in from *values*."""
    paths: set[str] = set()
    for service in _mappings(data.get("services")):
        sources = _sources(service, lambda value: _filled(value, values))
        paths.update(source for source in sources if source.startswith(("/", ".")))
    for volume in _mappings(data.get("volumes")):
        options = volume.get("driver_opts")
        device = _filled(options.get("device"), values) if isinstance(options, dict) else ""
        if device.startswith("/"):
            paths.add(device)
    return paths


def image_names(services: dict[str, Any], values: Mapping[str, str]) -> dict[str, str | None]:
    """The image of each service, variables filled in; None where there is none or what stands there is no image.

    Variables that sound like a secret are not filled in, so that no password is told as a tag.
    """
    harmless = {name: value for name, value in values.items() if not sounds_secret(name)}
    found = {scalar(name): _filled(service.get("image"), harmless) for name, service in services.items()}
    return {
        name: image if len(image) <= _IMAGE_AT_MOST and _IMAGE.fullmatch(image) else None
        for name, image in found.items()
    }


def _filled(value: Any, values: Mapping[str, str]) -> str:
    try:
        return fill_in(scalar(value), values)
    except NotFilledIn:
        return ""  # Compose would refuse it; that it lacks a variable is told by `unresolved`


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value.values() if isinstance(entry, dict)] if isinstance(value, dict) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _strings(data: Any) -> Iterator[tuple[str, str]]:
    """Every text with the key that it stands under."""
    todo: list[tuple[str, Any]] = [("", data)]
    seen: set[tuple[int, bool]] = set()
    while todo:
        key, value = todo.pop()
        if isinstance(value, dict | list):
            if (id(value), sounds_secret(key)) not in seen:  # an alias gives the same object again, perhaps for ever
                seen.add((id(value), sounds_secret(key)))
                todo += (
                    [(scalar(k), v) for k, v in value.items()] if isinstance(value, dict) else [(key, v) for v in value]
                )
        elif isinstance(value, str):
            yield key, value
