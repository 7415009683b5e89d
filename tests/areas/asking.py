"""Ask a requirement's questions of a host, follow-ups included, without threads."""

from __future__ import annotations

from vorflug.model.evidence import Evidence
from vorflug.model.query import Observation, Reason, Seen, Unseen

ROUNDS = 3


def ask(requirement, host):
    """The evidence that *requirement* is judged on; an exception becomes what the engine makes of it."""
    evidence = Evidence()
    asked = set()
    for _ in range(ROUNDS):
        todo = [q for q in requirement.queries(evidence) if q not in asked]
        for query in todo:
            asked.add(query)
            evidence.add(Observation(query, _observe(query, host)))
    return evidence


def judge(requirement, host):
    """Ask, then decide."""
    return requirement.judge(ask(requirement, host))


def _observe(query, host):
    try:
        fact = query.observe(host)
        # every fact must come out of a facts file as it went in
        assert type(fact).model_validate_json(fact.model_dump_json()) == fact
        return Seen(fact)
    except PermissionError as error:
        return Unseen(Reason.DENIED, str(error))
    except TimeoutError as error:
        return Unseen(Reason.TIMEOUT, str(error))
