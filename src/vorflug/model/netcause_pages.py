"""The page of a code as it reads in one case: where the trace shows more, the page must not say the contrary."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from vorflug.model.codes import PAGES, Page
from vorflug.model.message import msg
from vorflug.model.netcause_cases import Case
from vorflug.ports.net import Code

_OPERATOR = msg("Whoever runs the service, or the load balancer or gateway before it.")


def page_of(code: Code, case: Case | None) -> Page:
    """The page of *code* in *case*."""
    page = PAGES[code]
    match case:
        case Case.PAST_THE_PROXY:
            return replace(
                page,
                proves=msg(
                    "An exemption from the proxy (NO_PROXY) leads onto a way that is closed; the same request by the "
                    "proxy passes. The fault is in the setting on this host."
                ),
                not_proves=msg(
                    "It does not prove that the exemption is a mistake: the direct way may be meant to be open. "
                    "Programs read the list differently, so some may go by the proxy all the same."
                ),
                who=msg("Whoever wrote the exemption on this host."),
                ask=msg(
                    "Nobody else needs to be asked: change the variable named below on this host. Only where the "
                    "direct way is meant, ask the network team for it."
                ),
            )
        case Case.PROGRAMS_DIFFER:
            return replace(
                page,
                proves=msg(
                    "Programs on this host read the same variables differently (curl, Go, Python) and go different "
                    "ways, so some may work and others not."
                ),
                not_proves=msg("It does not show which of the ways was meant."),
                ask=msg(
                    "Nobody else needs to be asked: change the variables named below on this host so that all "
                    "programs read them alike. Which way is meant, whoever runs the proxy knows."
                ),
            )
        case Case.NO_STORE:
            return replace(
                page,
                seen=msg(
                    "The chain ends at an issuer that is not known here, and the variable that names this host's "
                    "trust store (SSL_CERT_FILE, SSL_CERT_DIR) points to no readable certificates."
                ),
                proves=msg(
                    "The server was reached and showed certificates. Every program that heeds the variable trusts "
                    "nobody here, whatever a server shows."
                ),
                not_proves=msg(
                    "It does not show whether anything is wrong with the certificates of the server: with a store "
                    "that can be read they may be trusted."
                ),
                who=msg("Whoever set the variable on this host."),
                ask=msg(
                    "Nobody else needs to be asked: mend the variable named below on this host, or take it away, and "
                    "ask again."
                ),
            )
        case Case.LOGIN_NOT_SENT:
            return replace(
                page,
                seen=msg("The proxy wants a login (407); the one that is set was not sent for this target."),
                proves=msg(
                    "The proxy answers and wants a login. Two requests with the one that is set proved nothing."
                ),
                not_proves=msg("It does not prove that the login is wrong: nobody has rejected it here."),
            )
        case Case.PROXY_OR_TARGET:
            return replace(
                page,
                proves=msg("The proxy was reached, and an answer came by it."),
                not_proves=msg(
                    "It does not show who answers so: a request for http:// is read by the proxy, which may answer it "
                    "itself. Whether the target was reached is open."
                ),
                who=msg(
                    "First whoever runs the proxy; if its log shows that the answer is the target's, its operator."
                ),
                ask=msg(
                    "Please look for the request named below in the log of the proxy: did the proxy answer itself "
                    "(by which rule), or did the answer come from the target?"
                ),
            )
        case Case.NOT_LOGGED_IN:
            return replace(
                page,
                not_proves=msg(
                    "It does not prove that anything is wrong: nothing was asked with credentials, and many services "
                    "answer so then. A gateway before the service may answer so, too."
                ),
                ask=msg(
                    "Please say whether the status named below is right for a request without credentials; if it is "
                    "not, which right is missing for this host?"
                ),
            )
        case Case.NOT_THERE:
            return replace(
                page,
                not_proves=msg(
                    "It does not prove that the service is missing: the path may be wrong, or the server may serve "
                    "another name at this address."
                ),
                who=msg("Whoever wrote the URL; else whoever runs the service."),
                ask=msg(
                    "Please name the path under which the service named below answers; the one named is not there."
                ),
            )
        case Case.BUSY | Case.BUSY_UNTIL:
            return replace(
                page,
                not_proves=msg(
                    "It does not prove a lasting fault: a rate limit or a full service passes by itself. A load "
                    "balancer without a healthy server answers 503, too."
                ),
                who=_OPERATOR,
                ask=msg(
                    "Please check load, rate limits and healthy servers of the service named below at the time named "
                    "there; is there a limit for this host's address?"
                ),
            )
        case Case.SERVER_FAULT:
            return replace(
                page,
                not_proves=msg(
                    "It does not prove that it was the service itself: a load balancer or gateway before it says 502 "
                    "and 504 when the service does not answer."
                ),
                who=_OPERATOR,
                ask=msg(
                    "Please look in the log of the service named below which fault it had at the time named there."
                ),
            )
        case Case.NO_EVENT_STREAM:
            return replace(
                page,
                not_proves=msg(
                    "It does not prove that the service sends no events: another path may, or only a request with a "
                    "login or of another method (POST)."
                ),
            )
        case Case.NO_IPV4 | Case.CLOCKS | Case.TITLED | Case.IN_BURSTS | None:
            return page
        case _:
            assert_never(case)
