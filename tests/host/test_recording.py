"""Whatever a port says goes onto the tape and comes back equal; secrets do not; gaps are never a pass."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
import typing
from contextlib import suppress
from threading import Barrier, Event, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import FakePort, fake_host
from vorflug import ports
from vorflug.engine import registry
from vorflug.host import plain_yaml
from vorflug.host.cassette import Cassette, methods
from vorflug.host.live import LiveHost
from vorflug.host.recorded import NotRecorded, RecordedHost
from vorflug.host.recording import RecordingHost, Tape
from vorflug.host.secrets import remember
from vorflug.model.query import Reach
from vorflug.ports.files import FileKind, FileStatus
from vorflug.ports.system import Memory

METHODS = [(port, name) for port in ports.PORTS for name in methods(port)]


def replay(tape):
    """Through the text of the cassette, as on another day."""
    return RecordedHost(Cassette.from_yaml(tape.cassette().to_yaml()))


# ---- every method of every port --------------------------------------------------------------------------------------


def values(hint):
    """Values of a port's type: only what ports may use (plain values, enums, frozen dataclasses, tuples of those)."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([values(arg) for arg in args])
    if origin is tuple:
        if args[-1] is Ellipsis:
            return st.lists(values(args[0]), max_size=3).map(tuple)
        return st.tuples(*[values(arg) for arg in args])
    if origin is typing.Literal:
        return st.sampled_from(args)
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{field.name: values(hints[field.name]) for field in dataclasses.fields(hint)})
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return st.sampled_from(list(hint))
    plain = {
        str: st.text(st.characters(codec="utf-8"), max_size=12).filter(lambda text: "://" not in text),
        int: st.integers(-(2**63), 2**63),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        type(None): st.none(),
    }
    if hint not in plain:
        raise AssertionError(f"a port may not use {hint!r}: a cassette could not hold it")
    return plain[hint]


def calls(port, name):
    """(arguments by name, result) of one method."""
    protocol = typing.get_type_hints(vars(ports.Host)[port].fget)["return"]
    hints = typing.get_type_hints(getattr(protocol, name))
    result = values(hints.pop("return"))
    return st.tuples(st.fixed_dictionaries({argument: values(hint) for argument, hint in hints.items()}), result)


def test_every_port_of_a_host_is_there():
    hosts = {name for name, value in vars(ports.Host).items() if isinstance(value, property)}
    assert hosts == {*ports.PORTS, *ports.COMPUTED}
    assert not set(ports.PORTS) & set(ports.COMPUTED)
    for host in (replay(Tape()), RecordingHost(fake_host(), Tape())):
        for port in (*ports.PORTS, *ports.COMPUTED):
            assert getattr(host, port) is not None


def test_there_are_methods():
    assert len(METHODS) > 15
    assert {port for port, _ in METHODS} >= {"files", "commands", "machine", "sockets", "clock", "accounts", "net"}


@pytest.mark.parametrize(("port", "name"), METHODS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_answer_comes_back_equal(port, name, data):
    arguments, result = data.draw(calls(port, name))
    tape = Tape()
    recording = RecordingHost(fake_host(**{port: FakePort(**{name: lambda **_arguments: result})}), tape)
    assert getattr(getattr(recording, port), name)(**arguments) == result
    assert getattr(getattr(replay(tape), port), name)(**arguments) == result


@pytest.mark.parametrize(("port", "name"), METHODS)
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_call_that_was_not_recorded_is_unsupported_never_an_answer(port, name, data):
    arguments, _ = data.draw(calls(port, name))
    with pytest.raises(NotImplementedError, match=rf"{port}\.{name}"):
        getattr(getattr(replay(Tape()), port), name)(**arguments)


def test_what_is_computed_is_recorded_as_what_it_was_computed_from():
    tape = Tape()
    meminfo = "MemTotal: 4 kB\nMemAvailable: 2 kB\nSwapTotal: 0 kB\n"
    recording = RecordingHost(fake_host(files=FakePort(read_text=meminfo)), tape)
    assert recording.system.memory() == Memory(4096, 2048, 0)
    assert [(call.port, call.method) for call in tape.cassette().calls] == [("files", "read_text")]
    assert replay(tape).system.memory() == Memory(4096, 2048, 0)


def test_defaults_and_positions_do_not_make_another_call():
    tape = Tape()
    recording = RecordingHost(fake_host(files=FakePort(read_text="text")), tape)
    recording.files.read_text("/a")
    host = replay(tape)
    assert host.files.read_text(path="/a", limit=1 << 20) == "text"
    with pytest.raises(NotRecorded):
        host.files.read_text("/a", limit=5)


def test_names_that_are_no_utf8_survive():
    tape = Tape()
    names = (b"caf\xe9".decode("utf-8", "surrogateescape"), "caf\u00e9", "\x1b[31m", "\u202e")
    assert RecordingHost(fake_host(files=FakePort(list_folder=names)), tape).files.list_folder(names[0]) == names
    assert "caf\u00e9" in tape.cassette().to_yaml()
    assert not {"\x1b", "\u202e"} & set(tape.cassette().to_yaml()), "what is invisible is written as what it is"
    assert replay(tape).files.list_folder(names[0]) == names


def test_only_what_the_protocol_has_can_be_called():
    recording = RecordingHost(fake_host(files=FakePort(delete=True)), Tape())
    with pytest.raises(AttributeError):
        recording.files.delete("/a")
    with pytest.raises(TypeError):
        recording.files.read_text("/a", mode="w")


# ---- exceptions ------------------------------------------------------------------------------------------------------


class HomeMade(Exception):
    pass


@pytest.mark.parametrize(
    ("raised", "replayed"),
    [
        (FileNotFoundError(2, "No such file or directory", "/a"), FileNotFoundError),
        (NotADirectoryError(20, "Not a directory", "/a"), NotADirectoryError),
        (IsADirectoryError(21, "Is a directory", "/a"), IsADirectoryError),
        (PermissionError(13, "Permission denied", "/a"), PermissionError),
        (IsADirectoryError(21, "Is a directory", 12), IsADirectoryError),
        (PermissionError("no reason given"), PermissionError),
        (TimeoutError("the time is over"), TimeoutError),
        (TimeoutError(110, "Connection timed out"), TimeoutError),
        (ConnectionRefusedError(111, "Connection refused"), ConnectionRefusedError),
        (OSError(5, "Input/output error", "/a"), OSError),
        (NotImplementedError("not here"), NotImplementedError),
        (NotRecorded("a recorded host was recorded"), NotImplementedError),
        (ValueError("makes no sense"), ValueError),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"), ValueError),
        (KeyError("x"), LookupError),
    ],
)
def test_an_exception_comes_back_by_type_and_words(raised, replayed):
    tape = Tape()
    recording = RecordingHost(fake_host(files=FakePort(read_text=raised)), tape)
    with pytest.raises(type(raised)):
        recording.files.read_text("/a")
    with pytest.raises(replayed) as seen:
        replay(tape).files.read_text("/a")
    assert type(seen.value) is replayed
    assert str(seen.value) == str(raised)
    if isinstance(raised, OSError):
        assert (seen.value.errno, seen.value.filename) == (raised.errno, raised.filename)


def test_an_exception_that_no_port_should_raise_keeps_its_name():
    tape = Tape()
    with pytest.raises(HomeMade):
        RecordingHost(fake_host(files=FakePort(read_text=HomeMade("oops"))), tape).files.read_text("/a")
    with pytest.raises(RuntimeError, match="HomeMade: oops"):
        replay(tape).files.read_text("/a")


# ---- order, threads, secrets -----------------------------------------------------------------------------------------


def test_answers_come_in_turn_and_the_last_one_stays():
    tape = Tape()
    said = iter(["one", "one", PermissionError("later"), "two"])

    def read_text(_path):
        word = next(said)
        if isinstance(word, Exception):
            raise word
        return word

    recording = RecordingHost(fake_host(files=FakePort(read_text=read_text)), tape)

    def ask(host):
        try:
            return host.files.read_text("/a")
        except PermissionError:
            return "denied"

    assert [ask(recording) for _ in range(4)] == ["one", "one", "denied", "two"]
    host = replay(tape)
    assert [ask(host) for _ in range(6)] == ["one", "one", "denied", "two", "two", "two"]


def test_an_answer_that_never_changes_is_kept_once():
    tape = Tape()
    recording = RecordingHost(fake_host(files=FakePort(exists=True)), tape)
    assert all(recording.files.exists("/a") for _ in range(50))
    assert len(tape.cassette().calls) == 1


def test_many_threads_share_one_tape_and_one_host():
    tape = Tape()
    recording = RecordingHost(fake_host(files=FakePort(read_text=lambda path: f"text of {path}")), tape)
    gate = Barrier(16)
    wrong = []

    def work(host, number):
        gate.wait()
        for turn in range(20):
            path = f"/{number}/{turn}"
            if host.files.read_text(path) != f"text of {path}":
                wrong.append(path)

    for host in (recording, None):
        host = host or replay(tape)
        threads = [Thread(target=work, args=(host, number)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(tape.cassette().calls) == 320
    assert wrong == []


def test_a_call_that_hung_replays_as_no_answer():
    tape = Tape()
    asked, release = Event(), Event()

    def file_system(_path):
        asked.set()
        release.wait(30)
        raise NotImplementedError("released")

    def ask():
        with suppress(NotImplementedError):
            recording.files.file_system("/dead/nfs")

    recording = RecordingHost(fake_host(files=FakePort(file_system=file_system)), tape)
    hung = Thread(target=ask, daemon=True)
    hung.start()
    assert asked.wait(10)
    try:
        with pytest.raises(TimeoutError):
            replay(tape).files.file_system("/dead/nfs")
    finally:
        release.set()
        hung.join(10)


def test_no_secret_is_on_the_tape():
    tape = Tape()
    answers = iter(
        ["http://ada:pa55word@proxy.corp:3128/", "token canary-0815-late", PermissionError(13, "canary-0815-late")]
    )

    def read_text(_path):
        word = next(answers)
        if isinstance(word, Exception):
            raise word
        return word

    recording = RecordingHost(fake_host(files=FakePort(read_text=read_text)), tape)
    assert "pa55word" in recording.files.read_text("/a"), "the answer itself is passed on as it is"
    recording.files.read_text("/canary-0815-late")
    with pytest.raises(PermissionError):
        recording.files.read_text("/b")
    remember("canary-0815-late")  # read only after it was said
    text = tape.cassette().to_yaml()
    assert "pa55word" not in text and "canary-0815" not in text
    assert replay(tape).files.read_text("/a") == "http://[redacted]@proxy.corp:3128/"
    assert replay(tape).files.read_text("/canary-0815-late") == "token [redacted]"


# ---- the document ----------------------------------------------------------------------------------------------------


def test_the_text_is_readable_and_does_not_depend_on_the_order_of_calls():
    texts = []
    for paths in (("/b", "/a"), ("/a", "/b")):
        tape = Tape()
        recording = RecordingHost(fake_host(files=FakePort(status=FileStatus(FileKind.FILE, 0o644, 0, 0, 5))), tape)
        for path in paths:
            recording.files.status(path)
        texts.append(tape.cassette().to_yaml())
    assert texts[0] == texts[1]
    document = plain_yaml.read(texts[0], "cassette")
    assert document["schema"] == "vorflug/cassette/1"
    assert document["calls"][0] == {
        "port": "files",
        "method": "status",
        "arguments": {"path": "/a", "follow": True},
        "returns": {"kind": "file", "mode": 0o644, "uid": 0, "gid": 0, "size_bytes": 5},
    }


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"schema": "vorflug/cassette/2", "calls": []},
        {"schema": "vorflug/cassette/1", "calls": [{"port": "files", "method": "delete"}]},
        {"schema": "vorflug/cassette/1", "calls": [{"port": "shell", "method": "run"}]},
        {"schema": "vorflug/cassette/1", "calls": [], "more": 1},
        {
            "schema": "vorflug/cassette/1",
            "calls": [{"port": "files", "method": "exists", "raises": {"type": "SystemExit", "says": "x"}}],
        },
    ],
)
def test_what_is_no_cassette_is_refused(document):
    with pytest.raises(ValueError, match=r"^some\.yaml:\d+: "):
        Cassette.from_yaml(plain_yaml.write(document), "some.yaml")


def test_a_wrong_value_in_a_cassette_is_an_error_not_an_answer():
    call = {"port": "files", "method": "exists", "arguments": {"path": "/a"}, "returns": "perhaps"}
    host = RecordedHost(Cassette.from_yaml(plain_yaml.write({"schema": "vorflug/cassette/1", "calls": [call]})))
    with pytest.raises(ValueError):
        host.files.exists("/a")


# ---- the machine that this runs on -----------------------------------------------------------------------------------


NAMED = {"forward_rules": {"family": "inet", "table": "filter", "chain": "forward"}}
"""Values for fields that take no path."""


def local_queries():
    """A question of every kind that sends and writes nothing, with plausible values for its fields."""
    for query in registry.queries().values():
        if query.reach is not Reach.LOCAL or query.active:
            continue
        hints = typing.get_type_hints(query)
        wanted = [
            f
            for f in dataclasses.fields(query)
            if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        ]
        given = NAMED.get(query.kind, {})
        yield query(**{field.name: given.get(field.name) or example(hints[field.name]) for field in wanted})


def example(hint):
    args = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return (example(args[0]),)
    if args:
        return example(args[0])
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    if dataclasses.is_dataclass(hint):
        return hint(**{name: example(kind) for name, kind in typing.get_type_hints(hint).items()})
    return {str: "/proc/self", int: 443, bool: False, float: 0.1}[hint]


def test_this_machine_recorded_gives_the_same_facts():
    def observe(query, host):
        try:
            return query.observe(host)
        except Exception as error:
            return type(error), str(error)

    queries = list(local_queries())
    assert len(queries) >= 10
    wrong, silent = {}, []
    for query in queries:
        tape = Tape()
        seen = observe(query, RecordingHost(LiveHost(query.deadline), tape))
        again = observe(query, replay(tape))
        if again != seen:
            wrong[query.kind] = (seen, again)
        if not tape.cassette().calls:
            silent.append(query.kind)  # it asks nothing of the host, or fails before
    assert wrong == {}
    assert silent == []
