"""What a stream of events or a WebSocket can meet."""

from __future__ import annotations

from vorflug.model.codes.page import Page
from vorflug.model.message import msg
from vorflug.ports.net_codes import Code

PAGES: dict[Code, Page] = {
    Code.STREAM_BUFFERED: Page(
        seen=msg("The events of the stream arrived here all at once or in bursts, not one by one."),
        proves=msg(
            "The answer is collected before it comes here, by the sender itself or on the way. Nothing is "
            "lost, but a dialogue is shown only at its end, and time-outs strike before."
        ),
        not_proves=msg(
            "It does not show who collects: nginx (proxy_buffering, gzip), haproxy (option "
            "http-buffer-request concerns requests only), squid with content adaptation or a virus scanner, "
            "an inspecting gateway, or the service itself."
        ),
        who=msg(
            "Whoever runs the proxies, gateways and load balancers between; if there are none, whoever runs "
            "the service."
        ),
        ask=msg(
            "Please pass on answers of the type text/event-stream from the name below at once: nginx "
            "proxy_buffering off (or the header X-Accel-Buffering: no from the service), no compression, no "
            "virus scan or content inspection for this target."
        ),
        look=("curl -sN -H 'Accept: text/event-stream' https://NAME/PATH",),
    ),
    Code.STREAM_IDLE_CUT: Page(
        seen=msg(
            "A connection on which nothing was sent for a while was ended or no longer answered; the seconds are named."
        ),
        proves=msg(
            "The connection worked before. Something on the way or at its end ends or forgets idle "
            "connections after this time."
        ),
        not_proves=msg(
            "It does not show where. The time is a hint: nginx proxy_read_timeout 60 s, AWS ALB 60 s, Azure "
            "load balancer 4 min, AWS NLB 350 s, squid read_timeout 15 min, haproxy timeout client, server "
            "and tunnel as set, NAT tables of firewalls mostly between 5 min and 1 h."
        ),
        who=msg(
            "Whoever runs the proxies, load balancers and stateful filters between; if there are none, "
            "whoever runs the service."
        ),
        ask=msg(
            "Please raise the idle time-out for connections from this host to the name below above the longest "
            "pause that the product makes (300 s is a good value), and please end connections with a reset "
            "instead of forgetting them."
        ),
        look=("curl -sN -m 400 -w '%{time_total}\\n' https://NAME/PATH",),
    ),
    Code.WS_UPGRADE_REFUSED: Page(
        seen=msg(
            "The upgrade to WebSocket was not granted: the answer is not 101 with the right accept key (RFC 6455, 4.1)."
        ),
        proves=msg("HTTP passes. Whatever answered did not take the request as an upgrade."),
        not_proves=msg(
            "It does not show who: a proxy that does not pass on the hop-by-hop headers Upgrade and "
            "Connection, a front that speaks only HTTP/2 without RFC 8441, or the service (wrong path, "
            "missing login, Origin not allowed)."
        ),
        who=msg("Whoever runs the reverse proxy or load balancer before the service; else whoever runs the service."),
        ask=msg(
            "Please pass on the upgrade to WebSocket for the path named below: nginx proxy_http_version 1.1 "
            'with proxy_set_header Upgrade $http_upgrade and Connection "upgrade"; on gateways please switch '
            "on WebSocket for this target."
        ),
        look=(
            "curl -si --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' \\",
            "  -H 'Sec-WebSocket-Version: 13' \\",
            "  -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' https://NAME/PATH",
        ),
    ),
    Code.WS_FRAMES_BLOCKED: Page(
        seen=msg("The upgrade was granted (101), and frames did not come through, or came back changed."),
        proves=msg("Something answered as a WebSocket server; the connection does not carry data in both directions."),
        not_proves=msg(
            "It does not show who holds the frames back: an inspecting device that lets the upgrade pass and "
            "does not know the frames, a front that collects, or a service that wants a message of its own "
            "form first."
        ),
        who=msg("Whoever runs what inspects the traffic on the way; if nothing does, whoever runs the service."),
        ask=msg(
            "Please pass on the connection from this host to the name below unchanged after the answer 101 (no "
            "content inspection, no buffering): WebSocket frames must pass in both directions."
        ),
        look=("websocat -v wss://NAME/PATH",),
    ),
}
