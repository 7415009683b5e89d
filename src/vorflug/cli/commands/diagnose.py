"""``vorflug diagnose``: how far a request to one URL comes, what stopped it, and who mends that."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

import click

from vorflug.cli.errors import Exit, Refusal
from vorflug.cli.language import current, tell
from vorflug.cli.options import Seconds, language, option
from vorflug.model.message import msg

if TYPE_CHECKING:
    from collections.abc import Callable

    from vorflug.cli.addresses import Asked
    from vorflug.model.diagnosis import Diagnosis, Origin
    from vorflug.ports.net import ProbeAsk, StageSeen, Trace

T = TypeVar("T")

FORMATS = ("terminal", "json")
MODES = ("http", "sse", "ws")
_IDLE_S = 40.0
"""How long a stream must survive on which nothing is said; the deadline bounds it."""
_NO_PROXY = "none"
_LOADING_S = 0.4
_LEAST_S = 1.0
_TOO_SOON_S = 0.2
"""A silence that was not listened to for longer proves nothing; answers from the other side of the earth take 0.3 s."""
GRACE_S = 0.8
"""After the deadline; then the command ends without a result."""


@click.command(
    help=tell(
        msg(
            "How far a request to URL comes from here, layer by layer: name, connection, proxy, TLS, answer. Says what "
            "stopped it, what that proves and what it does not, who mends it and what to ask for. Needs no profile, "
            "sends no credentials. Ends with 0 where the request passed, 3 where it did not, 5 where that could not "
            "be determined."
        )
    ),
    epilog=tell(msg("Example: vorflug diagnose https://registry.example.com/v2/ --expect-status 401")),
)
@click.argument("url", metavar="URL")
@option(
    "--deadline",
    type=Seconds(min=1, max=600),
    default=20,
    show_default=True,
    metavar=tell(msg("SECONDS")),
    text=msg("Seconds for everything, controls included."),
)
@option("--ca", "ca_file", metavar="FILE", text=msg("Further trusted CA certificates (PEM), besides the host's store."))
@option(
    "--proxy",
    metavar="URL|none",
    text=msg("Use this proxy (http, https or socks5h), or none; default: what the environment says."),
)
@option(
    "--mode",
    type=click.Choice(MODES),
    text=msg(
        "http: one answer; sse: a stream of events; ws: a WebSocket. Default: http, for ws:// and wss:// URLs ws."
    ),
)
@option(
    "--expect-status",
    "statuses",
    type=click.IntRange(100, 599),
    multiple=True,
    metavar="N",
    text=msg("This status is right (101 for a WebSocket); may be given more than once. Default: all below 400."),
)
@option("--expect-type", "media_type", metavar="TYPE", text=msg("The media type that the answer must have."))
@option("--format", "format_", type=click.Choice(FORMATS), default="terminal", text=msg("Output format."))
@language
def command(
    url: str,
    deadline: float,
    ca_file: str | None,
    proxy: str | None,
    mode: str | None,
    statuses: tuple[int, ...],
    media_type: str | None,
    format_: str,
) -> int:
    """Ask, and print what was met."""
    from vorflug.cli.addresses import read_proxy, read_url
    from vorflug.host.secrets import redact, remember
    from vorflug.ports.net import Mode, ProbeAsk

    began = monotonic()
    asked = read_url(url)
    remember(*asked.secrets)
    if asked.websocket and mode not in (None, "ws"):
        raise Refusal(msg("A ws:// or wss:// URL is asked in the mode ws: leave --mode {mode} out.", mode=mode))
    chosen = Mode.WS if asked.websocket else Mode(mode or "http")
    named = None if proxy in (None, _NO_PROXY) else read_proxy(str(proxy))
    ask = ProbeAsk(
        url=asked.url,
        proxied=proxy != _NO_PROXY,
        proxy=named,
        proxy_always=named is not None,
        ca_file=_authorities(ca_file),
        mode=chosen,
        timeout_s=deadline,
        judged=True,
        expect_status=statuses,
        expect_type=_media_type(media_type),
        idle_s=0.0 if chosen is Mode.HTTP else _IDLE_S,
        direct_too=True,
    )
    from vorflug.documents import diagnosis, plain

    started = datetime.now(UTC)
    trace = _probe(ask, asked, deadline, began)
    found = diagnosis.of(trace, asked.shown, chosen, _origin(trace, started))
    if format_ == "json":
        document = plain.struck_out(found.model_dump(mode="json", by_alias=True), redact)
        click.echo(plain.encode(document), nl=False)
    else:
        click.echo(redact(_page(found, trace)), nl=False)
    return int(Exit.READY if found.code == diagnosis.OK else Exit.NOT_READY)


def _origin(trace: Trace, started: datetime) -> Origin:
    """When and from where was asked."""
    import socket

    from vorflug.model.diagnosis import Origin
    from vorflug.model.message import visible

    return Origin(f"{started:%Y-%m-%dT%H:%M:%SZ}", visible(socket.gethostname(), at_most=255), _local(trace))


def _local(trace: Trace) -> str:
    """The source address that the kernel chooses for the peer; empty where there was no address or is no route.

    Connecting a datagram socket sends nothing; it only makes the kernel choose (connect(2), ip(7)).
    """
    import socket

    from vorflug.model.hosts import address

    tried = (trace.peer.rpartition(":")[0].strip("[]"), *(a.address for a in trace.attempts), *trace.addresses)
    peer = next((str(found) for one in tried if one and (found := address(one)) is not None), None)
    if peer is None:
        return ""
    try:
        with socket.socket(socket.AF_INET6 if ":" in peer else socket.AF_INET, socket.SOCK_DGRAM) as chooser:
            chooser.connect((peer, trace.port))
            return str(chooser.getsockname()[0])
    except OSError:
        return ""


def _page(found: Diagnosis, trace: Trace) -> str:
    from vorflug.cli.output import terminal_width
    from vorflug.render.columns import wants_color
    from vorflug.render.diagnosis import render_diagnosis

    return render_diagnosis(
        found,
        trace,
        lang=current(),
        width=terminal_width(),
        color=wants_color(),
        encoding=sys.stdout.encoding or "utf-8",
        zone=datetime.now().astimezone().tzinfo or UTC,
    )


def _probe(ask: ProbeAsk, asked: Asked, deadline: float, began: float) -> Trace:
    """The trace.  Raises Refusal (5) where there is none, or none that says anything."""
    from vorflug.host.live import LiveHost, prepare_network
    from vorflug.host.live.net import MARGIN_S
    from vorflug.model import streamed
    from vorflug.ports.net import Mode, Stage

    try:
        # what takes time to load is no part of the time that the network took; a disk that hangs may hold it up
        _in_time(deadline + GRACE_S, prepare_network)
        # on a busy machine that is long, and the deadline is that of the person who waits
        deadline = max(_LEAST_S, deadline - max(0.0, monotonic() - began - _LOADING_S))
        ask = replace(ask, timeout_s=deadline)
        trace = _in_time(deadline + GRACE_S, lambda: LiveHost(deadline + MARGIN_S).net.probe(ask))
    except _Late as late:
        raise Refusal(
            msg(
                "{url}: could not be determined: there was no result {seconds} s after the deadline. Run again; if it "
                "stays so, send this line to the vendor.",
                url=asked.shown,
                seconds=GRACE_S,
            ),
            Exit.UNDETERMINED,
        ) from late
    except OSError as error:
        raise Refusal(
            msg(
                "{url}: could not be determined, because this machine could not ask: {error}. Mend that, then ask "
                "again.",
                url=asked.shown,
                error=error.strerror or type(error).__name__,
            ),
            Exit.UNDETERMINED,
        ) from error
    if trace.code is None and trace.http is None and trace.stream is None:
        raise Refusal(
            msg("{url}: could not be determined: nothing failed, and nothing answered.", url=asked.shown),
            Exit.UNDETERMINED,
        )
    silent = trace.stopped_at
    if silent is not None and silent.took_s < _TOO_SOON_S and _is_silence(silent):
        raise Refusal(
            msg(
                "{url}: could not be determined: what came before took so long that only {seconds} s were left to wait "
                "for an answer. Run again with a longer --deadline.",
                url=asked.shown,
                seconds=round(silent.took_s, 2),
            ),
            Exit.UNDETERMINED,
        )
    opened = any(seen.stage is Stage.STREAM for seen in trace.stages)
    if trace.code is None and ask.mode is not Mode.HTTP and not opened:
        raise Refusal(
            msg(
                "{url}: the way is open (status {status}), but whether a stream comes through could not be determined: "
                "the answer is none. Name a path that sends events, or leave --mode out.",
                url=asked.shown,
                status=trace.http.status if trace.http is not None else 0,
            ),
            Exit.UNDETERMINED,
        )
    if trace.code is None and trace.stream is not None and not trace.stream.flowing:
        raise Refusal(
            msg(
                "{url}: the way is open (status {status}), but whether a stream comes through could not be determined. "
                "{seen} {advice}",
                url=asked.shown,
                status=trace.http.status if trace.http is not None else 0,
                seen=streamed.unproved(ask.mode, trace.stream),
                advice=streamed.to_try(ask.mode),
            ),
            Exit.UNDETERMINED,
        )
    return trace


def _is_silence(stage: StageSeen) -> bool:
    """Whether its code says that nothing came in time.  The first stage has always had its time."""
    from vorflug.netprobe.request import SILENCE
    from vorflug.ports.net import Code

    if stage.code is Code.HTTP_NO_RESPONSE:  # or the other side hung up
        return stage.detail == SILENCE
    return stage.code in (
        Code.TCP_TIMEOUT,
        Code.PROXY_TIMEOUT,
        Code.TLS_STALL,
        Code.HTTP_SLOW_HEADERS,
        Code.HTTP_SLOW_BODY,
    )


class _Late(Exception):
    """There was no result in time."""


def _in_time(seconds: float, work: Callable[[], T]) -> T:
    """What *work* gives or raises.  Raises _Late where that takes longer: a call into the C library can hang."""
    from queue import Empty, SimpleQueue
    from threading import Thread

    came: SimpleQueue[T | Exception] = SimpleQueue()

    def run() -> None:
        try:
            came.put(work())
        except Exception as error:  # noqa: BLE001 - it is raised again in the thread that waits
            came.put(error)

    Thread(target=run, daemon=True).start()
    try:
        result = came.get(timeout=seconds)
    except Empty:
        raise _Late from None
    if isinstance(result, Exception):
        raise result
    return result


def _authorities(path: str | None) -> str | None:
    """*path*, where certificates can be read from it.  Raises Refusal (2)."""
    if path is None:
        return None
    import os

    from vorflug.cli.output import read_file

    if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where it may not look
        raise Refusal(msg("--ca {file}: wanted a file of CA certificates (PEM), saw a folder.", file=path))
    read_file(path)  # says why it cannot be read
    from vorflug.netprobe import bundle

    if not len(bundle.read(path)):
        raise Refusal(msg("--ca {file}: wanted CA certificates (PEM), saw none.", file=path))
    return path


def _media_type(text: str | None) -> str:
    """*text* as a media type (RFC 9110, 8.3.1).  Raises Refusal (2)."""
    import re

    if text is None:
        return ""
    if not re.fullmatch(r"[\w!#$&^.+-]{1,60}/[\w!#$&^.+-]{1,60}", text, re.ASCII):
        raise Refusal(msg("--expect-type {type}: wanted a media type, as application/json.", type=text))
    return text.lower()
