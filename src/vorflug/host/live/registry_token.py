"""From a registry's challenge to what it wants: a token of its token service, or the login itself (Basic).

Sources: the distribution project's token authentication specification; RFC 6749, 6 for identity tokens; RFC 6750.
A login is tried by one question at a time, sent twice at most until an answer proves it good, and never again once
refused, so that no account gets locked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from vorflug.host.live import Patience
from vorflug.host.live.registry_login import Login
from vorflug.host.live.registry_wire import Answer, Ended, Wire, place
from vorflug.host.secrets import remember
from vorflug.model.challenge import Challenge
from vorflug.model.registry_manifest import read_object
from vorflug.netprobe.channel import Silent
from vorflug.netprobe.limits import Deadline
from vorflug.netprobe.login import Came, Logins
from vorflug.ports.registry import CredentialState, PullEnd, RegistryAsk

_TOKEN_AT_MOST = 1 << 17
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, 2.1."""
_OK, UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404

MaySend = Callable[[], bool]
"""Asked before each request that holds the login (`vorflug.netprobe.login.Logins.attempt`)."""


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

    def basic(self, offered: Sequence[Challenge]) -> bool:
        """Whether the registry wants the login itself.  Raises Ended where it says nothing that is known here."""
        if any(map(_usable, offered)):
            return False
        if not any(c.scheme == "basic" for c in offered):
            raise Ended(PullEnd.NO_CHALLENGE, UNAUTHORIZED, self._ask.registry)
        return True

    def with_login(
        self, at: str, put: Callable[[str, MaySend], Answer], check: Callable[[str, MaySend], Came]
    ) -> Grant:
        """Send the login itself to the registry by *put*.  Raises Ended where it is refused there.

        Where 401 or 403 comes back, *check* asks for what every login may see: is it the right that is missing?
        """
        login = self._login.basic
        if not login:
            raise Ended(PullEnd.NO_CREDENTIAL, UNAUTHORIZED, self._ask.registry)
        self._try(
            at,
            lambda may_send: put(login, may_send),
            lambda answer: answer.status in {_OK, _NOT_FOUND},
            lambda may_send: check(login, may_send),
        )
        return Grant(login, anonymous=False)

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
                lambda may_send: self._fetch(realm, service | scope, may_send),
                _holds_token,
                lambda may_send: _came_of(self._fetch(realm, service, may_send)),
            )
        if answer.status in {UNAUTHORIZED, _FORBIDDEN}:
            raise Ended(PullEnd.DENIED if usable else PullEnd.NO_CREDENTIAL, answer.status, at)
        if answer.status // 100 != 2:  # noqa: PLR2004 - RFC 9110, 15.3
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

    def _fetch(self, realm: str, asks: dict[str, str], may_send: MaySend | None = None) -> Answer:
        """*may_send*: with the login."""
        import httpx

        if may_send is not None and self._login.identity_token:
            form = asks | {
                "grant_type": "refresh_token",
                "client_id": "vorflug",
                "refresh_token": self._login.identity_token,
            }
            return self._wire.send("POST", realm, limit=_TOKEN_AT_MOST, follow=False, data=form, may_send=may_send)
        url = str(httpx.URL(realm).copy_merge_params(asks))
        authorization = self._login.basic if may_send is not None else ""
        return self._wire.send(
            "GET", url, limit=_TOKEN_AT_MOST, follow=False, authorization=authorization, may_send=may_send
        )

    def _try(
        self,
        at: str,
        put: Callable[[MaySend], Answer],
        proves: Callable[[Answer], bool],
        check: Callable[[MaySend], Came],
    ) -> Answer:
        """Use the login at *at*.  Raises Ended where it is or was refused there, or must not be sent once more.

        *proves*: whether the answer to *put* shows that the login is good.
        """
        answers: list[Answer] = []

        def attempt(may_send: MaySend) -> Came:
            answers.append(put(may_send))
            if proves(answers[0]):
                return Came.ACCEPTED
            if answers[0].status not in {UNAUTHORIZED, _FORBIDDEN} or self._logins.is_good(login):
                return Came.OPEN
            # some token services answer 401 where only the right to this image is missing
            return check(may_send)

        login = (at, self._login.mark)
        try:
            came = self._logins.attempt(login, Deadline(self._patience.left()), attempt)
        except Silent:
            raise TimeoutError("another question still tries the login") from None
        match came:
            case Came.REJECTED:
                raise Ended(PullEnd.REFUSED, UNAUTHORIZED, at)
            case Came.REJECTED_BEFORE:
                raise Ended(PullEnd.NOT_TRIED, at=at)
            case Came.SPENT:
                raise Ended(PullEnd.UNPROVED, at=at)
            case Came.OPEN if answers[0].status == UNAUTHORIZED and not self._logins.is_good(login):
                raise Ended(PullEnd.UNPROVED, UNAUTHORIZED, at)
            case Came.OPEN | Came.ACCEPTED:
                return answers[0]
            case _:
                assert_never(came)


def _holds_token(answer: Answer) -> bool:
    return answer.status // 100 == 2 and _token_in(answer.body) is not None  # noqa: PLR2004 - RFC 9110, 15.3


def _came_of(answer: Answer) -> Came:
    """What the token service's answer to a request for no image in particular says of the login."""
    if answer.status == UNAUTHORIZED:
        return Came.REJECTED
    return Came.ACCEPTED if _holds_token(answer) else Came.OPEN


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
    token = _token_in(body)
    if token is None:
        raise Ended(PullEnd.NO_TOKEN, _OK, at)
    remember(token)
    return token


def _token_in(body: bytes) -> str | None:
    try:
        answer = read_object(body)
    except ValueError:
        return None
    # the specification has "token", OAuth 2 "access_token"; a server may send either
    token = answer.get("token") or answer.get("access_token")
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None
