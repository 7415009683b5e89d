"""Short ways to write routes, rules and links down."""

from __future__ import annotations

from vorflug.model.routes import RoutesFact
from vorflug.ports.routing import Link, RouteSeen, RuleSeen

USUAL = (
    RuleSeen(4, 0, 255, ""),
    RuleSeen(4, 32766, 254, ""),
    RuleSeen(6, 0, 255, ""),
    RuleSeen(6, 32766, 254, ""),
)


def route(network, interface="eth0", *, table=254, kind="unicast", metric=0, mtu=None):
    out = (interface,) if isinstance(interface, str) else interface
    return RouteSeen(network, table, kind, out if kind == "unicast" else (), None, metric, mtu)


def rule(priority, table, selects="", *, family=4):
    return RuleSeen(family, priority, table, selects)


def link(name="eth0", kind="", *, up=True, mtu=1500):
    return Link(name, kind, 1, up, mtu)


def routes(*seen, rules=(), links=(), **fields):
    """Routes may be written as (network, interface)."""
    made = tuple(route(*one) if isinstance(one, tuple) else one for one in seen)
    return RoutesFact(routes=made, rules=(*USUAL, *rules), links=links, **fields)
