"""For how long the product's certificate was issued: longer than clients take it, and what comes next.

Public authorities: CA/Browser Forum, Baseline Requirements for TLS, 6.3.2, with ballot SC-081v3 (2025): 398 days, for
certificates issued from 2026-03-15 on 200, from 2027-03-15 on 100, from 2029-03-15 on 47.  Browsers enforce 398 days
themselves; the shorter limits bind the authorities.  Corporate authorities: Apple's devices take 825 days
(support.apple.com/103769); Windows, Java and Firefox have no limit.  A period counts both its first and its last second
(RFC 5280, 4.1.2.5).  The numbers stand in the profile.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from vorflug.model.base import Frozen
from vorflug.model.certificate_chain import broken
from vorflug.model.certificate_files import ChainFileRequirement
from vorflug.model.certificates import seconds_between
from vorflug.model.message import Message, msg, sentences
from vorflug.model.quantity import Duration
from vorflug.model.requirement import Gauge, Verdict, met, not_applicable, unknown, unmet
from vorflug.ports.certificates import CertificateFile

TITLE = msg("TLS certificate validity period")


class PeriodLimit(Frozen):
    """For how long a public certificate may be issued, from a day on."""

    issued_from: date
    at_most: Duration


class ValidityPeriodRequirement(ChainFileRequirement):
    """The certificate was not issued for longer than clients take."""

    kind = "tls_validity_period"
    public: Annotated[tuple[PeriodLimit, ...], Field(min_length=1)]
    """The limits of public authorities, each until the next one begins."""
    private_at_most: Duration
    """The limit for certificates of corporate authorities."""

    def wanted(self) -> Message:
        return msg("a certificate that was not issued for longer than clients take")

    def judge_file(self, file: CertificateFile) -> Verdict:
        leaf = file.chain[0].seen
        lasts = seconds_between(leaf.not_before, leaf.not_after) + 1
        if file.public:
            return self._public(file, lasts)
        if lasts > self.private_at_most:
            return unmet(
                wanted=self.wanted(),
                seen=_seen(file, lasts),
                because=msg(
                    "It was issued for {lasts:duration}; Apple's devices take {limit:duration} at most, also from "
                    "corporate authorities. Windows, Java and Firefox take it.",
                    lasts=lasts,
                    limit=self.private_at_most,
                ),
                fix=msg(
                    "If Macs, iPhones or iPads are to reach the product: ask the PKI team for a certificate that is "
                    "valid for {limit:duration} at most.",
                    limit=self.private_at_most,
                ),
                gauge=Gauge(lasts, self.private_at_most, "s"),
            )
        if (cause := broken(file, self.certificate)) is not None:
            return unknown(wanted=self.wanted(), seen=_seen(file, lasts), because=cause.says, cause=cause)
        return met(
            wanted=self.wanted(),
            seen=_seen(file, lasts),
            because=msg(
                "It comes from a corporate authority and was issued for {lasts:duration}; "
                "Apple's devices take {limit:duration}, Windows, Java and Firefox have no limit.",
                lasts=lasts,
                limit=self.private_at_most,
            ),
            gauge=Gauge(lasts, self.private_at_most, "s"),
        )

    def _public(self, file: CertificateFile, lasts: float) -> Verdict:
        issued = date.fromisoformat(file.chain[0].seen.not_before[:10])
        rows = sorted(self.public, key=lambda row: row.issued_from)
        began = [row for row in rows if row.issued_from <= issued]
        seen = _seen(file, lasts)
        if not began:
            return not_applicable(
                wanted=self.wanted(),
                seen=seen,
                because=msg("It was issued before the first of these limits ({day:date}).", day=_day(rows[0])),
            )
        limit = began[-1].at_most
        gauge = Gauge(lasts, limit, "s")
        if lasts > limit:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "It was issued for {lasts:duration}; public certificates issued from {day:date} on may last "
                    "{limit:duration} at most (CA/Browser Forum), and browsers may refuse it.",
                    lasts=lasts,
                    day=_day(began[-1]),
                    limit=limit,
                ),
                fix=msg(
                    "Ask the PKI team for a certificate that is valid for {limit:duration} at most, and plan its "
                    "renewal by program (ACME).",
                    limit=limit,
                ),
                gauge=gauge,
            )
        says = msg("It was issued for {lasts:duration}; {limit:duration} are allowed.", lasts=lasts, limit=limit)
        now = date.fromisoformat(file.now[:10])
        coming = [row for row in rows if row.issued_from > max(issued, now)]
        if coming:
            then = msg(
                "Public certificates issued from {day:date} on may last only {limit:duration}: plan their renewal by "
                "program (ACME).",
                day=_day(coming[0]),
                limit=coming[0].at_most,
            )
            says = sentences((says, then))
        return met(wanted=self.wanted(), seen=seen, because=says, gauge=gauge)


def _day(row: PeriodLimit) -> str:
    return row.issued_from.isoformat()


def _seen(file: CertificateFile, lasts: float) -> Message:
    leaf = file.chain[0].seen
    return msg(
        "{since:date} to {until:date} ({lasts:duration}), issued by {issuer}",
        since=leaf.not_before,
        until=leaf.not_after,
        lasts=lasts,
        issuer=leaf.issuer,
    )
