"""Real products of the lab, each with a configuration of its own: squid and haproxy, nginx, dnsdist."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from lab import authority, netns

PLAIN, LOGIN, CLOSED, BUMPING, TLS_PROXY, TRANSPARENT = 3128, 3129, 3130, 3131, 3132, 3133
"""Squid's ports: open to all; with Basic authentication; denies all; reads TLS (ssl-bump); is spoken to in TLS; what the
gateway takes off the way and reads."""
USER, PASSWORD = "lab", "right-horse"
_SQUID_LIBS = Path("/usr/lib/squid")


def true_program() -> list[str]:
    """The program as a user starts it."""
    return [str(Path(sys.executable).with_name("vorflug"))]


def _start(lab, space, name: str, *argv: str) -> None:
    log = open(lab.folder / f"{name}.log", "wb")  # noqa: SIM115 - the process writes to it until the end
    process = space.popen(*argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    log.close()

    def stop() -> None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(3)
        process.kill()
        process.wait(5)

    lab.stack.callback(stop)


def make_gateway(lab) -> None:
    """Squid, where the client is."""
    folder = lab.folder / "squid"
    folder.mkdir()
    folder.chmod(0o777)
    bump = folder / "bump.pem"
    bump.write_bytes(authority.bumper().pem() + authority.bumper().key_pem())
    bump.chmod(0o644)
    tls = folder / "tls.pem"
    tls.write_bytes(lab.good.pem() + lab.good.key_pem())
    tls.chmod(0o644)
    hashed = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True).stdout
    (folder / "passwd").write_text(f"{USER}:{hashed}")
    made = ["setpriv", "--reuid=proxy", "--regid=proxy", "--clear-groups", str(_SQUID_LIBS / "security_file_certgen"),
            "-c", "-s", str(folder / "certificates"), "-M", "4MB"]  # fmt: skip
    subprocess.run(made, capture_output=True, check=True)
    (folder / "squid.conf").write_text(f"""
visible_hostname proxy.lab.test
pid_filename {folder}/squid.pid
cache_log {folder}/cache.log
access_log stdio:{folder}/access.log
coredump_dir {folder}
pinger_enable off
netdb_filename none
cache deny all
cache_mem 1 MB
workers 1
shutdown_lifetime 0 seconds
dns_nameservers 198.51.100.2
dns_timeout 2 seconds
dns_retransmit_interval 1 seconds
hosts_file none
connect_timeout 2 seconds
connect_retries 0
http_port {PLAIN} name=plain
http_port {LOGIN} name=login
http_port {CLOSED} name=closed
http_port {BUMPING} name=bumping ssl-bump tls-cert={bump} generate-host-certificates=on dynamic_cert_mem_cache_size=1MB
https_port {TRANSPARENT} name=transparent intercept ssl-bump tls-cert={bump} generate-host-certificates=on dynamic_cert_mem_cache_size=1MB
https_port {TLS_PROXY} name=tls tls-cert={tls}
sslcrtd_program {_SQUID_LIBS}/security_file_certgen -s {folder}/certificates -M 4MB
sslcrtd_children 2 startup=1 idle=1
sslproxy_cert_error allow all
tls_outgoing_options flags=DONT_VERIFY_PEER
auth_param basic program {_SQUID_LIBS}/basic_ncsa_auth {folder}/passwd
auth_param basic children 1 startup=1 idle=1
auth_param basic realm lab
acl login myportname login
acl closed myportname closed
acl step1 at_step SslBump1
acl user proxy_auth REQUIRED
acl tls_ports port 443 8443 9443
acl CONNECT method CONNECT
ssl_bump peek step1
ssl_bump bump all
http_access deny CONNECT !tls_ports
http_access deny closed
http_access deny login !user
http_access allow all
""")
    _start(lab, lab.net.gateway, "squid", "squid", "-N", "-f", str(folder / "squid.conf"))


def make_servers(lab) -> None:
    """dnsdist, haproxy and nginx, where the servers are."""
    from lab.station import DNSDIST, NAMESERVER

    conf = [
        f'newServer{{address="{NAMESERVER}:53", checkInterval=3600}}',
        "setACL({'0.0.0.0/0', '::/0'})",
        "setMaxUDPOutstanding(100)",
    ]
    conf += [f'{"setLocal" if not n else "addLocal"}("{a}:53")' for n, a in enumerate(DNSDIST.values())]
    actions = {
        "servfail": "RCodeAction(DNSRCode.SERVFAIL)",
        "refused": "RCodeAction(DNSRCode.REFUSED)",
        "hijack": "SpoofAction({'198.51.100.10', '2001:db8:51::a'})",
        "slow": "DelayAction(900)",
    }
    for name, action in actions.items():
        conf += [
            f"{name} = newNMG()",
            f'{name}:addMask("{DNSDIST[name]}/32")',
            f"addAction(NetmaskGroupRule({name}, false), {action})",
        ]
    lab.file("dnsdist.conf", "\n".join(conf) + "\n")
    _start(
        lab,
        lab.net.servers,
        "dnsdist",
        "dnsdist",
        "--supervised",
        "--disable-syslog",
        "-C",
        str(lab.folder / "dnsdist.conf"),
    )

    if lab.nginx_blocks:
        temp = lab.folder / "nginx"
        temp.mkdir()
        paths = " ".join(
            f"{kind}_temp_path {temp}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        lab.file(
            "nginx.conf",
            f"""
daemon off; worker_processes 1; user root; pid {temp}/pid; error_log stderr;
events {{ worker_connections 256; }}
http {{ access_log off; {paths} {" ".join(lab.nginx_blocks)} }}
""",
        )
        _start(lab, lab.net.servers, "nginx", "nginx", "-c", str(lab.folder / "nginx.conf"), "-e", "stderr")
    if lab.haproxy_blocks:
        lab.file("haproxy.cfg", "global\n  maxconn 200\n  ssl-default-bind-options ssl-min-ver TLSv1.2\n"
                 "defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n"
                 + "\n".join(lab.haproxy_blocks) + "\n")  # fmt: skip
        _start(lab, lab.net.servers, "haproxy", "haproxy", "-db", "-f", str(lab.folder / "haproxy.cfg"))


def nginx_server(lab, site, inner: str) -> str:
    """A server block on both addresses of *site*."""
    certificate, key = lab.good_files
    return (f"server {{ listen {site.v4}:443 ssl; listen [{site.v6}]:443 ssl; ssl_certificate {certificate}; "
            f"ssl_certificate_key {key}; {inner} }}")  # fmt: skip


def haproxy_proxy(lab, site, tunnel: str, bind: str, backend: str) -> str:
    """A listen section on both addresses of *site*."""
    certificate, key = lab.good_files
    together = Path(certificate).with_suffix(".both")
    together.write_bytes(Path(certificate).read_bytes() + Path(key).read_bytes())
    name = site.id
    return (f"listen {name}\n  bind {site.v4}:443 ssl crt {together} {bind}\n  bind {site.v6}:443 ssl crt {together} {bind}\n"
            f"  timeout tunnel {tunnel}\n  {backend or f'server one {site.v4}:8080'}")  # fmt: skip


def _said(lab) -> str:
    return " ".join(f"{log.stem}: {log.read_text(errors='replace')[-800:]}" for log in lab.folder.glob("*.log"))


def wait(lab) -> None:
    """Until all of them answer."""
    ends = time.monotonic() + 20
    gateway, servers = lab.net.gateway, lab.net.servers
    fronts = [(servers, site.v4, 443) for site in lab.fronts]  # by IPv6 some are filtered
    for space, host, port in ((gateway, netns.GATEWAY4, PLAIN), (servers, "198.51.100.3", 53), *fronts):
        with space.inside():
            while True:
                with suppress(OSError), socket.create_connection((host, port), timeout=1):
                    break
                assert time.monotonic() < ends, f"nothing listens on {host}:{port}: {_said(lab)}"
                time.sleep(0.03)
