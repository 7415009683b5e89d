"""What a compose file names: host ports, relative paths, variables.

Sources: Compose Specification, "Interpolation", "ports", "volumes", "env_file".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_VARIABLE = re.compile(
    r"\$(?:\$|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?P<operator>:?[-?+])?|(?P<plain>[A-Za-z_][A-Za-z0-9_]*))"
)
_HIGHEST_PORT = 65535


def unresolved(data: Any, known: set[str]) -> set[str]:
    """Variables used without a default (``${A}``, ``$A``, ``${A:?…}``) that are not *known*.

    ``${A:-x}`` and ``${A:+x}`` do without; ``$$`` is a dollar sign.
    """
    return {
        name
        for text in _strings(data)
        for found in _VARIABLE.finditer(text)
        if (name := found["braced"] or found["plain"]) and name not in known and (found["operator"] or "?")[-1] == "?"
    }


def published(services: dict[str, Any]) -> tuple[int, ...]:
    """Host ports, short and long syntax, ranges written out; what comes from a variable is left out."""
    ports: set[int] = set()
    for service in services.values():
        for entry in _list(service.get("ports")):
            host = entry.get("published") if isinstance(entry, dict) else _host_port(str(entry))
            first, _, last = str(host or "").partition("-")
            if first.isdecimal() and (not last or last.isdecimal()):
                ports.update(range(int(first), min(int(last or first), _HIGHEST_PORT) + 1))
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
                source = str(volume.get("source") or "") if volume.get("type") == "bind" else ""
            else:
                source = str(volume).partition(":")[0]
            if source.startswith("."):
                paths.add(source)
        for entry in _list(service.get("env_file")):
            path, required = (entry.get("path"), entry.get("required")) if isinstance(entry, dict) else (entry, True)
            if isinstance(path, str) and path and not path.startswith("/") and required is not False:
                paths.add(path)
    return {p for p in paths if "$" not in p}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _strings(data: Any) -> Iterator[str]:
    todo, seen = [data], set[int]()
    while todo:
        value = todo.pop()
        if isinstance(value, dict | list):
            if id(value) not in seen:  # an alias gives the same object again, perhaps for ever
                seen.add(id(value))
                todo += value.values() if isinstance(value, dict) else value
        elif isinstance(value, str):
            yield value
