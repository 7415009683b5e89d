"""Variables, ports and paths of compose files, by the Compose Specification."""

from __future__ import annotations

import pytest

from vorflug.host.live.compose import image_names, published, relative_paths, unresolved


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("$A ${B} $C", {"A", "B", "C"}),
        ("x$C-y", {"command"}),
        ("${A:-x} ${B-x} ${C:+x} ${D+x}", set()),
        ("${A:?must} ${B?must}", {"A", "B"}),
        ("$$A $${B}", set()),
        ("cost: 5$ or $1", set()),
        ("${KNOWN} $KNOWN", set()),
    ],
)
def test_unresolved(text, names):
    assert unresolved({"services": {"a": {"command": [text]}}}, {"KNOWN"}) == names


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"DB_PASSWORD": "Tr0ub$CANARYpart"}, {"DB_PASSWORD"}),
        (["DB_PASSWORD=Tr0ub$CANARYpart"], {"DB_PASSWORD"}),
        (["--db-password=Tr0ub${CANARY}part"], {"db-password"}),
        ({"DB_PASSWORD": "$CANARY"}, {"DB_PASSWORD"}),
        ({"QUEUE_URL": "amqp://svc:Tr0ub$CANARYpart@mq:5672"}, {"QUEUE_URL"}),
        ({"DB_PASSWORD": "${FROM_VAULT}"}, {"FROM_VAULT"}),
        # of no key is it known that it holds no password
        ({"LDAP_BIND_PW": "Sommer$CANARY"}, {"LDAP_BIND_PW"}),
        ({"BASIC_AUTH": "admin:Winter$CANARY77x"}, {"BASIC_AUTH"}),
        ({"DB_KENNWORT": "Fruehling$CANARY11"}, {"DB_KENNWORT"}),
        ({"ANYTHING": "Herbst$CANARY"}, {"ANYTHING"}),
        ({"ANYTHING": "a $CANARY b"}, {"ANYTHING"}),
        (["ANYTHING=Herbst$CANARY"], {"ANYTHING"}),
        (["ANYTHING=$PLAIN"], {"PLAIN"}),
        ({"ANYTHING": "x${BRACED}y"}, {"BRACED"}),
        ({"QUEUE_URL": "amqp://svc:${QUEUE_PW}@$HOST:5672"}, {"QUEUE_PW", "HOST"}),
    ],
)
def test_a_part_of_a_password_is_no_variable(environment, names):
    assert unresolved({"services": {"a": {"environment": environment}}}, set()) == names


def test_a_document_without_end_comes_back():
    endless: list[object] = ["$A"]
    endless += [endless, endless]
    assert unresolved(endless, set()) == {"A"}


@pytest.mark.parametrize(
    ("entry", "ports"),
    [
        ("80", ()),
        (80, ()),
        ("8080:80", (8080,)),
        ("8080-8081:80-81/tcp", (8080, 8081)),
        ("127.0.0.1:8443:443", (8443,)),
        ("[::1]:9000:9000", (9000,)),
        ("127.0.0.1::80", ()),
        ("${PORT}:80", ()),
        ("${API_PORT}:80", (8000,)),
        ("${PORT:-8000}:8000", (8000,)),
        ("${PORT?no}:80", ()),
        ({"target": 80, "published": "${API_PORT}"}, (8000,)),
        ({"target": 80, "published": 8080}, (8080,)),
        ({"target": 80, "published": "8080-8081"}, (8080, 8081)),
        ({"target": 80}, ()),
        ("1-99999999999:80", tuple(range(1, 65536))),
        ("nonsense", ()),
    ],
)
def test_published(entry, ports):
    assert published({"a": {"ports": [entry]}, "b": {}, "c": {"ports": None}}, {"API_PORT": "8000"}) == ports


def test_relative_paths():
    service = {
        "volumes": [
            "./a:/a",
            "../b:/b:ro",
            "named:/c",
            "/abs:/d",
            "./${X}:/e",
            {"type": "bind", "source": "./f"},
            {"type": "tmpfs"},
        ],
        "env_file": "x.env",
    }
    assert relative_paths({"s": service, "t": {"env_file": ["/abs.env", {"path": "no.env", "required": False}]}}) == {
        "./a", "../b", "./f", "x.env",
    }  # fmt: skip


def test_a_password_is_never_told_as_the_tag_of_an_image():
    services = {"a": {"image": "vendor/backend:${DB_PASSWORD}"}, "b": {"image": "vendor/backend:${TAG}"}}
    values = {"DB_PASSWORD": "correcthorse", "TAG": "2.0"}
    assert image_names(services, values) == {"a": None, "b": "vendor/backend:2.0"}


def test_many_ranges_of_ports_take_no_time():
    ranges = [f"{first}-65535:1" for first in range(1, 20_001)]
    assert len(published({"a": {"ports": ranges}}, {})) == 65_535
    assert published({"a": {"ports": ["9-3:1", "80:80"]}}, {}) == (80,)
