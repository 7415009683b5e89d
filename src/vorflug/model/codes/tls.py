"""What a TLS handshake can meet, its certificates aside."""

from __future__ import annotations

from vorflug.model.codes.page import Page
from vorflug.model.message import msg
from vorflug.ports.net_codes import Code

PAGES: dict[Code, Page] = {
    Code.TLS_STALL: Page(
        seen=msg(
            "The connection was accepted; to the first message of the TLS handshake (ClientHello) no answer "
            "came within the time, or the handshake stopped halfway."
        ),
        proves=msg("TCP passes. The ClientHello or the answer to it was lost or not given."),
        not_proves=msg(
            "It does not show who is silent. A path with a smaller MTU whose ICMP messages are dropped (RFC "
            "2923, 2.1) swallows exactly the large packets; a filter that waits, a service that hangs, and a "
            "port that does not speak TLS are silent, too. A control with a small ClientHello tells the MTU "
            "apart."
        ),
        who=msg(
            "Whoever runs the network between, for MTU and filters; if the ClientHello arrives at the "
            "service, whoever runs that."
        ),
        ask=msg(
            "Please check on the way from this host to the address and port named below whether packets of "
            "1500 bytes pass (VPN, tunnel, MSS clamping, ICMP “fragmentation needed” let through), and whether "
            "a device holds TLS back. A trace at the target shows whether the ClientHello arrives whole."
        ),
        look=(
            "openssl s_client -connect NAME:PORT -servername NAME </dev/null",
            "ping -M do -s 1472 -c 3 NAME",
        ),
    ),
    Code.TLS_RESET: Page(
        seen=msg(
            "The connection was cut during the TLS handshake: a reset, an end without a word, or an alert "
            "that names no better reason."
        ),
        proves=msg("TCP passes, and whatever took the ClientHello did not want to go on."),
        not_proves=msg(
            "It does not show who cut it. A filter that reads the server name (SNI) ends connections like "
            "this, in the target's name; so does a service that crashes, has no certificate for the name, or "
            "a load balancer without a healthy server."
        ),
        who=msg(
            "Whoever runs the network between; if the log of the service shows the handshake, whoever runs the service."
        ),
        ask=msg(
            "Please check whether a device between this host and the address named below ends TLS connections "
            "by server name, category or version; if it does, please exempt the name below for this host. If "
            "not, the operator of the service can see in its log why it ended the handshake."
        ),
        look=(
            "openssl s_client -connect NAME:PORT -servername NAME </dev/null",
            "openssl s_client -connect NAME:PORT -noservername </dev/null",
        ),
    ),
    Code.TLS_SNI_FILTERED: Page(
        seen=msg(
            "The handshake is cut when it holds the server name (SNI, RFC 6066, 3), and goes on at the same "
            "address when it does not."
        ),
        proves=msg("Address and port are open. Something decides by the name."),
        not_proves=msg(
            "It does not show where it stands: a filter on the way, or the service itself, which may cut "
            "names that it does not serve."
        ),
        who=msg("Whoever runs the TLS filter of this network; if there is none, whoever runs the service."),
        ask=msg(
            "Please allow TLS with the server name below from this host: the same address answers without the "
            "name and is cut with it. An open port is not enough."
        ),
        look=(
            "openssl s_client -connect NAME:PORT -servername NAME </dev/null",
            "openssl s_client -connect NAME:PORT -noservername </dev/null",
        ),
    ),
    Code.TLS_NOT_TLS: Page(
        seen=msg("The answer to the ClientHello is not TLS."),
        proves=msg(
            "Something was reached, and it speaks another protocol on this port; its first bytes are in the evidence."
        ),
        not_proves=msg(
            "It does not prove that it is the wrong server: plain HTTP on the port for HTTPS, STARTTLS "
            "services (SMTP, LDAP), or a device that answers with a page of its own in plain text look like "
            "this."
        ),
        who=msg("Whoever wrote the URL, for a wrong port or scheme; else whoever runs what listens there."),
        ask=msg(
            "Please say on which port the service named below speaks TLS; on the one named there something "
            "else answers."
        ),
        look=("curl -sv -o /dev/null http://NAME:PORT/",),
    ),
    Code.TLS_VERSION: Page(
        seen=msg(
            "The server speaks no version of TLS that is still allowed: an alert, or only TLS 1.0 or 1.1 (RFC 8996)."
        ),
        proves=msg("A TLS server was reached, and the two sides have no version from 1.2 on in common."),
        not_proves=msg(
            "It does not prove that the service itself is so old: an inspecting device or a load balancer "
            "before it may be what speaks."
        ),
        who=msg("Whoever runs the server or the device that ends TLS for it."),
        ask=msg(
            "Please enable TLS 1.2 and 1.3 where TLS ends for the name below (BSI TR-02102-2 allows no older version)."
        ),
        look=(
            "openssl s_client -connect NAME:PORT -servername NAME -tls1_2 </dev/null",
            "openssl s_client -connect NAME:PORT -servername NAME -tls1_3 </dev/null",
        ),
    ),
    Code.TLS_CIPHER: Page(
        seen=msg("The server ended the handshake with an alert: handshake_failure, insufficient_security or the like."),
        proves=msg(
            "Something that speaks TLS was reached and read the ClientHello. It found no parameters that both "
            "sides accept."
        ),
        not_proves=msg(
            "It does not prove that cipher suites are the reason: servers use handshake_failure also for "
            "curves, signature schemes, unknown server names and missing client certificates."
        ),
        who=msg("Whoever runs the server or the device that ends TLS for it."),
        ask=msg(
            "Please look in the TLS log of the server named below why it ended the handshake with this host, "
            "and enable ECDHE with AES-GCM (BSI TR-02102-2) with P-256 or X25519."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME </dev/null",),
    ),
    Code.TLS_CLIENT_CERT_REQUIRED: Page(
        seen=msg("The server asked for a client certificate and ended the connection because none was given."),
        proves=msg(
            "The server was reached, and its own certificate was shown. Without a client certificate it "
            "serves nobody (mutual TLS)."
        ),
        not_proves=msg(
            "It does not prove that this is the endpoint that was meant: many services have another name or "
            "port that wants none. A request for a certificate alone is no fault; only the refusal is."
        ),
        who=msg("Whoever issues client certificates for the target; else whoever chose the endpoint."),
        ask=msg(
            "Please issue a client certificate for this product, from one of the authorities that the server "
            "named below accepts, or name an endpoint that wants none."
        ),
        look=("openssl s_client -connect NAME:PORT -servername NAME </dev/null",),
    ),
}
