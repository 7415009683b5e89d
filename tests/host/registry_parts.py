"""What the tests of the registry port share: ports, what is asked, and what may be said of the answer."""

from __future__ import annotations

from base64 import b64encode

from areas.registry_server import IDENTITY, PASSWORD, TOKEN, USER
from vorflug.host.live import Patience
from vorflug.host.live.net import LiveNet
from vorflug.host.live.registry import LiveRegistry
from vorflug.netprobe.login import Logins
from vorflug.ports.net import Resolved
from vorflug.ports.registry import RegistryAsk

SECRETS = (PASSWORD, IDENTITY, TOKEN, b64encode(f"{USER}:{PASSWORD}".encode()).decode())


def packed(user=USER, password=PASSWORD):
    return {"auth": b64encode(f"{user}:{password}".encode()).decode()}


def port(*helpers, seconds=10, logins=None):
    return LiveRegistry(Patience(seconds), helpers or ("/nonexistent",), logins=logins or Logins())


def ask(registry, ca_file, **fields):
    return RegistryAsk(registry.place, ca_file=ca_file, **fields)


class WatchedNet:
    """The network of this machine, every address that is probed noted, and some names resolved by the test."""

    def __init__(self, patience, names=()):
        self._net = LiveNet(patience)
        self._names = dict(names)
        self.probed = []

    def probe(self, ask):
        self.probed.append(ask.url)
        return self._net.probe(ask)

    def route(self, url, proxy=None):
        return self._net.route(url, proxy)

    def resolve(self, name, server=None):
        if name in self._names:
            return Resolved(name, "system", self._names[name], name, None, 0.0)
        return self._net.resolve(name, server)


def watched(names=(), seconds=10):
    """A port, and the network that it uses."""
    patience = Patience(seconds)
    net = WatchedNet(patience, names)
    return LiveRegistry(patience, ("/nonexistent",), logins=Logins(), net=net), net


def only(rights):
    (seen,) = rights.images
    assert all(secret not in repr(rights) for secret in SECRETS)
    return seen


def schemes(registry):
    """Method, path and kind of credential of every request."""
    sent = [(m, path.partition("?")[0], {k.lower(): v for k, v in f.items()}) for m, path, f in registry.log]
    return [(m, path, fields.get("authorization", "none").split()[0]) for m, path, fields in sent]
