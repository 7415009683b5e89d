"""The cluster, asked through kubectl: nodes, free resources, and what the installing account may do.

kubectl is called with the one kubeconfig file that defines the context.  Where that file names a credential plugin,
kubectl runs it; the plan says so.  ``auth can-i`` posts a SelfSubjectAccessReview, which leaves nothing behind.

One file in spite of its length: nodes, room and rights share one way of asking kubectl and one set of causes.

Sources: kubernetes.io on quantities (resource.Quantity), node conditions, taints, and "Checking API access".
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Annotated, Any, assert_never

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.cause import Cause
from vorflug.model.cluster_access import (
    foreign_kubeconfig,
    kubectl_failed,
    kubectl_failure,
    no_context,
    no_kubectl,
    scattered_context,
)
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg, visible
from vorflug.model.quantity import Size
from vorflug.model.query import Fact, Query, Reach
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Cluster")

_MILLI = 1000
_NODES = (
    "NAME:.metadata.name,"
    'TRUE:.status.conditions[?(@.status=="True")].type,'
    "CORDONED:.spec.unschedulable,"
    "TAINTS:.spec.taints[*].effect,"
    "CPU:.status.allocatable.cpu,"
    "MEMORY:.status.allocatable.memory"
)
_PODS = (
    "NODE:.spec.nodeName,"
    "CPU:.spec.containers[*].resources.requests.cpu,"
    "MEMORY:.spec.containers[*].resources.requests.memory,"
    "INIT_CPU:.spec.initContainers[*].resources.requests.cpu,"
    "INIT_MEMORY:.spec.initContainers[*].resources.requests.memory"
)
_MOST_BYTES = 8 << 20
"""Of output: a line for each pod has about 120 bytes, a large cluster 30,000 pods."""
_NONE = "<none>"
_UNITS: dict[str, Decimal] = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTP", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTP", 1)},
}
_QUANTITY = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]+)?)(?:e(?P<exponent>[0-9]{1,2})|(?P<unit>[A-Za-z]{0,2}))", re.ASCII
)


class ClusterState(StrEnum):
    """What became of the attempt to ask through kubectl."""

    ANSWERED = "answered"
    NO_KUBECTL = "no_kubectl"
    NO_CONTEXT = "no_context"
    SCATTERED = "scattered"
    """The context is spread over several kubeconfig files."""
    FOREIGN = "foreign"
    """Root was to use a kubeconfig of another user, who could name any program in it."""
    FAILED = "failed"


class ClusterFact(Fact):
    """An answer of the cluster, or why there is none."""

    state: ClusterState
    detail: str = ""
    """Where kubectl failed: what kind of failure; where the kubeconfig is another user's: the path."""


class NodesFact(ClusterFact):
    """The nodes, and what pods have requested of them."""

    class Node(Fact):
        """One node."""

        name: str
        ready: bool
        troubles: tuple[str, ...]
        """Conditions that are true and should not be: ``MemoryPressure``, ``DiskPressure``."""
        schedulable: bool
        """Neither cordoned nor tainted NoSchedule or NoExecute."""
        cpu_milli: int
        """Allocatable, thousandths of a CPU."""
        memory_bytes: int
        requested_cpu_milli: int
        """Over all pods that have not ended: the sum of containers, or the largest init container if that is more."""
        requested_memory_bytes: int

        @property
        def usable(self) -> bool:
            """Whether a pod without tolerations can be put there."""
            return self.ready and self.schedulable and not self.troubles

    nodes: tuple[Node, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NodesQuery(Query[NodesFact]):
    """Which nodes are there, and what is free on them?"""

    kind = "cluster_nodes"
    touches = ("kubectl", "@kubernetes.config")
    deadline = 30.0
    reach = Reach.NETWORK
    context: str = ""
    """Empty is the current one."""

    def asks(self) -> Message:
        return msg(
            "Which nodes has the cluster, and what have pods requested? "
            "(kubectl get nodes, pods; a credential plugin of the kubeconfig is run by kubectl)"
        )

    def observe(self, host: Host) -> NodesFact:
        state, nodes = _kubectl(host, self.context, "get", "nodes", "--no-headers", f"--output=custom-columns={_NODES}")
        if state is not ClusterState.ANSWERED:
            return NodesFact(state=state, detail=nodes)
        state, pods = _kubectl(
            host,
            self.context,
            "get",
            "pods",
            "--all-namespaces",
            "--no-headers",
            "--field-selector=status.phase!=Succeeded,status.phase!=Failed",
            f"--output=custom-columns={_PODS}",
        )
        if state is not ClusterState.ANSWERED:
            return NodesFact(state=state, detail=pods)
        requested: dict[str, list[tuple[int, int]]] = {}
        for fields in _rows(pods, 5):
            requested.setdefault(fields[0], []).append(
                (
                    max(_total(fields[1], _MILLI), _largest(fields[3], _MILLI)),
                    max(_total(fields[2], 1), _largest(fields[4], 1)),
                )
            )
        return NodesFact(state=state, nodes=tuple(_node(f, requested.get(f[0], [])) for f in _rows(nodes, 6)))


def _node(fields: Sequence[str], requested: Sequence[tuple[int, int]]) -> NodesFact.Node:
    name, true, cordoned, taints, cpu, memory = fields
    conditions = tuple(true.split(","))
    return NodesFact.Node(
        name=visible(name),
        ready="Ready" in conditions,
        troubles=tuple(c for c in conditions if c.endswith("Pressure") or c == "NetworkUnavailable"),
        schedulable=cordoned != "true" and not {"NoSchedule", "NoExecute"} & set(taints.split(",")),
        cpu_milli=_total(cpu, _MILLI),
        memory_bytes=_total(memory, 1),
        requested_cpu_milli=sum(c for c, _ in requested),
        requested_memory_bytes=sum(m for _, m in requested),
    )


class AccessFact(ClusterFact):
    """What the account may not do, of what was asked."""

    denied: tuple[str, ...] = ()
    """As they were asked: ``create deployments.apps``."""


@dataclass(frozen=True, kw_only=True)
class AccessQuery(Query[AccessFact]):
    """May the account of the context do all of this?"""

    kind = "cluster_access"
    touches = ("kubectl", "@kubernetes.config")
    deadline = 60.0
    reach = Reach.NETWORK
    context: str = ""
    namespace: str
    actions: tuple[str, ...]
    """``verb resource``: ``create deployments.apps``."""

    def asks(self) -> Message:
        return msg(
            "May this account do what the installation needs in the namespace {namespace}? "
            "(kubectl auth can-i; a credential plugin of the kubeconfig is run by kubectl)",
            namespace=self.namespace,
        )

    def observe(self, host: Host) -> AccessFact:
        denied: list[str] = []
        for action in self.actions:
            state, said = _kubectl(
                host, self.context, "auth", "can-i", *action.split(), f"--namespace={self.namespace}", says_no=True
            )
            if state is not ClusterState.ANSWERED:
                return AccessFact(state=state, detail=said)
            if said.split()[0] == "no":
                denied.append(action)
        return AccessFact(state=ClusterState.ANSWERED, denied=tuple(denied))


def _kubectl(host: Host, context: str, *words: str, says_no: bool = False) -> tuple[ClusterState, str]:
    """Kubectl's output, or why there is none.  *says_no*: exit status 1 with the answer "no" is an answer."""
    if host.commands.which("kubectl") is None:
        return ClusterState.NO_KUBECTL, ""
    found = host.kubernetes.config().context(context)
    if found is None or not found.server:
        return ClusterState.NO_CONTEXT, ""
    if not found.in_one_file:
        return ClusterState.SCATTERED, ""
    if found.foreign:
        # not only with a credential plugin: one can be written into it between our look and kubectl's
        return ClusterState.FOREIGN, visible(found.foreign)
    # no cache folder: nothing is written to this machine
    where = (f"--kubeconfig={found.file}", f"--context={found.name}", "--cache-dir=/dev/null", "--request-timeout=10s")
    done = host.commands.run(("kubectl", *where, *words), limit=_MOST_BYTES)
    answer = done.out.strip()
    if done.cut:
        return ClusterState.FAILED, f"more than {_MOST_BYTES} bytes of output"
    if says_no and answer.split()[:1] in (["yes"], ["no"]):
        return ClusterState.ANSWERED, answer
    if done.code != 0 or says_no:
        return ClusterState.FAILED, kubectl_failure(done.err) or f"exit status {done.code}"
    return ClusterState.ANSWERED, answer


def _rows(table: str, width: int) -> Iterable[list[str]]:
    for line in table.splitlines():
        fields = line.split()
        if len(fields) != width:
            raise ValueError(f"wanted {width} columns from kubectl, saw {len(fields)}")
        yield fields


def _amounts(cell: str, scale: int) -> list[int]:
    return [_amount(part, scale) for part in cell.split(",") if part and part != _NONE]


def _total(cell: str, scale: int) -> int:
    return sum(_amounts(cell, scale))


def _largest(cell: str, scale: int) -> int:
    return max(_amounts(cell, scale), default=0)


def _amount(text: str, scale: int) -> int:
    """A quantity (``500m``, ``8Gi``, ``1e3``) in 1/*scale*, rounded up.  Raises ValueError."""
    match = _QUANTITY.fullmatch(text)
    if match is None or (match["unit"] or "") not in _UNITS:
        raise ValueError(f"wanted a quantity such as 500m or 8Gi, saw {text[:40]!r}")
    factor = Decimal(10) ** int(match["exponent"]) if match["exponent"] else _UNITS[match["unit"] or ""]
    return int((Decimal(match["number"]) * factor * scale).to_integral_value(ROUND_CEILING))


class OfCluster(Requirement):
    """A demand on the cluster.  While it cannot be asked, all of these share one cause."""

    context: str = ""
    """Of the kubeconfig; empty is the current one."""

    @abstractmethod
    def query(self) -> Query[Any]:
        """The question that it rests on."""

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - one question, whatever is known
        return [self.query()]

    def gap(self, fact: ClusterFact) -> Verdict | None:
        """The verdict while the cluster cannot be asked; None where it answered."""
        cause = self._cause(fact)
        return None if cause is None else unknown(wanted=self.wanted(), because=cause.says, fix=cause.fix, cause=cause)

    def _cause(self, fact: ClusterFact) -> Cause | None:
        match fact.state:
            case ClusterState.ANSWERED:
                return None
            case ClusterState.NO_KUBECTL:
                return no_kubectl()
            case ClusterState.NO_CONTEXT:
                return no_context(self.context)
            case ClusterState.SCATTERED:
                return scattered_context(self.context)
            case ClusterState.FOREIGN:
                return foreign_kubeconfig(self.context, fact.detail)
            case ClusterState.FAILED:
                return kubectl_failed(self.context, fact.detail)
            case _:
                assert_never(fact.state)


class NodesRequirement(OfCluster):
    """Enough nodes are ready, without pressure, and take pods."""

    kind = "kubernetes_nodes"
    at_least: Annotated[int, Field(ge=1)]
    """Count of nodes."""

    def wanted(self) -> Message:
        return msg("at least {least} ready, schedulable nodes", least=self.at_least)

    def query(self) -> NodesQuery:
        return NodesQuery(context=self.context)

    def judge(self, evidence: Evidence) -> Verdict:
        cluster = evidence[self.query()]
        if (gap := self.gap(cluster)) is not None:
            return gap
        usable = tuple(n for n in cluster.nodes if n.usable)
        others = tuple(n.name for n in cluster.nodes if not n.usable)
        seen = msg("{usable} of {all} nodes ready and schedulable", usable=len(usable), all=len(cluster.nodes))
        gauge = Gauge(len(usable), self.at_least, "1")
        if len(usable) >= self.at_least:
            return met(wanted=self.wanted(), seen=seen, because=msg("Enough nodes take pods."), gauge=gauge)
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{usable} nodes take pods, {least} are wanted.", usable=len(usable), least=self.at_least),
            fix=(
                msg("Repair, uncordon or untaint {nodes:list}, or add nodes.", nodes=others)
                if others
                else msg("Add nodes to the cluster.")
            ),
            gauge=gauge,
        )


class CapacityRequirement(OfCluster):
    """So much is allocatable and not yet requested, over all nodes that take pods."""

    kind = "kubernetes_capacity"
    cpus: Annotated[float, Field(gt=0)]
    """CPUs (1 is one core or hyperthread)."""
    memory: Size

    def wanted(self) -> Message:
        return msg("{cpus} CPUs and {memory:size} free in the cluster", cpus=self.cpus, memory=self.memory)

    def query(self) -> NodesQuery:
        return NodesQuery(context=self.context)

    def judge(self, evidence: Evidence) -> Verdict:
        cluster = evidence[self.query()]
        if (gap := self.gap(cluster)) is not None:
            return gap
        usable = [n for n in cluster.nodes if n.usable]
        cpus = sum(max(0, n.cpu_milli - n.requested_cpu_milli) for n in usable) / _MILLI
        memory = sum(max(0, n.memory_bytes - n.requested_memory_bytes) for n in usable)
        largest = max((max(0, n.memory_bytes - n.requested_memory_bytes) for n in usable), default=0)
        seen = msg(
            "{cpus} CPUs and {memory:size} free on {nodes} nodes, at most {largest:size} on one",
            cpus=cpus,
            memory=memory,
            nodes=len(usable),
            largest=largest,
        )
        gauge = Gauge(memory, self.memory, "B")
        if cpus >= self.cpus and memory >= self.memory:
            return met(wanted=self.wanted(), seen=seen, because=msg("The cluster has enough room."), gauge=gauge)
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=(
                msg("{have} CPUs are free, {need} are wanted.", have=cpus, need=self.cpus)
                if cpus < self.cpus
                else msg("{have:size} of memory are free, {need:size} are wanted.", have=memory, need=self.memory)
            ),
            fix=msg("Add nodes, or free resources that other workloads have requested."),
            gauge=gauge,
        )


class Action(Frozen):
    """Verbs on a resource."""

    resource: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9./-]*$")]
    """As kubectl takes it: ``deployments.apps``, ``pods/exec``."""
    verbs: Annotated[tuple[Annotated[str, Field(pattern=r"^[a-z]+$")], ...], Field(min_length=1)]


class AccessRequirement(OfCluster):
    """The account of the context may do what the installation needs."""

    kind = "kubernetes_access"
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
    actions: Annotated[tuple[Action, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg(
            "the rights of the installation in the namespace {namespace} ({count})",
            namespace=self.namespace,
            count=len(self._asked()),
        )

    def _asked(self) -> tuple[str, ...]:
        return tuple(f"{verb} {action.resource}" for action in self.actions for verb in action.verbs)

    def query(self) -> AccessQuery:
        return AccessQuery(context=self.context, namespace=self.namespace, actions=self._asked())

    def judge(self, evidence: Evidence) -> Verdict:
        access = evidence[self.query()]
        if (gap := self.gap(access)) is not None:
            return gap
        if not access.denied:
            return met(
                wanted=self.wanted(),
                seen=msg("all allowed"),
                because=msg("The account has every right that the installation needs."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=msg("denied: {denied:list}", denied=access.denied),
            because=msg("The account may not {denied:list}.", denied=access.denied),
            fix=msg(
                "Bind the delivered Role to the account in the namespace {namespace}: it lacks {denied:list}.",
                namespace=self.namespace,
                denied=access.denied,
            ),
        )
