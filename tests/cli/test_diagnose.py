"""The command against real servers on loopback: exit codes, both formats, and what must never be written."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from lab import authority
from lab.servers import respond, tcp
from lab.servers import tls as in_tls
from lab.streams import sse, websocket
from vorflug.cli.__main__ import execute
from vorflug.cli.commands.diagnose import _in_time, _is_silence, _Late
from vorflug.ports.net import Code, Stage, StageSeen

PUBLISHED = Path(__file__).parent.parent.parent / "schemas" / "diagnosis.schema.json"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class Server:
    """Answers every connection with the same bytes, or with silence, and keeps what it was sent."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._kept: list[socket.socket] = []
        self.heard: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                connection.settimeout(5)
                self.heard.append(connection.recv(65536))
                if self._answer is None:
                    self._kept.append(connection)
                else:
                    connection.sendall(self._answer)
                    connection.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._kept:
            connection.close()


@pytest.fixture
def serve():
    servers: list[Server] = []

    def start(answer: bytes | None = OK) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def diagnosed(capsys, *arguments: str) -> tuple[int, dict]:
    code = execute(["diagnose", *arguments, "--format", "json"])
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text(encoding="utf-8"))).validate(document)
    return code, document


def test_a_healthy_answer_ends_with_0(capsys, serve):
    code, document = diagnosed(capsys, f"http://127.0.0.1:{serve().port}/")
    assert (code, document["code"], document["http"]["status"]) == (0, "ok", 200)
    assert [s["stage"] for s in document["stages"]] == ["resolve", "connect", "http"]


def test_it_says_when_and_from_where(capsys, closed):
    before = datetime.now(UTC).replace(microsecond=0)
    _, document = diagnosed(capsys, f"http://127.0.0.1:{closed}/")
    assert before <= datetime.fromisoformat(document["checked"]) <= datetime.now(UTC)
    assert (document["host"], document["local"]) == (socket.gethostname(), "127.0.0.1")
    execute(["diagnose", f"http://127.0.0.1:{closed}/"])
    assert f" from {socket.gethostname()} (127.0.0.1)" in " ".join(capsys.readouterr().out.split())


def test_a_fault_ends_with_3_and_names_layer_and_code(capsys, closed):
    code, document = diagnosed(capsys, f"http://127.0.0.1:{closed}/")
    assert (code, document["code"]) == (3, "tcp.refused")
    assert document["stages"][-1]["stage"] == "connect" and document["stages"][-1]["code"] == "tcp.refused"
    assert "ECONNREFUSED" in document["stages"][-1]["detail"]


@pytest.mark.parametrize(
    ("wanted", "code"), [((), "ok"), (("200",), "ok"), (("401", "200"), "ok"), (("401",), "http.status")]
)
def test_the_status_that_is_right_can_be_named_more_than_once(capsys, serve, wanted, code):
    options = [part for status in wanted for part in ("--expect-status", status)]
    ended, document = diagnosed(capsys, f"http://127.0.0.1:{serve().port}/", *options)
    assert (ended, document["code"]) == (0 if code == "ok" else 3, code)


def test_the_media_type_that_is_right_can_be_named(capsys, serve):
    url = f"http://127.0.0.1:{serve().port}/"
    assert diagnosed(capsys, url, "--expect-type", "application/json")[1]["code"] == "ok"
    assert diagnosed(capsys, url, "--expect-type", "text/event-stream")[0] == 3


@pytest.mark.parametrize(("lang", "seen"), [("en", "  Seen "), ("de", "  Vorgefunden ")])
def test_the_terminal_page_is_all_that_stands_on_stdout(capsys, closed, lang, seen):
    assert execute(["diagnose", f"http://127.0.0.1:{closed}/", "--lang", lang]) == 3
    captured = capsys.readouterr()
    assert captured.err == "" and captured.out.startswith("  tcp.refused   http://127.0.0.1:")
    assert seen in captured.out and "\x1b" not in captured.out
    assert max(map(len, captured.out.splitlines())) <= 80


def test_a_proxy_that_is_named_is_used_even_for_this_machine_and_whatever_no_proxy_says(capsys, serve, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    target, proxy = serve(), serve()
    code, document = diagnosed(capsys, f"http://127.0.0.1:{target.port}/x", "--proxy", f"http://127.0.0.1:{proxy.port}")
    assert (code, document["route"]["proxy"], document["route"]["why"]) == (0, f"127.0.0.1:{proxy.port}", "--proxy")
    assert target.heard == [] and proxy.heard[0].startswith(f"GET http://127.0.0.1:{target.port}/x ".encode())


def test_without_a_proxy_the_environment_is_not_asked(capsys, serve, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:3128")
    code, document = diagnosed(capsys, f"http://127.0.0.1:{serve().port}/", "--proxy", "none")
    assert (code, document["route"]) == (0, {"proxy": None, "why": ""})


def test_what_the_environment_says_holds_where_no_proxy_is_named(capsys, serve, closed, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://installer:verysecret@127.0.0.1:{closed}")
    code, document = diagnosed(capsys, "http://192.0.2.1/")
    assert (code, document["code"], document["route"]["why"]) == (3, "proxy.refused", "http_proxy")
    assert "verysecret" not in json.dumps(document)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    code, document = diagnosed(capsys, f"http://127.0.0.1:{serve().port}/")
    assert (code, document["route"]) == (0, {"proxy": None, "why": "NO_PROXY"})


def test_a_dead_proxy_is_to_blame(capsys, closed):
    code, document = diagnosed(capsys, "http://192.0.2.1/", "--proxy", f"http://127.0.0.1:{closed}")
    assert (code, document["code"], document["team"]) == (3, "proxy.refused", "proxy")


def test_a_ws_address_is_asked_for_an_upgrade(capsys, serve):
    code, document = diagnosed(capsys, f"ws://127.0.0.1:{serve().port}/chat")
    assert (code, document["mode"], document["code"]) == (3, "ws", "ws.upgrade_refused")
    assert document["url"].startswith("ws://")


def test_a_stream_that_was_asked_for_and_not_given_is_undetermined_and_not_fine(capsys, serve):
    url = f"http://127.0.0.1:{serve().port}/"
    assert diagnosed(capsys, url, "--mode", "sse")[1]["code"] == "http.wrong_target"
    # another media type is right: then nothing failed, and nothing is known about streams either
    right = ("--mode", "sse", "--expect-type", "application/json", "--format", "json")
    assert execute(["diagnose", url, *right]) == 5
    captured = capsys.readouterr()
    assert captured.out == "" and "the way is open (status 200)" in captured.err


@pytest.mark.parametrize(
    ("lang", "handler", "scheme", "seen"),
    [
        ("en", sse(events=3, gap=0.05), "http", "3 events came: too few or too close together"),
        ("de", sse(events=0), "http", "kein Ereignis"),
        ("en", websocket(close=1008), "ws", "the service ended the connection itself (close 1008 "),
    ],
)
def test_a_stream_that_was_opened_and_proved_nothing_is_undetermined(capsys, lang, handler, scheme, seen):
    """Exit 5, and what was seen: neither "ok" nor a fault."""
    mode = () if scheme == "ws" else ("--mode", "sse")
    with tcp(handler) as port:
        ended = execute(["diagnose", f"{scheme}://127.0.0.1:{port}/s", *mode, "--deadline", "5", "--lang", lang])
    captured = capsys.readouterr()
    said = " ".join(captured.err.split())
    assert (ended, captured.out) == (5, ""), captured
    assert seen in said and f"127.0.0.1:{port}/s" in said


@pytest.mark.parametrize("format_", ["terminal", "json"])
def test_what_stands_in_the_query_is_sent_and_never_written(capsys, serve, format_):
    token = "verysecrettoken"
    server = serve(OK.replace(b"{}", b"{}").replace(b"Connection", b"Location: /?t=verysecrettoken\r\nConnection"))
    execute(["diagnose", f"http://127.0.0.1:{server.port}/?t={token}", "--format", format_])
    assert token.encode() in server.heard[0]
    captured = capsys.readouterr()
    assert token not in captured.out + captured.err and "?…" in captured.out


@pytest.mark.parametrize("format_", ["terminal", "json"])
def test_nothing_from_outside_acts_on_the_terminal(capsys, serve, format_):
    hostile = b"HTTP/1.1 200 \x1b[31mOK\r\nServer: \x1b[31mred\xc2\x9b\xe2\x80\xae<script>\r\nContent-Length: 0\r\n\r\n"
    execute(["diagnose", f"http://127.0.0.1:{serve(hostile).port}/", "--format", format_])
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", capsys.readouterr().out)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.example"],
        ["ftp://a.example/"],
        ["https://user:verysecret@a.example/"],
        ["https://a.example:0/"],
        ["https://a.example/ b"],
        ["https://a.example/", "--deadline", "0"],
        ["https://a.example/", "--deadline", "601"],
        ["https://a.example/", "--deadline", "soon"],
        ["https://a.example/", "--expect-status", "99"],
        ["https://a.example/", "--expect-status", "600"],
        ["https://a.example/", "--expect-type", "json"],
        ["https://a.example/", "--expect-type", "text/html\nX: y"],
        ["https://a.example/", "--mode", "ftp"],
        ["wss://a.example/", "--mode", "sse"],
        ["https://a.example/", "--proxy", "proxy.corp"],
        ["https://a.example/", "--proxy", "http://user:verysecret@proxy.corp:1"],
        ["https://a.example/", "--ca", "/nowhere/ca.pem"],
        ["https://a.example/", "--ca", "/"],
        ["https://a.example/", "--ca", "/dev/null"],
        ["https://a.example/", "--format", "xml"],
        ["https://a.example/", "https://b.example/"],
    ],
)
@pytest.mark.parametrize("lang", ["en", "de"])
def test_wrong_usage_ends_with_2_and_a_sentence(capsys, arguments, lang):
    assert execute(["diagnose", *arguments, "--lang", lang]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and len(captured.err) > 20
    assert "verysecret" not in captured.err and "Traceback" not in captured.err


def test_a_file_without_certificates_is_refused_and_one_that_is_no_certificate_too(capsys, tmp_path):
    for text in ("nothing", "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n"):
        file = tmp_path / "ca.pem"
        file.write_text(text)
        assert execute(["diagnose", "https://127.0.0.1:9/", "--ca", str(file)]) == 2
        captured = capsys.readouterr()
        assert captured.out == "" and "ca.pem" in captured.err


def test_the_wall_time_keeps_to_the_deadline(capsys, serve):
    began = time.monotonic()
    code, document = diagnosed(capsys, f"http://127.0.0.1:{serve(None).port}/", "--deadline", "1")
    assert (code, document["code"]) == (3, "http.no_response")
    assert time.monotonic() - began < 2.0


def test_what_hangs_is_given_up():
    free = threading.Event()
    with pytest.raises(_Late):
        _in_time(0.05, lambda: free.wait(5))
    free.set()


@pytest.mark.parametrize(
    ("code", "detail", "silence"),
    [
        (Code.TCP_TIMEOUT, "timeout 192.0.2.1:443", True),
        (Code.TLS_STALL, "no answer to the ClientHello", True),
        (Code.HTTP_NO_RESPONSE, "silence", True),
        (Code.HTTP_NO_RESPONSE, "EOF", False),
        (Code.TCP_REFUSED, "ECONNREFUSED 192.0.2.1:443", False),
        (None, "", False),
    ],
)
def test_what_needs_time_to_be_believed(code, detail, silence):
    assert _is_silence(StageSeen(Stage.HTTP, 0.01, code, detail)) is silence


def test_what_is_raised_comes_through():
    def work():
        raise OSError(24, "Too many open files")

    with pytest.raises(OSError, match="Too many open files"):
        _in_time(5, work)


def test_a_machine_without_descriptors_is_undetermined_and_not_a_fault_of_the_network():
    script = (
        "import resource, sys\n"
        "from vorflug.cli.__main__ import execute\n"
        "execute(['diagnose', 'http://127.0.0.1:9/'])\n"  # what is imported needs descriptors, too
        "print('now', flush=True)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "sys.exit(execute(['diagnose', 'http://127.0.0.1:9/', '--format', 'json']))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.partition("now\n")[2]) == (5, ""), done.stderr
    assert "could not ask: Too many open files" in done.stderr


def test_ctrl_c_ends_with_130_at_once(serve):
    server = serve(None)
    url = f"http://127.0.0.1:{server.port}/"
    process = subprocess.Popen(
        [sys.executable, "-m", "vorflug.cli", "diagnose", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(200):
        if server.heard:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=3)
    assert (process.returncode, out) == (130, "") and "Traceback" not in err


@pytest.mark.parametrize("kind", ["pipe", "folder", "empty", "/dev/zero"])
def test_a_useless_ssl_cert_file_is_named_and_the_pki_is_not_blamed(capsys, monkeypatch, tmp_path, kind):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / kind))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    with tcp(in_tls(authority.context(tmp_path, authority.good()), respond())) as port:
        code, document = diagnosed(capsys, f"https://127.0.0.1:{port}/", "--deadline", "5")
    assert (code, document["code"], document["team"]) == (3, "tls.unknown_ca", "os-virtualisation")
    assert document["tls"]["store"] == ""
    assert document["stages"][-1]["detail"].endswith("; SSL_CERT_FILE names no readable certificates")
    for words in (document["says"], document["fix"]):
        assert all("SSL_CERT_FILE" in words[language] for language in ("en", "de"))
    assert "PKI" not in json.dumps([document[field] for field in ("says", "means", "who", "fix", "ask")])


def test_a_store_that_does_not_know_the_issuer_is_not_called_useless(capsys, monkeypatch, tmp_path):
    store = tmp_path / "store.pem"
    store.write_bytes(authority.bumper().pem())
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    with tcp(in_tls(authority.context(tmp_path, authority.good()), respond())) as port:
        _, document = diagnosed(capsys, f"https://127.0.0.1:{port}/", "--deadline", "5")
    assert (document["code"], document["team"], document["tls"]["store"]) == ("tls.unknown_ca", "pki", str(store))
    assert "SSL_CERT_FILE" not in document["says"]["en"] + document["stages"][-1]["detail"]
