"""From a registry's challenge to what it wants: a token of its token service, or the login itself (Basic).

Sources: the distribution project's token authentication specification; RFC 6749, 6 for identity tokens; RFC 6750.
A login is tried by one question at a time, at most twice while nothing is known of it, and never again once refused,
so that no account gets locked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from vorflug.host.live import Patience
from vorflug.host.live.registry_login import Login
from vorflug.host.live.registry_wire import Answer, Ended, Wire, place
from vorflug.host.secrets import remember
from vorflug.model.challenge import Challenge
from vorflug.model.registry_manifest import read_object
from vorflug.netprobe.channel import Silent
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.login import Logins
from vorflug.ports.registry import CredentialState, PullEnd, RegistryAsk

_TOKEN_AT_MOST = 1 << 17
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, 2.1."""
_OK, UNAUTHORIZED, _FORBIDDEN = 200, 401, 403


@dataclass(frozen=True)
class Grant:
    """What may be sent to the registry for one repository."""

    authorization: str = field(default="", repr=False)
    anonymous: bool = True
    """Whether it was given without any credential."""


class Tokens:
    """One registry, one login."""

    def __init__(self, wire: Wire, ask: RegistryAsk, known: Login, logins: Logins, patience: Patience) -> None:
        self._wire = wire
        self._ask = ask
        self._login = known
        self._logins = logins
        self._patience = patience
        self._good: set[str] = set()

    def basic(self, offered: Sequence[Challenge]) -> bool:
        """Whether the registry wants the login itself.  Raises Ended where it says nothing that is known here."""
        if any(map(_usable, offered)):
            return False
        if not any(c.scheme == "basic" for c in offered):
            raise Ended(PullEnd.NO_CHALLENGE, UNAUTHORIZED, self._ask.registry)
        return True

    def with_login(self, at: str, put: Callable[[str], Answer], check: Callable[[str], Answer]) -> Grant:
        """Send the login itself to the registry by *put*.  Raises Ended where it is refused there.

        Where 401 comes back, *check* asks once more for what every login may see: then it is the right that is missing.
        """
        if not self._login.basic:
            raise Ended(PullEnd.NO_CREDENTIAL, UNAUTHORIZED, self._ask.registry)
        self._try(at, lambda: put(self._login.basic), lambda: check(self._login.basic))
        return Grant(self._login.basic, anonymous=False)

    def bearer(self, offered: Sequence[Challenge], repository: str) -> Grant:
        """A token for pulling *repository*.  Raises Ended where there is none."""
        challenge = next(filter(_usable, offered))
        realm, at = self._realm(challenge)
        usable = self._login.seen.state is CredentialState.USABLE
        service = {"service": challenge.parameters["service"]} if "service" in challenge.parameters else {}
        scope = {"scope": _scope(challenge, repository)}
        if not usable:
            answer = self._fetch(realm, service | scope)
        else:
            answer = self._try(
                at,
                lambda: self._fetch(realm, service | scope, login=True),
                lambda: self._fetch(realm, service, login=True),
            )
        if answer.status in {UNAUTHORIZED, _FORBIDDEN}:
            raise Ended(PullEnd.DENIED if usable else PullEnd.NO_CREDENTIAL, answer.status, at)
        if answer.status != _OK:
            raise Ended(PullEnd.STATUS, answer.status, at)
        return Grant(f"Bearer {_token(answer.body, at)}", anonymous=not usable)

    def _realm(self, challenge: Challenge) -> tuple[str, str]:
        """The token service that may be asked.  Raises Ended where it may not."""
        import httpx

        try:
            realm = httpx.URL(challenge.parameters["realm"])
        except (httpx.InvalidURL, ValueError):
            raise Ended(PullEnd.NO_CHALLENGE, UNAUTHORIZED, self._ask.registry) from None
        at = place(realm)
        if realm.scheme != "https":
            raise Ended(PullEnd.REALM_INSECURE, at=at)
        # an address with userinfo is nobody's token service, so it is not looked up either
        if realm.userinfo or at not in {self._ask.registry, *self._ask.token_hosts}:
            raise Ended(PullEnd.REALM_FOREIGN, at=at)
        return str(realm), at

    def _fetch(self, realm: str, asks: dict[str, str], *, login: bool = False) -> Answer:
        import httpx

        if login and self._login.identity_token:
            form = asks | {
                "grant_type": "refresh_token",
                "client_id": "vorflug",
                "refresh_token": self._login.identity_token,
            }
            return self._wire.send("POST", realm, limit=_TOKEN_AT_MOST, follow=False, data=form)
        url = str(httpx.URL(realm).copy_merge_params(asks))
        authorization = self._login.basic if login else ""
        return self._wire.send("GET", url, limit=_TOKEN_AT_MOST, follow=False, authorization=authorization)

    def _try(self, at: str, put: Callable[[], Answer], check: Callable[[], Answer]) -> Answer:
        """Use the login at *at*.  Raises Ended where it is or was refused there."""
        answers: list[Answer] = []

        def attempt() -> bool:
            answers.append(put())
            if answers[0].status != UNAUTHORIZED or at in self._good:
                return True
            # some token services answer 401 where only the right to this image is missing
            return check().status != UNAUTHORIZED

        try:
            accepted = self._logins.attempt((at, self._login.mark), Deadline(self._patience.left()), attempt)
        except Silent:
            raise TimeoutError("another question still tries the login") from None
        if not accepted:
            self._refused(at, answers)
        self._good.add(at)
        return answers[0]

    def _refused(self, at: str, answers: list[Answer]) -> NoReturn:
        if not answers:
            raise Ended(PullEnd.NOT_TRIED, at=at)
        raise Ended(PullEnd.REFUSED, answers[0].status, at)


def _usable(challenge: Challenge) -> bool:
    return challenge.scheme == "bearer" and bool(challenge.parameters.get("realm"))


def _scope(challenge: Challenge, repository: str) -> str:
    """The scope that the registry itself names for this pull; a mirror may know the repository by another path.

    Never one that is for more than pulling, nor one for another image.
    """
    named = challenge.parameters.get("scope", "")
    ours = re.fullmatch(rf"repository:(?:[a-z0-9._/-]+/)?{re.escape(repository)}:pull", named)
    return named if ours is not None else f"repository:{repository}:pull"


def _token(body: bytes, at: str) -> str:
    try:
        answer = read_object(body)
    except ValueError:
        answer = {}
    # the specification has "token", OAuth 2 "access_token"; a server may send either
    token = answer.get("token") or answer.get("access_token")
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise Ended(PullEnd.NO_TOKEN, _OK, at)
    remember(token)
    return token
