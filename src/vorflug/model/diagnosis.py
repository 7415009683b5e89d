"""One diagnosis in words and values: what ``vorflug diagnose`` writes as JSON, and the terminal page is drawn from.

Sentences stand there in every language of the program, so that a ticket system needs no catalogue of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict, Field

from vorflug.model.base import Frozen
from vorflug.model.cause import Team
from vorflug.ports.net import (
    AttemptSeen,
    CheckSeen,
    Code,
    HttpSeen,
    Mode,
    ProxySeen,
    Route,
    StageSeen,
    StreamSeen,
    TlsSeen,
)

SCHEMA = "vorflug/diagnosis/1"
OK = "ok"


@dataclass(frozen=True)
class Origin:
    """When and from where a request was made."""

    checked: str
    """RFC 3339, UTC."""
    host: str
    """This host's name."""
    local: str = ""
    """The address that this host's routing gives a connection to the peer; empty where there is none."""


class Said(Frozen):
    """One sentence in every language of the program."""

    en: str
    de: str


class Note(Frozen):
    """One code in words."""

    code: Code
    says: Said
    """What was seen."""
    means: Said
    """What that proves."""
    does_not_mean: Said
    """What it does not prove."""
    who: Said
    """Who mends it, and who else it may be."""
    ask: Said
    """What to ask those for who mend it."""
    fix: Said
    """What mends it here."""
    team: Team | None
    """Who is asked first; null where the code proves nobody's fault."""


class Diagnosis(Frozen):
    """How far one request came, and what that means."""

    schema_: Literal["vorflug/diagnosis/1"] = Field("vorflug/diagnosis/1", alias="schema")
    version: str
    """Of the program."""
    checked: str | None = None
    """When the request was made (RFC 3339, UTC); null where that was not noted, as is the host."""
    host: str | None = None
    """The name of the host that asked."""
    local: str | None = None
    """The address that its routing gives a connection to the peer; null where there was none."""
    url: str
    """Without its query."""
    mode: Mode
    code: Code | Literal["ok"]
    """What stopped the request at the first layer that failed; ``ok`` where it passed, with warnings or without."""
    warnings: tuple[Code, ...]
    """What was seen besides, without stopping the request."""
    says: Said
    """What was seen."""
    means: Said | None
    """What that proves; null where the request passed, as are the five below."""
    does_not_mean: Said | None
    """What it does not prove."""
    who: Said | None
    """Who mends it, and who else it may be."""
    fix: Said | None
    """What mends it here."""
    team: Team | None
    """Who is asked first; also null where the code proves nobody's fault."""
    ask: Said | None
    """What to ask those for who mend it."""
    notes: tuple[Note, ...]
    """The warnings in words, in their order."""
    route: Route
    stages: tuple[StageSeen, ...]
    """In the order in which they were reached."""
    addresses: tuple[str, ...]
    """What the name resolved to here; empty where a proxy resolves it."""
    attempts: tuple[AttemptSeen, ...]
    """Every address that was tried."""
    peer: str
    """``address:port`` that the connection was made to; empty where there was none."""
    tls: TlsSeen | None
    http: HttpSeen | None
    proxy: ProxySeen | None
    stream: StreamSeen | None
    checks: tuple[CheckSeen, ...]
    """The controls that were made because the diagnosis needed them."""
    redirects: tuple[str, ...]
    """Where the answer led on the same host, without queries."""
    resolvers: tuple[str, ...]
    """The nameservers of this host."""
    took_s: float
    """Seconds for the whole, controls included."""

    model_config = ConfigDict(populate_by_name=True)
