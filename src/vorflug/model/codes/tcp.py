"""What a connection attempt can meet."""

from __future__ import annotations

from vorflug.model.codes.page import Page
from vorflug.model.message import msg
from vorflug.ports.net_codes import Code

PAGES: dict[Code, Page] = {
    Code.TCP_REFUSED: Page(
        seen=msg("The connection attempt was answered with a reset (RST): ECONNREFUSED."),
        proves=msg(
            "Packets go there and an answer comes back. At this address and port nothing accepts the "
            "connection (RFC 9293, 3.10.7.1)."
        ),
        not_proves=msg(
            "It does not show who sent the reset. Mostly it is the target itself, where no service listens; a "
            "load balancer or packet filter that rejects instead of dropping sends the same packet in the target's "
            "name."
        ),
        who=msg(
            "First whoever runs the target service: does it listen on this port? If it does, whoever runs the "
            "network between."
        ),
        ask=msg(
            "Please check whether the service named below listens on the address and port named there. If it "
            "does, please find the device between this host and it that answers with a reset: a trace on the "
            "target shows whether the SYN arrives."
        ),
        look=(
            "nc -vz -w 5 NAME PORT",
            "traceroute -T -p PORT NAME",
        ),
    ),
    Code.TCP_TIMEOUT: Page(
        seen=msg("The connection attempt got no answer at all within the time."),
        proves=msg("No packet that answers came back to this host."),
        not_proves=msg(
            "It does not show where it was lost. The packet may be dropped on the way there, or the answer on "
            "the way back (asymmetric routing, a missing return route, NAT); the target may be down (in the "
            "own subnet nobody answers ARP or NDP then), or so busy that its backlog is full. A firewall that "
            "drops looks like this, and so does a host without power."
        ),
        who=msg("Whoever runs the network between; if the packets arrive there, whoever runs the target."),
        ask=msg(
            "Please allow TCP from the address of this host to the addresses and port named below, with the "
            "answers in the other direction. If it is allowed already, please look where the SYN and the "
            "SYN-ACK are lost: time and source address stand below."
        ),
        look=(
            "nc -vz -w 5 NAME PORT",
            "traceroute -T -p PORT NAME",
        ),
    ),
    Code.TCP_PROHIBITED: Page(
        seen=msg(
            "The connection attempt was answered at once with an ICMP “unreachable” or “prohibited”, or this "
            "host itself forbids it (EHOSTUNREACH, EACCES)."
        ),
        proves=msg(
            "Something on the way, or this host's own routing or packet filter, reported the address as not "
            "to be reached. Nothing accepted the connection."
        ),
        not_proves=msg(
            "It does not prove that it is forbidden on purpose. A filter that rejects (RFC 1812, 5.2.7.1: "
            "code 13) says this; so does a router that has no way to the target, or whose neighbour discovery "
            "(ARP, NDP) failed because the target is down; so may the target's own packet filter."
        ),
        who=msg(
            "Whoever runs the router or packet filter that sent the message; if nobody answers ARP or NDP, "
            "whoever runs the target."
        ),
        ask=msg(
            "Please look which device answers TCP from this host to the address and port named below with ICMP "
            "“unreachable”: if by rule, please allow the flow; if no neighbour answers, please check that the "
            "target is up."
        ),
        look=(
            "nc -vz -w 5 NAME PORT",
            "ip route get ADDRESS",
        ),
    ),
    Code.TCP_NO_ROUTE: Page(
        seen=msg("This host's own routing table has no way to the address (ENETUNREACH)."),
        proves=msg("No packet left this host. For IPv6 it mostly means that the host has no IPv6 at all."),
        not_proves=msg(
            "It says nothing about the network outside or about the target. Where all traffic is to go by a "
            "proxy, a missing default route may be wanted."
        ),
        who=msg("Whoever sets up the network of this host, together with whoever names the gateway."),
        ask=msg(
            "Please name the gateway for this host's network (default route, or a route to the address named "
            "below), or confirm that the way out is by proxy only."
        ),
        look=(
            "ip route get ADDRESS",
            "ip -6 route show default",
        ),
    ),
    Code.TCP_RESET: Page(
        seen=msg("The connection was accepted and then reset (RST), before any data of the target arrived."),
        proves=msg(
            "The way to something that accepts TCP is open. It, or something in its name, broke the connection off."
        ),
        not_proves=msg(
            "It does not show who broke it off: the service (crashed, full, does not like this source "
            "address), a load balancer without a healthy server behind it, or an inspecting device on the way "
            "that takes the connection first and judges then."
        ),
        who=msg(
            "Whoever runs the target service or the load balancer before it; if the log there shows nothing, "
            "whoever runs the inspecting devices between."
        ),
        ask=msg(
            "Please look in the log of the service and of its load balancer for the source address and time "
            "named below: why is the accepted connection reset? If nothing arrived there, please look which "
            "device between accepts in its place."
        ),
        look=("nc -v -w 5 NAME PORT",),
    ),
    Code.TCP_CLOSED_EARLY: Page(
        seen=msg("The connection was accepted and then closed in order (FIN), before anything was said."),
        proves=msg("The way to something that accepts TCP is open, and it hung up on its own account."),
        not_proves=msg(
            "It does not say why. A service with an allow list (TCP wrapper), a load balancer without a "
            "healthy server, a port forwarding whose far end is missing, and another protocol on this port "
            "end like this."
        ),
        who=msg(
            "Whoever runs the target service or the load balancer before it; if nothing arrives there, "
            "whoever runs the network between."
        ),
        ask=msg(
            "Please look in the log of the service and of its load balancer for the source address and time "
            "named below: is there a healthy server behind it, and may this host connect?"
        ),
        look=("nc -v -w 5 NAME PORT",),
    ),
    Code.TCP_V6_BROKEN: Page(
        seen=msg("An IPv6 address of the name failed where an IPv4 address works."),
        proves=msg(
            "The service can be reached. Programs that try IPv6 first and do not try both side by side (RFC "
            "8305) wait or fail."
        ),
        not_proves=msg(
            "It does not show where IPv6 is broken: on this host, on the way, or at the target, whose AAAA "
            "record may be stale."
        ),
        who=msg(
            "Whoever runs the network of this host; if other IPv6 targets work, whoever runs the target and "
            "its DNS record."
        ),
        ask=msg(
            "Please check the IPv6 way from this host to the address named below. If IPv6 is not meant to work "
            "in this network, please do not announce it to this host (no global address, no default route)."
        ),
        look=(
            "curl -6 -sv -o /dev/null https://NAME/",
            "curl -4 -sv -o /dev/null https://NAME/",
        ),
    ),
}
