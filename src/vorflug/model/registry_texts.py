"""What stands in the way of a pull: a sentence, what mends it, and the cause that others share."""

from __future__ import annotations

from typing import assert_never

from vorflug.model.cause import Cause, Team
from vorflug.model.message import Message, msg
from vorflug.model.registry import DOCKER_HUB
from vorflug.ports.registry import CredentialSeen, CredentialState, PullEnd, PullSeen


def _login_command(registry: str) -> str:
    """Docker Hub's login is kept under a name of its own, which ``docker login`` without a host writes."""
    return "docker login" if registry in DOCKER_HUB else f"docker login {registry}"


def login_fix(registry: str) -> Message:
    """How to come by a login."""
    return msg("Ask the vendor for a read-only login, then as this user: {command}", command=_login_command(registry))


def credential_fix(seen: CredentialSeen, registry: str) -> Message:
    """What mends this state of docker's configuration."""
    command = _login_command(registry)
    match seen.state:
        case CredentialState.USABLE | CredentialState.MISSING | CredentialState.UNREADABLE:
            return login_fix(registry)
        case CredentialState.NO_HELPER:
            return msg(
                "Install {helper}, or take it out of {file} (credsStore, credHelpers) and log in again: {command}",
                helper=seen.helper,
                file=seen.file,
                command=command,
            )
        case CredentialState.HELPER_FAILED:
            return msg(
                "Find out why {helper} fails (as this user: {helper} list), then log in again: {command}",
                helper=seen.helper,
                command=command,
            )
        case CredentialState.BAD_FILE:
            return msg(
                "Repair the JSON in {file}, or move the file away and log in again: {command}",
                file=seen.file,
                command=command,
            )
        case _:
            assert_never(seen.state)


def credential_cause(seen: CredentialSeen, registry: str) -> Cause:
    """The cause of all that fails for want of a login."""
    says, fix = credential_says(seen, registry), credential_fix(seen, registry)
    return Cause("registry.no_login", registry, says, fix, Team.PLATFORM)


def credential_says(seen: CredentialSeen, registry: str) -> Message:
    """What docker's configuration keeps for *registry*, in words."""
    match seen.state:
        case CredentialState.USABLE:
            return msg("There is a login for {registry}.", registry=registry)
        case CredentialState.MISSING:
            return msg("There is no login for {registry} ({file}).", registry=registry, file=seen.file)
        case CredentialState.UNREADABLE:
            return msg("The login for {registry} in {file} cannot be decoded.", registry=registry, file=seen.file)
        case CredentialState.NO_HELPER:
            return msg(
                "{file} leaves the login to {helper}, which is not installed.", file=seen.file, helper=seen.helper
            )
        case CredentialState.HELPER_FAILED:
            return msg("{helper} could not give the login for {registry}.", helper=seen.helper, registry=registry)
        case CredentialState.BAD_FILE if seen.line is not None:
            return msg("{file} is not the JSON that docker writes (line {line}).", file=seen.file, line=seen.line)
        case CredentialState.BAD_FILE:
            return msg("{file} is not the JSON that docker writes.", file=seen.file)
        case _:
            assert_never(seen.state)


def credential_seen(seen: CredentialSeen) -> Message:
    """What was found in docker's configuration, as raw as it was seen."""
    match seen.state:
        case CredentialState.USABLE if seen.helper:
            return msg("{file} ({source})", file=seen.file, source=seen.helper)
        case CredentialState.USABLE:
            return msg("{file} ({source})", file=seen.file, source=seen.source.value)
        case CredentialState.MISSING:
            return msg("no entry in {file}", file=seen.file)
        case CredentialState.UNREADABLE:
            return msg("{file}: an entry that is no base64 of name and password", file=seen.file)
        case CredentialState.NO_HELPER:
            return msg("{file} names {helper}, and there is no such program", file=seen.file, helper=seen.helper)
        case CredentialState.HELPER_FAILED:
            return msg("{helper} ended with an error or printed no login", helper=seen.helper)
        case CredentialState.BAD_FILE if seen.line is not None:
            return msg("{file}, line {line}: no JSON", file=seen.file, line=seen.line)
        case CredentialState.BAD_FILE:
            return msg("{file}: no JSON object", file=seen.file)
        case _:
            assert_never(seen.state)


def pull_says(bad: PullSeen, credential: CredentialSeen, registry: str) -> tuple[Message, Message, Cause | None]:
    """What kept an image from being seen, what to do, and who else would meet it."""
    image, at, status = bad.image, bad.at or registry, bad.status if bad.status is not None else 0
    grant = msg("Ask the vendor to give this login the right to pull {image}.", image=image)
    service = msg("Check the registry's own configuration of its token service.")
    match bad.end:
        case PullEnd.NO_CREDENTIAL:
            return (
                msg("{registry} shows {image} to nobody without a login.", registry=registry, image=image),
                credential_fix(credential, registry),
                None if credential.state is CredentialState.USABLE else credential_cause(credential, registry),
            )
        case PullEnd.REFUSED:
            says = msg("{at} refuses the login (HTTP {status}); it was not tried again.", at=at, status=status)
            return (
                says,
                login_fix(registry),
                Cause("registry.login_refused", registry, says, login_fix(registry), Team.PLATFORM),
            )
        case PullEnd.DENIED:
            return (
                msg("{at} denies this login {image} (HTTP {status}).", at=at, image=image, status=status),
                grant,
                None,
            )
        case PullEnd.MISSING:
            return (
                msg("{at} knows no {image}, or does not show it to this login.", at=at, image=image),
                msg("Correct the name or tag {image}, or ask the vendor for the right to pull it.", image=image),
                None,
            )
        case PullEnd.NO_CHALLENGE:
            return msg("{at} wants a login, but says no way to log in that is known here.", at=at), service, None
        case PullEnd.REALM_INSECURE:
            return (
                msg("The registry names a token service without TLS ({at}): the login was not sent there.", at=at),
                service,
                None,
            )
        case PullEnd.REALM_FOREIGN:
            return (
                msg(
                    "The registry names a token service on {at}, which is not allowed: the login was not sent there.",
                    at=at,
                ),
                msg(
                    "If {place} belongs to the registry, name it as a token host; "
                    "otherwise find out who answers for {registry}.",
                    place=at,
                    registry=registry,
                ),
                None,
            )
        case PullEnd.NO_TOKEN:
            return msg("The token service {at} answered without a token.", at=at), service, None
        case PullEnd.UNREACHABLE:
            return (
                msg("{at} gave no answer.", at=at),
                msg("See the finding about reaching {registry}: it names the layer that fails.", registry=registry),
                None,
            )
        case PullEnd.STATUS:
            return (
                msg("{at} answered {status} for {image}.", at=at, status=status, image=image),
                msg("Try again later; if it stays so, send this finding to the vendor."),
                None,
            )
        case PullEnd.NOT_TRIED:
            return (
                msg("{image} was not tried, because the login had been refused.", image=image),
                login_fix(registry),
                None,
            )
        case PullEnd.GRANTED:
            return msg("{at} shows {image}, but not its digest.", at=at, image=image), service, None
        case _:
            assert_never(bad.end)
