"""TLS: one handshake that shows the whole presented chain and every fault of it.

The verify callback notes and continues (SSL_CTX_set_verify(3)), so that an expired certificate of an unknown CA for
another host is all three.  Nothing is sent over such a connection.  Through memory BIOs, so that TLS runs inside any
channel: a tunnel, or TLS to the proxy itself.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, assert_never

from vorflug.model.hosts import address
from vorflug.model.message import visible
from vorflug.netprobe.anchors import Anchors
from vorflug.netprobe.certificates import describe, hush, last_issuer, unreadable
from vorflug.netprobe.chain import Noted, judge
from vorflug.netprobe.channel import Alert, Channel, Silent
from vorflug.netprobe.connect import errno_name
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.ports.net import Code, TlsSeen
from vorflug.ports.net_codes import NO_CERTIFICATES

if TYPE_CHECKING:
    from OpenSSL.SSL import Connection, Context

_CHAIN_AT_MOST = 20
_REQUESTED = "read server certificate request"
"""SSL_state_string_long(3), of the state a client is in when a CertificateRequest came (RFC 8446, 4.3.2)."""
_ABOUT_CLIENT_CERTIFICATE = ("handshake failure", "bad certificate", "certificate required", "certificate unknown")
"""Alerts that servers send when the client's certificate is missing: 40 in TLS 1.2, 116 in TLS 1.3 (RFC 8446, 6.2)."""
_REASONS = (
    ("unrecognized name", Code.TLS_HOST_MISMATCH),  # RFC 6066, 3: the server has no certificate for the name
    ("unrecognised name", Code.TLS_HOST_MISMATCH),
    ("protocol version", Code.TLS_VERSION),
    ("inappropriate fallback", Code.TLS_VERSION),
    ("legacy renegotiation", Code.TLS_VERSION),  # a server from before RFC 5746 (2010)
    ("unsupported protocol", Code.TLS_VERSION),
    ("wrong ssl version", Code.TLS_VERSION),
    ("wrong version number", Code.TLS_NOT_TLS),
    ("http request", Code.TLS_NOT_TLS),
    ("packet length too long", Code.TLS_NOT_TLS),
    ("bad record type", Code.TLS_NOT_TLS),
    ("record layer failure", Code.TLS_NOT_TLS),
    ("unexpected message", Code.TLS_NOT_TLS),
    ("unknown message type", Code.TLS_NOT_TLS),
    ("excessive message size", Code.TLS_CHAIN_TOO_LARGE),
    ("certificate required", Code.TLS_CLIENT_CERT_REQUIRED),
    ("handshake failure", Code.TLS_CIPHER),  # RFC 8446, 6.2: no acceptable set of security parameters
    ("insufficient security", Code.TLS_CIPHER),
    ("no shared cipher", Code.TLS_CIPHER),
    ("wrong cipher", Code.TLS_CIPHER),
    ("cipher", Code.TLS_CIPHER),
    ("dh key too small", Code.TLS_CIPHER),
    ("signature algorithm", Code.TLS_CIPHER),
    ("wrong curve", Code.TLS_CIPHER),
    ("no suitable", Code.TLS_CIPHER),
)
"""OpenSSL's reason strings (ssl_err.c), the first that is contained decides.  Any other alert cuts the handshake."""


class Hello(StrEnum):
    """How the client introduces itself."""

    USUAL = "usual"
    OLD = "old"
    """TLS 1.0 and 1.1 only: a control, never a connection that is used."""
    FIRM = "firm"
    """Without what OpenSSL's security level 2 refuses, which is the default of Debian and its kin: a control."""
    SMALL = "small"
    """TLS 1.2 at most: without key shares it takes 200 bytes instead of more than one packet."""


@dataclass(frozen=True)
class Handshake:
    """What came of it."""

    code: Code | None
    detail: str
    tls: TlsSeen | None
    channel: TlsChannel | None
    """To be used only where there is no code."""
    warnings: tuple[Code, ...] = ()
    presented: TlsChannel | None = None
    """The same connection where a certificate was presented, whatever its faults: for controls without credentials."""


@dataclass
class _Notes:
    """What the callbacks of one connection saw."""

    errors: list[Noted] = field(default_factory=list)
    certificate_requested: bool = False


class Trust:
    """The trust context of a host: made once for each file of further anchors, since each holds the whole store."""

    def __init__(self, anchors: Anchors) -> None:
        self.anchors = anchors
        self._lock = Lock()
        self._contexts: dict[tuple[str | None, Hello], Context] = {}

    def context(self, ca_file: str | None, hello: Hello = Hello.USUAL) -> Context:
        """Raises FileNotFoundError or ValueError where *ca_file* cannot be used."""
        with self._lock:
            if (ca_file, hello) not in self._contexts:
                self._contexts[ca_file, hello] = self._make(ca_file, hello)
            return self._contexts[ca_file, hello]

    def _make(self, ca_file: str | None, hello: Hello) -> Context:
        from OpenSSL import SSL

        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        match hello:
            case Hello.USUAL | Hello.FIRM:
                context.set_min_proto_version(SSL.TLS1_2_VERSION)
            case Hello.SMALL:
                context.set_min_proto_version(SSL.TLS1_2_VERSION)
                context.set_max_proto_version(SSL.TLS1_2_VERSION)
            case Hello.OLD:
                context.set_min_proto_version(SSL.TLS1_VERSION)
                context.set_max_proto_version(SSL.TLS1_1_VERSION)
            case _:
                assert_never(hello)
        # level 0, so that a weak key is seen and named by us instead of ending the handshake
        context.set_cipher_list(b"DEFAULT:@SECLEVEL=2" if hello is Hello.FIRM else b"DEFAULT:@SECLEVEL=0")
        context.set_verify(SSL.VERIFY_PEER, _note_and_continue)
        context.set_info_callback(_note_state)
        store = self.anchors.store
        if store.label:
            # a store that cannot be read trusts nobody, as for every other program here
            _try_load(context, store.file, store.folder)
        if ca_file is not None and not _try_load(context, ca_file, None):
            with Path(ca_file).open("rb"):  # FileNotFoundError and PermissionError say it best
                raise ValueError(f"wanted CA certificates (PEM), saw none: {ca_file}")
        return context


def _try_load(context: Context, file: str | None, folder: str | None) -> bool:
    from OpenSSL import SSL

    try:
        context.load_verify_locations(file, folder)
    except SSL.Error:
        return False
    return True


def _note_and_continue(connection: Connection, _certificate: Any, error: int, depth: int, _ok: int) -> bool:
    if error:
        connection.get_app_data().errors.append(Noted(error, depth))
    return True


def _note_state(connection: Connection, _where: int, _returned: int) -> None:
    if _REQUESTED in connection.get_state_string().decode("ascii", "replace"):
        connection.get_app_data().certificate_requested = True


def handshake(
    channel: Channel,
    host: str,
    trust: Trust,
    limits: Limits,
    deadline: Deadline,
    *,
    ca_file: str | None = None,
    public_ca: bool = False,
    hello: Hello = Hello.USUAL,
    server_name: str | None = None,
) -> Handshake:
    """Speak TLS to *host* through *channel*.

    *server_name*: the name in the ClientHello, where it is not *host*; empty for none.
    """
    from OpenSSL import SSL

    connection = SSL.Connection(trust.context(ca_file, hello))
    notes = _Notes()
    connection.set_app_data(notes)
    sni = host if server_name is None else server_name
    if sni and address(sni) is None:
        connection.set_tlsext_host_name(sni.rstrip(".").encode("ascii"))  # RFC 6066, 3: names only, no trailing dot
    connection.set_connect_state()
    inside = TlsChannel(connection, channel, notes)
    try:
        inside.drive(connection.do_handshake, deadline.within(limits.handshake))
    except Silent:
        return Handshake(
            Code.TLS_STALL, "no answer to the ClientHello" if not inside.heard else "stopped halfway", None, None
        )
    except Alert as alert:
        refused = code_of_alert(str(alert), notes)
        if refused is Code.TLS_NOT_TLS and inside.began_with_tls:
            refused = Code.TLS_RESET  # what began as TLS was garbled on its way
        detail = f"{alert}: {inside.first_words()}" if refused is Code.TLS_NOT_TLS else str(alert)
        return Handshake(refused, detail, _seen(connection, trust, ()), None)
    except EOFError:
        return Handshake(Code.TLS_RESET, "EOF", None, None)
    except SSL.ZeroReturnError:
        return Handshake(Code.TLS_RESET, "close notify", None, None)
    except OSError as error:
        return Handshake(Code.TLS_RESET, errno_name(error), None, None)
    chain = _chain(connection)
    verdict = judge(chain, notes.errors, host, trust.anchors, ca_file=ca_file, public_ca=public_ca)
    seen = _seen(connection, trust, tuple(verdict.faults), trusted=verdict.trusted, publicly=verdict.trusted_publicly)
    code = verdict.faults[0] if verdict.faults else None
    others = tuple(dict.fromkeys((*verdict.faults[1:], *verdict.warnings)))
    detail = verdict.detail
    if Code.TLS_UNKNOWN_CA in verdict.faults:
        detail = "; ".join((detail, *(f"{variable} {NO_CERTIFICATES}" for variable in trust.anchors.store.useless)))
    return Handshake(code, detail, seen, inside if code is None else None, others, inside)


def code_of_alert(reason: str, notes: _Notes) -> Code:
    """Which code OpenSSL's *reason* stands for."""
    if notes.certificate_requested and any(words in reason for words in _ABOUT_CLIENT_CERTIFICATE):
        return Code.TLS_CLIENT_CERT_REQUIRED
    return next((code for words, code in _REASONS if words in reason), Code.TLS_RESET)


class TlsChannel:
    """TLS inside a channel."""

    def __init__(self, connection: Connection, inner: Channel, notes: _Notes) -> None:
        self._connection = connection
        self._inner = inner
        self._notes = notes
        self._ended = False
        self._first = b""

    @property
    def heard(self) -> bool:
        """Whether the peer sent anything."""
        return bool(self._first)

    @property
    def began_with_tls(self) -> bool:
        """Whether the first thing heard was a record with a ServerHello or an alert (RFC 8446, 4, 5.1 and 6)."""
        first = self._first
        return (first[:2] == b"\x16\x03" and first[5:6] == b"\x02") or (
            first[:2] == b"\x15\x03" and first[3:5] == b"\x00\x02"
        )

    def first_words(self) -> str:
        """What the peer said first, made visible."""
        return visible(self._first.decode("latin-1"), at_most=60)

    def send(self, data: bytes, deadline: Deadline) -> None:
        from OpenSSL import SSL

        rest = data
        while rest:
            try:
                sent = self.drive(partial(self._connection.send, rest), deadline)
            except (SSL.ZeroReturnError, EOFError):
                raise ConnectionResetError(errno.ECONNRESET, "closed") from None
            rest = rest[sent:]

    def receive(self, deadline: Deadline, at_most: int = 16384) -> bytes:
        from OpenSSL import SSL

        try:
            received: bytes = self.drive(partial(self._connection.recv, at_most), deadline)
        except (SSL.ZeroReturnError, EOFError):
            # a missing close_notify is common; HTTP's own framing tells whether something is missing
            return b""
        return received

    @property
    def certificate_requested(self) -> bool:
        """Whether the peer asked for a client certificate."""
        return self._notes.certificate_requested

    def code_of(self, alert: Alert) -> Code:
        """The code of an alert that came after the handshake (TLS 1.3 asks for the client's certificate so)."""
        return code_of_alert(str(alert), self._notes)

    def close(self) -> None:
        self._inner.close()

    def drive(self, step: Any, deadline: Deadline) -> Any:
        """Repeat *step* of the state machine, moving bytes in between.

        Raises Silent, OSError, Alert (TLS refused), EOFError (the peer hung up without a word) or SSL.ZeroReturnError
        (it said that it does).
        """
        from OpenSSL import SSL

        received = False
        while True:
            try:
                result = step()
            except SSL.WantReadError:
                self._flush(deadline)
                if self._ended:
                    raise EOFError from None
                if received and deadline.left() <= 0:
                    # records without content may go on for ever, and a poll of no time at all still finds them
                    raise Silent from None
                data = self._inner.receive(deadline)
                received = True
                self._first = self._first or data[:64]
                if data:
                    self._connection.bio_write(data)
                else:
                    self._ended = True
                    self._connection.bio_shutdown()
            except SSL.SysCallError:
                raise EOFError from None
            except SSL.ZeroReturnError:
                raise
            except SSL.Error as error:
                self._say_goodbye(deadline)
                reason = _reason(error)
                if "unexpected eof" in reason:
                    raise EOFError from None
                raise Alert(reason) from None
            else:
                self._flush(deadline)
                return result

    def _say_goodbye(self, deadline: Deadline) -> None:
        """Send our own alert, where that is still possible: the peer's log then says why."""
        try:
            self._flush(deadline)
        except (OSError, Silent):
            return

    def _flush(self, deadline: Deadline) -> None:
        from OpenSSL import SSL

        while True:
            try:
                data = self._connection.bio_read(65536)
            except SSL.WantReadError:
                return
            self._inner.send(data, deadline)


def _reason(error: Any) -> str:
    """The reasons on OpenSSL's error queue: ``tlsv1 alert protocol version``."""
    rows = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return visible("; ".join(str(row[-1]) for row in rows) or "TLS error", at_most=200)


def _chain(connection: Connection) -> list[Any]:
    """The presented chain, leaf first; empty where one of it cannot be parsed: then nothing is proved by it."""
    hush()
    try:
        chain = (connection.get_peer_cert_chain(as_cryptography=True) or [])[:_CHAIN_AT_MOST]
        for one in chain:
            one.subject, one.issuer  # noqa: B018 - parsed only when asked for
    except unreadable():
        return []
    return list(chain)


def _seen(
    connection: Connection,
    trust: Trust,
    faults: tuple[Code, ...],
    *,
    trusted: bool = False,
    publicly: bool = False,
) -> TlsSeen | None:
    chain = _chain(connection)
    if not chain:
        return None
    return TlsSeen(
        version=connection.get_protocol_version_name(),
        cipher=connection.get_cipher_name() or "",
        chain=tuple(describe(c) for c in chain),
        issuer=last_issuer(chain),
        trusted=trusted,
        trusted_publicly=publicly,
        store=trust.anchors.store.label,
        faults=faults,
    )
