"""What `lab.measured` does: a probe and everything that is written of it, or a look at files and nameservers."""

from __future__ import annotations

import io
import pickle
from base64 import b64decode, b64encode
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path

from lab import authority
from lab.prober import Prober
from lab.servers import respond, tcp, tls
from vorflug.ports.net import Mode

_prober = None


def warm(folder):
    """Load everything that a probe needs, so that no job pays for it."""
    global _prober  # noqa: PLW0603
    folder = Path(folder)
    _prober = Prober(folder)
    if (theirs := folder / "ca.pem").exists():  # whoever asks has a root of its own
        _prober.ca = str(theirs)
    context = authority.context(folder, authority.issue(authority.HOST, authority.stranger()))
    with tcp(tls(context, respond())) as port:
        for mode in ("http", "sse", "ws"):
            shown(probe(f"https://127.0.0.1:{port}/", mode=mode))
        cli(["diagnose", f"https://127.0.0.1:{port}/", "--deadline", "3", "--ca", _prober.ca])
        cli(["diagnose", f"https://127.0.0.1:{port}/", "--deadline", "3", "--format", "json"])
    with tcp(respond("404 Not Found")) as port:
        shown(probe(f"http://127.0.0.1:{port}/"))
    import vorflug.netprobe.nameserver_look  # noqa: F401


def probe(url, *, seconds=3.0, mode="http", proxy=None, environ=()):
    """The trace."""
    ask = {"mode": Mode(mode), "timeout_s": seconds, "judged": True, "idle_s": 0.0 if mode == "http" else 1.0}
    if proxy is not None:
        ask |= {"proxy": proxy, "proxy_always": True}
    return url, Mode(mode), _prober(url, ca_file=_prober.ca, environ=environ, **ask)


def shown(value):
    """Everything that is written of a trace; other values as they are."""
    if isinstance(value, dict):
        return value
    from vorflug.documents import diagnosis, plain
    from vorflug.render.diagnosis import render_diagnosis

    url, mode, trace = value
    found = diagnosis.of(trace, url, mode)
    return {
        "code": found.code,
        "warnings": [str(w) for w in trace.warnings],
        "attempts": [a.address for a in trace.attempts],
        "json": plain.encode(found.model_dump(mode="json", by_alias=True)).decode(),
        "terminal": "".join(render_diagnosis(found, trace, lang=lang, width=80) for lang in ("en", "de")),
        "trace": b64encode(pickle.dumps((url, trace))).decode(),
    }


def page(traced):
    """One HTML report of all that was seen; compiling its templates takes longer than a hundred probes."""
    from render import sample, traces
    from vorflug.render.html import render_html

    facts = tuple(traces.fact(trace, url) for url, trace in (pickle.loads(b64decode(one)) for one in traced))
    return render_html(sample.report(hostile=False).model_copy(update={"facts": facts}), lang="en")


def cli(arguments):
    """The command, in this process."""
    from vorflug.cli.__main__ import execute

    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with redirect_stdout(out):
        code = execute(arguments)
    out.flush()
    return {"exit": code, "out": out.buffer.getvalue().decode()}


def nameserver(port, name="service.lab.test"):
    """What one nameserver says, asked in every way."""
    from vorflug.netprobe import nameserver_look, resolve
    from vorflug.netprobe.limits import Deadline, Limits

    limits = Limits(nameserver=0.7)
    deadline = Deadline(3.0)
    said = resolve.ask(name, "127.0.0.1", limits, deadline, port)
    seen = nameserver_look.look("127.0.0.1", name, limits, deadline, port)
    pointer = nameserver_look.pointer("192.0.2.1", "127.0.0.1", limits, deadline, port)
    return {"code": said.code, "said": asdict(said), "seen": asdict(seen), "pointer": asdict(pointer)}


def resolver_files(resolv_conf, hosts, name="service.lab.test"):
    """Which nameservers and which addresses two files name."""
    from vorflug.host.live.net import LiveNet
    from vorflug.netprobe.hosts_file import listed

    servers = LiveNet(None, environ={}, resolv_conf=resolv_conf).nameservers()
    return {"servers": list(servers), "listed": sorted(listed(name, hosts))}


def grow(size):
    """A job that takes memory."""
    return {"length": len(bytearray(b"a") * size)}
