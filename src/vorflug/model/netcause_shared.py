"""What stands behind many endpoints at once, said without naming the first of them that met it.

One silent resolver or one inspecting gateway is one root; the endpoints that wait for it are listed below it.
"""

from __future__ import annotations

from vorflug.model.message import Message, msg
from vorflug.ports.net import Code

SAYS: dict[Code, Message] = {
    Code.DNS_TIMEOUT: msg("The resolver ({resolvers}) gives no answer."),
    Code.DNS_REFUSED: msg("The resolver ({resolvers}) refuses to answer: REFUSED."),
    Code.DNS_TRUNCATED_TCP_BLOCKED: msg(
        "The resolver ({resolvers}) has answers that are too long for UDP, and cannot be asked over TCP."
    ),
    Code.DNS_HIJACK: msg("The resolver ({resolvers}) gives addresses for names that cannot exist."),
    Code.TLS_UNKNOWN_CA: msg("Certificates lead to “{issuer}”, which this host does not know."),
    Code.TLS_INTERCEPTED: msg("Certificates come from “{issuer}” where another issuer is known."),
}
"""What was seen; codes that are not here say so anyway, or are about one endpoint."""

FIXES: dict[Code, Message] = {
    Code.TLS_UNKNOWN_CA: msg(
        "If “{issuer}” is your own CA, put its certificate into the trust store of host and containers; if it belongs "
        "to TLS inspection, ask for the endpoints named here to be exempted."
    ),
    Code.TLS_INTERCEPTED: msg(
        "Ask for the endpoints named here to be exempted from TLS inspection. If not: containers have their own CA "
        "store; mount this CA there and set SSL_CERT_FILE, REQUESTS_CA_BUNDLE and NODE_EXTRA_CA_CERTS."
    ),
}
"""What mends it, where that names an endpoint otherwise."""

PART_OF: dict[Code, Code] = {Code.TLS_UNKNOWN_CA: Code.TLS_INTERCEPTED}
"""A cause that is another one in disguise where both are about the same thing.

An issuer that re-signs what has a public certificate is a gateway, also where nothing is known about an endpoint.
"""
