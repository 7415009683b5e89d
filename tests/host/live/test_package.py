"""The delivered package's files: what is said of them, and that no value of theirs is."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from vorflug.host.live.package import LivePackage
from vorflug.host.secrets import redact
from vorflug.ports.package import Allowed, FileRead, Format, KeySeen, LicenceRead, Reading, ValueState

ENV = """\
# the delivered defaults
export SHARED_FOLDER=/srv/audit
JWT_SECRET_KEY='kanarie-jwt-1 # no comment'
ADMIN_PASSWORD=changeme # change it
EMPTY=
BLANK="  "
LOG_LEVEL=Info
DATABASE_URL=postgresql://audit:kanarie-db-2@db:5432/audit
CALLBACK=${SCHEME}://x
JWT_SECRET_KEY="kanarie-jwt-3"
MULTI="a
b"
"""


def write(folder, name, text):
    path = folder / name
    path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
    return str(path)


# ---- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "text", "reading", "line"),
    [
        (Format.ANY, "whatever\x00", Reading.GOOD, None),
        (Format.ANY, " \n", Reading.EMPTY, None),
        (Format.ANY, "x" * ((1 << 20) + 1), Reading.TOO_LARGE, None),
        (Format.ENV, ENV, Reading.GOOD, None),
        (Format.ENV, "\ufeffA=1\r\nB=2\r\n", Reading.GOOD, None),
        (Format.ENV, "A=1\n'broken\nC=3\n", Reading.BROKEN, 2),
        (Format.ENV, 'A=1\nB="unclosed\n', Reading.BROKEN, 2),
        (Format.YAML, "a: 1\n", Reading.GOOD, None),
        (Format.YAML, "a: 1\n b: 2\n", Reading.BROKEN, 2),
        (Format.JSON, '{"a": 1}', Reading.GOOD, None),
        (Format.JSON, '{"a": 1,}', Reading.BROKEN, 1),
        (Format.COMPOSE, "services: {api: {image: x}}\n", Reading.GOOD, None),
        (Format.COMPOSE, "services: {}\n", Reading.BROKEN, 1),
        (Format.COMPOSE, "- services\n", Reading.BROKEN, 1),
        (Format.COMPOSE, "services: {api: }\n", Reading.BROKEN, None),
    ],
)
def test_reading(tmp_path, form, text, reading, line):
    read = LivePackage().read(write(tmp_path, "file", text), form)
    assert (read.reading, read.line) == (reading, line)
    assert bool(read.problem) == (reading is Reading.BROKEN)


def test_what_is_no_file(tmp_path):
    package = LivePackage()
    assert package.read(str(tmp_path / "none"), Format.ANY) == FileRead(str(tmp_path / "none"), Reading.ABSENT)
    assert package.read(str(tmp_path), Format.ANY).reading is Reading.NOT_A_FILE
    os.mkfifo(tmp_path / "fifo")
    assert package.read(str(tmp_path / "fifo"), Format.ANY).reading is Reading.NOT_A_FILE


@pytest.mark.parametrize("ask", ["env", "config", "env_proxy", "licence", "compose"])
def test_every_question_says_when_the_file_is_not_there(tmp_path, ask):
    more = {
        "env": (("A",), (), ()),
        "config": (("a",), ()),
        "env_proxy": (("a",),),
        "licence": ("a", "b"),
        "compose": (str(tmp_path / ".env"),),
    }
    assert getattr(LivePackage(), ask)(str(tmp_path / "none"), *more[ask]).file.reading is Reading.ABSENT


# ---- .env ------------------------------------------------------------------------------------------------------------


def test_env_keys(tmp_path):
    keys = ("SHARED_FOLDER", "JWT_SECRET_KEY", "ADMIN_PASSWORD", "EMPTY", "BLANK", "ABSENT", "CALLBACK")
    allowed = (Allowed("LOG_LEVEL", ("info", "warning")), Allowed("SHARED_FOLDER", ("/x",)), Allowed("NONE", ("a",)))
    read = LivePackage().env(write(tmp_path, ".env", ENV), keys, ("ChangeMe",), allowed)
    assert {k.name: (k.state, k.allowed) for k in read.keys} == {
        "SHARED_FOLDER": (ValueState.SET, False),
        "JWT_SECRET_KEY": (ValueState.SET, None),
        "ADMIN_PASSWORD": (ValueState.DEFAULT, None),
        "EMPTY": (ValueState.EMPTY, None),
        "BLANK": (ValueState.EMPTY, None),
        "ABSENT": (ValueState.ABSENT, None),
        "CALLBACK": (ValueState.SET, None),
        "LOG_LEVEL": (ValueState.SET, True),
        "NONE": (ValueState.ABSENT, None),
    }
    assert read.defaults == ("ADMIN_PASSWORD",)
    assert read.total == 9
    assert "kanarie" not in repr(read)


def test_secrets_of_env_files_are_struck_out_everywhere(tmp_path):
    LivePackage().read(write(tmp_path, ".env", ENV), Format.ENV)
    assert redact("x kanarie-jwt-3, kanarie-db-2") == "x [redacted], [redacted]"
    assert redact("/srv/audit") == "/srv/audit"


@pytest.mark.parametrize(
    ("no_proxy", "asked", "missing"),
    [
        (
            "localhost, db,.corp.example,10.0.0.0/8",
            ("localhost", "DB", "llm.corp.example", "10.1.0.0/16", "10.2.3.4"),
            (),
        ),
        ("corp.example", ("llm.corp.example", "notcorp.example"), ("notcorp.example",)),
        ("*.corp.example", ("a.corp.example",), ()),
        ("*", ("anything", "10.0.0.1"), ()),
        ("", ("localhost",), ("localhost",)),
        ("10.0.0.0/16,fd00::/8", ("10.0.0.0/8", "::1", "fd00::1"), ("10.0.0.0/8", "::1")),
    ],
)
def test_env_proxy(tmp_path, no_proxy, asked, missing):
    text = f"HTTP_PROXY=http://u:kanarie-p-4@proxy:1\nhttps_proxy=http://proxy:1\nNO_PROXY={no_proxy}\n"
    read = LivePackage().env_proxy(write(tmp_path, ".env", text), asked)
    assert (read.http, read.https, read.no_proxy, read.missing) == (True, True, bool(no_proxy), missing)
    assert redact("kanarie-p-4") == "[redacted]"


# ---- config.yaml -----------------------------------------------------------------------------------------------------

CONFIG = """\
llm: {embedding: {model: text-embedding-3-large, dimensions: 0}, chat: <model>, key: kanarie-config-5}
list: [{name: a}]
nothing:
empty: {}
date: 2026-11-25
"""


def test_config_keys(tmp_path):
    keys = (
        "llm.embedding.model", "llm.embedding.dimensions", "llm.chat", "list.0.name", "list.1.name", "nothing", "empty",
        "date", "llm.embedding.model.deeper",
    )  # fmt: skip
    read = LivePackage().config(write(tmp_path, "config.yaml", CONFIG), keys, ("<MODEL>",))
    v = ValueState
    states = (v.SET, v.SET, v.DEFAULT, v.SET, v.ABSENT, v.EMPTY, v.EMPTY, v.SET, v.ABSENT)
    assert read.keys == tuple(KeySeen(k, s) for k, s in zip(keys, states, strict=True))
    assert (read.total, read.defaults) == (5, ("llm.chat",))
    assert redact("kanarie-config-5") == "[redacted]"


def test_config_in_json_and_config_that_is_no_mapping(tmp_path):
    package = LivePackage()
    assert package.config(write(tmp_path, "c.json", '{"a": {"b": 1}}'), ("a.b",), ()).keys[0].state is ValueState.SET
    assert package.config(write(tmp_path, "c.yaml", "- a\n"), ("a",), ()).file.reading is Reading.BROKEN


# ---- licence ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "not_after", "users"),
    [
        ("licence: {until: 2027-01-31, users: 50}\n", "2027-01-31", 50),
        ('{"licence": {"until": "2027-01-31T00:00:00Z", "users": "50"}}', "2027-01-31", 50),
        ("licence: {until: 2027-01-31 10:00:00, users: many}\n", "2027-01-31", None),
        ("licence: {until: someday, users: true}\n", None, None),
        ("licence: {}\n", None, None),
    ],
)
def test_licence(tmp_path, text, not_after, users):
    read = LivePackage().licence(write(tmp_path, "licence", text), "licence.until", "licence.users")
    assert (read.file.reading, read.not_after, read.users) == (Reading.GOOD, not_after, users)
    assert abs((datetime.fromisoformat(read.now) - datetime.now(UTC)).total_seconds()) < 60


def test_a_licence_without_users_and_one_that_is_no_text(tmp_path):
    package = LivePackage()
    assert package.licence(write(tmp_path, "a", "until: 2027-01-31\n"), "until", "").users is None
    broken = package.licence(write(tmp_path, "b", b"\x89PNG\x00\x01"), "until", "")
    assert isinstance(broken, LicenceRead) and broken.file.reading is Reading.BROKEN


# ---- compose ---------------------------------------------------------------------------------------------------------

COMPOSE = """\
x-common: &common {restart: always, environment: {A: "${GIVEN}", B: "${MISSING}", C: "${DEFAULTED:-x}", D: "$$NONE"}}
services:
  api:
    <<: *common
    image: registry/api:${TAG:?tag wanted}
    ports: ["443:8443", "127.0.0.1:8000-8002:8000-8002", "[::1]:9000:9000/udp", "5000", "${PORT}:1"]
    volumes: ["./config.yaml:/config.yaml:ro", "data:/data", "../other:/o", "${SHARED_FOLDER}:/s", "./${X:-y}:/y"]
    env_file: [.env, {path: optional.env, required: false}, {path: extra.env}]
  ui:
    ports: [{target: 80, published: "8080"}, {target: 81}]
    volumes: [{type: bind, source: ./html, target: /h}, {type: volume, source: data, target: /d}]
    command: echo $PLAIN ${GIVEN:+x}
    environment: ["DB_PASSWORD=kanarie-compose-6"]
volumes: {data: {}}
"""


def test_compose(tmp_path):
    write(tmp_path, "config.yaml", "a: 1\n")
    env = write(tmp_path, ".env", "GIVEN=1\nSHARED_FOLDER=/srv\n")
    read = LivePackage().compose(write(tmp_path, "compose.yaml", COMPOSE), env)
    assert read.file.reading is Reading.GOOD
    assert read.services == ("api", "ui")
    assert read.ports == (443, 8000, 8001, 8002, 8080, 9000)
    assert read.unresolved == ("MISSING", "PLAIN", "PORT", "TAG")
    assert read.missing_paths == ("../other", "./html", "extra.env")
    assert redact("kanarie-compose-6") == "[redacted]"


def test_compose_without_and_with_a_broken_env_file(tmp_path):
    package = LivePackage()
    compose = write(tmp_path, "compose.yaml", "services: {api: {image: '${TAG}'}}\n")
    assert package.compose(compose, str(tmp_path / "none")).unresolved == ("TAG",)
    broken = package.compose(compose, write(tmp_path, ".env", "TAG=1\n'x\n"))
    assert (broken.file.reading, broken.file.line) == (Reading.BROKEN, 2)


@pytest.mark.tier("root")
def test_a_file_that_may_not_be_read(tmp_path):
    import subprocess
    import sys

    path = write(tmp_path, ".env", "A=1\n")
    os.chmod(path, 0o600)
    code = (
        "import os, sys\n"
        "from vorflug.host.live.package import LivePackage\n"
        "from vorflug.ports.package import Format\n"
        "import dotenv.parser\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "print(LivePackage().read(sys.argv[1], Format.ENV).reading)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "denied", done.stderr
