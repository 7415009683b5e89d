"""For each code, what was seen and what to do.  Which words a sentence may use is fixed by `netcause`."""

from __future__ import annotations

from vorflug.model.message import Message, msg
from vorflug.ports.net import Code

TEXTS: dict[Code, tuple[Message, Message]] = {
    Code.DNS_NXDOMAIN: (
        msg("The name {name} does not exist, says the resolver ({resolvers})."),
        msg(
            "Make sure that the resolver {resolvers} resolves {name} (create it there, or forward internet names), "
            "or correct the name."
        ),
    ),
    Code.DNS_SERVFAIL: (
        msg("The resolver ({resolvers}) could not find out about {name}: SERVFAIL."),
        msg("Check the resolver's forwarding and DNSSEC validation for {name}."),
    ),
    Code.DNS_REFUSED: (
        msg("The resolver ({resolvers}) refuses to answer for {name}: REFUSED."),
        msg("Let this host use the resolver ({resolvers}) recursively, or enter another one."),
    ),
    Code.DNS_TIMEOUT: (
        msg("The resolver ({resolvers}) gave no answer about {name}."),
        msg("Check that {resolvers} runs and that UDP and TCP port 53 are open from this host to it."),
    ),
    Code.DNS_NODATA: (
        msg("The name {name} exists, but has no IPv4 or IPv6 address."),
        msg("Add an A or AAAA record for {name}."),
    ),
    Code.DNS_UNREACHABLE: (
        msg("The resolver ({resolvers}) cannot be reached: {detail}."),
        msg("Check the addresses in /etc/resolv.conf, the route to {resolvers}, and that a resolver listens there."),
    ),
    Code.DNS_TRUNCATED_TCP_BLOCKED: (
        msg("The answer about {name} is too long for UDP, and {resolvers} cannot be asked over TCP ({detail})."),
        msg("Open TCP port 53 from this host to {resolvers}, besides UDP."),
    ),
    Code.DNS_HIJACK: (
        msg("The resolver ({resolvers}) gives addresses for a name that cannot exist ({name})."),
        msg("Let {resolvers} answer NXDOMAIN for unknown names (no wildcard, no search page)."),
    ),
    Code.DNS_BOGON: (
        msg("The name {name} leads to an address that no public host can have: {addresses:list}."),
        msg("Take {name} off the resolver's block list (sinkhole), or correct the record."),
    ),
    Code.TCP_REFUSED: (
        msg("{endpoint} refuses the connection: no service accepts it there."),
        msg("Check that the service runs on {endpoint}; if it does, find out which device on the way rejects it."),
    ),
    Code.TCP_TIMEOUT: (
        msg("{endpoint} did not answer the connection attempt within {took:duration}."),
        msg("Open the way from this host to {endpoint} (TCP), or check that the target is up."),
    ),
    Code.TCP_PROHIBITED: (
        msg("The way to {endpoint} is reported as prohibited or unreachable ({detail})."),
        msg("Check that the target is up; if it is, find the router or packet filter that rejects {endpoint}."),
    ),
    Code.TCP_NO_ROUTE: (
        msg("This host has no route to {endpoint}."),
        msg("Add a route (default gateway) for {endpoint}, or use the proxy."),
    ),
    Code.TCP_RESET: (
        msg("{endpoint} accepted the connection and reset it at once."),
        msg("Check the service on {endpoint} and whatever stands before it (load balancer, filter)."),
    ),
    Code.TCP_CLOSED_EARLY: (
        msg("{endpoint} accepted the connection and closed it before anything was said."),
        msg("Check the service on {endpoint} and whatever stands before it (load balancer, filter)."),
    ),
    Code.TCP_V6_BROKEN: (
        msg("{name} answers over IPv4, but not over IPv6 ({addresses:list})."),
        msg("Give this host a working IPv6 route, or take the AAAA record of {name} away."),
    ),
    Code.PROXY_REFUSED: (
        msg("The proxy {proxy} ({why}) refuses the connection: no proxy accepts it there."),
        msg("Check address and port of the proxy {proxy}, and that it runs."),
    ),
    Code.PROXY_DNS: (
        msg("The name of the proxy {proxy} ({why}) does not resolve."),
        msg("Correct the name of the proxy in {setting}, or create it in DNS."),
    ),
    Code.PROXY_TIMEOUT: (
        msg("The proxy {proxy} ({why}) gave no answer within {took:duration}."),
        msg("Open the way from this host to the proxy {proxy}, and check that it runs."),
    ),
    Code.PROXY_AUTH_REQUIRED: (
        msg("The proxy {proxy} wants a login ({schemes:or}), and none is set."),
        msg("Ask for an exemption without a login for {name}, or set credentials for Basic authentication."),
    ),
    Code.PROXY_AUTH_REJECTED: (
        msg("The proxy {proxy} rejects the login that is set (status {status})."),
        msg("Correct the proxy's user name and password; the account may be locked or expired."),
    ),
    Code.PROXY_AUTH_UNSUPPORTED: (
        msg("The proxy {proxy} wants {schemes:or} authentication, which services cannot give."),
        msg("Ask for an exemption without a login for {name} on the proxy {proxy}."),
    ),
    Code.PROXY_DENIED: (
        msg("The proxy {proxy} denies {endpoint} ({detail})."),
        msg("Allow {endpoint} on the proxy {proxy}."),
    ),
    Code.PROXY_UPSTREAM_DNS: (
        msg("The proxy {proxy} cannot resolve {name} ({detail})."),
        msg("Let the resolver that the proxy {proxy} uses know {name}."),
    ),
    Code.PROXY_UPSTREAM_TIMEOUT: (
        msg("The proxy {proxy} gets no answer from {endpoint} ({detail})."),
        msg("Open the way from the proxy {proxy} to {endpoint}."),
    ),
    Code.PROXY_UPSTREAM_REFUSED: (
        msg("The proxy {proxy} did not connect to {endpoint} ({detail})."),
        msg("Check the way from the proxy {proxy} to {endpoint}, and that the target runs."),
    ),
    Code.PROXY_CLOSED: (
        msg("The proxy {proxy} opened no way to {endpoint}."),
        msg("Look into the log of the proxy {proxy} for {endpoint}."),
    ),
    Code.PROXY_CONFIG: (
        msg("The proxy setting in {setting} cannot be used: {detail}."),
        msg("Write the proxy in {setting} as http://host:port."),
    ),
    Code.TLS_STALL: (
        msg("{endpoint} accepted the connection, then said nothing to the TLS handshake for {took:duration}."),
        msg("Check the service on {endpoint}; a filter that swallows TLS or large packets (MTU) looks the same."),
    ),
    Code.TLS_RESET: (
        msg("The connection to {endpoint} was cut during the TLS handshake ({detail})."),
        msg("Check whether a device on the way cuts TLS to {name} (by server name), and the log of the service."),
    ),
    Code.TLS_NOT_TLS: (
        msg("{endpoint} answers, but not with TLS: {detail}."),
        msg("Check port and scheme of {url}: another service may listen there."),
    ),
    Code.TLS_HOST_MISMATCH: (
        msg("The certificate of {endpoint} is for {names:list}, not for {name}."),
        msg("Use a name that the certificate holds, or have one issued with {name} in its subject alternative names."),
    ),
    Code.TLS_EXPIRED: (
        msg("A certificate of {endpoint} has expired (server certificate valid until {not_after:date})."),
        msg("Renew the certificates of {endpoint}."),
    ),
    Code.TLS_NOT_YET_VALID: (
        msg("A certificate of {endpoint} is not valid yet (server certificate valid from {not_before:date})."),
        msg("Check this host's clock first; if it is right, have the certificate of {endpoint} reissued."),
    ),
    Code.TLS_SELF_SIGNED: (
        msg("The certificate of {endpoint} is signed by itself ({subject}), and this host does not trust it."),
        msg("Have the certificate of {endpoint} issued by your CA, or trust this one explicitly."),
    ),
    Code.TLS_UNKNOWN_CA: (
        msg("The certificates of {endpoint} lead to “{issuer}”, which this host does not know."),
        msg("Put the CA certificate “{issuer}” into this host's trust store, if it is your own or a public one."),
    ),
    Code.TLS_MISSING_INTERMEDIATE: (
        msg("{endpoint} sends no intermediate certificate: its issuer “{issuer}” is neither sent nor known here."),
        msg("Let {endpoint} send its full chain (server certificate, then intermediates)."),
    ),
    Code.TLS_INTERCEPTED: (
        msg("The certificates of {endpoint} come from “{issuer}”, which is no public authority."),
        msg("If “{issuer}” re-signs TLS on the way: exempt {name}, or give its CA to host and containers."),
    ),
    Code.TLS_VERSION: (
        msg("{endpoint} offers neither TLS 1.2 nor TLS 1.3 ({detail})."),
        msg("Enable TLS 1.2 or 1.3 on {endpoint}."),
    ),
    Code.TLS_CIPHER: (
        msg("{endpoint} and this host have no cipher suite in common, or the handshake failed otherwise ({detail})."),
        msg("Enable current cipher suites (ECDHE with AES-GCM) on {endpoint}."),
    ),
    Code.TLS_CLIENT_CERT_REQUIRED: (
        msg("{endpoint} wants a client certificate ({detail})."),
        msg("Have a client certificate issued for this product, or use an endpoint that wants none."),
    ),
    Code.TLS_WEAK_KEY: (
        msg("A certificate of {endpoint} has a key that is too weak (server certificate: {key})."),
        msg("Have the certificate reissued with RSA 3072 or EC P-256 or stronger."),
    ),
    Code.TLS_WEAK_SIGNATURE: (
        msg("A certificate of {endpoint} is signed with a broken hash (server certificate: {signature})."),
        msg("Have the certificate reissued with a SHA-256 signature or stronger."),
    ),
    Code.TLS_INVALID_CHAIN: (
        msg("The certificates that {endpoint} sends do not prove one another ({detail})."),
        msg("Have the chain of {endpoint} put in order: server certificate, then its intermediates."),
    ),
    Code.TLS_CHAIN_TOO_LARGE: (
        msg("{endpoint} sends certificates that are larger than any client takes ({detail})."),
        msg("Check which certificates {endpoint} sends."),
    ),
    Code.TLS_STRICT_ONLY: (
        msg("The certificates of {endpoint} do not hold to RFC 5280 in every point ({subject})."),
        msg("Have the chain of {endpoint} reissued: strict clients (Python 3.13 and newer) refuse it."),
    ),
    Code.HTTP_STATUS: (
        msg("{url} was reached and answered with status {status}."),
        msg("Check {url} with its operator: the way there is open."),
    ),
    Code.HTTP_REDIRECT_BLOCKED: (
        msg("{url} redirects to a place that is not followed ({detail})."),
        msg("Check the target of the redirect: a sign-in page or another service may answer for {name}."),
    ),
    Code.HTTP_HEADER_TOO_LARGE: (
        msg("{url} sends more than 64 KiB of headers."),
        msg("Check what answers on {endpoint}: no sound service sends such headers."),
    ),
    Code.HTTP_SLOW_HEADERS: (
        msg("{url} began to answer, but had not sent its headers after {took:duration}."),
        msg("Check the load of {endpoint} and of what stands before it."),
    ),
    Code.HTTP_SLOW_BODY: (
        msg("{url} sent its headers, but its body was not there after {took:duration}."),
        msg("Check the load of {endpoint} and of what stands before it."),
    ),
    Code.HTTP_TRUNCATED: (
        msg("The answer of {url} broke off before its announced end ({detail})."),
        msg("Check {endpoint} and what stands before it for a limit or a fault that cuts answers."),
    ),
    Code.HTTP_NO_RESPONSE: (
        msg("{endpoint} accepted the request for {url} and gave no answer."),
        msg("Check the service on {endpoint} and its log."),
    ),
    Code.HTTP_NOT_HTTP: (
        msg("{endpoint} answers, but not with HTTP: {detail}."),
        msg("Check port and scheme of {url}: another service may listen there."),
    ),
    Code.HTTP_WRONG_TARGET: (
        msg("Something else than the wanted service answers for {url}."),
        msg("Find out what answers for {name}: a sign-in page, a block page, a wrong address."),
    ),
}
"""A sentence for every code; a test holds that none is missing."""
