"""The delivered package's files: parsed here, so that no value of theirs goes further."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, assert_never

from vorflug.host.live.compose import host_paths, image_names, published, relative_paths, unresolved
from vorflug.host.live.dotenv import parse_env
from vorflug.host.live.files import LiveFiles
from vorflug.host.live.secret_values import remember_all, remember_userinfo, remember_value, sounds_secret
from vorflug.host.live.structured import Malformed, dig, parse_json, parse_yaml, scalar
from vorflug.model.message import visible
from vorflug.ports.package import (
    READ_AT_MOST,
    Agreement,
    Allowed,
    ComposeRead,
    FileRead,
    Format,
    ImagesRead,
    ImageUse,
    KeySeen,
    KeysRead,
    LicenceRead,
    Problem,
    ProxyRead,
    Reading,
    SharedFolder,
    SharedFolderRead,
    ValueState,
)

_DIGITS_AT_MOST = 18
_NAMES_AT_MOST = 200
"""Names of keys, services and variables that are kept of one file."""


class LivePackage:
    """Reads files of this machine."""

    def read(self, path: str, format: Format) -> FileRead:  # noqa: A002
        match format:
            case Format.ANY:
                return _load(path, lambda text, _name: text)[0]
            case Format.ENV:
                return _load(path, _env)[0]
            case Format.YAML:
                return _load(path, _yaml)[0]
            case Format.JSON:
                return _load(path, _json)[0]
            case Format.COMPOSE:
                return _load(path, _compose)[0]
            case _:
                assert_never(format)

    def env(
        self, path: str, keys: tuple[str, ...], defaults: tuple[str, ...], allowed: tuple[Allowed, ...]
    ) -> KeysRead:
        file, values = _load(path, _env)
        if values is None:
            return KeysRead(file)
        may = {a.key: {v.casefold() for v in a.values} for a in allowed}
        return KeysRead(
            file,
            keys=tuple(
                KeySeen(
                    key,
                    _state(values, key, defaults),
                    allowed=None if key not in may or not values.get(key) else values[key].casefold() in may[key],
                )
                for key in dict.fromkeys((*keys, *may))
            ),
            total=len(values),
            defaults=_names(k for k in values if _state(values, k, defaults) is ValueState.DEFAULT),
        )

    def config(self, path: str, keys: tuple[str, ...], defaults: tuple[str, ...]) -> KeysRead:
        file, data = _load(path, _mapping)
        if data is None:
            return KeysRead(file)
        values: dict[str, Any] = {}
        for key in keys:
            with suppress(KeyError):
                values[key] = dig(data, key)
        return KeysRead(
            file,
            keys=tuple(KeySeen(key, _state(values, key, defaults)) for key in keys),
            total=len(data),
            defaults=_names(k for k in values if _state(values, k, defaults) is ValueState.DEFAULT),
        )

    def env_proxy(self, path: str, no_proxy: tuple[str, ...]) -> ProxyRead:
        file, values = _load(path, _env)
        if values is None:
            return ProxyRead(file)
        left_out = values.get("NO_PROXY") or values.get("no_proxy") or ""
        entries = [e.strip() for e in left_out.split(",") if e.strip()]
        return ProxyRead(
            file,
            http=bool(values.get("HTTP_PROXY") or values.get("http_proxy")),
            https=bool(values.get("HTTPS_PROXY") or values.get("https_proxy")),
            no_proxy=bool(entries),
            missing=tuple(name for name in no_proxy if not _covered(name, entries)),
        )

    def licence(self, path: str, not_after: str, users: str) -> LicenceRead:
        file, data = _load(path, _mapping)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        if data is None:
            return LicenceRead(file, now)
        return LicenceRead(
            file,
            now,
            _day(data, not_after),
            _count(data, users) if users else None,
            not_after_given=_is_given(data, not_after),
        )

    def compose(self, path: str, env_path: str) -> ComposeRead:
        file, data = _load(path, _compose)
        env_file, env = _load(env_path, _env)
        if data is None:
            return ComposeRead(file, env_file)
        folder = Path(path).parent
        return ComposeRead(
            file,
            env_file,
            services=_names(scalar(name) for name in data["services"]),
            ports=published(data["services"], env or {}),
            unresolved=_names(unresolved(data, set(env or {}))),
            missing_paths=_names(p for p in relative_paths(data["services"]) if not (folder / p).exists()),
        )

    def shared_folder(self, where: SharedFolder) -> SharedFolderRead:
        env, values = _load(where.env_path, _env)
        config, settings = _load(where.config_path, _mapping)
        compose, data = _load(where.compose_path, _compose)
        folder = Path(where.compose_path).parent
        wanted = _real(where.path, folder)
        set_to = ""
        with suppress(KeyError):
            set_to = scalar(dig(settings or {}, where.config_key))
        mounted = [_real(path, folder) for path in host_paths(data or {}, values or {})]
        same = any(path.is_relative_to(wanted) or wanted.is_relative_to(path) for path in mounted)
        return SharedFolderRead(
            env,
            config,
            compose,
            in_env=_agreement((values or {}).get(where.env_key, ""), wanted, folder),
            in_config=_agreement(set_to, wanted, folder),
            in_compose=Agreement.SAME if same else Agreement.OTHER if mounted else Agreement.ABSENT,
        )

    def images(self, path: str, env_path: str) -> ImagesRead:
        file, data = _load(path, _compose)
        env_file, env = _load(env_path, _env)
        if data is None:
            return ImagesRead(file, env_file)
        named = image_names(data["services"], env or {})
        if len(named) > _NAMES_AT_MOST:
            raise ValueError(f"wanted at most {_NAMES_AT_MOST} services in {path}, saw {len(named)}")
        return ImagesRead(file, env_file, tuple(ImageUse(visible(n), named[n]) for n in sorted(named)))


def _agreement(said: str, wanted: Path, folder: Path) -> Agreement:
    if not said.strip():
        return Agreement.ABSENT
    return Agreement.SAME if _real(said, folder) == wanted else Agreement.OTHER


def _real(path: str, folder: Path) -> Path:
    """*path* from *folder*, without symlinks, dots and doubled slashes.  What no path can be stays as it is."""
    try:
        return Path(os.path.realpath(folder / path))
    except (OSError, ValueError):  # too long a name, a NUL
        return Path(path)


def _load(path: str, parse: Callable[[str, str], Any]) -> tuple[FileRead, Any]:
    """The file and its content; the content is None unless the reading is good."""
    try:
        text = LiveFiles().read_text(path, limit=READ_AT_MOST + 1)
    except FileNotFoundError:
        return FileRead(path, Reading.ABSENT), None
    except PermissionError:
        return FileRead(path, Reading.DENIED), None
    except (IsADirectoryError, NotADirectoryError, ValueError):  # ValueError: a fifo, a device
        return FileRead(path, Reading.NOT_A_FILE), None
    size = len(text.encode())
    if size > READ_AT_MOST:
        return FileRead(path, Reading.TOO_LARGE, size_bytes=size), None
    if not text.strip():
        return FileRead(path, Reading.EMPTY, size_bytes=size), None
    try:
        content = parse(text, path)
    except Malformed as error:
        return FileRead(path, Reading.BROKEN, error.line, error.kind, error.detail, size), None
    return FileRead(path, Reading.GOOD, size_bytes=size), content


def _env(text: str, name: str) -> dict[str, str]:
    values = parse_env(text, name)
    for key, value in values.items():
        if sounds_secret(key):
            remember_value(value)
        remember_userinfo(value)
    return values


def _yaml(text: str, name: str) -> Any:
    data = parse_yaml(text, name)
    remember_all(data)
    return data


def _json(text: str, name: str) -> Any:
    data = parse_json(text, name)
    remember_all(data)
    return data


def _mapping(text: str, name: str) -> dict[str, Any]:
    data = _json(text, name) if text.lstrip().startswith("{") else _yaml(text, name)
    if not isinstance(data, dict) or not data:
        raise Malformed(name, 1, Problem.MAPPING)
    return data


def _compose(text: str, name: str) -> dict[str, Any]:
    data = _yaml(text, name)
    services = data.get("services") if isinstance(data, dict) else None
    if not isinstance(services, dict) or not services:
        raise Malformed(name, 1, Problem.SERVICES)
    wrong = next((key for key, service in services.items() if not isinstance(service, dict)), None)
    if wrong is not None:
        raise Malformed(name, None, Problem.SERVICE, visible(scalar(wrong)))
    return dict(data)


def _state(values: dict[str, Any], key: str, defaults: tuple[str, ...]) -> ValueState:
    if key not in values:
        return ValueState.ABSENT
    value = values[key]
    if value is None or value in ({}, []) or (isinstance(value, str) and not value.strip()):
        return ValueState.EMPTY
    shipped = {d.casefold() for d in defaults}
    return ValueState.DEFAULT if scalar(value).strip().casefold() in shipped else ValueState.SET


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(visible(n) for n in sorted(set(names))[:_NAMES_AT_MOST])


def _covered(name: str, entries: list[str]) -> bool:
    """Whether NO_PROXY covers *name*: itself, a domain above it (``.corp`` or ``corp``), its network, or ``*``."""
    wanted = name.casefold()
    for entry in entries:
        listed = entry.casefold()
        if listed in ("*", wanted) or wanted.endswith("." + listed.lstrip("*").lstrip(".")):
            return True
        with suppress(ValueError, TypeError):  # not addresses, or of two families
            inner, outer = ipaddress.ip_network(name, strict=False), ipaddress.ip_network(entry, strict=False)
            if inner.subnet_of(outer):  # type: ignore[arg-type]  # mixed families raise TypeError
                return True
    return False


def _day(data: dict[str, Any], field: str) -> str | None:
    try:
        value = dig(data, field)
    except KeyError:
        return None
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return datetime.fromisoformat(scalar(value)).date().isoformat()
    except ValueError:
        return None


def _is_given(data: dict[str, Any], field: str) -> bool:
    try:
        return dig(data, field) not in (None, "", [], {})
    except KeyError:
        return False


def _count(data: dict[str, Any], field: str) -> int | None:
    try:
        value = dig(data, field)
    except KeyError:
        return None
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) <= _DIGITS_AT_MOST else None
