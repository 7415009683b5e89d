"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.kubernetes import (
    ContextRequirement,
    KubeconfigFact,
    KubeconfigQuery,
    KubectlFact,
    KubectlQuery,
    KubectlVersionRequirement,
    KubernetesVersionRequirement,
    ServerFact,
    ServerQuery,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reach, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.commands import Completed
from vorflug.ports.kubernetes import AuthKind, Context, KubeConfig, Server, ServerState

URL = "https://k8s.corp:6443"


def make(cls, **fields):
    return cls.model_validate(header(**fields))


def evidence(query, fact):
    return Evidence([Observation(query, fact if isinstance(fact, Unseen) else Seen(fact))])


KUBECTL = make(KubectlVersionRequirement, at_least="1.33")
CURRENT = make(ContextRequirement)
NAMED = make(ContextRequirement, context="audit")
VERSION = make(
    KubernetesVersionRequirement,
    supported=[{"minor": "1.34", "until": "2026-10-27"}, {"minor": "1.35", "until": "2027-02-28"}],
)
DEMANDS = [
    (KUBECTL, KubectlQuery()),
    (CURRENT, KubeconfigQuery()),
    (NAMED, KubeconfigQuery()),
    (VERSION, ServerQuery()),
]

# ---- host -> fact ----------------------------------------------------------------------------------------------------

RECORDED = """{
  "clientVersion": {"major": "1", "minor": "34", "gitVersion": "v1.34.4", "platform": "linux/amd64"},
  "kustomizeVersion": "v5.7.1"
}
"""


@pytest.mark.parametrize(("which", "version"), [("/usr/bin/kubectl", "v1.34.4"), (None, None)])
def test_kubectl(which, version):
    host = fake_host(commands=FakePort(which=which, run=Completed(0, RECORDED, "")))
    assert KubectlQuery().observe(host).version == version


@pytest.mark.parametrize("out", ["", "Client Version: v1.20", "[]", "{}", '{"clientVersion": {}}'])
def test_a_kubectl_that_says_something_else_is_no_version(out):
    host = fake_host(commands=FakePort(which="/usr/bin/kubectl", run=Completed(1, out, "error")))
    with pytest.raises(ValueError, match="exit status 1"):
        KubectlQuery().observe(host)


def test_kubeconfig():
    config = KubeConfig(
        ("/a",), ("/b",), "one", (Context("one", "c", URL, "audit", AuthKind.EXEC, "/a", in_one_file=True),)
    )
    fact = KubeconfigQuery().observe(fake_host(kubernetes=FakePort(config=config)))
    assert (fact.files, fact.missing, fact.current, fact.broken) == (("/a",), ("/b",), "one", "")
    assert fact.contexts[0].auth is AuthKind.EXEC
    broken = KubeconfigQuery().observe(fake_host(kubernetes=FakePort(config=ValueError("/a:3: wanted YAML"))))
    assert broken.broken == "/a:3: wanted YAML"


def test_server():
    server = Server(ServerState.ANSWERING, "one", URL, "2026-11-25T10:00:00+00:00", version="v1.35.1")
    fact = ServerQuery(context="one").observe(fake_host(kubernetes=FakePort(server=server)))
    assert (fact.version, fact.state, fact.server) == ("v1.35.1", ServerState.ANSWERING, URL)
    assert ServerQuery.reach is Reach.NETWORK


# ---- (demand, fact) -> verdict ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "outcome"),
    [("v1.34.4", Outcome.MET), ("v1.33.0", Outcome.MET), ("v1.9.1", Outcome.UNMET), (None, Outcome.UNMET)],
)
def test_kubectl_version(version, outcome):
    verdict = KUBECTL.judge(evidence(KubectlQuery(), KubectlFact(version=version)))
    assert verdict.outcome is outcome
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def config(*contexts, current="", **fields):
    made = tuple(KubeconfigFact.Context(name=n, server=s, namespace="", auth="token") for n, s in contexts)
    return KubeconfigFact(**{"files": ("/a",), "missing": (), "current": current, "contexts": made, **fields})


@pytest.mark.parametrize(
    ("demand", "fact", "outcome", "words"),
    [
        (CURRENT, config(("one", URL), current="one"), Outcome.MET, URL),
        (CURRENT, config(("one", URL)), Outcome.UNMET, "no current context"),
        (CURRENT, config(("one", ""), current="one"), Outcome.UNMET, "no current context"),
        (CURRENT, config(files=()), Outcome.UNMET, "no kubeconfig"),
        (CURRENT, config(broken="/a:3: wanted YAML"), Outcome.UNMET, "/a:3:"),
        (NAMED, config(("one", URL), ("audit", URL), current="one"), Outcome.MET, "audit"),
        (NAMED, config(("one", URL), current="one"), Outcome.UNMET, "no context audit"),
    ],
)
def test_context(demand, fact, outcome, words):
    facts = evidence(KubeconfigQuery(), fact)
    verdict = demand.judge(facts)
    assert verdict.outcome is outcome
    assert words in render(verdict.because)
    assert (demand.about(facts) is None) == (outcome is Outcome.MET)
    assert verdict.cause == demand.about(facts)


def server(state=ServerState.ANSWERING, version="v1.35.1", day="2026-11-25"):
    return ServerFact(
        state=state, context="one", server=URL, now=f"{day}T10:00:00+00:00", detail="why", version=version
    )


@pytest.mark.parametrize(
    ("version", "day", "outcome", "words"),
    [
        ("v1.35.1", "2026-11-25", Outcome.MET, "until 2027-02-28"),
        ("v1.35.1-eks-abc", "2027-02-28", Outcome.MET, "until 2027-02-28"),
        ("v1.35.1", "2027-03-01", Outcome.UNMET, "ended on 2027-02-28"),
        ("v1.34.4", "2026-11-25", Outcome.UNMET, "ended on 2026-10-27"),
        ("v1.3.5", "2026-11-25", Outcome.UNMET, "none of the supported"),
        ("v1.36.0", "2026-11-25", Outcome.UNKNOWN, "newer"),
    ],
)
def test_kubernetes_version(version, day, outcome, words):
    verdict = VERSION.judge(evidence(ServerQuery(), server(version=version, day=day)))
    assert verdict.outcome is outcome
    assert words in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


@pytest.mark.parametrize("state", [s for s in ServerState if s is not ServerState.ANSWERING])
def test_a_server_that_does_not_say(state):
    verdict = VERSION.judge(evidence(ServerQuery(), server(state, version="")))
    assert (verdict.outcome, verdict.cause.kind) == (Outcome.UNKNOWN, f"kubernetes.{state}")
    assert verdict.fix is not None and render(verdict.because)


def test_without_context_the_context_is_the_root():
    facts = Evidence(
        [
            Observation(KubeconfigQuery(), Seen(config(files=()))),
            Observation(ServerQuery(), Seen(server(ServerState.NO_CONTEXT, version=""))),
        ]
    )
    assert VERSION.judge(facts).cause == CURRENT.about(facts)


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize(("demand", "query"), DEMANDS)
def test_not_seen_is_never_a_verdict(demand, query, reason):
    with pytest.raises(NotSeen):
        demand.judge(evidence(query, Unseen(reason)))


def test_words():
    for demand, query in DEMANDS:
        assert render(demand.wanted()) and demand.queries(Evidence()) == [query]
        assert render(query.asks()).endswith("?")
    assert "audit" in render(ServerQuery(context="audit").asks())
