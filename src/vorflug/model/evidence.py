"""The facts that were seen, looked up by the question that was asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from vorflug.model.query import F, Observation, Query, Reason, Seen, Unseen


class NotSeen(LookupError):
    """A judge needed a fact that nobody has.  Becomes an *unknown* verdict, in `engine.evaluate` alone."""

    def __init__(self, query: Query[Any], unseen: Unseen) -> None:
        super().__init__(f"{query!r}: {unseen.reason}")
        self.query = query
        self.unseen = unseen


class Evidence:
    """``evidence[query]`` is the fact, with its type; or raises `NotSeen`."""

    def __init__(self, observations: Iterable[Observation] = ()) -> None:
        self._results: dict[Query[Any], Seen | Unseen] = {o.query: o.result for o in observations}

    def __getitem__(self, query: Query[F]) -> F:
        match self.result(query):
            case Seen(fact):
                return cast(F, fact)
            case Unseen() as unseen:
                raise NotSeen(query, unseen)

    def __contains__(self, query: Query[Any]) -> bool:
        """Whether there is a fact.  False also means "could not look": use it for follow-up questions only."""
        return isinstance(self._results.get(query), Seen)

    def result(self, query: Query[Any]) -> Seen | Unseen:
        """What came of *query*; a question that nobody put is ``Unseen(NOT_ASKED)``."""
        return self._results.get(query, Unseen(Reason.NOT_ASKED))

    def add(self, observation: Observation) -> None:
        """Note one more answer (while collecting; a judge never does)."""
        self._results[observation.query] = observation.result
