"""What the raw evidence of a stage holds that a sentence may name: numbers, times and addresses, never its own words.

The evidence itself is English and stands on a line of its own; in a sentence of another language it reads wrongly.
"""

from __future__ import annotations

import re

from vorflug.model.message import Message, listed, msg
from vorflug.ports.net import HttpSeen, StageSeen, Trace
from vorflug.ports.net_codes import NO_CERTIFICATES

_FAULT = re.compile(r"(\d{1,5})@(\d{1,3})")
_FAULTS = re.compile(rf"{_FAULT.pattern}(?: {_FAULT.pattern})*")
"""X509_V_ERR_* and the depth in the chain, as the probe notes them."""
_USELESS = re.compile(rf"; (\w+) {NO_CERTIFICATES}")
_TARGET = re.compile(r"HTTP 3\d\d.* to (\S+)")
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_REDIRECTS = (301, 302, 303, 307, 308)
"""RFC 9110, 15.4."""


def readable(detail: str) -> Message | str:
    """*detail*; numbers of OpenSSL (X509_V_ERR_*, x509_vfy.h) with their places in the chain written out."""
    noted = _USELESS.sub("", detail)
    if _FAULTS.fullmatch(noted) is None:
        return detail
    each = [msg("{error} (depth {depth})", error=error, depth=depth) for error, depth in _FAULT.findall(noted)]
    faults = listed(each)
    if variables := useless_variables(detail):
        return msg("OpenSSL {faults}; no certificates where {names:list} points", faults=faults, names=variables)
    return msg("OpenSSL {faults}", faults=faults)


def useless_variables(detail: str) -> tuple[str, ...]:
    """The variables that should name the host's store and name nothing readable."""
    return tuple(_USELESS.findall(detail))


def redirect_target(detail: str) -> str:
    """Where a redirect leads; empty where *detail* is about none."""
    found = _TARGET.fullmatch(detail)
    return "" if found is None else found[1]


def led_elsewhere(trace: Trace) -> str:
    """Where an answer that was right leads, without having been followed; empty where it is no such answer."""
    if trace.http is None or trace.http.status not in _REDIRECTS:
        return ""
    return next((redirect_target(s.detail) for s in reversed(trace.stages) if s.code is None and s.detail), "")


def times(stage: StageSeen | None) -> tuple[str, ...]:
    """The instants (RFC 3339) that *stage* names, in their order."""
    return () if stage is None else tuple(_TIMES.findall(stage.detail))


def header(http: HttpSeen | None, name: str) -> str:
    """The first value of the header *name* (lower case); empty where it was not kept or not sent."""
    return "" if http is None else next((value for key, value in http.headers if key == name), "")
