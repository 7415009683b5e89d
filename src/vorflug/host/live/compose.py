"""What a compose file names: host ports, relative paths, variables.

Sources: Compose Specification, "Interpolation", "ports", "volumes", "env_file".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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
    not escaped: within a secret, the key is named in its place, unless the whole value is ``${A}``.
    """
    missing = set()
    for key, text in _strings(data):
        name, equals, rest = text.partition("=")
        owner, value = (name.lstrip("-"), rest) if equals and sounds_secret(name) else (key, text)
        secret = sounds_secret(owner)
        spans = tuple(userinfo(text))
        for found in _VARIABLE.finditer(text):
            variable = found["braced"] or found["plain"]
            if not variable or variable in known or (found["operator"] or "?")[-1] != "?":
                continue
            hidden = secret or any(start <= found.start() < end for start, end in spans)
            whole = found["braced"] and (not secret or _WHOLE.fullmatch(value.strip()))
            missing.add(visible(owner) if hidden and not whole else variable)
    return missing


def published(services: dict[str, Any]) -> tuple[int, ...]:
    """Host ports, short and long syntax, ranges written out; what comes from a variable is left out."""
    ports: set[int] = set()
    for service in services.values():
        for entry in _list(service.get("ports")):
            host = scalar(entry.get("published")) if isinstance(entry, dict) else _host_port(scalar(entry))
            first, _, last = host.partition("-")
            if first.isdecimal() and len(first) <= _DIGITS and (not last or last.isdecimal()):
                to = int(last or first) if len(last) <= _DIGITS else _HIGHEST_PORT
                ports.update(range(int(first), min(to, _HIGHEST_PORT) + 1))
    return tuple(sorted(ports))


def _host_port(short: str) -> str:
    # [[address:]host:]container[/protocol]; an IPv6 address stands in brackets
    parts = short.partition("/")[0].rpartition(":")[0]
    return parts.rpartition(":")[2] if parts else ""


def relative_paths(services: dict[str, Any]) -> set[str]:
    """Relative host paths of bind mounts and env files, as written; those with a variable are left out."""
    paths: set[str] = set()
    for service in services.values():
        for volume in _list(service.get("volumes")):
            if isinstance(volume, dict):
                source = scalar(volume.get("source")) if volume.get("type") == "bind" else ""
            else:
                source = scalar(volume).partition(":")[0]
            if source.startswith("."):
                paths.add(source)
        for entry in _list(service.get("env_file")):
            path, required = (entry.get("path"), entry.get("required")) if isinstance(entry, dict) else (entry, True)
            if isinstance(path, str) and path and not path.startswith("/") and required is not False:
                paths.add(path)
    return {p for p in paths if "$" not in p}


def host_paths(data: dict[str, Any], values: Mapping[str, str]) -> set[str]:
    """Host paths of bind mounts, and of named volumes that stand for a folder, variables filled in from *values*."""
    paths: set[str] = set()
    for service in _mappings(data.get("services")):
        for volume in _list(service.get("volumes")):
            if isinstance(volume, dict):
                source = _filled(volume.get("source"), values) if volume.get("type") == "bind" else ""
            else:
                source = _filled(volume, values).partition(":")[0]
            if source.startswith(("/", ".")):  # anything else is the name of a volume
                paths.add(source)
    for volume in _mappings(data.get("volumes")):
        options = volume.get("driver_opts")
        device = _filled(options.get("device"), values) if isinstance(options, dict) else ""
        if device.startswith("/"):
            paths.add(device)
    return paths


def image_names(services: dict[str, Any], values: Mapping[str, str]) -> dict[str, str | None]:
    """The image of each service, variables filled in; None where there is none or what stands there is no image."""
    found = {scalar(name): _filled(service.get("image"), values) for name, service in services.items()}
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
