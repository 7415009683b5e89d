"""A small image registry, token service and data host over real TLS on loopback."""

from __future__ import annotations

import hashlib
import json
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import trustme

USER, PASSWORD, IDENTITY = "reader", "canary-password-4711", "canary-identity-token-4712"
TOKEN = "canary.bearer-token_4713"


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass
class Registry:
    """What the server does; tests change it."""

    place: str = ""
    """``host:port`` once it runs."""
    images: dict[str, bytes] = field(default_factory=dict)
    """``repository:tag`` or ``repository@digest`` to manifest."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)
    """Images that an anonymous token shows."""
    denied: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    """Images for which the token service answers 401 even to the right login (as Azure's does)."""
    challenge: str | list[str] | None = None
    """The WWW-Authenticate field, or several of them; None names this server's own token service."""
    challenged_at: str = ""
    """Only paths that begin so have a challenge; empty for all."""
    base_status: int = 401
    unclear: int | None = None
    """What is answered to a wrong login where no image is named; 0 hangs up."""
    token_status: int | None = None
    token_body: bytes | None = None
    data_place: str = ""
    """Where blobs are redirected to."""
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """Other paths that answer: status, header fields, body."""
    log: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, path and header fields of every request."""

    def add(self, repository: str, tag: str, size: int) -> str:
        """An image for this machine's kind, behind an index; the digest of the index."""
        import platform

        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        manifest = self.keep(repository, size, machine)
        entries = [
            {"digest": digest(b"other"), "platform": {"os": "windows", "architecture": machine}},
            {"digest": manifest, "platform": {"os": "linux", "architecture": machine}},
            {"digest": digest(b"proof"), "platform": {"os": "unknown", "architecture": "unknown"}},
        ]
        return self.index(repository, tag, entries)

    def index(self, repository: str, tag: str, entries: list[dict[str, object]]) -> str:
        """An index of these entries; its digest."""
        index = json.dumps({"manifests": entries}).encode()
        self.images[f"{repository}:{tag}"] = index
        return digest(index)

    def keep(self, repository: str, size: int, machine: str, tag: str = "") -> str:
        """An image of one small and one layer of *size*, under its digest and *tag*; its digest."""
        layer, small = bytes(size), b"small"
        config = json.dumps({"os": "linux", "architecture": machine}).encode()
        self.blobs |= {digest(b): b for b in (layer, small, config)}
        parts = [{"size": len(b), "digest": digest(b)} for b in (config, small, layer)]
        manifest = json.dumps({"config": parts[0], "layers": parts[1:]}).encode()
        self.images[f"{repository}@{digest(manifest)}"] = manifest
        if tag:
            self.images[f"{repository}:{tag}"] = manifest
        return digest(manifest)

    def sent(self, secret: str) -> int:
        """In how many requests *secret* came, decoded where it was base64."""
        return sum(secret in _plain(value) for _, _, fields in self.log for value in fields.values())


def _plain(value: str) -> str:
    scheme, _, rest = value.partition(" ")
    return b64decode(rest).decode() if scheme.lower() == "basic" else value


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    """Together with the buffer: else each answer waits 40 ms for the peer's delayed acknowledgement."""
    server: _Server

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        registry = self.server.registry
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length).decode() if length else ""
        registry.log.append((self.command, self.path, dict(self.headers.items()) | ({"body": body} if body else {})))
        path = urlsplit(self.path).path
        if path in registry.pages:
            status, fields, page = registry.pages[path]
            self._send(status, page, fields)
        elif path == "/v2/" and _plain(self.headers.get("authorization", "")) == f"{USER}:{PASSWORD}":
            self._send(200, b"{}")
        elif registry.unclear is not None and self._unclear(path):
            if registry.unclear:
                self._send(registry.unclear, b"{}", {"Location": "/elsewhere"} if registry.unclear == 302 else None)
            self.close_connection = True
        elif path == "/v2/":
            self._send(registry.base_status, b"{}", challenge=registry.base_status == 401)
        elif path == "/token":
            self._token(registry, body)
        elif "/manifests/" in path:
            self._manifest(registry, path)
        elif "/blobs/" in path or path.startswith("/data/"):
            self._blob(registry, path)
        else:
            self._send(404, b"{}")

    def _unclear(self, path: str) -> bool:
        """Whether the login itself is asked about."""
        return "authorization" in self.headers and (path == "/v2/" or (path == "/token" and "scope=" not in self.path))

    def _token(self, registry: Registry, body: str) -> None:
        asked = parse_qs(body or urlsplit(self.path).query)
        image = asked.get("scope", ["::"])[0].split(":")[1]
        login = self.headers.get("authorization", "")
        good = _plain(login) == f"{USER}:{PASSWORD}" or asked.get("refresh_token") == [IDENTITY]
        if registry.token_status is not None:
            self._send(registry.token_status, registry.token_body or b"{}")
        elif (login or "refresh_token" in asked) and (not good or image in registry.closed):
            self._send(401, b'{"details":"incorrect username or password"}')
        else:
            token = f"{TOKEN}.{'login' if good else 'anonymous'}.{image.replace('/', '-')}"
            self._send(200, registry.token_body or json.dumps({"token": token}).encode())

    def _allowed(self, registry: Registry, image: str) -> bool:
        value = self.headers.get("authorization", "")
        if _plain(value) == f"{USER}:{PASSWORD}" and "bearer" not in str(registry.challenge).lower():
            return image not in registry.denied
        if not value.startswith(f"Bearer {TOKEN}"):
            return False
        return image not in registry.denied and (".login." in value or image in registry.public)

    def _manifest(self, registry: Registry, path: str) -> None:
        repository, _, reference = path.removeprefix("/v2/").partition("/manifests/")
        image = f"{repository}{'@' if ':' in reference else ':'}{reference}"
        if not self._allowed(registry, repository):
            self._send(401, b"{}", challenge=True)
        elif image not in registry.images:
            self._send(404, b"{}")
        else:
            self._send(200, registry.images[image], {"Docker-Content-Digest": digest(registry.images[image])})

    def _blob(self, registry: Registry, path: str) -> None:
        name = path.rpartition("/")[2]
        if registry.data_place and "/blobs/" in path:
            self._send(307, b"", {"Location": f"https://{registry.data_place}/data/{name}?signature=x"})
            return
        blob = registry.blobs[name]
        wanted = self.headers.get("range", "")
        if wanted:
            end = int(wanted.rpartition("-")[2])
            self._send(206, blob[: end + 1], {"Content-Range": f"bytes 0-{end}/{len(blob)}"})
        else:
            self._send(200, blob)

    def _send(self, status: int, body: bytes, fields: dict[str, str] | None = None, *, challenge: bool = False) -> None:
        registry = self.server.registry
        self.send_response(status)
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        if challenge and self.path.startswith(registry.challenged_at):
            own = f'Bearer realm="https://{registry.place}/token",service="test"'
            named = own if registry.challenge is None else registry.challenge
            for value in [named] if isinstance(named, str) else named:
                self.send_header("WWW-Authenticate", value)
        for name, value in (fields or {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (fields or {}):
            self.send_header("Content-Length", str(len(body)))
        else:  # a length that is not true: the connection ends first
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    registry: Registry
    context: ssl.SSLContext | None

    def get_request(self):
        connection, address = super().get_request()
        if self.context is None:
            return connection, address
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up (a range that is cut short, a certificate that it refuses) is no news."""


@contextmanager
def running(ca: trustme.CA | None, host: str = "localhost", **certificate: object) -> Iterator[Registry]:
    """A registry at ``localhost:PORT`` with a certificate of *ca*; without one it speaks plain HTTP."""
    context = None
    if ca is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(host, **certificate).configure_cert(context)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.context = context
    server.registry = Registry(place=f"localhost:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
