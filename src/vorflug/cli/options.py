"""Options that several commands share, and the case that they name."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vorflug.cli.errors import Refusal
from vorflug.cli.language import tell
from vorflug.model.message import Message, msg

if TYPE_CHECKING:
    from datetime import date

    from vorflug.documents.profile import Profile
    from vorflug.documents.site import Site
    from vorflug.pipeline import Case

F = TypeVar("F", bound=Callable[..., Any])

SIZES = ("S", "M", "L")
MODELS = ("saas", "compose", "kubernetes", "hybrid")
PHASES = ("pre-install", "test-deployment", "go-live", "operations")


def option(*names: str, text: Message, **settings: Any) -> Callable[[F], F]:
    """A click option whose help is said in the chosen language."""
    return click.option(*names, help=tell(text), **settings)


def language(function: F) -> F:
    """``--lang``; its value was taken before click ran (see `cli.language`)."""
    return option("--lang", text=msg("Language of all texts."), type=click.Choice(["de", "en"]), expose_value=False)(
        function
    )


DEADLINE_S = 120
THOROUGH_DEADLINE_S = 420
"""The longest silence that a profile may demand is 300 s; the rest takes as long as without it."""


class Seconds(click.FloatRange):
    """A time; click takes ``nan`` for a number within every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number.  Raises click.BadParameter outside the range, Refusal (2) where it is none."""
        seconds = super().convert(value, param, ctx)
        if isnan(seconds):
            name = param.opts[0] if param is not None else "-"
            raise Refusal(msg("{option}: wanted seconds as a number, saw nan.", option=name))
        return seconds


def deadline_option(function: F) -> F:
    """``--deadline``, in seconds; `deadline_of` knows the default."""
    return option(
        "--deadline",
        type=Seconds(min=0.1, max=86400),
        metavar=tell(msg("SECONDS")),
        text=msg(
            "Seconds for the whole collection; default: {usual} s, with --thorough {thorough} s.",
            usual=DEADLINE_S,
            thorough=THOROUGH_DEADLINE_S,
        ),
    )(function)


def deadline_of(given: float | None, *, thorough: bool) -> float:
    """The seconds that hold: those *given*, else the default."""
    if given is not None:
        return given
    return THOROUGH_DEADLINE_S if thorough else DEADLINE_S


def thorough_option(function: F) -> F:
    """``--thorough``: allow what takes minutes."""
    return option(
        "--thorough",
        is_flag=True,
        text=msg(
            "Take minutes where the profile names a longer test: connections on which nothing is sent are kept open "
            "for 300 s instead of 40 s."
        ),
    )(function)


def active_option(function: F) -> F:
    """``--active``: allow what writes to this machine."""
    return option(
        "--active",
        is_flag=True,
        text=msg("Ask also what has to write to this machine (speed of the storage); the plan lists it."),
    )(function)


def profile_options(function: F) -> F:
    """Which profile, with which values, for which case."""
    for decorate in reversed(
        (
            option(
                "--profile",
                "profile_ref",
                metavar="NAME|FILE",
                text=msg("Requirements profile: NAME, NAME@VERSION or a file; default: the newest shipped."),
            ),
            option(
                "--site", "site_file", metavar="FILE", text=msg("The customer's values (vorflug site init writes one).")
            ),
            option("--size", text=msg("Sizing class; default S."), type=click.Choice(SIZES)),
            option("--model", text=msg("Operating model; default compose."), type=click.Choice(MODELS)),
            option("--phase", text=msg("Delivery phase; default pre-install."), type=click.Choice(PHASES)),
        )
    ):
        function = decorate(function)
    return function


def verdict_options(function: F) -> F:
    """What counts in the exit code."""
    for decorate in reversed(
        (
            option("--strict", is_flag=True, text=msg("End with 4 where a should is unmet.")),
            option(
                "--with-confirmations", is_flag=True, text=msg("Let outstanding confirmations count in the exit code.")
            ),
        )
    ):
        function = decorate(function)
    return function


def today() -> date:
    """The day that has begun somewhere on earth: no confirmation can bear a later date, in whatever time zone."""
    from datetime import UTC, datetime, timedelta

    return (datetime.now(UTC) + timedelta(hours=14)).date()  # the easternmost zone is UTC+14 (tz database: Etc/GMT-14)


def case(
    profile_ref: str | None,
    site_file: str | None,
    size: str | None,
    model: str | None,
    phase: str | None,
    *,
    strict: bool = False,
    with_confirmations: bool = False,
    thorough: bool = False,
) -> Case:
    """The case that the options name.  Raises Refusal (2) where a file is wrong."""
    from pathlib import Path

    from vorflug.documents import library
    from vorflug.documents import site as site_documents

    path = Path(site_file) if site_file else None
    if path is not None and profile_ref is None:
        profile_ref = refusing(lambda: site_documents.pinned(path))
    profile = refusing(lambda: library.load(profile_ref))
    site = refusing(lambda: site_documents.load(path, profile, today())) if path else site_documents.Site.empty()
    return make_case(
        profile, site, size, model, phase, strict=strict, with_confirmations=with_confirmations, thorough=thorough
    )


def make_case(
    profile: Profile,
    site: Site,
    size: str | None,
    model: str | None,
    phase: str | None,
    *,
    strict: bool = False,
    with_confirmations: bool = False,
    thorough: bool = False,
) -> Case:
    """The case: an option wins over the site file, the site file over the defaults."""
    from vorflug.model.requirement import HostSize, OperatingModel, Phase
    from vorflug.pipeline import Case

    return Case(
        profile=profile,
        site=site,
        size=HostSize(size or site.size or "S"),
        model=OperatingModel(model or site.model or "compose"),
        phase=Phase(phase or site.phase or "pre-install"),
        strict=strict,
        with_confirmations=with_confirmations,
        thorough=thorough,
    )


R = TypeVar("R")


def refusing(read: Callable[[], R]) -> R:
    """Call *read*; a document that it refuses ends the command with its sentences and exit code 2."""
    from vorflug.documents.problems import DocumentError

    try:
        return read()
    except DocumentError as refused:
        raise Refusal(refused.message) from refused


def judging(judge: Callable[[], R]) -> R:
    """Call *judge*; where no requirement applies at all, the command ends with 2: nothing checked is never ready."""
    from vorflug.engine.verdict import NothingJudged

    try:
        return refusing(judge)
    except NothingJudged as nothing:
        raise Refusal(
            msg("No requirement of the profile applies to this operating model and phase; choose others.")
        ) from nothing
