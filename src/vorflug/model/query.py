"""Questions, answers, and the reasons an answer is missing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from vorflug.model import contact
from vorflug.model.base import Frozen
from vorflug.model.contact import Contact
from vorflug.model.message import Message
from vorflug.ports import Host


class Fact(Frozen):
    """What was seen.  Carries no opinion: a fact is never good or bad."""


F = TypeVar("F", bound=Fact)


class Reach(StrEnum):
    """How far a question goes.  The plan prints it, so that nothing is contacted unannounced."""

    LOCAL = "local"
    """Reads this machine and nothing else."""
    NETWORK = "network"
    """Sends packets to another machine."""


@dataclass(frozen=True, kw_only=True)
class Query(ABC, Generic[F]):
    """One question put to a host.  Equal queries are asked once."""

    kind: ClassVar[str]
    deadline: ClassVar[float] = 10.0
    """Seconds after which the question is given up."""
    exclusive: ClassVar[bool] = False
    """Asked while nothing else is: for questions that measure speed."""
    reach: ClassVar[Reach] = Reach.LOCAL
    active: ClassVar[bool] = False
    """Writes, loads or creates something: asked only where that was allowed (``--active``), labelled in the plan."""
    touches: ClassVar[tuple[str, ...]] = ()
    """What it touches besides what its fields name, in the notation of `vorflug.ports.touched`: ``/etc/fstab``,
    ``/proc/``, ``unix:/path``, ``nft``, ``@accounts.user``."""

    @abstractmethod
    def observe(self, host: Host) -> F:
        """Answer the question, through *host* alone.

        Raises PermissionError (denied), NotImplementedError (unsupported here), TimeoutError (no answer in time);
        anything else counts as crashed.
        """

    @abstractmethod
    def asks(self) -> Message:
        """The question as a person would put it; shown in the plan and while it is being asked."""

    def contacts(self) -> tuple[Contact, ...]:
        """Everything that it touches: what `touches` says, and the files, hosts and nameservers in its fields."""
        network = self.reach is Reach.NETWORK
        return (*contact.of_fields(self, network=network), *contact.written(self.touches))

    def writes(self) -> Message | None:
        """What an *active* question writes: how much, where, and what becomes of it.  None for those that only look."""
        return None


class Reason(StrEnum):
    """Why there is no fact.  A closed list: reports and translations key on it."""

    TIMEOUT = "timeout"
    DENIED = "denied"
    UNSUPPORTED = "unsupported"
    CRASHED = "crashed"
    CANCELLED = "cancelled"
    NOT_ASKED = "not_asked"


NOT_ALLOWED = "--active"
"""The detail of an active question that was not asked because nobody allowed it."""

LOCAL_ONLY = "--network"
"""The detail of a question to another machine that was not asked because only this machine was to be asked."""


@dataclass(frozen=True)
class Seen:
    """The host answered."""

    fact: Fact


@dataclass(frozen=True)
class Unseen:
    """The host could not be asked, or did not answer."""

    reason: Reason
    detail: str = ""


@dataclass(frozen=True)
class Observation:
    """A query, what came of it, and how long that took (seconds)."""

    query: Query[Any]
    result: Seen | Unseen
    took_s: float = 0.0
