"""A machine full of secrets, each a canary of its own, and a profile that has every one of them read."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from areas import registry_server
from e2e.program import profile
from lab import authority, servers
from lab.servers import tcp

HOSTILE = "<script>alert(1)</script>\x1b[31mred\x9b1m\u202egnp.exe\u2066<img src=x onerror=alert(2)>"
"""Text that does something in a page, a terminal, or a reader's eye."""

CANARIES = {
    "http_proxy": "cnry-01-http-lower",
    "HTTP_PROXY, no scheme": "cnry-02-http-upper",
    "https_proxy, percent-encoded": "cnry-03/https?lower@x",
    "HTTPS_PROXY, a user only": "cnry-04-https-upper",
    "all_proxy, a scheme that is not supported": "cnry-05-all-lower",
    "ALL_PROXY, a raw slash": "cnry-06/all/upper",
    ".env password": "cnry-07-env-password",
    ".env URL": "cnry-08-env-url",
    ".env plain value": "cnry-09-env-plain",
    "docker auth": "cnry-10-docker-auth",
    "docker identitytoken": "cnry-11-docker-identity",
    "DOCKER_AUTH_CONFIG": "cnry-12-docker-auth-config",
    "kubeconfig token": "cnry-13-kube-token",
    "kubeconfig client-key-data": "cnry-14-kube-key-data",
    "kubeconfig password": "cnry-15-kube-password",
    "netrc": "cnry-16-netrc",
    "licence": "cnry-17-licence-signature",
    "config.yaml": "cnry-18-config-api-key",
    "argv of another process": "cnry-19-argv",
    "certificate subject": "cnry-20-subject-url",
    "VORFLUG_KEY_PASSPHRASE": "cnry-21-passphrase",
    "compose environment": "cnry-22-compose-env",
    "secret parameter by variable": "cnry-23-secret-variable",
    "secret parameter by file": "cnry-24-secret-file",
    "broken .env line": "cnry-25-broken-env",
    "broken YAML": "cnry-26-broken-yaml",
    "image registry's token": registry_server.TOKEN,
    "registry password": registry_server.PASSWORD,
    "credential helper": "cnry-27-helper-secret",
}

PLACES = {"variable of a secret": "CNRY_40_VARIABLE", "file of a secret": "cnry-41-file"}
"""Where secrets lie is none, but it is the customer's business: it stands in site file and plan, never in a report."""


@dataclass(frozen=True)
class Machine:
    """Where everything lies."""

    home: Path
    profile: Path
    site: Path
    env: dict[str, str]
    private_key: str
    """The body of the product's TLS key: a canary as well."""
    proxy_logins: list[str]
    """What the proxy was sent."""
    registry: registry_server.Registry


def spellings(secret: str) -> set[str]:
    """*secret* as it may turn up: plain, quoted for a URL, and within base64 wherever it begins there."""
    found = {secret, quote(secret, safe=""), quote(secret)}
    for offset in range(3):
        packed = b64encode(b"x" * offset + secret.encode()).decode()
        # the characters that no byte before or after the secret has a share in
        first, last = -(-8 * offset // 6), (8 * (offset + len(secret.encode()))) // 6
        found.add(packed[first:last])
    return found


@contextmanager
def machine(folder: Path) -> Any:
    """Build it; servers and processes run until the context ends."""
    with ExitStack() as stack:
        logins: list[str] = []
        port = stack.enter_context(tcp(_echoing_proxy(logins)))
        ca = authority.issue("Canary CA", ca=True)
        roots = folder / "roots.pem"
        hostile = authority.issue(
            authority.name("localhost", f"http://me:{CANARIES['certificate subject']}@ca.example/ {HOSTILE}"), ca
        )
        tls = servers.tls(authority.context(folder, hostile), servers.respond("404 Not Found"))
        tls_port = stack.enter_context(tcp(tls))
        own, own_key = authority.write(folder, hostile, stem="own")
        import trustme

        registry_ca = trustme.CA()
        registry = stack.enter_context(registry_server.running(registry_ca))
        registry.add("vendor/app", "1", 10)
        registry.pages["/v1/models"] = (200, {"Content-Type": "application/json"}, b'{"data": []}')
        model = {"provider": "openai", "url": f"https://{registry.place}", "path": "/v1/models", "ca_file": str(roots)}
        roots.write_bytes(ca.pem() + registry_ca.cert_pem.bytes())
        listener, held = _listener()
        stack.callback(listener.wait)
        stack.callback(listener.kill)
        home = folder / "home"
        package = folder / "package"
        _home(home, registry.place)
        _package(package)
        rows = (
            ("proxy_settings", {"direct": ["localhost"]}),
            ("proxy_connect", {"urls": ["https://service.example/", "http://service.example/"]}),
            ("tls_remote_certificate", {"url": f"https://localhost:{tls_port}/", "valid_for": "1 d",
                                        "ca_file": str(roots)}),
            ("tls_own_certificate", {"certificate": own, "key": own_key, "fqdn": "localhost", "valid_for": "1 d",
                                     "rsa_bits": 2048, "curves": ["secp256r1"], "hashes": ["sha256"]}),
            ("tls_own_chain", {"certificate": own}),
            ("env_keys", {"path": f"{package}/.env", "keys": ["DB_PASSWORD", "DATABASE_URL", "MODEL"]}),
            ("env_proxy", {"path": f"{package}/.env"}),
            ("file_present", {"path": f"{package}/broken.env", "format": "env"}),
            ("file_present", {"path": f"{package}/broken.yaml", "format": "yaml"}),
            ("config_keys", {"path": f"{package}/config.yaml", "keys": ["llm.api_key"]}),
            ("licence_valid", {"path": f"{package}/licence.json", "not_after": "until", "at_least": "30 d"}),
            ("compose_valid", {"path": f"{package}/compose.yaml", "env_path": f"{package}/.env"}),
            ("kubernetes_context", {}),
            ("port_free", {"ports": [held]}),
            ("registry_credentials", {"registry": registry.place}),
            ("registry_credentials", {"registry": "identity.example"}),
            ("registry_image", {"registry": registry.place, "images": ["vendor/app:1"],
                                "ca_file": str(roots), "token_hosts": [registry.place]}),
            ("os_release", {"accepted": [{"id": "ubuntu", "versions": ["24.04"]}]}),
            ("registry_credentials", {"registry": "helper.example"}),
            ("llm_key", {**model, "key": {"param": "api.key"}}),
            ("llm_key", {**model, "key": {"param": "api.other"}}),
        )  # fmt: skip
        secret = {"type": "secret", "title": {"en": "A key", "de": "Ein Schlüssel"}}
        file = profile(folder, *rows, parameters={"api.key": secret, "api.other": secret})
        kept = folder / PLACES["file of a secret"]
        kept.write_text(CANARIES["secret parameter by file"])
        site = folder / "site.yaml"
        site.write_text(
            "schema: vorflug/site/1\ncustomer: Musterbank\nparameters:\n"
            f"  api.key: {{env: {PLACES['variable of a secret']}}}\n  api.other: {{file: {kept}}}\n"
        )
        yield Machine(home, file, site, _environment(port), _body(Path(own_key)), logins, registry)


def _environment(port: int) -> dict[str, str]:
    at = f"127.0.0.1:{port}"
    return {
        "http_proxy": f"http://me:{CANARIES['http_proxy']}@{at}",
        "HTTP_PROXY": f"me:{CANARIES['HTTP_PROXY, no scheme']}@{at}",
        "https_proxy": f"http://me:{quote(CANARIES['https_proxy, percent-encoded'], safe='')}@{at}",
        "HTTPS_PROXY": f"http://{CANARIES['HTTPS_PROXY, a user only']}@{at}",
        "all_proxy": f"socks5://me:{CANARIES['all_proxy, a scheme that is not supported']}@{at}",
        "ALL_PROXY": f"http://me:{CANARIES['ALL_PROXY, a raw slash']}@{at}",
        "no_proxy": "localhost",
        "VORFLUG_KEY_PASSPHRASE": CANARIES["VORFLUG_KEY_PASSPHRASE"],
        "DOCKER_AUTH_CONFIG": json.dumps(
            {"auths": {"x.example": {"auth": b64encode(f"me:{CANARIES['DOCKER_AUTH_CONFIG']}".encode()).decode()}}}
        ),
        PLACES["variable of a secret"]: CANARIES["secret parameter by variable"],
    }


def _echoing_proxy(logins: list[str]) -> Any:
    """A proxy that wants another login, and repeats the one it was given wherever an answer has room for it."""

    def handler(sock: Any) -> None:
        fields = servers.head(sock).decode("latin-1").split("\r\n")
        login = next((f.partition(":")[2].strip() for f in fields if f.lower().startswith("proxy-authorization")), "")
        logins.append(login)
        told = f"{login} {HOSTILE}".encode("utf-8", "replace")
        sock.sendall(
            b"HTTP/1.1 407 " + told + b'\r\nProxy-Authenticate: Basic realm="' + told + b'"\r\nServer: ' + told
            + b"\r\nX-Squid-Error: " + told + b"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(told) + told
        )  # fmt: skip

    return handler


def _home(home: Path, registry: str) -> None:
    (home / ".docker").mkdir(parents=True)
    login = b64encode(f"{registry_server.USER}:{registry_server.PASSWORD}".encode()).decode()
    (home / ".docker" / "config.json").write_text(
        json.dumps(
            {
                "auths": {
                    registry: {"auth": login},
                    "other.example": {"auth": b64encode(f"me:{CANARIES['docker auth']}".encode()).decode()},
                    "identity.example": {"identitytoken": CANARIES["docker identitytoken"]},
                },
                "credHelpers": {"helper.example": "canary"},
            }
        )
    )
    (home / ".kube").mkdir()
    users = [
        {
            "name": "one",
            "user": {
                "token": CANARIES["kubeconfig token"],
                "client-key-data": b64encode(CANARIES["kubeconfig client-key-data"].encode()).decode(),
                "username": "me",
                "password": CANARIES["kubeconfig password"],
            },
        }
    ]
    (home / ".kube" / "config").write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "one",
                "clusters": [{"name": "k", "cluster": {"server": "https://127.0.0.1:1/"}}],
                "users": users,
                "contexts": [
                    {"name": "one", "context": {"cluster": "k", "user": "one"}},
                    {"name": f"c {HOSTILE}", "context": {"cluster": "k", "user": "one"}},
                ],
            }
        )
    )
    (home / ".netrc").write_text(f"machine localhost login me password {CANARIES['netrc']}\ndefault login me password "
                                 f"{CANARIES['netrc']}\n")  # fmt: skip
    (home / ".netrc").chmod(0o600)


def _package(folder: Path) -> None:
    folder.mkdir()
    (folder / ".env").write_text(
        f"DB_PASSWORD={CANARIES['.env password']}\n"
        f"DATABASE_URL=postgresql://app:{CANARIES['.env URL']}@db/app\n"
        f"MODEL={CANARIES['.env plain value']}\n"
    )
    (folder / "broken.env").write_text(f"A=1\n{CANARIES['broken .env line']} is = 'no assignment\n")
    (folder / "broken.yaml").write_text(f"a: 1\n b: [{CANARIES['broken YAML']}: {{\n")
    (folder / "config.yaml").write_text(f"llm:\n  api_key: {CANARIES['config.yaml']}\n")
    (folder / "licence.json").write_text(json.dumps({"until": "2099-01-01", "signature": CANARIES["licence"]}))
    (folder / "compose.yaml").write_text(
        json.dumps(
            {
                "services": {
                    HOSTILE: {
                        "image": "x",
                        "environment": [f"API_TOKEN={CANARIES['compose environment']}"],
                        "volumes": [f"./{HOSTILE}:/x"],
                    }
                }
            }
        )
    )


def disguise(folder: Path) -> tuple[str, ...]:
    """A wrapper under which this machine has a hostile name and os-release, and a credential helper of its own."""
    release, helper, script = folder / "os-release", folder / "helper", folder / "disguise.py"
    release.write_text(f'ID=debian\nVERSION_ID=12\nPRETTY_NAME="{HOSTILE} {"x" * 10_000}"\n')
    answer = json.dumps({"Username": "me", "Secret": CANARIES["credential helper"]})
    helper.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\necho '{CANARIES['credential helper']}' >&2\n")
    helper.chmod(0o755)
    script.write_text(
        "import os, shutil, socket, subprocess, sys\n"
        f"subprocess.run(['mount', '--bind', {str(release)!r}, '/etc/os-release'], check=True)\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'none', '/usr/local/bin'], check=True)\n"
        f"shutil.copy({str(helper)!r}, '/usr/local/bin/docker-credential-canary')\n"
        f"socket.sethostname({HOSTILE[:40]!r}.encode())\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    return ("unshare", "-m", "-u", "--propagation", "private", sys.executable, str(script))


def _listener() -> tuple[subprocess.Popen[str], int]:
    """A process with a hostile name and a secret on its command line, which holds a port."""
    code = (
        "import socket, time\n"
        "open('/proc/self/comm', 'wb').write('<b>\\x1b[5m\\u202eX'.encode())\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\n"
        "time.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, f"--password={CANARIES['argv of another process']}"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as out:
        return process, int(out.readline())


def _body(key: Path) -> str:
    return "".join(line for line in key.read_text().splitlines() if "-----" not in line)[20:80]
