"""The same value has the same stand-in everywhere; what names nobody stays; nothing personal is left."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vorflug.host.cassette import Call, Cassette, Raised
from vorflug.host.stand_ins import Names, StandIns, is_person

NAMES = Names(
    hosts=("vm-audit-07", "vm-audit-07.bank.example.de"), domains=("bank.example.de",), users=("ada.lovelace", "jo")
)


def text(said, names=NAMES, **more):
    return StandIns(names, **more).text(said)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("vm-audit-07.bank.example.de is up", "host-2 is up"),
        ("VM-AUDIT-07 is up", "host-1 is up"),
        ("vm-audit-071 and xvm-audit-07", "vm-audit-071 and xvm-audit-07"),
        ("nas1.bank.example.de:/export", "nas1.domain-1.example:/export"),
        ("User ada.lovelace may run", "User user-1 may run"),
        ("BANK\\ada.lovelace", "BANK\\user-1"),
        ("/home/ada.lovelace/x /home/jo/y /home/mia", "/home/user-1/x /home/user-2/y /home/user-3"),
        ("/home/ubuntu/x", "/home/ubuntu/x"),
        ("job and jo", "job and jo"),  # too short to be struck out of words
        ("52:54:00:ab:cd:ef, 52-54-00-AB-CD-EF", "02:00:00:00:00:00, 02:00:00:00:00:00"),
        ("00:00:00:00:00:00 ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00 ff:ff:ff:ff:ff:ff"),
        ("UUID=3E2C4D1E-0A0B-4C0D-8E0F-0123456789AB", "UUID=00000000-0000-4000-8000-000000000000"),
    ],
)
def test_names_and_numbers_of_hardware(said, kept):
    assert text(said) == kept


LEAKY = Names(hosts=("geheimhost42", "vm-geheim-7"), domains=("intern.musterbank.de",), users=("max", "mmuster", "ab1"))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        # as installers name volume groups and volumes, and what the kernel is told of them
        ("/dev/mapper/rhel_geheimhost42-root", "/dev/mapper/rhel_host-1-root"),
        ("/dev/mapper/geheimhost42--vg-root", "/dev/mapper/host-1--vg-root"),
        ("geheimhost42_data", "host-1_data"),
        ("ip=::::geheimhost42_a:eth0 rw", "ip=::::host-1_a:eth0 rw"),
        ("resume=/dev/mapper/geheimhost42--vg-swap", "resume=/dev/mapper/host-1--vg-swap"),
        ("data-GEHEIMHOST42.7", "data-host-1.7"),
        # the device mapper doubles hyphens of names
        (
            "/dev/mapper/vm--geheim--7--vg-root /dev/vm-geheim-7-vg/root",
            "/dev/mapper/host--2--vg-root /dev/host-2-vg/root",
        ),
        ("/srv/mmuster_data DOMAIN-mmuster mmuster-1", "/srv/user-2_data DOMAIN-user-2 user-2-1"),
        ("ab1_x", "user-3_x"),
        # parts of longer runs of letters and digits are something else
        ("geheimhost421 xgeheimhost42 mmusters ägeheimhost42", "geheimhost421 xgeheimhost42 mmusters ägeheimhost42"),
        # a short word of letters alone is a word of many names
        ("vm.max_map_count max-pods pid_max max", "vm.max_map_count max-pods pid_max user-1"),
    ],
)
def test_a_name_within_the_names_that_an_installer_gave(said, kept):
    assert text(said, LEAKY) == kept


@pytest.mark.parametrize(
    ("name", "kept"), [("anna", "anna_x user-1"), ("annab", "user-1_x user-1"), ("an-a", "user-1_x user-1")]
)
def test_a_short_word_is_replaced_only_where_it_stands_alone(name, kept):
    assert text(f"{name}_x {name}", Names(users=(name,))) == kept


def test_a_name_in_the_words_of_the_questions_is_replaced_only_where_it_stands_alone():
    said = "vm.overcommit_memory memory memory-7"
    assert text(said, Names(users=("memory",))) == "vm.overcommit_user-1 user-1 user-1-7"
    kept = text(said, Names(users=("memory",)), keep={"Overcommit_Memory"})
    assert kept == "vm.overcommit_memory user-1 memory-7"


MACHINE_ID = "3e2c4d1e0a0b4c0d8e0f0123456789ab"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"systemd.machine_id={MACHINE_ID} rw", "systemd.machine_id=00000000000040008000000000000000 rw"),
        (f"CRYPT-LUKS2-{MACHINE_ID}-x", "CRYPT-LUKS2-00000000000040008000000000000000-x"),
        # the same one with and without hyphens
        (
            f"{MACHINE_ID.upper()} 3e2c4d1e-0a0b-4c0d-8e0f-0123456789ab {'a' * 32}",
            "00000000000040008000000000000000 00000000-0000-4000-8000-000000000000 00000000000040008000000000000001",
        ),
        (f"LVM-{'aZ09' * 16} LVM-{'bZ09' * 16}", f"LVM-{'0' * 64} LVM-{'0' * 63}1"),
    ],
)
def test_identifiers_of_machines_and_volumes(said, kept):
    assert text(said) == kept


@pytest.mark.parametrize("said", ["0" * 32, "a" * 31, "a" * 33, "a" * 40, "a" * 64, "g" + "a" * 32, "a" * 32 + "g"])
def test_other_numbers_are_no_identifiers(said):
    assert text(said) == said


@pytest.mark.parametrize(
    ("domain", "said", "kept"),
    [
        ("intern.musterbank.de", "nas.musterbank.de x.intern.musterbank.de", "nas.domain-2.example x.domain-1.example"),
        ("a.b.musterbank.de", "x.b.musterbank.de y.musterbank.de", "x.domain-2.example y.domain-3.example"),
        ("musterbank.de", "x.musterbank.de mustermann.de .de", "x.domain-1.example mustermann.de .de"),
        ("a.bank.co.uk", "bank.co.uk shop.co.uk", "domain-2.example shop.co.uk"),
        ("bank.co.uk", "bank.co.uk shop.co.uk", "domain-1.example shop.co.uk"),
        ("a.bank.com", "bank.com x.com", "domain-2.example x.com"),
        ("a.net.bank.de", "net.bank.de bank.de", "domain-2.example domain-3.example"),
        # two letters, but no country's second level
        ("a.ibm.de", "ibm.de", "domain-2.example"),
        # a company may be called like one under a longer top-level domain
        ("a.co.bank", "co.bank", "domain-2.example"),
        ("eu-central-1.compute.internal", "x.compute.internal", "x.compute.internal"),
        ("a.eu.cloudapp.net", "a.eu.cloudapp.net eu.cloudapp.net", "domain-1.example eu.cloudapp.net"),
        ("default.svc.cluster.local", "svc.cluster.local", "svc.cluster.local"),
        ("a.mycluster.local", "mycluster.local", "domain-2.example"),
        ("local", "x.local", "x.domain-1.example"),
    ],
)
def test_the_domains_above_a_domain_up_to_the_registered_one(domain, said, kept):
    assert text(said, Names(domains=(domain,))) == kept


@pytest.mark.parametrize(
    "said",
    [
        "127.0.0.1 127.0.0.53 0.0.0.0 255.255.255.0",
        "10.1.2.3 172.16.0.1/12 192.168.178.0/24 100.64.0.1 169.254.169.254",
        "8.8.8.8 9.9.9.9 168.63.129.16 224.0.0.251",
        "::1 :: fe80::1 fd00:1:2::5 ff02::fb ::/0 ::ffff:127.0.0.1 2620:fe::fe",
        # versions and times that look a little like addresses
        "5.14.0-427.13.1.el9_4.x86_64 4.18.0.305.el8 1.2.3.4-5 17.0.19.2+10-1~deb12u1 2.1.0.9~rc1 v1.2.3.4 12:30:45 0000:01:00.0 std::string",
        "999.1.2.3 1.2.3 81.2.69",
        "Debian GNU/Linux 12 (bookworm)",
    ],
)
def test_what_names_nobody_stays(said):
    assert text(said) == said


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("81.2.69.142 81.2.69.7 81.2.70.7", "198.18.0.142 198.18.0.7 198.18.1.7"),
        ("81.2.69.0/24 via 81.2.69.1.", "198.18.0.0/24 via 198.18.0.1."),
        ("81.2.69.142/24", "198.18.0.142/24"),
        ("81.2.64.0/20", "198.18.0.0/20"),
        ("[81.2.69.142]:443 tcp://81.2.69.142:2375", "[198.18.0.142]:443 tcp://198.18.0.142:2375"),
        ("2a02:8109:1:2::5 2a02:8109:1:2::6 2a02:8109:1:3::5", "2001:db8::5 2001:db8::6 2001:db8:0:1::5"),
        ("2a02:8109:1:2:5054:ff:feab:cdef/64", "2001:db8::1:0/64"),
        ("fe80::5054:ff:feab:cdef", "fe80::1:0"),
        ("2a02:8109::/32", "2001:db8::/32"),
        ("::ffff:81.2.69.142", "::ffff:198.18.0.142"),
    ],
)
def test_public_addresses_keep_their_networks(said, kept):
    assert text(said) == kept


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6), st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_equal_stays_equal_and_different_stays_different(one, other):
    stand_ins = StandIns(Names())
    first, second = (stand_ins.text(f"x {a} y").split()[1] for a in (one, other))
    assert (ip_address(first) == ip_address(second)) == (one == other)
    assert stand_ins.text(f"x {one} y") == f"x {first} y"
    plain = getattr(one, "ipv4_mapped", None) or one
    if plain.is_global and not plain.is_multicast:
        assert ip_address(first) != one or str(plain) in "1.1.1.1 1.0.0.1 8.8.8.8 8.8.4.4 9.9.9.9 168.63.129.16"


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_network_stays_a_network(number, length):
    network = ip_network((number, length), strict=False)
    assert ip_network(text(str(network))).prefixlen == length


def test_more_public_networks_than_there_are_stand_ins_never_leak():
    stand_ins = StandIns(Names())
    for number in range(600):
        new = ip_address(stand_ins.text(f"81.{number // 250}.{number % 250}.9"))
        assert new in ip_network("198.18.0.0/15")


def test_words_that_the_questions_use_are_kept():
    names = Names(hosts=("docker",), users=("data", "ada"))
    assert text("/var/lib/docker /data ada", names) == "/var/lib/docker /user-1 user-2"
    assert text("/var/lib/docker /data ada", names, keep={"data"}) == "/var/lib/docker /data user-1"


def test_a_cassette_keeps_its_shape_and_loses_its_people():
    def call(method, returns=None, port="files", raises=None, **arguments):
        return Call(port=port, method=method, arguments=arguments, returns=returns, raises=raises)

    denied = Raised(type="PermissionError", says="Permission denied", errno=13, path="/home/ada.lovelace/.docker")
    cassette = Cassette(
        calls=(
            call("exists", raises=denied, path="/home/ada.lovelace/.docker"),
            call("read_text", "10.0.0.7 vm-audit-07\n", path="/etc/hosts", limit=5),
            call("user", {"uid": 1001, "name": "jo", "groups": ["docker", "jo"]}, port="accounts"),
            call(
                "read_text", "Iface Destination Gateway Mask\neth0 00000000 8E450251 00FFFFFF\n", path="/proc/net/route"
            ),
            call("read_text", f"{'0' * 32} 00 2a028109000100020000000000000005\n", path="/proc/net/ipv6_route"),
        )
    )
    kept = StandIns(NAMES).cassette(cassette)
    said = kept.to_yaml()
    for word in ("ada", "vm-audit", "8E450251", "2a028109", "name: jo"):
        assert word not in said
    by_path = {one.arguments.get("path"): one for one in kept.calls}
    assert by_path["/home/user-1/.docker"].raises.path == "/home/user-1/.docker"
    assert by_path["/etc/hosts"].returns == "10.0.0.7 host-1\n"
    assert "eth0 00000000 8E0012C6 00FFFFFF" in by_path["/proc/net/route"].returns
    assert by_path["/proc/net/ipv6_route"].returns == f"{'0' * 32} 00 20010db8000000000000000000000005\n"
    assert next(one for one in kept.calls if one.port == "accounts").returns["name"].startswith("user-")


def test_the_order_of_calls_gives_no_other_stand_ins():
    calls = [Call(port="files", method="read_text", arguments={"path": f"/{n}"}, returns=f"81.2.{n}.1") for n in (1, 2)]
    assert StandIns(NAMES).cassette(Cassette(calls=tuple(calls))) == StandIns(NAMES).cassette(
        Cassette(calls=tuple(reversed(calls)))
    )


@pytest.mark.parametrize(("uid", "person"), [(0, False), (999, False), (1000, True), (65533, True), (65534, False)])
def test_who_is_a_person(uid, person):
    assert is_person(uid) is person
