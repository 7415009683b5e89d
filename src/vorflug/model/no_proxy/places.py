"""What each program on this host is given, put together from the places where settings stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from vorflug.model.no_proxy.decision import Dialect
from vorflug.model.no_proxy.settings import Setting, Settings
from vorflug.ports.net import PlaceState, ProxyPlace, ProxyReader


def readers(dialect: Dialect) -> tuple[ProxyReader, ...]:
    """Whose places a program has; of two the later wins."""
    match dialect:
        case Dialect.CURL | Dialect.GO | Dialect.PYTHON | Dialect.REQUESTS | Dialect.HTTPX:
            return (ProxyReader.PROCESS,)
        case Dialect.WGET:
            return (ProxyReader.PROCESS, ProxyReader.WGET)
        case Dialect.DOCKERD:
            return (ProxyReader.SERVICES, ProxyReader.DOCKERD)
        case Dialect.CONTAINERD:
            return (ProxyReader.SERVICES, ProxyReader.CONTAINERD)
        case Dialect.SYSTEMD:
            return (ProxyReader.SERVICES,)
        case Dialect.LOGIN:
            return (ProxyReader.LOGIN,)
        case Dialect.CONTAINERS:
            return (ProxyReader.CONTAINERS,)
        case Dialect.JAVA:
            return ()
        case _:
            assert_never(dialect)


def given(dialect: Dialect, places: Sequence[ProxyPlace]) -> Settings:
    """What a program is given."""
    settings = Settings()
    for reader in readers(dialect):
        for place in (p for p in places if p.reader is reader):
            found = tuple(Setting(variable, place.path) for variable in place.variables)
            if reader is ProxyReader.WGET:
                found = tuple(_added(one, settings) for one in found)
            settings = settings.under(Settings(found, frozenset(place.empty), settings.cgi or place.cgi))
    return settings


def _added(one: Setting, below: Settings) -> Setting:
    """The list of wgetrc adds to the one of the environment (wget src/init.c, ``cmd_vector``)."""
    other = below.by_name.get(one.name)
    if one.name != "no_proxy" or other is None:
        return one
    return replace(one, variable=replace(one.variable, value=f"{other.variable.value},{one.variable.value}"))


def hidden(dialect: Dialect, places: Sequence[ProxyPlace]) -> tuple[ProxyPlace, ...]:
    """The places of a program that could not be read, so that what it is given is not known."""
    closed = (PlaceState.DENIED, PlaceState.BROKEN)
    return tuple(p for p in places if p.reader in readers(dialect) and p.state in closed)
