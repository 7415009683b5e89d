"""Services: does systemd run, or start at boot, what is in the way?

Sources: systemctl(1) for ``show``, for the words of ``is-enabled`` (UnitFileState) and of the active states;
sd_booted(3) for ``/run/systemd/system``.

``enabled-runtime`` ends with this boot, ``static`` and ``indirect`` units are started by others only.  Of
``generated``, ``masked-runtime`` and ``bad`` systemd does not say whether they start at the next boot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host

TITLE = msg("Services")

_KEYS = ("Id", "LoadState", "ActiveState", "UnitFileState")
_RESTING = {"inactive", "failed"}
_RUNNING = {"active", "reloading", "activating", "deactivating", "maintenance", "refreshing"}
_UNCLEAR = {"generated", "masked-runtime", "bad"}

UnitName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9:_.@-]*[A-Za-z0-9:_.-])?\.service$", max_length=255)
]
"""An instance (``a@b.service``), not its template (``a@.service``): with that among them, systemctl shows none."""


class Unit(Frozen):
    """What systemd says about a unit, in its own words."""

    name: str
    """Its real name, where an alias was asked for."""
    load: str
    """``loaded``, ``not-found``, ``masked``."""
    active: str
    """``active``, ``inactive``, ``failed``."""
    file: str
    """``enabled``, ``disabled``, ``masked``; empty where there is no unit file."""


class ServicesFact(Fact):
    """The units that were asked for, each once."""

    units: tuple[Unit, ...]


@dataclass(frozen=True, kw_only=True)
class ServicesQuery(Query[ServicesFact]):
    """Do these units run, and do they start at boot?"""

    kind = "services"
    touches = ("/run/systemd/system", "systemctl")
    units: tuple[str, ...]

    def asks(self) -> Message:
        return msg("Do these services run or start at boot: {units:list}?", units=self.units)

    def observe(self, host: Host) -> ServicesFact:
        if not host.files.exists("/run/systemd/system"):
            raise NotImplementedError("this machine was not started by systemd")
        done = host.commands.run(("systemctl", "show", f"--property={','.join(_KEYS)}", "--", *self.units))
        error = done.err.strip()[:200]
        if "denied" in error.lower():
            raise PermissionError(f"systemctl: {error}")
        if done.code != 0:
            raise NotImplementedError(f"systemctl ended with {done.code}: {error}")
        units = [_unit(block) for block in done.out.strip().split("\n\n")]
        if len(units) != len(self.units) or done.cut:
            raise ValueError(f"wanted {len(self.units)} units of systemctl, saw {len(units)}; {error}")
        return ServicesFact(units=tuple(dict.fromkeys(units)))


def _unit(block: str) -> Unit:
    said = {key: value for key, equals, value in (line.partition("=") for line in block.splitlines()) if equals}
    if said.keys() != set(_KEYS) or said["ActiveState"] not in _RESTING | _RUNNING:
        raise ValueError(f"wanted {', '.join(_KEYS)} of a unit, saw {block[:200]!r}")
    return Unit(name=said["Id"], load=said["LoadState"], active=said["ActiveState"], file=said["UnitFileState"])


class ServicesAbsentRequirement(Requirement):
    """None of these units runs or starts at the next boot."""

    kind = "services_absent"
    units: Annotated[tuple[UnitName, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("none of {units:list} runs or starts at boot", units=self.units)

    def queries(self, known: Evidence) -> Sequence[ServicesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [ServicesQuery(units=self.units)]

    def judge(self, evidence: Evidence) -> Verdict:
        units = evidence[ServicesQuery(units=self.units)].units
        running = tuple(unit.name for unit in units if unit.active in _RUNNING)
        later = tuple(unit.name for unit in units if unit.file == "enabled" and unit.active in _RESTING)
        unclear = tuple(unit for unit in units if unit.file in _UNCLEAR)
        shown = [_seen(unit) for unit in units if unit.load != "not-found" or unit.active in _RUNNING]
        seen = listed(shown) if shown else msg("none of them is known to systemd")
        if running or later:
            says, names = [], (*running, *later)
            if running:
                says.append(msg("Now running: {units:list}.", units=running))
            if later:
                says.append(msg("Not running, but started at the next boot: {units:list}.", units=later))
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=sentences(says),
                fix=msg(
                    "Where nothing else needs them: systemctl disable --now {units}. Else move them to other ports.",
                    units=" ".join(names),
                ),
            )
        if unclear:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "None of them runs; systemd does not say whether these start at the next boot: {units:list}.",
                    units=tuple(unit.name for unit in unclear),
                ),
                fix=msg("Have the team that runs this machine look at the start scripts of these services."),
            )
        return met(wanted=self.wanted(), seen=seen, because=msg("None of these services runs or starts at boot."))


def _seen(unit: Unit) -> Message:
    return msg("{unit}: {active}, {file}", unit=unit.name, active=unit.active, file=unit.file or unit.load)
