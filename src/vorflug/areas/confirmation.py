"""Confirmations: what no program can see, answered by a person in the site file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vorflug.model.cause import Cause
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, Text, msg
from vorflug.model.query import Query
from vorflug.model.requirement import LocalText, Organisational, Verdict, met, unknown, unmet

TITLE = msg("Confirmations")


class ConfirmationRequirement(Organisational):
    """A person has confirmed it, with name and date."""

    kind = "confirmation"
    asks: LocalText | None = None
    """What is to be recorded, more precisely than the title says: "channel, and one owner on each side"."""

    def wanted(self) -> Message:
        words = self.asks or self.title
        return msg("confirmed: {what}", what=Text(words.en, words.de))

    def queries(self, known: Evidence) -> Sequence[Query[Any]]:  # noqa: ARG002 - nothing that a machine could answer
        return []

    def judge(self, evidence: Evidence) -> Verdict:  # noqa: ARG002 - the answer stands in the site file
        if self.answer is None:
            says = msg("Nobody has confirmed this yet.")
            fix = msg(
                "Add under confirmations in the site file: {id}: {{confirmed: true, by: NAME, on: YYYY-MM-DD}}",
                id=self.id,
            )
            # one cause for all of them: they are answered together, in one file
            return unknown(
                wanted=self.wanted(),
                because=says,
                fix=fix,
                cause=Cause(
                    "confirmation.outstanding",
                    "",
                    msg("Confirmations are outstanding."),
                    msg("Answer the outstanding confirmations in the site file, under confirmations."),
                ),
            )
        by, on = self.answer.by, self.answer.on.isoformat()
        seen = (
            msg("{by}, {on:date}: {evidence}", by=by, on=on, evidence=self.answer.evidence)
            if self.answer.evidence
            else msg("{by}, {on:date}", by=by, on=on)
        )
        if self.answer.confirmed:
            return met(wanted=self.wanted(), seen=seen, because=msg("Confirmed by {by} on {on:date}.", by=by, on=on))
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{what}: not so, {by} stated on {on:date}.", what=Text(self.title.en, self.title.de), by=by, on=on
            ),
            fix=msg("Settle the point with {by}, then record the new answer in the site file.", by=by),
        )
