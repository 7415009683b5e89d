"""The network port of this machine, against real servers; and no secret in anything it gives back."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from lab import authority
from lab.authority import context
from lab.nameserver import nameserver, records
from lab.prober import PATIENT, SHORT
from lab.proxies import proxy
from lab.servers import closed_port, full_backlog, respond, silent, tcp, tls
from vorflug.host.live import Patience
from vorflug.host.live.net import LiveNet
from vorflug.host.secrets import redact
from vorflug.netprobe.login import Logins
from vorflug.ports.net import Code, ProbeAsk


def net(tmp_path, *, seconds=10.0, servers=(), limits=PATIENT, port=53, **environ):
    conf = tmp_path / "resolv.conf"
    conf.write_text("".join(f"nameserver {s}\n" for s in servers))
    return LiveNet(
        Patience(seconds), environ=environ, resolv_conf=str(conf), limits=limits, dns_port=port, logins=Logins()
    )


def test_a_whole_request(tmp_path):
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.root().pem())
    with tcp(tls(context(tmp_path, authority.good()), respond(body=b'{"data": []}'))) as port:
        ask = ProbeAsk(f"https://localhost:{port}/", look_for=("data",), ca_file=str(ca))
        trace = net(tmp_path, SSL_CERT_FILE=str(ca), servers=("192.0.2.53",)).probe(ask)
    assert trace.code is None and trace.http.found == ("data",)
    assert trace.tls.store == str(ca) and trace.resolvers == ("192.0.2.53",)


def test_a_store_that_is_not_there_trusts_nobody(tmp_path):
    with tcp(tls(context(tmp_path, authority.good()), respond())) as port:
        trace = net(tmp_path, SSL_CERT_FILE=str(tmp_path / "none.pem")).probe(ProbeAsk(f"https://localhost:{port}/"))
    assert trace.code is Code.TLS_UNKNOWN_CA


@pytest.mark.parametrize("seconds", [0.4, 1.5])
def test_the_trace_is_there_before_the_question_is_given_up(tmp_path, seconds):
    long = replace(SHORT, connect=30.0, handshake=30.0)
    with full_backlog() as dead, tcp(silent) as mute:
        for url in (f"http://127.0.0.1:{dead}/", f"https://127.0.0.1:{mute}/"):
            began = time.monotonic()
            trace = net(tmp_path, seconds=seconds, limits=long).probe(ProbeAsk(url))
            assert trace.code in (Code.TCP_TIMEOUT, Code.TLS_STALL)
            assert time.monotonic() - began < seconds


def test_no_time_left(tmp_path):
    asking = net(tmp_path, seconds=0.0)
    with pytest.raises(TimeoutError):
        asking.probe(ProbeAsk("http://127.0.0.1:1/"))


def test_nameservers_and_names(tmp_path):
    with nameserver(records(app__lab__test=["192.0.2.1"])) as port:
        asking = net(tmp_path, servers=("127.0.0.1",), port=port)
        assert asking.nameservers() == ("127.0.0.1",)
        assert asking.resolve("app.lab.test", "127.0.0.1").addresses == ("192.0.2.1",)
        assert asking.resolve("localhost").server == "system"
    (tmp_path / "resolv.conf").unlink()
    with pytest.raises(FileNotFoundError):
        asking.nameservers()
    assert "127.0.0.1" in asking.resolve("localhost").addresses


SECRETS = ("s3cret-canary-1", "p%40ss-canary", "user-only-canary")
SETTINGS = (
    "http://user:{0}@{1}", "user:{0}@{1}", "http://{0}@{1}", "HTTP://user:{0}@{1}/", "https://user:{0}@{1}", "socks5h://user:{0}@{1}",
)  # fmt: skip


def test_a_nameserver_on_its_own(tmp_path):
    healthy = records(app__lab__test=["192.0.2.1"])
    with nameserver(healthy, over_tcp=healthy) as port:
        asking = net(tmp_path, servers=["127.0.0.1"], port=port)
        seen = asking.nameserver("127.0.0.1", "app.lab.test")
        assert (seen.code, seen.tcp, seen.name) == (None, True, "app.lab.test")
        pointer = asking.pointer("192.0.2.1", "127.0.0.1")
        assert (pointer.code, pointer.address, pointer.server) == (Code.DNS_NXDOMAIN, "192.0.2.1", "127.0.0.1")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_no_secret_crosses_the_port(tmp_path, secret, setting, variable):
    with closed_port() as port:
        asking = net(tmp_path, **{variable: setting.format(secret, f"127.0.0.1:{port}")})
        given = (
            asking.probe(ProbeAsk("https://target.lab.test/")),
            asking.proxy_variables(),
            asking.route("https://target.lab.test/"),
        )
    plain = secret.replace("%40", "@")
    assert secret not in repr(given) and plain not in repr(given)
    for text in (secret, plain):
        assert text not in redact(f"a program printed {text} and more")


def test_the_login_itself_is_struck_out_too(tmp_path):
    token = b64encode(b"user:s3cret-canary-2").decode()
    with tcp(respond()) as port, proxy(login="user:s3cret-canary-2") as (through, seen):
        asking = net(tmp_path, http_proxy=f"http://user:s3cret-canary-2@127.0.0.1:{through}")
        trace = asking.probe(ProbeAsk(f"http://service.lab.test:{port}/"))
    assert trace.code is None and seen.logins[-1] == f"Basic {token}"
    assert token not in redact(token) and token not in repr(trace)


def test_a_proxy_of_the_site_wins(tmp_path):
    asking = net(tmp_path, https_proxy="http://env:1", no_proxy="near.test")
    assert asking.route("https://a.test/").proxy == "env:1"
    route = asking.route("https://a.test/", "http://site.corp:3128")
    assert (route.proxy, route.why) == ("site.corp:3128", "site")
    near = asking.route("https://near.test/", "http://site.corp:3128")
    assert (near.proxy, near.why) == (None, "no_proxy")


def test_starting_is_cheap():
    code = (
        "import sys, vorflug.host.live.net;"
        "print([m for m in ('dns', 'OpenSSL', 'cryptography', 'h11', 'certifi', 'idna') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


NO_NETWORK = textwrap.dedent("""
    import json, sys, time
    from vorflug.host.live import LiveHost
    from vorflug.ports.net import ProbeAsk
    began = time.monotonic()
    seen = [LiveHost(20).net.probe(ProbeAsk(u)).code for u in ("https://192.0.2.1/", "https://[2001:db8::1]/")]
    print(json.dumps([seen, time.monotonic() - began]))
""")


@pytest.mark.tier("namespaces")
def test_without_any_network():
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", NO_NETWORK], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen, took = json.loads(done.stdout)
    assert seen == [Code.TCP_NO_ROUTE, Code.TCP_NO_ROUTE]
    assert took < 5


def test_the_hosts_store_is_found():
    from vorflug.netprobe.anchors import BUNDLES, host_store

    store = host_store({})
    if not any(Path(b).is_file() for b in BUNDLES):
        pytest.skip("this machine has no bundle of trust anchors")
    assert store.file in BUNDLES and store.label == store.file
