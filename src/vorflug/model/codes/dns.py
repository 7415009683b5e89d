"""What the resolution of names can meet."""

from __future__ import annotations

from vorflug.model.codes.page import Page
from vorflug.model.message import msg
from vorflug.ports.net_codes import Code

PAGES: dict[Code, Page] = {
    Code.DNS_NXDOMAIN: Page(
        seen=msg("The nameserver answered NXDOMAIN: in its view the name does not exist (RFC 1035, 4.1.1)."),
        proves=msg(
            "The nameserver was reached and works, and knows neither this name nor any name below it (RFC 8020)."
        ),
        not_proves=msg(
            "It does not prove that the name exists nowhere. An internal nameserver may not forward internet "
            "names, may hold a zone of the same name (split horizon), or may deny the name by policy; a "
            "mistyped name looks the same."
        ),
        who=msg(
            "Whoever runs the nameservers of this host; if the name is mistyped, whoever wrote it into the "
            "configuration. Where a proxy is the only way out, nobody: then the proxy resolves the name."
        ),
        ask=msg(
            "Please let the nameservers named below resolve the name named there: create the record, or "
            "forward internet names to a resolver that knows them. If a policy denies the name on purpose, "
            "please exempt it."
        ),
        look=("dig @NAMESERVER NAME A",),
    ),
    Code.DNS_SERVFAIL: Page(
        seen=msg("The nameserver answered SERVFAIL: it tried and could not find out (RFC 1035, 4.1.1)."),
        proves=msg(
            "The nameserver was reached, took the question and failed at something behind it. An extended "
            "error (RFC 8914), where there is one, names at what."
        ),
        not_proves=msg(
            "It does not show whether the name exists, and what failed: the forwarder behind it, the zone's "
            "own servers, a zone that did not load, or DNSSEC validation. If the same question passes with "
            "checking disabled, it is the validation."
        ),
        who=msg(
            "Whoever runs the nameservers of this host; if validation fails everywhere, whoever runs the name's zone."
        ),
        ask=msg(
            "Please look into the log of the nameserver named below for the name and time named there: does "
            "its forwarder answer, does DNSSEC validation fail, is the zone loaded?"
        ),
        look=(
            "dig @NAMESERVER NAME A",
            "dig @NAMESERVER NAME A +cd",
        ),
    ),
    Code.DNS_REFUSED: Page(
        seen=msg("The nameserver answered REFUSED: it does not answer this question for this host (RFC 1035, 4.1.1)."),
        proves=msg(
            "The nameserver was reached and is not willing. As a rule this host's address is not among those "
            "that it resolves for, or it answers only for its own zones."
        ),
        not_proves=msg("It says nothing about the name, and nothing about a network filter: the answer came through."),
        who=msg(
            "Whoever runs the nameserver named below; if another one was meant for this network, whoever "
            "configures this host."
        ),
        ask=msg(
            "Please allow recursive queries from this host's address on the nameserver named below "
            "(allow-recursion, access-control), or name the resolvers that are meant for this network."
        ),
        look=("dig @NAMESERVER NAME A +recurse",),
    ),
    Code.DNS_TIMEOUT: Page(
        seen=msg("The nameserver gave no answer within the time."),
        proves=msg("The question was sent, and no answer came back to this host."),
        not_proves=msg(
            "It says nothing about the name. The question or the answer may have been dropped on the way, the "
            "nameserver may be down or overloaded, or it still waits for a server behind it: then other names "
            "are answered quickly."
        ),
        who=msg(
            "Whoever runs the nameservers of this host; if they work for others, whoever runs the network between."
        ),
        ask=msg(
            "Please check that the nameserver named below runs, and that UDP and TCP port 53 from this host to "
            "it are open in both directions. If it does answer others, please look for packets of this host on "
            "the devices between."
        ),
        look=(
            "dig @NAMESERVER NAME A +tries=1 +time=5",
            "dig @NAMESERVER NAME A +tcp +tries=1 +time=5",
        ),
    ),
    Code.DNS_NODATA: Page(
        seen=msg(
            "The nameserver answered without an error, and without an IPv4 or IPv6 address (NODATA; RFC 2308, 2.2)."
        ),
        proves=msg("The name exists for this nameserver, or names exist below it; it has no A and no AAAA record."),
        not_proves=msg(
            "It does not prove that it is so for everyone: an internal view of the zone may hold only other "
            "records (MX, TXT), and some filters empty an answer instead of denying the name."
        ),
        who=msg(
            "Whoever runs the zone; if other resolvers do give addresses, whoever runs the nameservers of this host."
        ),
        ask=msg(
            "Please add an A or AAAA record for the name below to the zone as this network sees it, or name "
            "the address record that is meant."
        ),
        look=(
            "dig @NAMESERVER NAME A",
            "dig @NAMESERVER NAME AAAA",
        ),
    ),
    Code.DNS_UNREACHABLE: Page(
        seen=msg(
            "The question could not be delivered: no route to the nameserver, or its port 53 was reported closed."
        ),
        proves=msg("This host's kernel or an ICMP message said so at once; nothing was waited for."),
        not_proves=msg(
            "It does not prove that the nameserver is down: the address in /etc/resolv.conf may be wrong, a "
            "local stub (127.0.0.53) may not run, or a device on the way may have sent the ICMP message in "
            "its place."
        ),
        who=msg("Whoever configures this host, for an address or a local stub; else whoever runs the nameservers."),
        ask=msg(
            "Please name the nameservers that are meant for this host's network, and check that the one named "
            "below is routed from there and listens on UDP and TCP port 53."
        ),
        look=(
            "cat /etc/resolv.conf",
            "dig @NAMESERVER . NS +tries=1 +time=3",
        ),
    ),
    Code.DNS_TRUNCATED_TCP_BLOCKED: Page(
        seen=msg("The answer came truncated over UDP (TC bit), and asking again over TCP failed."),
        proves=msg(
            "UDP port 53 passes. The whole answer can only be had over TCP (RFC 7766), and TCP port 53 of "
            "this nameserver gave none."
        ),
        not_proves=msg(
            "It does not show whether TCP is filtered on the way or the nameserver itself does not serve it. "
            "Short answers still pass, which makes the fault look random."
        ),
        who=msg(
            "Whoever runs the nameserver; if it does answer others over TCP, whoever runs the packet filters between."
        ),
        ask=msg(
            "Please open TCP port 53, besides UDP, from this host to the nameserver named below, and check "
            "that it listens there (RFC 7766 requires both)."
        ),
        look=(
            "dig @NAMESERVER NAME A +ignore",
            "dig @NAMESERVER NAME A +tcp",
        ),
    ),
    Code.DNS_HIJACK: Page(
        seen=msg(
            "The nameserver gives an address for a name that cannot exist (a random label; .invalid, RFC 6761, 6.4)."
        ),
        proves=msg("Its answers do not show whether a name exists: whatever is unknown leads to the same address."),
        not_proves=msg(
            "It proves neither ill will nor that the address of the wanted name is wrong. A provider's search "
            "page, a sign-in page before the network is opened, a wildcard in a search domain, or a lab "
            "resolver answers like this."
        ),
        who=msg("Whoever runs the nameservers of this host; if they are the provider's, whoever chose them."),
        ask=msg(
            "Please let the nameserver named below answer NXDOMAIN for names that do not exist: no wildcard at "
            "the top, no search page, no catch-all address."
        ),
        look=("dig @NAMESERVER no-such-name-4711.invalid A",),
    ),
    Code.DNS_BOGON: Page(
        seen=msg(
            "A public name resolved to an address that no public host can have: loopback or unspecified (RFC 6890)."
        ),
        proves=msg("This answer cannot lead to the service, whatever is open on the way."),
        not_proves=msg(
            "It does not show who put it there: a sinkhole of a protective DNS, a line in the hosts file, or "
            "a mistake in the zone look the same."
        ),
        who=msg(
            "Whoever runs the nameservers of this host and their block lists; if all resolvers say so, the "
            "owner of the zone."
        ),
        ask=msg(
            "Please check whether the name below is on a block list (sinkhole) of the nameserver named there, "
            "and take it off for this host."
        ),
        look=(
            "dig @NAMESERVER NAME A +short",
            "getent ahosts NAME",
        ),
    ),
    Code.DNS_CNAME_LOOP: Page(
        seen=msg("The aliases (CNAME) of the name lead back to one of themselves."),
        proves=msg("The name cannot be resolved by anybody who gets these records (RFC 1034, 3.6.2)."),
        not_proves=msg(
            "It does not show where the circle is closed: in the public zone, or by an override in the "
            "nameservers of this network."
        ),
        who=msg(
            "Whoever runs the zone of the alias that leads back; if other resolvers do find an address, "
            "whoever runs the nameservers here."
        ),
        ask=msg(
            "Please take the circle out of the CNAME records of the name below; the aliases in their order are "
            "named there."
        ),
        look=("dig @NAMESERVER NAME CNAME",),
    ),
    Code.DNS_SLOW_FALLBACK: Page(
        seen=msg("One of the configured nameservers is silent, and another one gave the answer."),
        proves=msg(
            "Names resolve. Every look-up that asks the silent one first waits for it, 5 seconds by default "
            "(resolv.conf(5), timeout)."
        ),
        not_proves=msg(
            "It does not show whether the silent one is down, or only does not answer this host; nor that "
            "programs bear the wait: many give up after five or ten seconds in all."
        ),
        who=msg(
            "Whoever runs the nameservers; for a stale address, whoever configures this host (DHCP, netplan, "
            "cloud-init)."
        ),
        ask=msg(
            "Please check whether the silent nameserver named below still is in service for this network; if "
            "not, please name its successor and take it out of DHCP."
        ),
        look=("dig @NAMESERVER NAME A +tries=1 +time=5",),
    ),
    Code.DNS_HOSTS_OVERRIDE: Page(
        seen=msg(
            "The hosts file of this host gives other addresses than the nameservers, or is the only one that "
            "knows the name."
        ),
        proves=msg("Programs on this host use the address in the file (nsswitch.conf: files before dns)."),
        not_proves=msg(
            "It does not prove that it is wrong: such a line may be wanted. Containers do not read the file "
            "of the host, so there the name has the other address or none."
        ),
        who=msg("Whoever administers this host; if the address is to hold everywhere, whoever runs the DNS zone."),
        ask=msg(
            "Please take the name below out of /etc/hosts of the host named there, or create the same address "
            "in DNS so that containers see it, too."
        ),
        look=(
            "getent ahosts NAME",
            "dig @NAMESERVER NAME A +short",
        ),
    ),
    Code.DNS_SEARCH_DOMAIN: Page(
        seen=msg("The name resolved only with a search domain of this host put behind it."),
        proves=msg(
            "What answers is another name than the one that was written, and it works only where the same "
            "search domain is set."
        ),
        not_proves=msg(
            "It does not prove that the longer name is the one that was meant. Containers, other hosts and "
            "certificates know the short name as a rule not at all."
        ),
        who=msg(
            "Whoever wrote the name into the configuration; if it is to resolve as it is, whoever runs the DNS zone."
        ),
        ask=msg(
            "Please name the full name (with its domain) of the service named below; it is to be written like "
            "this in the configuration."
        ),
        look=(
            "dig @NAMESERVER NAME. A +short",
            "dig @NAMESERVER NAME A +search +short",
        ),
    ),
}
