"""Reverse path filter: does the kernel drop packets that come in elsewhere than answers to them would go out?

Source: the kernel's networking/ip-sysctl for ``rp_filter``: 0 off, 1 strict (the way back must lead through the same
interface), 2 loose (there must be some way back).  For an interface the larger of its own value and that of ``all``
counts: 2 in ``all`` makes a strict one loose, 0 in ``all`` switches nothing off.  The value of ``default`` is only what
new interfaces begin with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.process_namespace import apart
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, not_applicable, unmet
from vorflug.ports import Host

TITLE = msg("Reverse path filter")

_FOLDER = "/proc/sys/net/ipv4/conf"
_NO_INTERFACES = {"all", "default", "lo"}


class ReversePathFact(Fact):
    """The settings of the reverse path filter."""

    every: int
    """That of ``all``."""
    interfaces: dict[str, int]
    """Those of the interfaces, but for the loopback."""


@dataclass(frozen=True, kw_only=True)
class ReversePathQuery(Query[ReversePathFact]):
    """How strict is the reverse path filter on each interface?"""

    kind = "reverse_path"
    touches = ("/proc/self/ns/", "/proc/sys/net/ipv4/conf/")

    def asks(self) -> Message:
        return msg("How strict is the reverse path filter on each interface?")

    def observe(self, host: Host) -> ReversePathFact:
        if apart(host):
            raise NotImplementedError("a container has interfaces and settings of its own, the machine's are hidden")
        try:
            names = host.files.list_folder(_FOLDER)
            every = _value(host, "all")
        except FileNotFoundError as error:
            raise NotImplementedError(f"{_FOLDER} is not there") from error
        return ReversePathFact(every=every, interfaces=dict(_interfaces(host, names)))


def _interfaces(host: Host, names: Sequence[str]) -> Iterator[tuple[str, int]]:
    for name in names:
        if name in _NO_INTERFACES:
            continue
        try:
            yield name, _value(host, name)
        except FileNotFoundError:
            continue  # the interface is gone


def _value(host: Host, name: str) -> int:
    return int(host.files.read_text(f"{_FOLDER}/{name}/rp_filter", limit=32))


class ReversePathRequirement(Requirement):
    """The filter that counts on each interface is one of these."""

    kind = "reverse_path"
    accepted: Annotated[tuple[Literal[0, 1, 2], ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("rp_filter one of {values:list}", values=tuple(str(value) for value in self.accepted))

    def queries(self, known: Evidence) -> Sequence[ReversePathQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ReversePathQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[ReversePathQuery()]
        wanted = self.wanted()
        counts = {name: max(fact.every, own) for name, own in fact.interfaces.items()}
        if not counts:
            return not_applicable(wanted=wanted, because=msg("There is no network interface but the loopback."))
        other = {name: value for name, value in counts.items() if value not in self.accepted}
        shown = tuple(f"{name} {value}" for name, value in sorted((other or counts).items()))
        seen = msg("in force: {values:list}", values=shown)
        if other:
            return unmet(
                wanted=wanted,
                seen=seen,
                because=msg(
                    "There the kernel drops packets whose answer would take another interface, as with several uplinks."
                ),
                fix=msg(
                    "Where this machine has several ways out: set net.ipv4.conf.all.rp_filter = 2 in /etc/sysctl.d "
                    "and load it with sysctl --system."
                ),
            )
        return met(wanted=wanted, seen=seen, because=msg("No interface filters more strictly than is wanted."))
