"""Writes down what a host is asked and what it says, into a cassette that `RecordedHost` can play back."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

from vorflug.host.cassette import Call, Cassette, Method, Raised, redacted
from vorflug.host.recorded import Switchboard
from vorflug.ports import Host

_NO_ANSWER = Raised(type="TimeoutError", says="there was no answer while this was recorded")


class Tape:
    """Collects calls from any number of hosts and threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: list[Call] = []

    def begin(self, port: str, method: str, arguments: dict[str, Any]) -> int:
        """Note a call before it is made; returns its place for `end`.  What never ends is kept as a TimeoutError."""
        with self._lock:
            self._calls.append(Call(port=port, method=method, arguments=arguments, raises=_NO_ANSWER))
            return len(self._calls) - 1

    def end(self, place: int, *, returns: Any = None, raises: Raised | None = None) -> None:
        """Note what came of it."""
        with self._lock:
            self._calls[place] = self._calls[place].model_copy(update={"returns": returns, "raises": raises})

    def cassette(self) -> Cassette:
        """What was recorded so far, redacted now: a secret that was first read after its call is struck out as well.

        Answers that never changed are kept once.
        """
        with self._lock:
            calls = [Call.model_validate(redacted(call.model_dump(mode="python"))) for call in self._calls]
        answers: dict[str, list[Call]] = {}
        for call in calls:
            answers.setdefault(call.key, []).append(call)
        return Cassette(
            calls=tuple(
                call
                for group in answers.values()
                for call in (group[:1] if all(answer == group[0] for answer in group) else group)
            )
        )


class RecordingHost(Switchboard):
    """Passes every call on to *host* and keeps it, with its result or exception, on *tape*."""

    def __init__(self, host: Host, tape: Tape) -> None:
        self._host = host
        self._tape = tape

    def call(self, port: str, method: Method, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        place = self._tape.begin(port, method.name, method.written(args, kwargs))
        try:
            result = getattr(getattr(self._host, port), method.name)(*args, **kwargs)
        except Exception as error:
            self._tape.end(place, raises=Raised.of(error))
            raise
        self._tape.end(place, returns=redacted(method.result.dump_python(result, mode="json")))
        return result
