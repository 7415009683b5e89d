"""For each code, what was seen and what to do.  Which words a sentence may use is fixed by `netcause`."""

from __future__ import annotations

from vorflug.model.message import Message, msg
from vorflug.ports.net import Code

TEXTS: dict[Code, tuple[Message, Message]] = {
    Code.DNS_NXDOMAIN: (
        msg("The name {name} does not exist, says the resolver ({resolvers})."),
        msg(
            "Make sure that the resolver {resolvers} resolves {name} (create it there, or forward internet names), or "
            "correct the name."
        ),
    ),
    Code.DNS_SERVFAIL: (
        msg("The resolver ({resolvers}) could not find out about {name}: SERVFAIL."),
        msg("Ask whoever runs {resolvers} to check its forwarder and its DNSSEC validation for {name} (log; dig +cd)."),
    ),
    Code.DNS_REFUSED: (
        msg("The resolver ({resolvers}) refuses to answer for {name}: REFUSED."),
        msg(
            "Ask whoever runs {resolvers} to allow recursive queries from this host, or enter the resolvers meant for "
            "this network."
        ),
    ),
    Code.DNS_TIMEOUT: (
        msg("The resolver ({resolvers}) gave no answer about {name} within {took:duration}."),
        msg("Check that {resolvers} runs, and ask for UDP and TCP port 53 from this host to it to be open, both ways."),
    ),
    Code.DNS_NODATA: (
        msg("The name {name} exists, but has no IPv4 or IPv6 address."),
        msg("Ask whoever runs the zone for an A or AAAA record of {name}, or use the name that has one."),
    ),
    Code.DNS_UNREACHABLE: (
        msg("The resolver ({resolvers}) cannot be reached: {detail}."),
        msg("Check the addresses in /etc/resolv.conf, the route to {resolvers}, and that a resolver listens there."),
    ),
    Code.DNS_TRUNCATED_TCP_BLOCKED: (
        msg("The answer about {name} is too long for UDP, and {resolvers} cannot be asked over TCP ({detail})."),
        msg(
            "Ask for TCP port 53 from this host to {resolvers} to be open, besides UDP, and check that it listens "
            "there."
        ),
    ),
    Code.DNS_HIJACK: (
        msg(
            "The resolver ({resolvers}) gives addresses for names that cannot exist, too: what it says about {name} "
            "proves nothing."
        ),
        msg("Let {resolvers} answer NXDOMAIN for unknown names (no wildcard, no search page)."),
    ),
    Code.DNS_BOGON: (
        msg("The name {name} leads to an address that no public host can have: {addresses:list}."),
        msg("Take {name} off the resolver's block list (sinkhole), or correct the record."),
    ),
    Code.DNS_CNAME_LOOP: (
        msg("The aliases (CNAME) of {name} lead in a circle, so it has no address."),
        msg("Ask whoever runs the zone of {name} to take the circle out of its CNAME records."),
    ),
    Code.DNS_SLOW_FALLBACK: (
        msg("Of the resolvers of this host ({resolvers}) one is silent; another one answered about {name}."),
        msg("Take the silent resolver out of /etc/resolv.conf, or let it answer: every look-up waits for it first."),
    ),
    Code.DNS_HOSTS_OVERRIDE: (
        msg("The hosts file of this host gives other addresses for {name} than the resolver ({resolvers})."),
        msg("If nobody wants it so any more, take {name} out of /etc/hosts; containers do not read the host's file."),
    ),
    Code.DNS_SEARCH_DOMAIN: (
        msg("The name {name} resolves only with a search domain of this host put behind it."),
        msg("Write {name} in full, with its domain: containers and other hosts have other search domains."),
    ),
    Code.TCP_REFUSED: (
        msg("{endpoint} refuses the connection ({detail}): nothing accepts it there."),
        msg("Check that the service runs on {endpoint}; if it does, ask which device on the way answers in its name."),
    ),
    Code.TCP_TIMEOUT: (
        msg("{endpoint} did not answer the connection attempt within {took:duration} ({detail})."),
        msg("Ask for TCP from this host to {endpoint} to be open, both ways; if it is, check that the target is up."),
    ),
    Code.TCP_PROHIBITED: (
        msg(
            "{endpoint} is reported as prohibited or unreachable, by a device on the way or by this host's routing "
            "({detail})."
        ),
        msg("Check that the target is up; if it is, ask which router or packet filter rejects TCP to {endpoint}."),
    ),
    Code.TCP_NO_ROUTE: (
        msg("This host has no route to {endpoint} ({detail})."),
        msg("Ask for the gateway of this network and add the route to {endpoint}, or use the proxy."),
    ),
    Code.TCP_RESET: (
        msg("{endpoint} accepted the connection and reset it at once."),
        msg(
            "Look for this host in the log of the service on {endpoint} and of its load balancer; if nothing arrived "
            "there, ask which device answers in its place."
        ),
    ),
    Code.TCP_CLOSED_EARLY: (
        msg("{endpoint} accepted the connection and closed it before anything was said."),
        msg(
            "Look for this host in the log of the service on {endpoint} and of its load balancer; if nothing arrived "
            "there, ask which device answers in its place."
        ),
    ),
    Code.TCP_V6_BROKEN: (
        msg("{name} answers over IPv4, but not over IPv6 ({addresses:list})."),
        msg("Give this host a working IPv6 route, or take the AAAA record of {name} away."),
    ),
    Code.PROXY_REFUSED: (
        msg("The proxy {proxy} ({why}) refuses the connection: nothing accepts it there."),
        msg("Check address and port of the proxy in {setting} with whoever runs it, and that it runs."),
    ),
    Code.PROXY_DNS: (
        msg("The name of the proxy {proxy} ({why}) does not resolve."),
        msg("Correct the name of the proxy in {setting}, or create it in DNS."),
    ),
    Code.PROXY_TIMEOUT: (
        msg("The proxy {proxy} ({why}) gave no answer within {took:duration}."),
        msg("Ask for TCP from this host to the proxy {proxy} to be open; if it is, let its log be read for this host."),
    ),
    Code.PROXY_AUTH_REQUIRED: (
        msg("The proxy {proxy} wants a login ({schemes:or}), and none is set."),
        msg(
            "Ask for an exemption without a login for {name} on the proxy {proxy}, or for a technical account with "
            "Basic authentication."
        ),
    ),
    Code.PROXY_AUTH_REJECTED: (
        msg("The proxy {proxy} rejects the login that is set (status {status})."),
        msg(
            "Correct user name and password in {setting}; if they are right, ask whether the account on {proxy} is "
            "locked or expired."
        ),
    ),
    Code.PROXY_AUTH_UNSUPPORTED: (
        msg("The proxy {proxy} wants {schemes:or} authentication, which services cannot give."),
        msg("Ask for an exemption without a login for {name} on the proxy {proxy}."),
    ),
    Code.PROXY_DENIED: (
        msg("The proxy {proxy} denies {endpoint} ({detail})."),
        msg("Ask whoever runs the proxy {proxy} to allow {endpoint} for this host."),
    ),
    Code.PROXY_UPSTREAM_DNS: (
        msg("The proxy {proxy} cannot resolve {name} ({detail})."),
        msg(
            "Ask whoever runs the proxy {proxy} to let its resolver know {name}; if the name is internal, put it into "
            "NO_PROXY."
        ),
    ),
    Code.PROXY_UPSTREAM_TIMEOUT: (
        msg("The proxy {proxy} gets no answer from {endpoint} ({detail})."),
        msg("Ask for TCP from the proxy {proxy} to {endpoint} to be open; if it is, check that the target is up."),
    ),
    Code.PROXY_UPSTREAM_REFUSED: (
        msg("The proxy {proxy} did not connect to {endpoint} ({detail})."),
        msg("Ask whoever runs the proxy {proxy} what its log says about {endpoint}, and check that the target is up."),
    ),
    Code.PROXY_CLOSED: (
        msg("The proxy {proxy} opened no way to {endpoint}."),
        msg("Ask whoever runs the proxy {proxy} what its log says about {endpoint}; check the port in {setting}, too."),
    ),
    Code.PROXY_TUNNEL_STALL: (
        msg(
            "The proxy {proxy} reported the way to {endpoint} as open, but nothing came through it in {took:duration}."
        ),
        msg(
            "Ask whoever runs the proxy {proxy} what becomes of the tunnel to {endpoint}: its log, its own way out, "
            "inspection."
        ),
    ),
    Code.PROXY_CONFIG: (
        msg("The proxy setting in {setting} cannot be used: {detail}."),
        msg("Write the proxy in {setting} as http://host:port."),
    ),
    Code.TLS_STALL: (
        msg("{endpoint} accepted the connection, but the TLS handshake was not over after {took:duration}."),
        msg(
            "Ask whether large packets (MTU, VPN) or TLS to {endpoint} are held back on the way; if not, check the "
            "service there."
        ),
    ),
    Code.TLS_RESET: (
        msg("The connection to {endpoint} was cut during the TLS handshake."),
        msg(
            "Ask whether a device on the way cuts TLS to {name} (by server name); if none does, read the log of the "
            "service."
        ),
    ),
    Code.TLS_SNI_FILTERED: (
        msg(
            "The TLS handshake with {endpoint} is cut when it holds the server name {name}, and goes on without that "
            "name."
        ),
        msg("Ask for TLS with the server name {name} to be allowed for this host; an open port is not enough."),
    ),
    Code.TLS_NOT_TLS: (
        msg("{endpoint} answers, but not with TLS."),
        msg("Check port and scheme of {url}: another service may listen there."),
    ),
    Code.TLS_HOST_MISMATCH: (
        msg("The certificate of {endpoint} is for {names:list}, not for {name}."),
        msg("Use a name that the certificate holds, or have one issued with {name} in its subject alternative names."),
    ),
    Code.TLS_EXPIRED: (
        msg("A certificate of {endpoint} has expired (server certificate valid until {not_after:date})."),
        msg("Ask whoever runs {endpoint} to renew its certificates (issuer “{issuer}”) and to reload the service."),
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
        msg(
            "If “{issuer}” is your own CA, put its certificate into the trust store of host and containers; if it "
            "belongs to TLS inspection, ask for {name} to be exempted."
        ),
    ),
    Code.TLS_MISSING_INTERMEDIATE: (
        msg("{endpoint} sends no intermediate certificate: its issuer “{issuer}” is neither sent nor known here."),
        msg("Let {endpoint} send its full chain (server certificate, then intermediates)."),
    ),
    Code.TLS_INTERCEPTED: (
        msg(
            "The certificates of {endpoint} come from “{issuer}”, an issuer not expected there: no public one, none "
            "set down for it."
        ),
        msg(
            "If “{issuer}” is TLS inspection, ask the proxy team for {name} to be exempted. If not, get this "
            "CA from the PKI team, mount it into the containers, which have their own CA store, and set "
            "SSL_CERT_FILE, REQUESTS_CA_BUNDLE and NODE_EXTRA_CA_CERTS."
        ),
    ),
    Code.TLS_VERSION: (
        msg("{endpoint} offers neither TLS 1.2 nor TLS 1.3 ({detail})."),
        msg("Ask whoever ends TLS for {endpoint} (service, load balancer, inspection) to enable TLS 1.2 and 1.3."),
    ),
    Code.TLS_CIPHER: (
        msg("{endpoint} and this host have no cipher suite in common, or the handshake failed otherwise ({detail})."),
        msg("Ask whoever ends TLS for {endpoint} why the handshake fails, and for ECDHE with AES-GCM."),
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
        msg("{endpoint} sends certificates that are larger than any client takes."),
        msg("Ask whoever runs {endpoint} to send only the server certificate and its intermediates, no CA bundle."),
    ),
    Code.TLS_STRICT_ONLY: (
        msg("The certificates of {endpoint} do not hold to RFC 5280 in every point ({subject})."),
        msg("Have the chain of {endpoint} reissued: strict clients (Python 3.13 and newer) refuse it."),
    ),
    Code.HTTP_STATUS: (
        msg("{url} was reached and answered with status {status}."),
        msg("Ask whoever runs {url} why it answers so: the network way is open."),
    ),
    Code.HTTP_REDIRECT_LOOP: (
        msg("{url} leads from one redirect to the next and never to an answer."),
        msg(
            "Ask whoever runs {endpoint} to put the redirects in order; a load balancer that hides the scheme does "
            "this."
        ),
    ),
    Code.HTTP_REDIRECT_BLOCKED: (
        msg("{url} redirects to a place that is not followed: {target}."),
        msg("Check the target of the redirect: a sign-in page or another service may answer for {name}."),
    ),
    Code.HTTP_HEADER_TOO_LARGE: (
        msg("{url} sends more than 64 KiB of headers."),
        msg("Check what answers on {endpoint}: no sound service sends such headers."),
    ),
    Code.HTTP_BODY_TOO_LARGE: (
        msg("The answer of {url} is larger than any sound answer there, and was not read to its end."),
        msg("Check what answers on {endpoint}: another service, or a page that is made without end."),
    ),
    Code.HTTP_SLOW_HEADERS: (
        msg("{url} began to answer, but had not sent its headers after {took:duration}."),
        msg("Ask whoever runs {endpoint}, and what inspects the traffic on the way, why the answer takes so long."),
    ),
    Code.HTTP_SLOW_BODY: (
        msg("{url} sent its headers, but its body was not there after {took:duration}."),
        msg(
            "Ask whether the answer of {endpoint} is held back or throttled on the way (virus scan, bandwidth, MTU); "
            "else check its load."
        ),
    ),
    Code.HTTP_TRUNCATED: (
        msg("The answer of {url} broke off before its announced end."),
        msg("Check {endpoint} and what stands before it for a limit or a fault that cuts answers."),
    ),
    Code.HTTP_NO_RESPONSE: (
        msg("{endpoint} accepted the request for {url} and gave no answer."),
        msg(
            "Look for the request in the log of the service on {endpoint} and of its load balancer: whether it "
            "arrived, and what it waited for."
        ),
    ),
    Code.HTTP_NOT_HTTP: (
        msg("{endpoint} answers, but not with HTTP."),
        msg("Check port and scheme of {url}: another service may listen there."),
    ),
    Code.HTTP_WRONG_TARGET: (
        msg("Something else than the wanted service answers for {url}."),
        msg("Find out what answers for {name}: a sign-in page, a block page, a wrong address."),
    ),
    Code.HTTP_CAPTIVE_PORTAL: (
        msg("A sign-in page of the network answers for {url} instead of the service."),
        msg("Ask for this host to be let out without signing in: a service cannot fill in a form."),
    ),
    Code.HTTP_BLOCK_PAGE: (
        msg("The page of a filter answers for {url} instead of the service ({detail})."),
        msg(
            "Ask whoever runs the web filter to allow {name} for this host; the page mostly names the rule or category."
        ),
    ),
    Code.HTTP_DENIED_BY_SERVICE: (
        msg("The service behind {url} was reached and says that its own network rules keep this site out ({detail})."),
        msg("Enter the address by which this site reaches the internet in the allow list of the service at {name}."),
    ),
    Code.STREAM_BUFFERED: (
        msg("{url}: {events} events arrived all at once, the first after {first:duration}."),
        msg(
            "Ask whoever runs what stands between to pass on events of {name} at once (nginx: proxy_buffering off; no "
            "virus scan)."
        ),
    ),
    Code.STREAM_IDLE_CUT: (
        msg("The connection to {endpoint} was gone after {idle:duration} in which nothing was sent."),
        msg("Ask for the idle time-out between this host and {endpoint} to be raised above the longest pause (300 s)."),
    ),
    Code.WS_UPGRADE_REFUSED: (
        msg("{url} was reached and does not grant the upgrade to WebSocket."),
        msg("Let whatever stands before {endpoint} pass the headers Upgrade and Connection, and check the path."),
    ),
    Code.WS_FRAMES_BLOCKED: (
        msg("{url} grants the upgrade to WebSocket, but frames do not come through."),
        msg("Ask for WebSocket frames to {name} to be passed on unchanged by whatever inspects the traffic."),
    ),
    Code.HOST_CLOCK_WRONG: (
        msg("Several servers agree on another time than the clock of this host."),
        msg("Set the clock of this host, and let NTP keep it (chronyc tracking, timedatectl)."),
    ),
}
"""A sentence for every code; a test holds that none is missing."""

PROGRAMS_DIFFER: tuple[Message, Message] = (
    msg("Programs with this environment go different ways to {endpoint} ({programs})."),
    msg(
        "Write the proxy variables so that all programs read them alike: both spellings with one value, and the name "
        "or address itself in no_proxy and NO_PROXY. vorflug proxy {url} shows who goes which way, and why."
    ),
)
"""`PROXY_CONFIG` where each setting can be used, but not by all alike."""

NO_IPV4: tuple[Message, Message] = (
    msg("{name} has no IPv4 address, only IPv6 ({addresses:list}), and this host has no route to it ({detail})."),
    msg("Ask for an IPv6 route for this host, or for an A record of {name}, or use the proxy."),
)
"""`TCP_NO_ROUTE` where the name has only IPv6 addresses."""

PAST_THE_PROXY: tuple[Message, Message] = (
    msg("{setting} sends requests to {name} past the proxy, but only the proxy's way is open."),
    msg("Take {name} out of {setting}, or ask for the direct way to {endpoint} to be opened."),
)
"""`PROXY_CONFIG` where an exemption leads onto a closed way."""
