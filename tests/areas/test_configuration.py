"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.configuration import (
    ConfigKeysRequirement,
    ConfigQuery,
    EnvKeysRequirement,
    EnvProxyRequirement,
    EnvQuery,
    KeysFact,
    ProxyFact,
    ProxyQuery,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.package_file import FileFact
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.package import Allowed, FileRead, KeySeen, KeysRead, ProxyRead, Reading, ValueState

ENV, CONFIG = "/srv/audit/.env", "/srv/audit/config.yaml"


def make(cls, **fields):
    return cls.model_validate(header(**fields))


KEYS = make(
    EnvKeysRequirement,
    path=ENV,
    keys=["JWT_SECRET_KEY"],
    defaults=["changeme"],
    allowed={"LOG_LEVEL": ["info", "error"]},
)
HARDENED = make(EnvKeysRequirement, path=ENV, defaults=["changeme"])
MODEL = make(ConfigKeysRequirement, path=CONFIG, keys=["embedding.model"], defaults=["<model>"])
PROXY = make(EnvProxyRequirement, path=ENV, no_proxy=["localhost", "db"])
QUERIES = {
    "keys": (
        KEYS,
        EnvQuery(
            path=ENV,
            keys=("JWT_SECRET_KEY",),
            defaults=("changeme",),
            allowed=(Allowed("LOG_LEVEL", ("info", "error")),),
        ),
    ),
    "hardened": (HARDENED, EnvQuery(path=ENV, keys=(), defaults=("changeme",))),
    "config": (MODEL, ConfigQuery(path=CONFIG, keys=("embedding.model",), defaults=("<model>",))),
    "proxy": (PROXY, ProxyQuery(path=ENV, no_proxy=("localhost", "db"))),
    "any proxy": (make(EnvProxyRequirement, path=ENV), ProxyQuery(path=ENV, no_proxy=())),
}


def evidence(demand, fact):
    query = next(q for d, q in QUERIES.values() if d is demand)
    return Evidence([Observation(query, fact if isinstance(fact, Unseen) else Seen(fact))])


def keys(*rows, path=ENV, reading=Reading.GOOD, defaults=()):
    made = tuple(KeysFact.Key(name=n, state=s, allowed=a) for n, s, a in rows)
    return KeysFact(file=FileFact(path=path, reading=reading), keys=made, defaults=defaults)


def proxy(reading=Reading.GOOD, **fields):
    good = {"http": True, "https": True, "no_proxy": True, "missing": ()}
    return ProxyFact(file=FileFact(path=ENV, reading=reading), **{**good, **fields})


def test_facts():
    read = KeysRead(FileRead(ENV, Reading.GOOD), (KeySeen("A", ValueState.SET, True),), 3, ("B",))
    host = fake_host(
        package=FakePort(env=read, config=read, env_proxy=ProxyRead(FileRead(ENV, Reading.GOOD), True, missing=("db",)))
    )
    expected = keys(("A", "set", True), defaults=("B",))
    assert QUERIES["keys"][1].observe(host) == expected
    assert QUERIES["config"][1].observe(host) == expected
    assert QUERIES["proxy"][1].observe(host) == proxy(https=False, no_proxy=False, missing=("db",))


@pytest.mark.parametrize("reading", [r for r in Reading if r is not Reading.GOOD])
@pytest.mark.parametrize("demand", [KEYS, MODEL, PROXY], ids=lambda d: d.kind)
def test_a_file_that_cannot_be_used(demand, reading):
    fact = proxy(reading) if demand is PROXY else keys(path=demand.path, reading=reading)
    verdict = demand.judge(evidence(demand, fact))
    assert verdict.outcome is (Outcome.UNKNOWN if reading is Reading.DENIED else Outcome.UNMET)
    assert (verdict.cause.kind, verdict.cause.subject) == (f"file.{reading}", demand.path)


GOOD = [("JWT_SECRET_KEY", "set", None), ("LOG_LEVEL", "set", True)]


@pytest.mark.parametrize(
    ("demand", "fact", "outcome", "words"),
    [
        (KEYS, keys(*GOOD), Outcome.MET, "what is wanted"),
        (KEYS, keys(("JWT_SECRET_KEY", "empty", None), GOOD[1]), Outcome.UNMET, "does not set JWT_SECRET_KEY"),
        (KEYS, keys(GOOD[0], ("LOG_LEVEL", "absent", None)), Outcome.UNMET, "does not set LOG_LEVEL"),
        (KEYS, keys(*GOOD, defaults=("ADMIN",)), Outcome.UNMET, "shipped value for ADMIN"),
        (KEYS, keys(GOOD[0], ("LOG_LEVEL", "set", False)), Outcome.UNMET, "LOG_LEVEL in"),
        (HARDENED, keys(), Outcome.MET, "nothing is as shipped"),
        (HARDENED, keys(defaults=("A", "B")), Outcome.UNMET, "A and B"),
        (MODEL, keys(("embedding.model", "set", None), path=CONFIG), Outcome.MET, "sets embedding.model"),
        (MODEL, keys(("embedding.model", "absent", None), path=CONFIG), Outcome.UNMET, "does not set"),
        (
            MODEL,
            keys(("embedding.model", "default", None), path=CONFIG, defaults=("embedding.model",)),
            Outcome.UNMET,
            "shipped",
        ),
        (PROXY, proxy(), Outcome.MET, "sets the proxy"),
        (PROXY, proxy(https=False, no_proxy=False), Outcome.UNMET, "HTTPS_PROXY and NO_PROXY"),
        (PROXY, proxy(missing=("db",)), Outcome.UNMET, "leaves out db"),
        (
            PROXY,
            proxy(https=False, missing=("db",)),
            Outcome.UNMET,
            f"{ENV} does not set HTTPS_PROXY. NO_PROXY in {ENV} leaves out db.",
        ),
    ],
)
def test_verdict(demand, fact, outcome, words):
    verdict = demand.judge(evidence(demand, fact))
    assert verdict.outcome is outcome
    assert words in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


@pytest.mark.parametrize(
    ("states", "defaults", "seen", "because", "fix"),
    [
        (("absent", "set"), (), "not set: a", f"{CONFIG} does not set a.", f"Set a in {CONFIG}."),
        (
            ("set", "default"),
            ("b",),
            "as shipped: b",
            f"{CONFIG} still has the shipped value for b.",
            f"Set a value of your own for each of these keys in {CONFIG}: b.",
        ),
        (
            ("absent", "default"),
            ("b",),
            "not set: a; as shipped: b",
            f"{CONFIG} does not set a. {CONFIG} still has the shipped value for b.",
            f"Set a in {CONFIG}. Set a value of your own for each of these keys in {CONFIG}: b.",
        ),
    ],
    ids=["not set", "as shipped", "both"],
)
def test_keys_that_are_not_set_and_those_as_shipped_are_told_together(states, defaults, seen, because, fix):
    demand = make(ConfigKeysRequirement, path=CONFIG, keys=["a", "b"], defaults=["<model>"])
    (query,) = demand.queries(Evidence())
    rows = [(name, state, None) for name, state in zip("ab", states, strict=True)]
    verdict = demand.judge(Evidence([Observation(query, Seen(keys(*rows, path=CONFIG, defaults=defaults)))]))
    assert verdict.outcome is Outcome.UNMET
    assert [render(m) for m in (verdict.seen, verdict.because, verdict.fix)] == [seen, because, fix]


def test_every_mistake_of_an_env_file_is_told_with_its_fix():
    fact = keys(("JWT_SECRET_KEY", "empty", None), ("LOG_LEVEL", "set", False), defaults=("ADMIN",))
    verdict = KEYS.judge(evidence(KEYS, fact))
    assert render(verdict.seen) == "not set: JWT_SECRET_KEY; as shipped: ADMIN; LOG_LEVEL has another value"
    assert render(verdict.because) == (
        f"{ENV} does not set JWT_SECRET_KEY. {ENV} still has the shipped value for ADMIN. "
        f"LOG_LEVEL in {ENV} has none of the values wanted."
    )
    assert render(verdict.fix) == (
        f"Set JWT_SECRET_KEY in {ENV}. Set a value of your own for each of these keys in {ENV}: ADMIN. "
        f"Set LOG_LEVEL in {ENV} to info or error."
    )


def test_an_empty_no_proxy_is_told_once():
    verdict = PROXY.judge(evidence(PROXY, proxy(no_proxy=False, missing=("localhost", "db"))))
    assert render(verdict.because) == f"{ENV} does not set NO_PROXY."


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("demand", [d for d, _ in QUERIES.values()], ids=list(QUERIES))
def test_not_seen_is_never_a_verdict(demand, reason):
    with pytest.raises(NotSeen):
        demand.judge(evidence(demand, Unseen(reason)))


def test_words():
    for demand, query in QUERIES.values():
        assert render(demand.wanted()) and demand.queries(Evidence()) == [query]
        assert render(query.asks()).endswith("?")
    assert render(KEYS.wanted()) == f"JWT_SECRET_KEY and LOG_LEVEL set in {ENV}, no value as shipped"
    assert render(HARDENED.wanted()) == f"no value of {ENV} as shipped"
    assert render(PROXY.wanted()) == f"proxy variables in {ENV}, NO_PROXY for localhost and db"
    assert render(QUERIES["any proxy"][0].wanted()) == f"proxy variables in {ENV}"
