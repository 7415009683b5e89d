"""SOCKS 5: the way through such a proxy, which resolves the name itself (RFC 1928; user and password RFC 1929).

Every answer has its length from its own bytes, so nothing of the target's first words is taken with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vorflug.model.hosts import address
from vorflug.model.message import visible
from vorflug.netprobe.channel import Channel, Silent
from vorflug.netprobe.connect import errno_name
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.login import Came, Logins
from vorflug.ports.net import Code

if TYPE_CHECKING:
    from vorflug.netprobe.proxy import Proxy

_VERSION = 5
_NO_LOGIN, _USER_AND_PASSWORD, _NONE_ACCEPTED = 0, 2, 0xFF
_NAME_BYTES = 255
_REPLIES = {
    1: (Code.PROXY_UPSTREAM_REFUSED, "general failure"),
    2: (Code.PROXY_DENIED, "not allowed by the rules"),
    3: (Code.PROXY_UPSTREAM_REFUSED, "network unreachable"),
    4: (Code.PROXY_UPSTREAM_REFUSED, "host unreachable"),
    5: (Code.PROXY_UPSTREAM_REFUSED, "connection refused"),
    6: (Code.PROXY_UPSTREAM_TIMEOUT, "TTL expired"),
    7: (Code.PROXY_CONFIG, "command not supported"),
    8: (Code.PROXY_CONFIG, "address type not supported"),
}
"""RFC 1928, 6.  There is no reply for a name that does not resolve: servers give 1 or 4 then."""


@dataclass(frozen=True)
class Opened:
    """What came of it."""

    code: Code | None
    detail: str
    schemes: tuple[str, ...] = ()
    """What the proxy wants for a login: ``basic`` stands for user name and password."""
    attempts: int = 1


class _NotSocks(Exception):
    """What answers speaks something else; carries what it said."""


def open_way(  # noqa: PLR0917 - whom to ask, for what
    channel: Channel, proxy: Proxy, host: str, port: int, deadline: Deadline, logins: Logins
) -> Opened:
    """Ask the proxy behind *channel* for a connection to *host*; *logins* minds how often the login is sent."""
    try:
        refused = _greet(channel, proxy, deadline, logins)
        return refused if refused is not None else _open(channel, host, port, deadline)
    except Silent:
        return Opened(Code.PROXY_TIMEOUT, "no answer")
    except EOFError:
        return Opened(Code.PROXY_CLOSED, "EOF")
    except OSError as error:
        return Opened(Code.PROXY_CLOSED, errno_name(error))
    except _NotSocks as other:
        return Opened(Code.PROXY_CONFIG, f"no SOCKS 5: {other}")


def _greet(channel: Channel, proxy: Proxy, deadline: Deadline, logins: Logins) -> Opened | None:
    """Agree on a method, and log in.  None where that is done."""
    methods = [_NO_LOGIN] if proxy.user is None else [_NO_LOGIN, _USER_AND_PASSWORD]
    channel.send(bytes([_VERSION, len(methods), *methods]), deadline)
    version, method = _exactly(channel, 2, deadline)
    if version != _VERSION:
        raise _NotSocks(visible(bytes([version, method]).decode("latin-1"), at_most=20))
    if method == _NONE_ACCEPTED:
        # without a login we offered only "none": it wants one, or something that services cannot give
        code = Code.PROXY_AUTH_REQUIRED if proxy.user is None else Code.PROXY_AUTH_UNSUPPORTED
        return Opened(code, "no acceptable method", ("basic",) if proxy.user is None else ("gssapi",))
    if method == _USER_AND_PASSWORD and proxy.user is not None:
        return _log_in(channel, proxy, deadline, logins)
    if method != _NO_LOGIN:
        return Opened(Code.PROXY_AUTH_UNSUPPORTED, f"method {method}", (f"method {method}",))
    return None


def _log_in(channel: Channel, proxy: Proxy, deadline: Deadline, logins: Logins) -> Opened | None:
    """RFC 1929.  The proxy does not know the target yet, so that a rejection is about the login alone."""
    user, password = proxy.login_bytes()

    def put(may_send: Callable[[], bool]) -> Came:
        may_send()  # the first of this turn: it may
        channel.send(bytes([1, len(user)]) + user + bytes([len(password)]) + password, deadline)
        return Came.ACCEPTED if _exactly(channel, 2, deadline)[1] == 0 else Came.REJECTED

    match logins.attempt((proxy.authority, user, password), deadline, put):
        case Came.REJECTED:
            return Opened(Code.PROXY_AUTH_REJECTED, "user name or password refused", ("basic",), 2)
        case Came.REJECTED_BEFORE:
            return Opened(Code.PROXY_AUTH_REJECTED, "user name or password refused before", ("basic",))
        case Came.SPENT:
            words = "the login that is set was not sent again, as the proxy answered it twice with nothing"
            return Opened(Code.PROXY_AUTH_REJECTED, words, ("basic",))
        case _:
            return None


def _open(channel: Channel, host: str, port: int, deadline: Deadline) -> Opened:
    channel.send(bytes([_VERSION, 1, 0]) + _place(host) + port.to_bytes(2, "big"), deadline)
    version, reply, _, kind = _exactly(channel, 4, deadline)
    if version != _VERSION:
        raise _NotSocks(visible(bytes([version, reply]).decode("latin-1"), at_most=20))
    match kind:
        case 1:
            _exactly(channel, 4 + 2, deadline)
        case 4:
            _exactly(channel, 16 + 2, deadline)
        case 3:
            _exactly(channel, _exactly(channel, 1, deadline)[0] + 2, deadline)
        case _:
            raise _NotSocks(f"address type {kind}")
    if reply:
        code, words = _REPLIES.get(reply, (Code.PROXY_UPSTREAM_REFUSED, "unknown"))
        return Opened(code, f"SOCKS reply {reply} ({words})")
    return Opened(None, "SOCKS reply 0")


def _place(host: str) -> bytes:
    here = address(host)
    if here is None:
        name = host.encode("ascii")[:_NAME_BYTES]
        return bytes([3, len(name)]) + name
    return bytes([1 if isinstance(here, IPv4Address) else 4]) + here.packed


def _exactly(channel: Channel, count: int, deadline: Deadline) -> bytes:
    data = b""
    while len(data) < count:
        more = channel.receive(deadline, count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
