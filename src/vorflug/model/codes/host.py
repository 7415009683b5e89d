"""What is wrong with this machine itself."""

from __future__ import annotations

from vorflug.model.codes.page import Page
from vorflug.model.message import msg
from vorflug.ports.net_codes import Code

PAGES: dict[Code, Page] = {
    Code.HOST_CLOCK_WRONG: Page(
        seen=msg(
            "Several servers that do not depend on one another name another time (Date header) than the clock "
            "of this host."
        ),
        proves=msg(
            "The clock of this host is off by about the difference named. Certificates, tokens and logs are "
            "judged by it wrongly."
        ),
        not_proves=msg(
            "It does not say why: no NTP source reached, a hypervisor that sets the clock, a dead battery or "
            "a time zone written into the hardware clock look the same. It says nothing against the "
            "certificates."
        ),
        who=msg(
            "Whoever administers this host; if no NTP source answers, whoever runs the network to them (UDP port 123)."
        ),
        ask=msg(
            "Please set the clock of the host named below, and name the NTP servers for its network, with UDP "
            "port 123 open to them."
        ),
        look=(
            "date -u",
            "curl -sI https://NAME/ | grep -i '^date:'",
        ),
    ),
}
