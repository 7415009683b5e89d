"""What stands behind several findings at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from vorflug.model.message import Message, msg


class Team(StrEnum):
    """Who must act.  A closed list: to-do lists are written per team."""

    OS = "os-virtualisation"
    NETWORK = "network-firewall"
    PROXY = "proxy"
    DNS = "dns"
    PKI = "pki"
    IAM = "iam"
    PLATFORM = "container-platform"
    DBA = "dba"
    STORAGE = "storage-backup"
    MONITORING = "monitoring"
    PROJECT = "project-management"


TEAM_NAMES: dict[Team, Message] = {
    Team.OS: msg("OS / virtualisation"),
    Team.NETWORK: msg("Network / firewall"),
    Team.PROXY: msg("Proxy"),
    Team.DNS: msg("DNS"),
    Team.PKI: msg("PKI / certificates"),
    Team.IAM: msg("IAM / identity"),
    Team.PLATFORM: msg("Container platform"),
    Team.DBA: msg("Database administration"),
    Team.STORAGE: msg("Storage / backup"),
    Team.MONITORING: msg("Monitoring"),
    Team.PROJECT: msg("Project management"),
}


@dataclass(frozen=True)
class Cause:
    """A typed key computed from what was seen.  Findings with equal causes have one root.

    Two causes are equal when *kind* and *subject* are: the words beside them may differ.
    """

    kind: str
    """Dotted, from a closed vocabulary: ``tcp.refused``, ``proxy.auth_required``, ``parameter.missing``."""
    subject: str
    """What it is about: ``proxy.corp:3128``, ``llm.endpoint``.  Never a secret."""
    says: Message = field(compare=False)
    """One sentence: what was seen."""
    fix: Message | None = field(default=None, compare=False)
    """What mends it, if that is known."""
    team: Team | None = field(default=None, compare=False)
    """Who mends it; None leaves it with the requirement's own team."""
    part_of: str | None = field(default=None, compare=False)
    """The kind of a cause that this one is, too, where that is met on the same subject."""
