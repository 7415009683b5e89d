"""The real programs, each asked which way it would take: what the table of NO_PROXY cases is held against.

Nothing leaves this machine.  curl is led to two listeners on loopback by ``--connect-to``; wget runs in a network
namespace without any interface and tells in its log where it tried to go; Go and Python are asked by the functions that
their clients use.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby

PROXY = "http://127.0.0.1:{port}"
Case = tuple[Mapping[str, str], str]
"""Variables of the environment, in whose values ``{proxy}`` stands for the proxy; and a URL."""

DIRECT, PROXIED, REFUSED = "direct", "proxy", "refused"


def _grouped(cases: Iterable[Case]) -> Iterator[tuple[dict[str, str], list[str]]]:
    """Neighbours with one environment are asked in one process."""
    for _, group in groupby(cases, key=lambda case: sorted(case[0].items())):
        same = list(group)
        yield dict(same[0][0]), [url for _, url in same]


def _environment(variables: Mapping[str, str], port: int) -> dict[str, str]:
    kept = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    return kept | {name: value.replace("{proxy}", f"127.0.0.1:{port}") for name, value in variables.items()}


@contextmanager
def _closing_listener() -> Iterator[int]:
    """Takes every connection and ends it; its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(2)


def curl(cases: Iterable[Case]) -> list[str]:
    """curl(1): which of the two listeners it connected to."""
    answers: list[str] = []
    with _closing_listener() as proxy, _closing_listener() as direct:
        for variables, urls in _grouped(cases):
            settings = ["silent", "globoff", "max-time = 2", f'connect-to = "::127.0.0.1:{direct}"']
            settings += ['write-out = "%{remote_port}\\n"']
            for url in urls:
                settings += [f'url = "{url}"', 'output = "/dev/null"']
            done = subprocess.run(
                ["curl", "-q", "-K", "-"],
                input="\n".join(settings),
                env=_environment(variables, proxy),
                capture_output=True,
                text=True,
                timeout=20,
                check=False,
            )
            ports = done.stdout.split()
            assert len(ports) == len(urls), (urls, done.stdout, done.stderr)
            answers += [{str(proxy): PROXIED, str(direct): DIRECT}.get(port, f"port {port}") for port in ports]
    return answers


def wget(cases: Iterable[Case]) -> list[str]:
    """GNU wget: where its log says that it was going.  Port 9 is not listened on, and there is no interface."""
    isolated = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    answers: list[str] = []
    for variables, urls in _grouped(cases):
        done = subprocess.run(
            [*isolated, "wget", "--no-config", "--tries=1", "--timeout=2", "--no-hsts", "-O", "/dev/null", *urls],
            env=_environment(variables, 9),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        parts = re.split(r"^--\d{4}-\d\d-\d\d \d\d:\d\d:\d\d--  ", done.stderr, flags=re.MULTILINE)
        unreadable = [url for url in urls if f"{url}: " in parts[0]]
        assert len(parts) - 1 + len(unreadable) == len(urls), (urls, done.stderr)
        rest = iter(parts[1:])
        answers += [
            REFUSED if url in unreadable else PROXIED if "127.0.0.1:9..." in next(rest) else DIRECT for url in urls
        ]
    return answers


GO_PROGRAM = """
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	for _, url := range os.Args[1:] {
		request, err := http.NewRequest("GET", url, nil)
		if err != nil {
			fmt.Println("unreadable")
			continue
		}
		proxy, err := http.ProxyFromEnvironment(request)
		switch {
		case err != nil:
			fmt.Println("refused")
		case proxy == nil:
			fmt.Println("direct")
		default:
			fmt.Println("proxy")
		}
	}
}
"""


def go(binary: str, cases: Iterable[Case]) -> list[str]:
    """Go's http.ProxyFromEnvironment, whose rules are those of golang.org/x/net/http/httpproxy, vendored in Go."""
    answers: list[str] = []
    for variables, urls in _grouped(cases):
        done = subprocess.run(
            [binary, *urls], env=_environment(variables, 9), capture_output=True, text=True, timeout=20, check=True
        )
        answers += done.stdout.split()
    return answers


_PYTHON = """
import json, os, sys, urllib.request

def urllib_way(url):
    request = urllib.request.Request(url)
    handler = urllib.request.ProxyHandler()
    opened = getattr(handler, request.type + "_open", None)
    if opened is not None:
        opened(request)
    return "proxy" if request.host == "127.0.0.1:9" or request._tunnel_host else "direct"

def requests_way(url):
    try:
        import requests
    except ImportError:
        from pip._vendor import requests
    prepared = requests.Request("GET", url).prepare()
    with requests.Session() as session:
        proxies = session.merge_environment_settings(prepared.url, {}, None, None, None)["proxies"]
    return "proxy" if requests.utils.select_proxy(prepared.url, proxies) else "direct"

def httpx_way(url):
    import httpx
    try:
        with httpx.Client(verify=False) as client:
            return "direct" if client._transport_for_url(httpx.URL(url)) is client._transport else "proxy"
    except (httpx.InvalidURL, ValueError):
        return "refused"

kept = dict(os.environ)
way = {"python": urllib_way, "requests": requests_way, "httpx": httpx_way}[sys.argv[1]]
answers = []
for variables, url in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(kept | variables)
    answers.append(way(url))
print(json.dumps(answers))
"""


def python(library: str, cases: Iterable[Case]) -> list[str]:
    """*library*: ``python`` (urllib), ``requests`` or ``httpx``; all cases in one process."""
    asked = [({n: v.replace("{proxy}", "127.0.0.1:9") for n, v in variables.items()}, url) for variables, url in cases]
    done = subprocess.run(
        [sys.executable, "-c", _PYTHON, library],
        input=json.dumps(asked),
        env=_environment({}, 9),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    answers: list[str] = json.loads(done.stdout)
    return answers
