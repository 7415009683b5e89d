"""Uplink: how large a packet does the interface of the default route take?

Docker gives its networks the MTU 1500 and does not look at the uplink (dockerd(8), ``--mtu``): where the uplink takes
less, as over a VPN or on some clouds, large answers get lost while small ones pass.
Sources: ip-link(8) and ip-route(8) for ``mtu``; RFC 1191 and RFC 8201 for what has to happen to larger packets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.model.routes import RoutesQuery, through, uplink

TITLE = msg("Uplink")


class UplinkMtuRequirement(Requirement):
    """The interface of the default route takes packets of at least this size."""

    kind = "uplink_mtu"
    at_least: Annotated[int, Field(ge=68, le=65536)]
    """Bytes of an IP packet."""

    def wanted(self) -> Message:
        return msg("MTU of the uplink at least {mtu}", mtu=self.at_least)

    def queries(self, known: Evidence) -> Sequence[RoutesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [RoutesQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        routes = evidence[RoutesQuery()]
        out = uplink(routes)
        if out is None:
            return unknown(
                wanted=self.wanted(),
                because=msg("There is no default route, so it is not known which interface is the uplink."),
                fix=msg("Set a default route, or settle the MTU with the network team."),
            )
        where = through(routes, (out.interface,))
        seen = msg("{mtu} on {interface}", mtu=out.mtu, interface=where)
        if out.mtu >= self.at_least:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{interface} takes packets of {mtu} bytes. Whether the whole way does is not visible from here.",
                    interface=where,
                    mtu=out.mtu,
                ),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg(
                "{interface} takes packets of {mtu} bytes, container networks send {need} while nobody sets less: "
                "large packets may be lost.",
                interface=where,
                mtu=out.mtu,
                need=self.at_least,
            ),
            fix=msg(
                'Set "mtu": {mtu} in daemon.json and com.docker.network.driver.mtu: {mtu} for the networks in the '
                "compose file.",
                mtu=out.mtu,
            ),
        )
