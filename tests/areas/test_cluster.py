"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.cluster import (
    AccessFact,
    AccessQuery,
    AccessRequirement,
    CapacityRequirement,
    ClusterState,
    NodesFact,
    NodesQuery,
    NodesRequirement,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reach, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.commands import Completed
from vorflug.ports.kubernetes import AuthKind, Context, KubeConfig

GIB = 2**30


def make(cls, **fields):
    return cls.model_validate(header(**fields))


NODES = make(NodesRequirement, at_least=2)
CAPACITY = make(CapacityRequirement, cpus=4, memory="8 GiB", context="audit")
ACCESS = make(
    AccessRequirement, namespace="audit", actions=[{"resource": "deployments.apps", "verbs": ["get", "create"]}]
)
ASKED = ("get deployments.apps", "create deployments.apps")
QUERIES = {
    "nodes": (NODES, NodesQuery()),
    "capacity": (CAPACITY, NodesQuery(context="audit")),
    "access": (ACCESS, AccessQuery(namespace="audit", actions=ASKED)),
}


def evidence(query, fact):
    return Evidence([Observation(query, fact if isinstance(fact, Unseen) else Seen(fact))])


# ---- host -> fact ----------------------------------------------------------------------------------------------------

RECORDED_NODES = """\
cp-1      Ready                  <none>   NoSchedule             4       16384000Ki
worker-1  Ready                  <none>   <none>                 7910m   32Gi
worker-2  MemoryPressure,Ready   <none>   PreferNoSchedule       8       32Gi
worker-3  <none>                 true     NoExecute,NoSchedule   8       34359738368
"""
RECORDED_PODS = """\
worker-1   100m,250m   128Mi,1Gi   <none>   <none>
worker-1   <none>      <none>      2        64M
worker-2   1           1e9         <none>   <none>
<none>     4           4Gi         <none>   <none>
"""


def context(*, server="https://k:6443", in_one_file=True):
    return KubeConfig(
        ("/k",), (), "one", (Context("one", "c", server, "", AuthKind.TOKEN, "/k", in_one_file=in_one_file),)
    )


def host(run=None, *, which="/usr/bin/kubectl", config=None):
    return fake_host(
        commands=FakePort(which=which, run=run), kubernetes=FakePort(config=config if config is not None else context())
    )


def answers(argv, limit):
    assert argv[:3] == ("kubectl", "--kubeconfig=/k", "--context=one")
    assert limit
    return Completed(0, RECORDED_NODES if "nodes" in argv else RECORDED_PODS, "")


def test_nodes_and_what_is_requested_of_them():
    fact = NodesQuery().observe(host(answers))
    cp, one, two, three = fact.nodes
    assert fact.state is ClusterState.ANSWERED
    assert [n.usable for n in fact.nodes] == [False, True, False, False]
    assert (cp.schedulable, two.troubles, two.schedulable, three.ready) == (False, ("MemoryPressure",), True, False)
    assert (one.cpu_milli, one.memory_bytes) == (7910, 32 * GIB)
    assert (one.requested_cpu_milli, one.requested_memory_bytes) == (2350, 2**27 + 2**30 + 64 * 10**6)
    assert (two.requested_cpu_milli, two.requested_memory_bytes) == (1000, 10**9)
    assert cp.memory_bytes == 16384000 * 1024


@pytest.mark.parametrize(
    ("out", "says"),
    [("a b c\n", "6 columns"), ("n Ready <none> <none> many 1Gi\n", "quantity"), ("n R x y 1 1Zi\n", "quantity")],
)
def test_a_table_of_another_shape_is_no_answer(out, says):
    with pytest.raises(ValueError, match=says):
        NodesQuery().observe(host(lambda argv, limit: Completed(0, out if "nodes" in argv else "", "")))


@pytest.mark.parametrize(
    ("said", "denied"),
    [
        ({}, ()),
        ({"create": Completed(1, "no\n", "")}, ("create deployments.apps",)),
        ({"get": Completed(1, "no - no RBAC policy matched\n", "")}, ("get deployments.apps",)),
    ],
)
def test_access(said, denied):
    fact = QUERIES["access"][1].observe(
        host(lambda argv, limit: said.get(argv[argv.index("can-i") + 1], Completed(0, "yes\n", "Warning: x")))
    )
    assert (fact.state, fact.denied) == (ClusterState.ANSWERED, denied)


@pytest.mark.parametrize(
    ("err", "detail"),
    [
        ("error: You must be logged in to the server (Unauthorized)", "Unauthorized"),
        ('Error from server (Forbidden): nodes is forbidden: User "x" cannot list', "Forbidden"),
        ("The connection to the server k:6443 was refused - did you specify", "connection refused"),
        ("Unable to connect to the server: dial tcp: lookup k on 10.0.0.1:53: no such host", "no such host"),
        ("Unable to connect to the server: net/http: TLS handshake timeout", "timeout"),
        ("x509: certificate signed by unknown authority", "x509: unknown authority"),
        (
            "plugin: kanarie-t0 \nUnable to connect to the server: getting credentials: exec: x",
            "credential plugin failed",
        ),
        ("proxyconnect tcp: dial tcp http://u:kanarie-t1@p", "proxy failed"),
        ('error: parse "http://u:kanarie-t2/x@p": invalid port', "exit status 1"),
        ("kanarie-t3", "exit status 1"),
    ],
)
def test_of_what_kubectl_wrote_only_the_kind_is_kept(err, detail):
    fact = NodesQuery().observe(host(Completed(1, "", err)))
    assert (fact.state, fact.detail) == (ClusterState.FAILED, detail)


def test_kubectl_is_not_run_by_root_with_the_kubeconfig_of_another_user():
    (found,) = context().contexts
    config = KubeConfig(("/k",), (), "one", (replace(found, foreign="/home/user/.kube"),))
    # no answer is given for run(): the test fails where it is asked
    fact = NodesQuery().observe(
        fake_host(commands=FakePort(which="/usr/bin/kubectl"), kubernetes=FakePort(config=config))
    )
    assert (fact.state, fact.detail) == (ClusterState.FOREIGN, "/home/user/.kube")


FAILED = Completed(1, "", "error: You must be logged in to the server (Unauthorized)\x1b[0m")


@pytest.mark.parametrize(
    ("it", "state", "detail"),
    [
        (host(which=None), ClusterState.NO_KUBECTL, ""),
        (host(config=KubeConfig((), (), "", ())), ClusterState.NO_CONTEXT, ""),
        (host(config=context(server="")), ClusterState.NO_CONTEXT, ""),
        (host(config=context(in_one_file=False)), ClusterState.SCATTERED, ""),
        (host(FAILED), ClusterState.FAILED, "Unauthorized"),
        (host(Completed(1, "", "")), ClusterState.FAILED, "exit status 1"),
        (host(Completed(0, "yes", "", cut=True)), ClusterState.FAILED, "more than"),
    ],
)
@pytest.mark.parametrize("query", [NodesQuery(), QUERIES["access"][1]], ids=lambda q: q.kind)
def test_a_cluster_that_could_not_be_asked(query, it, state, detail):
    fact = query.observe(it)
    assert fact.state is state
    assert detail in fact.detail and "\x1b" not in fact.detail


def test_pods_that_may_not_be_listed():
    fact = NodesQuery().observe(
        host(lambda argv, limit: Completed(0, RECORDED_NODES, "") if "nodes" in argv else FAILED)
    )
    assert (fact.state, fact.nodes) == (ClusterState.FAILED, ())


# ---- (demand, fact) -> verdict ---------------------------------------------------------------------------------------


def node(name="n", cpu=4000, memory=8 * GIB, *, used_cpu=0, used_memory=0, ready=True, schedulable=True, troubles=()):
    return NodesFact.Node(
        name=name,
        ready=ready,
        troubles=troubles,
        schedulable=schedulable,
        cpu_milli=cpu,
        memory_bytes=memory,
        requested_cpu_milli=used_cpu,
        requested_memory_bytes=used_memory,
    )


def nodes(*rows):
    return NodesFact(state=ClusterState.ANSWERED, nodes=rows)


@pytest.mark.parametrize("state", [s for s in ClusterState if s is not ClusterState.ANSWERED])
@pytest.mark.parametrize("name", list(QUERIES))
def test_silence_is_unknown_with_a_cause(name, state):
    demand, query = QUERIES[name]
    fact = (AccessFact if name == "access" else NodesFact)(state=state, detail="what-was-seen")
    verdict = demand.judge(evidence(query, fact))
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.cause is not None and verdict.fix is not None
    assert ("what-was-seen" in render(verdict.because)) == (state in {ClusterState.FAILED, ClusterState.FOREIGN})


@pytest.mark.parametrize(
    ("rows", "outcome", "fix"),
    [
        ([node("a"), node("b")], Outcome.MET, ""),
        ([node("a"), node("b", ready=False)], Outcome.UNMET, "untaint b"),
        ([node("a"), node("b", schedulable=False), node("c", troubles=("DiskPressure",))], Outcome.UNMET, "b and c"),
        ([node("a")], Outcome.UNMET, "Add nodes"),
        ([], Outcome.UNMET, "Add nodes"),
    ],
)
def test_nodes(rows, outcome, fix):
    verdict = NODES.judge(evidence(NodesQuery(), nodes(*rows)))
    assert verdict.outcome is outcome
    assert fix in (render(verdict.fix) if verdict.fix else "")


@pytest.mark.parametrize(
    ("rows", "outcome", "words"),
    [
        ([node()], Outcome.MET, "enough room"),
        ([node(cpu=2000, memory=4 * GIB), node(cpu=2000, memory=4 * GIB)], Outcome.MET, "at most 4 GiB on one"),
        ([node(used_cpu=1)], Outcome.UNMET, "CPUs are free"),
        ([node(used_memory=GIB)], Outcome.UNMET, "7 GiB of memory"),
        ([node(schedulable=False)], Outcome.UNMET, "0 CPUs"),
        # a node that is over-requested does not eat the room of another
        ([node(), node(used_cpu=9000, used_memory=99 * GIB)], Outcome.MET, "enough room"),
    ],
)
def test_capacity(rows, outcome, words):
    verdict = CAPACITY.judge(evidence(NodesQuery(context="audit"), nodes(*rows)))
    assert verdict.outcome is outcome
    assert words in render(verdict.seen) + render(verdict.because)


@given(cpus=st.floats(0.1, 100), more=st.floats(0, 100), used=st.integers(0, 9000))
def test_raising_the_demand_never_turns_unmet_into_met(cpus, more, used):
    facts = evidence(NodesQuery(), nodes(node(cpu=8000, used_cpu=used)))
    if make(CapacityRequirement, cpus=cpus, memory="1 GiB").judge(facts).outcome is Outcome.UNMET:
        assert make(CapacityRequirement, cpus=cpus + more, memory="1 GiB").judge(facts).outcome is Outcome.UNMET


@pytest.mark.parametrize(("denied", "outcome"), [((), Outcome.MET), (("create deployments.apps",), Outcome.UNMET)])
def test_access_verdict(denied, outcome):
    verdict = ACCESS.judge(evidence(QUERIES["access"][1], AccessFact(state=ClusterState.ANSWERED, denied=denied)))
    assert verdict.outcome is outcome
    assert all(d in render(verdict.fix) for d in denied)


@pytest.mark.parametrize(
    "action",
    [
        {"resource": "--as=root", "verbs": ["get"]},
        {"resource": "pods", "verbs": ["get x"]},
        {"resource": "pods", "verbs": []},
    ],
)
def test_actions_that_are_no_words_are_refused(action):
    with pytest.raises(ValidationError):
        make(AccessRequirement, namespace="audit", actions=[action])


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("name", list(QUERIES))
def test_not_seen_is_never_a_verdict(name, reason):
    demand, query = QUERIES[name]
    with pytest.raises(NotSeen):
        demand.judge(evidence(query, Unseen(reason)))


def test_words():
    for demand, query in QUERIES.values():
        assert render(demand.wanted()) and demand.queries(Evidence()) == [query]
        assert "credential plugin" in render(query.asks()) and query.reach is Reach.NETWORK
