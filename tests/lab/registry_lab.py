"""A real docker-registry with token authentication behind a real squid, sending layers from a data host of its own.

Names end in ``lab.test`` and are resolved by squid alone (its ``hosts_file``), so that nothing goes round the proxy.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import ssl
import subprocess
import threading
import time
import urllib.request
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import trustme
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from conftest import let_others_in

USER, PASSWORD = "reader", "lab-canary-password-8461"
SERVICE, ISSUER = "lab-registry", "lab-issuer"
_JSON = "application/vnd.oci.image.{}.v1+json"


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass
class Origin:
    """An HTTPS server of the lab, and every request that came to it."""

    place: str
    log: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def credentials(self) -> list[str]:
        """Whatever could log somebody in, in any field or address."""
        return [
            value
            for _, path, fields in self.log
            for name, value in (*fields.items(), ("path", path))
            if name.lower() in {"authorization", "cookie", "proxy-authorization"} or PASSWORD in value
        ]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext
    origin: Origin

    def get_request(self):
        connection, address = super().get_request()
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    """Together with the buffer: else each answer waits 40 ms for the peer's delayed acknowledgement."""
    server: _Server

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.origin.log.append((self.command, self.path, dict(self.headers.items())))
        status, fields, body = self.answer()
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        raise NotImplementedError


def _part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


class TokenService:
    """Signs what a login may pull (distribution: token authentication, JSON Web Token)."""

    def __init__(self, leaf: trustme.LeafCert, rights: set[str]) -> None:
        self._key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
        pem = leaf.cert_chain_pems[0].bytes().decode()
        self._certificate = "".join(pem.splitlines()[1:-1])
        self._rights = rights

    def token(self, scopes: list[str]) -> str:
        named = [scope.split(":") for scope in scopes]
        access = [
            {"type": "repository", "name": name, "actions": ["pull"]} for _, name, _ in named if name in self._rights
        ]
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": USER, "aud": SERVICE, "exp": now + 300, "nbf": now - 60, "iat": now}
        head = _part({"typ": "JWT", "alg": "RS256", "x5c": [self._certificate]})
        signed = f"{head}.{_part(claims | {'jti': str(now), 'access': access})}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{urlsafe_b64encode(signature).decode().rstrip('=')}"

    def handler(self) -> type[_Handler]:
        service = self

        class Handler(_Handler):
            def answer(self) -> tuple[int, dict[str, str], bytes]:
                login = self.headers.get("authorization", "")
                if self.command == "HEAD":
                    return 200, {}, b""
                if login and b64decode(login.partition(" ")[2]).decode() != f"{USER}:{PASSWORD}":
                    return 401, {}, b"{}"
                # without a login there is a token, too, and it is good for nothing
                scopes = parse_qs(urlsplit(self.path).query).get("scope", []) if login else []
                return 200, {"Content-Type": "application/json"}, json.dumps({"token": service.token(scopes)}).encode()

        return Handler


def _data_handler(store: Path) -> type[_Handler]:
    class Handler(_Handler):
        def answer(self) -> tuple[int, dict[str, str], bytes]:
            path = store / urlsplit(self.path).path.lstrip("/")
            if not path.is_file():
                return 404, {}, b""
            data = path.read_bytes()
            asked = self.headers.get("range", "")
            if not asked:
                return 200, {}, data
            end = int(asked.rpartition("-")[2])
            return 206, {"Content-Range": f"bytes 0-{min(end, len(data) - 1)}/{len(data)}"}, data[: end + 1]

    return Handler


@contextmanager
def _origin(ca: trustme.CA, name: str, handler: type[_Handler]) -> Iterator[Origin]:
    server = _Server(("127.0.0.1", 0), handler)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name).configure_cert(server.context)
    server.origin = Origin(f"{name}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.origin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """For programs that cannot be told to take any port; another program may take it first, which the test then says."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _silent() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listener:
        yield listener.getsockname()[1]


@contextmanager
def _program(port: int, *argv: str) -> Iterator[None]:
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        for _ in range(200):
            if process.poll() is not None:
                raise AssertionError(f"{argv} ended with {process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise AssertionError(f"{argv} does not listen on {port}")
        yield
    finally:
        process.kill()
        process.wait()


def _put(url: str, data: bytes, kind: str, method: str = "PUT") -> str:
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": kind})
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=10) as answer:
        assert answer.status in {201, 202}, answer.status
        return answer.headers.get("Location", "")


class Pusher:
    """Pushes images made of bytes to a registry by its plain API (OCI distribution specification, "Push")."""

    def __init__(self, base: str) -> None:
        self._base = base

    def image(self, repository: str, tag: str, architecture: str, size: int) -> dict[str, object]:
        """An image of two layers; its descriptor for an index."""
        config = json.dumps({"os": "linux", "architecture": architecture, "rootfs": {"type": "layers"}}).encode()
        layers = [b"small layer of everybody", os.urandom(1024) * (size // 1024)]
        for blob in (config, *layers):
            where = _put(f"{self._base}/v2/{repository}/blobs/uploads/", b"", "application/octet-stream", "POST")
            _put(f"{where}&digest={digest(blob)}", blob, "application/octet-stream")
        manifest = {
            "schemaVersion": 2,
            "mediaType": _JSON.format("manifest"),
            "config": _described(config, _JSON.format("config")),
            "layers": [_described(layer, "application/vnd.oci.image.layer.v1.tar+gzip") for layer in layers],
        }
        data = json.dumps(manifest).encode()
        _put(f"{self._base}/v2/{repository}/manifests/{tag or digest(data)}", data, manifest["mediaType"])
        return _described(data, manifest["mediaType"]) | {"platform": {"os": "linux", "architecture": architecture}}

    def index(self, repository: str, tag: str, entries: list[dict[str, object]]) -> None:
        kind = _JSON.format("index")
        data = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode()
        _put(f"{self._base}/v2/{repository}/manifests/{tag}", data, kind)


def _described(data: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "digest": digest(data), "size": len(data)}


@dataclass(frozen=True)
class Lab:
    """What runs."""

    registry: str
    """``host:port`` of the registry whose data host answers."""
    hanging: str
    """The same images and logins; its data host takes connections and says nothing."""
    hanging_data: str
    token: Origin
    data: Origin
    open_proxy: str
    strict_proxy: str
    """Refuses the data host."""
    ca_file: str
    docker_config: str
    """A DOCKER_CONFIG with the right login for both registries."""


_SQUID = """
http_port 127.0.0.1:{open} name=open
http_port 127.0.0.1:{strict} name=strict
acl strict myportname strict
acl data dstdomain data.lab.test
http_access deny strict data
http_access allow all
hosts_file {hosts}
dns_nameservers 127.0.0.1
dns_retransmit_interval 200 milliseconds
dns_timeout 500 milliseconds
visible_hostname proxy.lab.test
cache deny all
access_log none
cache_store_log none
cache_log /dev/null
pid_filename none
coredump_dir /
pinger_enable off
shutdown_lifetime 0 seconds
workers 1
"""
_NAMES = ("registry", "auth", "data", "hang")


def _config(folder: Path, port: int, **parts: object) -> str:
    store = {"filesystem": {"rootdirectory": str(folder / "store")}}
    whole = {"version": 0.1, "log": {"level": "error"}, "storage": store}
    http = {"addr": f"127.0.0.1:{port}", "secret": "x", **parts.pop("http", {})}
    path = folder / f"registry-{port}.yml"
    path.write_text(json.dumps(whole | {"http": http} | parts))  # JSON is YAML
    return str(path)


@contextmanager
def running(folder: Path) -> Iterator[Lab]:
    """The lab, with these images in ``team``: app (this and another platform), alone, other, other-alone, closed."""
    let_others_in(folder)
    ca = trustme.CA()
    leaf = ca.issue_cert("registry.lab.test", key_type=trustme.KeyType.RSA)
    leaf.private_key_pem.write_to_path(folder / "key.pem")
    leaf.cert_chain_pems[0].write_to_path(folder / "leaf.pem")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    (folder / "hosts").write_text("".join(f"127.0.0.1 {name}.lab.test\n" for name in _NAMES))
    _push(folder)
    rights = {"team/app", "team/alone", "team/other", "team/other-alone"}
    with ExitStack() as stack:
        token = stack.enter_context(_origin(ca, "auth.lab.test", TokenService(leaf, rights).handler()))
        data = stack.enter_context(_origin(ca, "data.lab.test", _data_handler(folder / "store")))
        hang = f"hang.lab.test:{stack.enter_context(_silent())}"
        places = [stack.enter_context(_registry(folder, token.place, where)) for where in (data.place, hang)]
        opened, strict = free_port(), free_port()
        squid = _SQUID.format(open=opened, strict=strict, hosts=folder / "hosts")
        (folder / "squid.conf").write_text(squid)
        stack.enter_context(_program(opened, "squid", "-N", "-f", str(folder / "squid.conf")))
        login = {"auth": b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
        (folder / "docker").mkdir()
        (folder / "docker" / "config.json").write_text(json.dumps({"auths": dict.fromkeys(places, login)}))
        yield Lab(
            registry=places[0],
            hanging=places[1],
            hanging_data=hang,
            token=token,
            data=data,
            open_proxy=f"http://127.0.0.1:{opened}",
            strict_proxy=f"http://127.0.0.1:{strict}",
            ca_file=str(folder / "ca.pem"),
            docker_config=str(folder / "docker"),
        )


@contextmanager
def _registry(folder: Path, token: str, data: str) -> Iterator[str]:
    port = free_port()
    path = _config(
        folder,
        port,
        http={"tls": {"certificate": str(folder / "leaf.pem"), "key": str(folder / "key.pem")}},
        auth={
            "token": {
                "realm": f"https://{token}/token",
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(folder / "leaf.pem"),
            }
        },
        middleware={"storage": [{"name": "redirect", "options": {"baseurl": f"https://{data}/"}}]},
    )
    with _program(port, "docker-registry", "serve", path):
        yield f"registry.lab.test:{port}"


def _push(folder: Path) -> None:
    """By a registry without TLS and login, which shares the store."""
    port = free_port()
    with _program(port, "docker-registry", "serve", _config(folder, port)):
        push = Pusher(f"http://127.0.0.1:{port}")
        ours, strange = _machines()
        # the index names an attestation last, as BuildKit writes it
        proof = push.image("team/app", "", "unknown", 1024)
        proof["platform"] = {"os": "unknown", "architecture": "unknown"}
        both = [push.image("team/app", "", strange, 4096), push.image("team/app", "", ours, 3 << 20), proof]
        push.index("team/app", "1.0", both)
        push.index("team/other", "1.0", [push.image("team/other", "", strange, 4096)])
        push.image("team/alone", "1.0", ours, 8192)
        push.image("team/other-alone", "1.0", strange, 8192)
        push.image("team/closed", "1.0", ours, 8192)


def _machines() -> tuple[str, str]:
    """This machine's architecture, and one that it is not."""
    import platform

    ours = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return ours, "s390x" if ours != "s390x" else "amd64"
