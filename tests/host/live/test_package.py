"""The delivered package's files: what is said of them, and that no value of theirs is."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from vorflug.host.live.package import LivePackage
from vorflug.host.secrets import redact
from vorflug.ports.package import (
    Agreement,
    Allowed,
    FileRead,
    Format,
    KeySeen,
    LicenceRead,
    Problem,
    Reading,
    SharedFolder,
    ValueState,
)

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
    assert package.compose(compose, str(tmp_path / "none")).env.reading is Reading.ABSENT
    env = write(tmp_path, ".env", "TAG=1\nB='x\n")
    broken = package.compose(compose, env)
    assert broken.file.reading is Reading.GOOD
    assert broken.env == FileRead(env, Reading.BROKEN, 2, Problem.CLOSING_QUOTE, "", 11)
    assert broken.env == package.read(env, Format.ENV)
    assert package.compose(str(tmp_path / "none"), env).env == broken.env


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
        "os.setgid(65534); os.setuid(65534)\n"
        "print(LivePackage().read(sys.argv[1], Format.ENV).reading)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "denied", done.stderr


# ---- SHARED_FOLDER ---------------------------------------------------------------------------------------------------


def shared(folder, env, config="a: 1\n", compose="services: {api: {volumes: ['${SHARED_FOLDER}:/s']}}\n", path=None):
    where = SharedFolder(
        str(path or folder / "shared"),
        write(folder, ".env", env),
        "SHARED_FOLDER",
        write(folder, "config.yaml", config),
        "storage.folder",
        write(folder, "compose.yaml", compose),
    )
    return LivePackage().shared_folder(where)


SAME, OTHER, ABSENT = Agreement.SAME, Agreement.OTHER, Agreement.ABSENT


@pytest.mark.parametrize(
    ("env", "config", "states"),
    [
        ("SHARED_FOLDER={0}/shared\n", "storage: {{folder: {0}/shared}}\n", (SAME, SAME, SAME)),
        ("SHARED_FOLDER='{0}//shared/x/../'\n", "storage: {{folder: ./shared}}\n", (SAME, SAME, SAME)),
        ("SHARED_FOLDER=shared\n", "storage: {{}}\n", (SAME, ABSENT, ABSENT)),
        ("BASE={0}\nSHARED_FOLDER=${{BASE}}/shared\n", "storage: {{folder: }}\n", (SAME, ABSENT, SAME)),
        ("SHARED_FOLDER={0}/other\n", "storage: {{folder: {0}/other}}\n", (OTHER, OTHER, OTHER)),
        ("SHARED_FOLDER={0}/shared2\n", "storage: {{folder: [a]}}\n", (OTHER, ABSENT, OTHER)),
        ("SHARED_FOLDER=\n", "storage: x\n", (ABSENT, ABSENT, ABSENT)),
        ("SHARED_FOLDER={0}/shared # note\n", "a: 1\n", (SAME, ABSENT, SAME)),
        # a tab makes no comment, so that Compose takes another folder
        ("SHARED_FOLDER={0}/shared\t# note\n", "a: 1\n", (OTHER, ABSENT, OTHER)),
        ("SHARED_FOLDER=https://u:kanarie-s-1@h/x\n", "a: 1\n", (OTHER, ABSENT, ABSENT)),
    ],
)
def test_shared_folder(tmp_path, env, config, states):
    read = shared(tmp_path, env.format(tmp_path), config.format(tmp_path))
    assert (read.in_env, read.in_config, read.in_compose) == states
    assert {read.env.reading, read.config.reading, read.compose.reading} == {Reading.GOOD}
    assert "kanarie" not in repr(read)


@pytest.mark.parametrize(
    ("compose", "state"),
    [
        ("services: {{a: {{volumes: ['{0}/shared:/s:ro']}}}}\n", SAME),
        ("services: {{a: {{volumes: ['{0}/shared/in:/s']}}}}\n", SAME),
        ("services: {{a: {{volumes: ['{0}:/s']}}}}\n", SAME),
        ("services: {{a: {{volumes: ['./shared:/s']}}}}\n", SAME),
        ("services: {{a: {{volumes: [{{type: bind, source: {0}/shared, target: /s}}]}}}}\n", SAME),
        ("services: {{a: {{volumes: [{{type: volume, source: shared, target: /s}}]}}}}\n", ABSENT),
        ("services: {{a: {{volumes: ['shared:/s']}}}}\n", ABSENT),
        ("services: {{a: {{volumes: ['{0}/shared2:/s']}}}}\n", OTHER),
        ("services: {{a: {{volumes: ['${{X:-{0}/shared}}:/s']}}}}\n", SAME),
        ("services: {{a: {{volumes: ['${{X?no}}:/s']}}}}\n", ABSENT),
        (
            "services: {{a: {{volumes: ['s:/s']}}}}\nvolumes: {{s: {{driver_opts: {{type: none, o: bind, device: {0}/shared}}}}, t: , u: {{}}}}\n",
            SAME,
        ),
        ("services: {{a: {{image: x}}}}\nvolumes: {{s: {{driver_opts: {{device: 'host:/x'}}}}}}\n", ABSENT),
        ("services: {{a: {{image: x}}}}\nvolumes: []\n", ABSENT),
    ],
)
def test_shared_folder_as_a_volume(tmp_path, compose, state):
    read = shared(tmp_path, f"SHARED_FOLDER={tmp_path}/shared\n", compose=compose.format(tmp_path))
    assert read.in_compose is state


def test_shared_folder_behind_a_symlink(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    read = shared(tmp_path, f"SHARED_FOLDER={tmp_path}/real\n", path=tmp_path / "link")
    assert (read.in_env, read.in_compose) == (SAME, SAME)


def test_shared_folder_of_files_that_are_not_there(tmp_path):
    none = str(tmp_path / "none")
    read = LivePackage().shared_folder(SharedFolder("/s", none, "K", none, "a.b", none))
    assert {read.env.reading, read.config.reading, read.compose.reading} == {Reading.ABSENT}
    assert {read.in_env, read.in_config, read.in_compose} == {ABSENT}


@pytest.mark.parametrize("value", ["x" * 5000, "a\x00b"])
def test_shared_folder_that_no_path_can_be(tmp_path, value):
    assert shared(tmp_path, f"SHARED_FOLDER={value}\n").in_env is OTHER


# ---- images ----------------------------------------------------------------------------------------------------------


def test_images(tmp_path):
    digest = "sha256:" + 64 * "a"
    text = f"""\
services:
  api: {{image: "${{REGISTRY}}/vendor/api:${{TAG:-1.3.0}}"}}
  db: {{image: "postgres:16@{digest}"}}
  built: {{build: .}}
  odd: {{image: "kanarie secret"}}
  upper: {{image: "Vendor/api:1"}}
  long: {{image: "{"a" * 401}"}}
  unset: {{image: "vendor/x:${{NONE}}"}}
  required: {{image: "vendor/x:${{NONE?no}}"}}
"""
    path = write(tmp_path, "compose.yaml", text)
    read = LivePackage().images(path, write(tmp_path, ".env", "REGISTRY=registry.corp:5000\n"))
    assert {u.service: u.image for u in read.uses} == {
        "api": "registry.corp:5000/vendor/api:1.3.0",
        "built": None,
        "db": f"postgres:16@{digest}",
        "long": None,
        "odd": None,
        "required": None,
        "unset": None,
        # the first part may be a registry's name, which may be written in capitals
        "upper": "Vendor/api:1",
    }
    assert [u.service for u in read.uses] == sorted(u.service for u in read.uses)
    without = LivePackage().images(path, str(tmp_path / "none"))
    assert {u.service: u.image for u in without.uses}["api"] is None
    assert (read.env.reading, without.env.reading) == (Reading.GOOD, Reading.ABSENT)
    assert LivePackage().images(str(tmp_path / "none"), path).file.reading is Reading.ABSENT
    broken = LivePackage().images(path, write(tmp_path, "broken.env", "A='kanarie"))
    assert (broken.env.reading, broken.env.line) == (Reading.BROKEN, 1)


def test_services_are_never_left_out_of_the_images(tmp_path):
    rows = [f"  s{n}: {{image: 'a:1'}}\n" for n in range(201)]
    none = str(tmp_path / "none")
    most, more = (write(tmp_path, f"{n}.yaml", "services:\n" + "".join(rows[:n])) for n in (200, 201))
    assert len(LivePackage().images(most, none).uses) == 200
    with pytest.raises(ValueError, match="at most 200 services"):
        LivePackage().images(more, none)


def test_a_file_in_utf_16_is_broken_and_named_as_such(tmp_path):
    read = LivePackage().read(write(tmp_path, ".env", "A=geheim\n".encode("utf-16")), Format.ENV)
    assert (read.reading, read.line) == (Reading.BROKEN, 1)
    assert (read.problem, read.detail) == (Problem.ENCODING, "")


@pytest.mark.parametrize(
    ("form", "text", "problem", "detail"),
    [
        (Format.YAML, "a: 1\n\tb: 2\n", Problem.YAML, "found a tab character that violates indentation"),
        (Format.JSON, '{"a": 1,}', Problem.JSON, "Expecting property name enclosed in double quotes"),
        (Format.ENV, "A B=1\n", Problem.KEY_VALUE, ""),
        (Format.ENV, "A=${B\n", Problem.VARIABLE, ""),
        (Format.ENV, "A=${B?x}\n", Problem.REQUIRED_VARIABLE, ""),
        (Format.COMPOSE, "a: 1\n", Problem.SERVICES, ""),
        (Format.COMPOSE, "services: {api: 1}\n", Problem.SERVICE, "api"),
    ],
)
def test_a_problem_is_of_a_closed_set_and_a_foreign_parser_s_words_are_its_detail(
    tmp_path, form, text, problem, detail
):
    read = LivePackage().read(write(tmp_path, "file", text), form)
    assert (read.problem, read.detail) == (problem, detail)


@pytest.mark.parametrize(
    ("text", "day", "given"),
    [
        ("until: 2027-01-31\n", "2027-01-31", True),
        ('until: "31.12.2025"\n', None, True),
        ("until: 0\n", None, True),
        ("until:\n", None, False),
        ('until: ""\n', None, False),
        ("from: 2027-01-31\n", None, False),
    ],
)
def test_a_day_of_expiry_in_another_form_is_given(tmp_path, text, day, given):
    read = LivePackage().licence(write(tmp_path, "licence", text), "until", "")
    assert (read.not_after, read.not_after_given) == (day, given)


def test_a_secret_is_struck_out_as_compose_reads_it(tmp_path):
    LivePackage().read(write(tmp_path, ".env", "PART=kanarie\nDB_PASSWORD=${PART}-p-77$$x\n"), Format.ENV)
    assert redact("kanarie-p-77$x") == "[redacted]"
