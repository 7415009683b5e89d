"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from areas.routing_tables import link, routes
from conftest import FakePort, fake_host, header
from vorflug.areas.ports import Holder, ListenersFact, ListenersQuery, PortFreeRequirement
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.model.routes import RoutesQuery
from vorflug.ports.processes import Process
from vorflug.ports.sockets import Listener, Transport
from vorflug.ports.system import Virtualisation

ID = "0123456789abcdef" * 4
HARDWARE = routes(("0.0.0.0/0", "eth0"), links=[link("eth0")])


def listener(address="0.0.0.0", port=443, *, v6only=None, pid=812, process="nginx", connected=False):
    return Listener(address=address, port=port, v6only=v6only, pid=pid, process=process, connected=connected)


def holder(pid=812, program="/usr/sbin/nginx", unit="", engine="", container=""):
    return Holder(pid=pid, program=program, unit=unit, engine=engine, container=container)


def requirement(**fields):
    return PortFreeRequirement.model_validate(header(**{"ports": [80, 443], **fields}))


def judge(*listeners, holders=(), inside="", seen=HARDWARE, **fields):
    demand = requirement(**fields)
    fact = (
        listeners[0]
        if listeners and isinstance(listeners[0], Unseen)
        else Seen(ListenersFact(listeners=listeners, holders=holders, inside=inside))
    )
    asked, also = demand.queries(Evidence())
    assert also == RoutesQuery()
    return demand.judge(
        Evidence([Observation(asked, fact), Observation(also, seen if isinstance(seen, Unseen) else Seen(seen))])
    )


# ---- what is read


def virtualisation(container=""):
    return Virtualisation(hypervisor="", container=container, rootless=False, hypervisor_by=(), container_by=())


def host(*listeners, process=None, container=""):
    where = container if isinstance(container, Exception) else virtualisation(container)
    return fake_host(
        sockets=FakePort(listeners=lambda transport: listeners),
        processes=FakePort(of=process or ProcessLookupError("gone")),
        system=FakePort(virtualisation=where),
    )


def observe(*listeners, **fields):
    return ListenersQuery(protocol=Transport.TCP, ports=(80, 443)).observe(host(*listeners, **fields))


def test_only_the_asked_ports_are_kept_and_their_processes_looked_at():
    asked = []

    def of(pid):
        asked.append(pid)
        return Process(pid, "nginx", "/usr/sbin/nginx", 0, "/system.slice/nginx.service")

    fact = observe(listener(port=22, pid=1), listener(port=443), listener("::", 443, pid=None), process=of)
    assert fact.listeners == (listener(port=443), listener("::", 443, pid=None))
    assert fact.holders == (holder(unit="nginx.service"),)
    assert asked == [812]


def test_the_protocol_is_asked():
    asked = []
    empty = fake_host(
        sockets=FakePort(listeners=lambda transport: asked.append(transport) or ()),
        system=FakePort(virtualisation=virtualisation()),
    )
    ListenersQuery(protocol=Transport.UDP, ports=(443,)).observe(empty)
    assert asked == [Transport.UDP]


def test_the_container_of_a_process_is_read_from_its_group():
    process = Process(812, "nginx", None, 0, f"/system.slice/docker-{ID}.scope")
    assert observe(listener(), process=process).holders == (holder(program=None, engine="docker", container=ID),)


@pytest.mark.parametrize(
    "gone", [ProcessLookupError("ended"), PermissionError(13, "hidepid"), NotImplementedError("no /proc")]
)
def test_a_process_that_cannot_be_looked_at_still_holds_the_port(gone):
    fact = observe(listener(), process=gone)
    assert (fact.listeners, fact.holders) == ((listener(),), ())


@pytest.mark.parametrize(
    ("container", "inside"),
    [("", ""), ("docker", "docker"), (NotImplementedError("no"), None), (PermissionError(13, "no"), None)],
)
def test_where_this_runs_is_noted(container, inside):
    assert observe(container=container).inside == inside


@pytest.mark.parametrize(
    "error", [PermissionError(13, "closed"), NotImplementedError("no table"), TimeoutError("slow")]
)
def test_a_failed_listing_is_no_free_port(error):
    with pytest.raises(type(error)):
        ListenersQuery(protocol=Transport.TCP, ports=(443,)).observe(fake_host(sockets=FakePort(listeners=error)))


# ---- which families are taken


@pytest.mark.parametrize(
    ("seen", "families", "one_address"),
    [
        (listener("0.0.0.0"), "IPv4 only", False),
        (listener("127.0.0.1"), "IPv4, this address only", True),
        (listener("::ffff:127.0.0.1", v6only=False), "IPv4, this address only", True),
        (listener("::ffff:0.0.0.0", v6only=False), "IPv4 only", False),
        (listener("::", v6only=False), "IPv4 and IPv6", False),
        (listener("::", v6only=True), "IPv6 only", False),
        (listener("::", v6only=None), "IPv6, perhaps IPv4 too", False),
        (listener("::1", v6only=False), "IPv6, this address only", True),
        (listener("fe80::1%eth0", v6only=False), "IPv6, this address only", True),
    ],
)
def test_taken_on_one_family_or_address_is_taken_and_the_text_says_which(seen, families, one_address):
    verdict = judge(seen)
    assert verdict.outcome is Outcome.UNMET
    words = f"port 443 at {seen.address}, {families} (nginx, pid 812)"
    assert render(verdict.seen) == f"taken: {words}"
    assert words in render(verdict.because)
    assert ("nobody else can listen on all addresses" in render(verdict.because)) == one_address
    assert "nginx" in render(verdict.fix) and "443" in render(verdict.fix) and "80 " not in render(verdict.fix)


def test_free_says_what_it_cannot_see():
    verdict = judge()
    assert (verdict.outcome, render(verdict.seen)) == (Outcome.MET, "no listener")
    assert "DNAT" in render(verdict.because) and "container" not in render(verdict.because)


# ---- by whom


@pytest.mark.parametrize(
    ("seen", "found", "words", "fix"),
    [
        (listener(), (), "nginx, pid 812", "Stop nginx, or move it"),
        (listener(), (holder(unit="web.service"),), "nginx, unit web.service, pid 812", "Stop web.service, or move it"),
        (listener(), (holder(unit=""),), "nginx, pid 812", "Stop nginx, or move it"),
        (
            listener(process="java"),
            (holder(program="/opt/java", engine="docker", container=ID),),
            "java, in container 0123456789ab (docker), pid 812",
            "Stop the containers 0123456789ab",
        ),
        (
            listener(process="docker-proxy"),
            (holder(program="/usr/bin/docker-proxy", unit="docker.service"),),
            "docker-proxy, publishes it for a container, pid 812",
            "Find the container that publishes 443 (tcp)",
        ),
        (listener(process="pasta"), (), "pasta, publishes it for a container, pid 812", "Find the container"),
        (listener(process="systemd", pid=1), (), "systemd, for a socket unit perhaps, pid 1", "Stop systemd"),
        (listener(connected=True), (), "nginx, as a connection's own port, pid 812", "Stop nginx"),
        (listener(pid=None, process=None), (), "(owner not visible)", "ss -lnp"),
        (listener(process=None), (), "(owner not visible, pid 812)", "ss -lnp"),
        # of another process nothing is told
        (listener(), (holder(pid=5, unit="web.service"),), "(nginx, pid 812)", "Stop nginx"),
    ],
)
def test_the_owner_is_a_unit_a_container_or_a_program(seen, found, words, fix):
    verdict = judge(seen, holders=found)
    assert verdict.outcome is Outcome.UNMET
    assert words in render(verdict.seen)
    assert fix in render(verdict.fix)


def test_several_listeners_on_one_port_are_one_line():
    """SO_REUSEPORT: every worker has a socket of its own."""
    verdict = judge(
        listener(pid=9), listener(pid=8), listener("::", v6only=True, pid=8), listener(pid=7, process="caddy")
    )
    assert render(verdict.seen) == (
        "taken: port 443 at 0.0.0.0, IPv4 only (nginx, pid 8 and 9; caddy, pid 7); port 443 at ::, IPv6 only (nginx, pid 8)"
    )


def test_a_process_name_is_data():
    verdict = judge(listener(process="\x1b[31mnginx\u202e"))
    assert "\x1b" not in render(verdict.because) and "\\u001b" in render(verdict.because)


@pytest.mark.parametrize(
    ("listeners", "outcome"),
    [
        ([], Outcome.MET),
        ([listener(process="caddy")], Outcome.MET),
        ([listener(process="caddy", port=80), listener(process="caddy")], Outcome.MET),
        ([listener(process="caddy", port=80), listener(process="nginx")], Outcome.UNMET),
        ([listener(process="nginx"), listener(process=None, pid=None, port=80)], Outcome.UNMET),
        ([listener(process=None, pid=None)], Outcome.UNKNOWN),
        ([listener(process="caddy", port=80), listener(process=None, pid=None)], Outcome.UNKNOWN),
    ],
)
def test_the_product_itself_may_hold_its_ports(listeners, outcome):
    verdict = judge(*listeners, owner=["caddy", "docker-proxy"])
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    if listeners and outcome is Outcome.MET:
        assert render(verdict.seen) == "held by caddy"


def test_what_a_process_calls_itself_makes_it_no_owner():
    """Its executable counts where that is visible; it cannot choose that name freely, but it can choose comm."""
    fake = (holder(program="/usr/bin/python3.11"),)
    assert judge(listener(process="caddy"), holders=fake, owner=["caddy"]).outcome is Outcome.UNMET
    real = (holder(program="/usr/bin/caddy"),)
    assert judge(listener(process="worker"), holders=real, owner=["caddy"]).outcome is Outcome.MET
    hidden = (holder(program=None),)
    assert judge(listener(process="caddy"), holders=hidden, owner=["caddy"]).outcome is Outcome.MET


# ---- in a container

VETH = routes(("0.0.0.0/0", "eth0"), links=[link("eth0", "veth"), link("docker0", "bridge")])


@pytest.mark.parametrize(
    ("inside", "seen", "outcome"),
    [
        ("docker", VETH, Outcome.UNKNOWN),
        ("kubernetes", VETH, Outcome.UNKNOWN),
        ("docker", routes(), Outcome.UNKNOWN),
        ("docker", Unseen(Reason.DENIED), Outcome.UNKNOWN),
        ("docker", routes(("0.0.0.0/0", "eth0"), links=[link("eth0")], main_only=True), Outcome.UNKNOWN),
        # with the host's network the host's ports are seen
        ("docker", HARDWARE, Outcome.MET),
        # a container that stands for a machine is one
        ("lxc", VETH, Outcome.MET),
        ("wsl", VETH, Outcome.MET),
        ("", VETH, Outcome.MET),
        (None, VETH, Outcome.MET),
    ],
)
def test_a_container_with_a_network_of_its_own_shows_none_of_the_hosts_ports(inside, seen, outcome):
    verdict = judge(inside=inside, seen=seen)
    assert verdict.outcome is outcome
    if inside:
        assert f"container ({inside})" in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_what_is_taken_in_a_container_is_taken():
    assert judge(listener(), inside="docker", seen=VETH).outcome is Outcome.UNMET


# ---- the rest


@pytest.mark.parametrize("ports", [[], [0], [65536], ["https"]])
def test_impossible_ports_are_refused(ports):
    with pytest.raises(ValidationError):
        requirement(ports=ports)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))


def test_words():
    assert render(requirement().wanted()) == "80 and 443 (tcp) free on IPv4 and IPv6"
    assert render(requirement(owner=["caddy"], protocol="udp").wanted()) == "80 and 443 (udp) free, or held by caddy"
    assert render(ListenersQuery(protocol=Transport.TCP, ports=(80,)).asks()).endswith("?")
    assert requirement(ports=[443, 80, 443]).queries(Evidence())[0] == requirement().queries(Evidence())[0]


@given(
    held=st.lists(st.integers(1, 9), max_size=4),
    asked=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    more=st.lists(st.integers(1, 9), max_size=4),
)
def test_asking_for_more_ports_never_turns_unmet_into_met(held, asked, more):
    machine = host(*(listener(port=port) for port in held))

    def outcome(ports):
        demand = requirement(ports=ports)
        query = demand.queries(Evidence())[0]
        return demand.judge(Evidence([Observation(query, Seen(query.observe(machine)))])).outcome

    assert outcome(asked) is (Outcome.UNMET if set(held) & set(asked) else Outcome.MET)
    if outcome(asked) is Outcome.UNMET:
        assert outcome(asked + more) is Outcome.UNMET


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_others_must_come_in(protocol):
    flows = requirement(protocol=protocol).flows()
    assert [(f.port, f.kind.value, f.direction.value) for f in flows] == [
        (80, protocol, "inbound"),
        (443, protocol, "inbound"),
    ]
