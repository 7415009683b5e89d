"""A probe with the lab's trust and short patience."""

from __future__ import annotations

from lab import authority
from vorflug.netprobe.anchors import Anchors, Store
from vorflug.netprobe.handshake import Trust
from vorflug.netprobe.limits import Deadline, Limits
from vorflug.netprobe.login import Logins
from vorflug.netprobe.passage import Tools
from vorflug.netprobe.probe import probe
from vorflug.ports.net import ProbeAsk

PATIENT = Limits(resolve=5.0, nameserver=2.0, connect=5.0, proxy=5.0, handshake=5.0, http=5.0)
"""For whatever answers: a busy machine is no fault."""
SHORT = Limits(resolve=2.0, nameserver=0.5, connect=0.6, proxy=0.6, handshake=0.6, http=0.8)
"""For whatever stays silent."""


class Prober:
    def __init__(self, folder):
        self.folder = folder
        self.ca = str(folder / "lab-root.pem")
        (folder / "lab-root.pem").write_bytes(authority.root().pem())
        empty = folder / "stranger-store.pem"
        empty.write_bytes(authority.issue(authority.name("Unrelated", "Unrelated"), ca=True).pem())
        self.untrusting = Trust(Anchors(Store(str(empty), None)))
        self.trusting = Trust(Anchors(Store(self.ca, None)))
        self.logins = Logins()

    def __call__(
        self, url, *, trusting=True, environ=(), limits=PATIENT, seconds=10.0, nameservers=(), dns_port=53, **ask
    ):
        tools = Tools(
            trust=self.trusting if trusting else self.untrusting,
            logins=self.logins,
            environ=dict(environ),
            nameservers=nameservers,
            limits=limits,
            dns_port=dns_port,
        )
        return probe(ProbeAsk(url=url, **ask), tools, Deadline(seconds))
