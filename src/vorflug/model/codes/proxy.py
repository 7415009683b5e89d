"""What a request by a proxy can meet."""

from __future__ import annotations

from vorflug.model.codes.page import Page
from vorflug.model.message import msg
from vorflug.ports.net_codes import Code

PAGES: dict[Code, Page] = {
    Code.PROXY_REFUSED: Page(
        seen=msg("The connection to the proxy was answered with a reset (RST): ECONNREFUSED."),
        proves=msg(
            "Packets to the proxy's address come back; at this port nothing accepts the connection. The "
            "target was not asked."
        ),
        not_proves=msg(
            "It says nothing about the target, and does not show who sent the reset: the proxy's host, where "
            "nothing listens, or a packet filter that rejects."
        ),
        who=msg("Whoever runs the proxy; if address or port in the setting are wrong, whoever wrote the setting."),
        ask=msg(
            "Please name address and port of the proxy for this host's network, and check that it listens "
            "there and takes connections from this host."
        ),
        look=("nc -vz -w 5 PROXY PORT",),
    ),
    Code.PROXY_DNS: Page(
        seen=msg("The name of the proxy itself does not resolve."),
        proves=msg("No connection to the proxy was tried. Every request that goes by it fails alike."),
        not_proves=msg(
            "It does not prove that the proxy is down, and says nothing about the target. The name may be "
            "mistyped, or known only to other nameservers."
        ),
        who=msg("Whoever wrote the setting; if the name is right, whoever runs the nameservers of this host."),
        ask=msg(
            "Please name the full name or the address of the proxy for this host's network, and let this "
            "host's nameservers resolve it."
        ),
        look=(
            "env | grep -i proxy",
            "dig PROXY A +short",
        ),
    ),
    Code.PROXY_TIMEOUT: Page(
        seen=msg("The proxy did not answer within the time: not the connection attempt, or not the request."),
        proves=msg(
            "Nothing came back from the proxy to this host. The stage where it stopped shows which of the two it was."
        ),
        not_proves=msg(
            "It does not show where it was lost. No answer to the connection attempt: dropped there or back, "
            "or the proxy is down. No answer to the request: the proxy is overloaded or itself waits for the "
            "target."
        ),
        who=msg("Whoever runs the proxy; if no packet of this host arrives there, whoever runs the network between."),
        ask=msg(
            "Please check that the proxy named below runs and that TCP from this host to its port is open. If "
            "the connection does arrive, please look in its log what became of the request at the time named."
        ),
        look=(
            "nc -vz -w 5 PROXY PORT",
            "curl -sv -m 10 -o /dev/null -x http://PROXY:PORT https://NAME/",
        ),
    ),
    Code.PROXY_AUTH_REQUIRED: Page(
        seen=msg("The proxy answered 407: it wants a login, and none is set here (RFC 9110, 15.5.8)."),
        proves=msg(
            "The proxy was reached and speaks for itself. The schemes that it takes stand in Proxy-Authenticate."
        ),
        not_proves=msg(
            "It does not prove that the target would be allowed after a login: many proxies ask for the login "
            "first and judge the target then."
        ),
        who=msg("Whoever runs the proxy; for the account, whoever gives out technical accounts."),
        ask=msg(
            "Please allow this host to reach the targets named below by the proxy without a login (exemption "
            "by source address); otherwise please give out a technical account for Basic authentication."
        ),
        look=("curl -sv -o /dev/null -x http://PROXY:PORT https://NAME/",),
    ),
    Code.PROXY_AUTH_REJECTED: Page(
        seen=msg("The proxy answered 407 again, although the login that is set was sent."),
        proves=msg(
            "The proxy was reached and does not take this login. At most two attempts are made, so that no "
            "account is locked."
        ),
        not_proves=msg(
            "It does not say why: a wrong password, characters not percent-encoded in the setting, a locked "
            "or expired account, or a missing right of the account look the same. Nothing is said about the "
            "target."
        ),
        who=msg(
            "Whoever wrote the login into the setting; if it is right, whoever runs the proxy and the "
            "accounts behind it."
        ),
        ask=msg(
            "Please check the technical account that this host uses on the proxy named below: is it locked or "
            "expired, is it in the group that may go out, and why was it rejected at the time named?"
        ),
        look=("curl -sv -o /dev/null -x http://PROXY:PORT -U USER https://NAME/",),
    ),
    Code.PROXY_AUTH_UNSUPPORTED: Page(
        seen=msg(
            "The proxy answered 407 and offers only Negotiate (Kerberos), NTLM or other schemes that are no Basic."
        ),
        proves=msg(
            "The proxy was reached. Services, containers and package managers as a rule cannot log in there: "
            "these schemes need a user or machine of the domain."
        ),
        not_proves=msg(
            "It does not prove that no way exists: a local helper that logs in (cntlm, px) or an exemption "
            "would be one. Nothing is said about the target."
        ),
        who=msg("Whoever runs the proxy."),
        ask=msg(
            "Please exempt this host from proxy authentication for the targets named below (by source "
            "address), because services and containers cannot do Negotiate or NTLM."
        ),
        look=("curl -sv -o /dev/null -x http://PROXY:PORT https://NAME/",),
    ),
    Code.PROXY_DENIED: Page(
        seen=msg(
            "The proxy answered that it does not do this request: 403 or the like to CONNECT (for https) or to "
            "the request itself (for http), or the same by SOCKS (RFC 1928, 6)."
        ),
        proves=msg(
            "It is the proxy's own decision: an answer to CONNECT comes from the proxy, never from the target "
            "(RFC 9110, 9.3.6). For http:// the proxy named itself in its answer."
        ),
        not_proves=msg(
            "It does not say by which rule: name or category of the target, port (squid allows CONNECT to 443 "
            "only, by default), source address or account. X-Squid-Error or Proxy-Status says more, where "
            "they are sent."
        ),
        who=msg("Whoever runs the proxy."),
        ask=msg(
            "Please allow requests from this host's address to the name and port named below on the proxy: "
            "CONNECT for https, the request itself for http. It was denied at the time named there."
        ),
        look=("curl -sv -o /dev/null -x http://PROXY:PORT https://NAME/",),
    ),
    Code.PROXY_UPSTREAM_DNS: Page(
        seen=msg("The proxy says that it cannot resolve the name of the target."),
        proves=msg("The proxy was reached and was willing; the nameserver that the proxy uses gave it no address."),
        not_proves=msg(
            "It says nothing about the nameservers of this host, which are not asked here; nor that the name exists."
        ),
        who=msg(
            "Whoever runs the proxy and its nameservers; for an internal name, whoever should exempt it from "
            "the proxy (NO_PROXY)."
        ),
        ask=msg(
            "Please check on the proxy whether its nameserver resolves the name below; if the name is "
            "internal, please say that it is to be reached without the proxy."
        ),
        look=("curl -sv -o /dev/null -x http://PROXY:PORT https://NAME/",),
    ),
    Code.PROXY_UPSTREAM_TIMEOUT: Page(
        seen=msg("The proxy says that it got no answer from the target in its own time (504 or the like)."),
        proves=msg("The proxy was reached and allows the request. Its own connection to the target was not answered."),
        not_proves=msg(
            "It does not show where it was lost: dropped between the proxy and the target, there or back, or "
            "the target is down. Some proxies say 504 for other faults, too."
        ),
        who=msg(
            "Whoever runs the proxy, together with whoever runs the network behind it; else the operator of the target."
        ),
        ask=msg(
            "Please allow TCP from the proxy to the name and port named below, and check from the proxy that "
            "the target answers."
        ),
        look=("curl -sv -o /dev/null -x http://PROXY:PORT https://NAME/",),
    ),
    Code.PROXY_UPSTREAM_REFUSED: Page(
        seen=msg("The proxy says that it could not connect to the target (502, 503 or the like)."),
        proves=msg("The proxy was reached; its own connection to the target did not come about."),
        not_proves=msg(
            "It does not say why: the target may have refused, be down or be without a route from the proxy; "
            "a proxy seldom says which. The proxy may also mean itself (overloaded, no parent proxy)."
        ),
        who=msg("Whoever runs the proxy, who can see the reason in its log; else the operator of the target."),
        ask=msg(
            "Please look in the log of the proxy for the name and time named below: which error does it note "
            "for its connection to the target, and does it reach the target from its own command line?"
        ),
        look=("curl -sv -o /dev/null -x http://PROXY:PORT https://NAME/",),
    ),
    Code.PROXY_CLOSED: Page(
        seen=msg(
            "The proxy took the request and opened no way: it hung up, or answered with something that grants nothing."
        ),
        proves=msg(
            "Something listens at the proxy's address. It did not do this request: CONNECT (for https) or the "
            "request itself (for http)."
        ),
        not_proves=msg(
            "It does not prove that it is a proxy at all (a wrong port looks the same), nor that the target "
            "is denied: many devices hang up on requests that they do not like without a word."
        ),
        who=msg("Whoever runs the proxy; if the port is wrong, whoever wrote the setting."),
        ask=msg(
            "Please look in the log of the proxy for a request from this host to the name below at the time "
            "named (CONNECT for https, the request itself for http): was it cut, and by which rule? Please "
            "confirm the port, too."
        ),
        look=("curl -sv -o /dev/null -x http://PROXY:PORT https://NAME/",),
    ),
    Code.PROXY_TUNNEL_STALL: Page(
        seen=msg(
            "The proxy answered CONNECT with 200, and nothing came through the tunnel, although the target "
            "answers otherwise or the proxy grants ways to hosts that cannot exist."
        ),
        proves=msg(
            "The 200 of this proxy does not mean that it is connected to the target. What is missing is on "
            "the proxy's side."
        ),
        not_proves=msg(
            "It does not prove that a rule is to blame: an inspection that waits or fails, a parent proxy "
            "that is silent, or the proxy's own way to the target look the same."
        ),
        who=msg("Whoever runs the proxy."),
        ask=msg(
            "Please look on the proxy what becomes of the tunnel from this host to the name below: does its "
            "connection to the target come about, does inspection hold it, is there a parent proxy that is "
            "silent?"
        ),
        look=("curl -sv -m 15 -o /dev/null -x http://PROXY:PORT https://NAME/",),
    ),
    Code.PROXY_CONFIG: Page(
        seen=msg("The proxy setting cannot be used as it is written, or two of its spellings say different things."),
        proves=msg(
            "The fault is in the setting on this host; the variable or file is named. Programs read it "
            "differently (curl, Go, Python, Java), so some may work and others not."
        ),
        not_proves=msg("It says nothing about the proxy itself or about the target: neither was asked."),
        who=msg("Whoever wrote the setting on this host; whoever runs the proxy names the right value."),
        ask=msg(
            "Please name the proxy for this host's network as http://host:port, and the names and networks "
            "that are to be reached without it (NO_PROXY)."
        ),
        look=(
            "env | grep -i proxy",
            "systemctl show docker --property=Environment",
        ),
    ),
}
