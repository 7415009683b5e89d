"""The kubeconfig of this machine, and the version of the API server, asked without credentials.

No program is run and no token sent: `vorflug.ports.kubernetes` says why.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from vorflug.host.live import Patience
from vorflug.host.live.files import LiveFiles
from vorflug.host.live.secret_values import remember_all, remember_value
from vorflug.host.live.structured import Unparsable, parse_json, parse_yaml, scalar
from vorflug.host.secrets import redact, remember
from vorflug.model.message import visible
from vorflug.ports.kubernetes import AuthKind, Context, KubeConfig, Server, ServerState

_READ_AT_MOST = 1 << 20
"""Bytes of a kubeconfig: an entry with inlined certificates has about 6 KB."""
_MOST_BYTES = 1 << 16
"""Bytes of ``/version``, which has about 300."""
_SHARE = 0.8
"""Of the time left: a silent server is a value (`ServerState.TIMEOUT`), so it must be found before time is up."""


class _Entry(NamedTuple):
    file: str
    fields: dict[str, Any]


class _Merged(NamedTuple):
    files: tuple[str, ...]
    missing: tuple[str, ...]
    current: str
    contexts: dict[str, _Entry]
    clusters: dict[str, _Entry]
    users: dict[str, _Entry]


class LiveKubernetes:
    """Reads this user's kubeconfig."""

    def __init__(self, patience: Patience, *, environ: Mapping[str, str] = os.environ) -> None:
        self._patience = patience
        self._environ = environ

    def config(self) -> KubeConfig:
        merged = self._merged()
        return KubeConfig(
            files=merged.files,
            missing=merged.missing,
            current=merged.current,
            contexts=tuple(_context(name, merged) for name in merged.contexts),
        )

    def server(self, context: str = "") -> Server:
        merged = self._merged()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        entry = merged.contexts.get(context or merged.current)
        cluster = merged.clusters.get(scalar(entry.fields.get("cluster"))) if entry is not None else None
        url = scalar(cluster.fields.get("server")) if cluster is not None else ""
        if cluster is None or not url.startswith(("https://", "http://")):
            return Server(ServerState.NO_CONTEXT, visible(context or merged.current), _shown(url), now)
        state, detail, version = self._ask(url, cluster)
        return Server(
            state,
            visible(context or merged.current),
            _shown(url),
            now,
            detail=visible(redact(detail)),
            version=visible(scalar(version.get("gitVersion"))),
            platform=visible(scalar(version.get("platform"))),
        )

    def _ask(self, url: str, cluster: _Entry) -> tuple[ServerState, str, dict[str, Any]]:
        import httpx

        proxy = scalar(cluster.fields.get("proxy-url"))
        name = scalar(cluster.fields.get("tls-server-name"))
        try:
            trust = _trust(cluster)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            return ServerState.UNTRUSTED, f"certificate authority of the kubeconfig: {type(error).__name__}", {}
        try:
            with (
                httpx.Client(
                    verify=trust,
                    timeout=self._patience.left() * _SHARE,
                    # as in kubectl, a proxy that speaks TLS is held against the same anchors
                    proxy=httpx.Proxy(proxy, ssl_context=trust if proxy.startswith("https:") else None)
                    if proxy
                    else None,
                ) as http,
                http.stream(
                    "GET",
                    f"{url.rstrip('/')}/version",
                    extensions={"sni_hostname": name} if name else {},
                ) as response,
            ):
                body = b""
                for piece in response.iter_bytes():
                    body += piece
                    self._patience.left()
                    if len(body) > _MOST_BYTES:
                        return ServerState.NOT_KUBERNETES, f"more than {_MOST_BYTES} bytes", {}
        except (httpx.TimeoutException, TimeoutError):
            return ServerState.TIMEOUT, "GET /version", {}
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, ImportError) as error:
            return _failed(error)
        if response.status_code in (401, 403):
            return ServerState.DENIED, f"HTTP {response.status_code}", {}
        if response.status_code != 200:  # noqa: PLR2004
            return ServerState.NOT_KUBERNETES, f"HTTP {response.status_code}", {}
        try:
            version = parse_json(body.decode("utf-8", "replace"), "/version")
        except Unparsable:
            version = None
        if not isinstance(version, dict) or not isinstance(version.get("gitVersion"), str):
            return ServerState.NOT_KUBERNETES, "no gitVersion in the answer", {}
        return ServerState.ANSWERING, "", version

    def _paths(self) -> list[str]:
        listed = [p for p in self._environ.get("KUBECONFIG", "").split(os.pathsep) if p]
        if listed:
            return list(dict.fromkeys(listed))
        home = self._environ.get("HOME")
        return [str(Path(home) / ".kube" / "config")] if home else []

    def _merged(self) -> _Merged:
        files, missing = [], []
        current = ""
        found: dict[str, dict[str, _Entry]] = {"contexts": {}, "clusters": {}, "users": {}}
        for path in self._paths():
            try:
                text = LiveFiles().read_text(path, limit=_READ_AT_MOST + 1)
            except (FileNotFoundError, NotADirectoryError):  # HOME may be /dev/null
                missing.append(path)
                continue
            except IsADirectoryError:
                raise Unparsable(path, None, "wanted a kubeconfig, saw a folder") from None
            files.append(path)
            if len(text.encode()) > _READ_AT_MOST:
                raise Unparsable(path, None, f"wanted a kubeconfig of at most {_READ_AT_MOST} bytes")
            document = parse_yaml(text, path)
            if document is None:
                continue
            if not isinstance(document, dict):
                raise Unparsable(path, 1, "wanted a kubeconfig (a mapping)")
            current = current or scalar(document.get("current-context"))
            for section, entries in found.items():
                _gather(section, document.get(section), path, entries)
        return _Merged(tuple(files), tuple(missing), current, found["contexts"], found["clusters"], found["users"])


def _gather(section: str, rows: Any, path: str, into: dict[str, _Entry]) -> None:
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, dict):
            raise Unparsable(path, None, f"wanted mappings under {section}")
        fields = row.get(section[:-1])
        fields = fields if isinstance(fields, dict) else {}
        if section == "users":
            _remember(fields)
        elif section == "clusters":
            remember_all(fields)
        # "the first file to set a value wins": kubernetes.io, Merging kubeconfig files
        into.setdefault(scalar(row.get("name")), _Entry(path, fields))


def _remember(user: dict[str, Any]) -> None:
    """Note the credentials of a user entry; those of plugins and their arguments too."""
    for key in ("token", "password", "client-key-data"):
        remember(*(v for v in (user.get(key),) if isinstance(v, str)))
    plugin = user.get("exec")
    for variable in plugin.get("env") or () if isinstance(plugin, dict) else ():
        if isinstance(variable, dict):
            remember_value(scalar(variable.get("value")))  # whatever it is called, it is there for the plugin alone
    remember_all(user)


def _context(name: str, merged: _Merged) -> Context:
    entry = merged.contexts[name]
    cluster = merged.clusters.get(scalar(entry.fields.get("cluster")))
    user = merged.users.get(scalar(entry.fields.get("user")))
    return Context(
        name=visible(name),
        cluster=visible(scalar(entry.fields.get("cluster"))),
        server=_shown(scalar(cluster.fields.get("server"))) if cluster is not None else "",
        namespace=visible(scalar(entry.fields.get("namespace"))),
        auth=_auth(user.fields) if user is not None else AuthKind.NONE,
        file=entry.file,
        in_one_file=all(e is not None and e.file == entry.file for e in (cluster, user)),
        foreign=_foreign(entry.file),
    )


def _foreign(file: str) -> str:
    """For root: *file* or its folder where another user owns it, who could name any program in it; else empty."""
    if os.geteuid() != 0:
        return ""
    real = Path(file).resolve()
    paths = dict.fromkeys((Path(file).absolute(), Path(file).absolute().parent, real, real.parent))
    return next((str(path) for path in paths if path.stat(follow_symlinks=False).st_uid != 0), "")


def _auth(user: dict[str, Any]) -> AuthKind:
    """Which credential kubectl would use; the order is client-go's."""
    if user.get("exec"):
        return AuthKind.EXEC
    if user.get("token") or user.get("tokenFile"):
        return AuthKind.TOKEN
    if user.get("client-certificate") or user.get("client-certificate-data"):
        return AuthKind.CLIENT_CERTIFICATE
    if user.get("auth-provider"):
        return AuthKind.AUTH_PROVIDER
    return AuthKind.BASIC if user.get("username") or user.get("password") else AuthKind.NONE


def _trust(cluster: _Entry) -> ssl.SSLContext:
    """What the kubeconfig trusts for this cluster.  Raises OSError and ValueError where that cannot be read."""
    import base64

    data = scalar(cluster.fields.get("certificate-authority-data"))
    file = scalar(cluster.fields.get("certificate-authority"))
    # not ssl.create_default_context(), which writes the keys of the session to SSLKEYLOGFILE
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if data:
        # strict, and never empty
        pem = base64.b64decode("".join(data.split()), validate=True).decode("ascii")
        if not pem.strip():
            raise ValueError("empty certificate-authority-data")
        trust.load_verify_locations(cadata=pem)
    elif file:
        # paths in a kubeconfig are relative to the file that they stand in
        trust.load_verify_locations(cafile=str(Path(cluster.file).parent / file))
    else:
        trust.load_default_certs()
    if cluster.fields.get("insecure-skip-tls-verify") is True:
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    return trust


def _failed(error: Exception) -> tuple[ServerState, str, dict[str, Any]]:
    """What an exception means.  Its text goes nowhere: it may quote a URL, and with it a password."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, ssl.SSLCertVerificationError):
            return ServerState.UNTRUSTED, link.verify_message, {}
        if isinstance(link, ssl.SSLError):
            return ServerState.NOT_KUBERNETES, f"TLS: {link.reason}", {}
        if isinstance(link, socket.gaierror):
            return ServerState.UNREACHABLE, "no such host", {}
        if isinstance(link, OSError) and link.errno is not None and link.errno in errno.errorcode:
            return ServerState.UNREACHABLE, errno.errorcode[link.errno], {}
        link = link.__cause__ or link.__context__
    import httpx

    if isinstance(error, httpx.RemoteProtocolError | httpx.DecodingError):
        return ServerState.NOT_KUBERNETES, type(error).__name__, {}
    return ServerState.UNREACHABLE, type(error).__name__, {}


def _shown(url: str) -> str:
    return visible(redact(url))
