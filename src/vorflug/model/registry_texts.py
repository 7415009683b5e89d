"""What stands in the way of a pull: a sentence, what mends it, and the cause that others share."""

from __future__ import annotations

from typing import assert_never

from vorflug.model import netcause
from vorflug.model.cause import Cause, Team
from vorflug.model.message import Message, msg
from vorflug.model.registry import DOCKER_HUB
from vorflug.ports.net import Trace
from vorflug.ports.registry import CredentialSeen, CredentialState, PullEnd, PullSeen, RateSeen


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


def way(trace: Trace | None, at: str, registry: str) -> netcause.Stopped | None:
    """What stopped the way to *at*; None where that was not seen."""
    if trace is None:
        return None
    return netcause.stopped(trace, f"https://{at}/v2/" if at == registry else f"https://{at}/", external=True)


def hangs(pull: PullSeen, at: str, registry: str) -> Message:
    """The image may be pulled, and *at*, which the registry names for it, keeps it back."""
    if pull.anonymous:
        return msg(
            "{registry} shows {image}, but the pull hangs at {host}, where it keeps its layers.",
            registry=registry,
            image=pull.image,
            host=at,
        )
    return msg(
        "The login works, but the pull hangs at {host}, where {registry} keeps its layers.", host=at, registry=registry
    )


def rate_seen(rate: RateSeen | None) -> Message | None:
    """What a registry says about its limits; None where it names none."""
    if rate is None or rate.remaining is None:
        return None
    if rate.limit is None:
        return msg("{remaining} pulls left", remaining=rate.remaining)
    if rate.window_s is None:
        return msg("{remaining} of {limit} pulls left", remaining=rate.remaining, limit=rate.limit)
    return msg(
        "{remaining} of {limit} pulls left in {window:duration}",
        remaining=rate.remaining,
        limit=rate.limit,
        window=rate.window_s,
    )


def rate_limited(at: str, rate: RateSeen | None, registry: str) -> tuple[Message, Message, Cause]:
    """*at* takes no more requests for now."""
    if rate is not None and rate.retry_after:
        says = msg(
            "{at} takes no more requests for now (HTTP 429, Retry-After: {after}).", at=at, after=rate.retry_after
        )
    else:
        says = msg("{at} takes no more requests for now (HTTP 429).", at=at)
    fix = msg(
        "Wait, then run again; with a login of its own ({command}) this host does not share the limit of its "
        "internet address with others.",
        command=_login_command(registry),
    )
    return says, fix, Cause("registry.rate_limited", at, says, fix, Team.PLATFORM)


def redirect_refused(at: str, registry: str) -> tuple[Message, Message, Cause]:
    """The registry sends its users to a place that is not asked."""
    says = msg(
        "{registry} leads on to {at}, which is not followed: no TLS, an address of this link or of a cloud's "
        "metadata, or no end of redirects.",
        registry=registry,
        at=at,
    )
    fix = msg("Find out who answers for {registry}, and where it keeps its layers.", registry=registry)
    return says, fix, Cause("registry.redirect_refused", f"{registry} {at}", says, fix)


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
        case PullEnd.UNREACHABLE if (stopped := way(bad.trace, at, registry)) is not None:
            return stopped.says, stopped.fix, stopped.cause
        case PullEnd.UNREACHABLE:
            return (
                msg("{at} gave no answer.", at=at),
                msg("See the finding about reaching {registry}: it names the layer that fails.", registry=registry),
                None,
            )
        case PullEnd.RATE_LIMITED:
            return rate_limited(at, bad.rate, registry)
        case PullEnd.SPARED:
            return (
                msg(
                    "{at} lets this host pull {remaining} times more; that is left to the installation, and {image} "
                    "was not asked for.",
                    at=at,
                    remaining=bad.rate.remaining if bad.rate is not None else 0,
                    image=image,
                ),
                msg("Log in before pulling ({command}), or use a registry mirror.", command=_login_command(registry)),
                None,
            )
        case PullEnd.REDIRECT_REFUSED:
            return redirect_refused(at, registry)
        case PullEnd.NO_MANIFEST:
            return (
                msg("What {at} sends for {image} is no image manifest that is known here.", at=at, image=image),
                msg(
                    "Check what answers at {url}: a proxy's block page, another service, or a fault of the service.",
                    url=f"https://{at}/v2/",
                ),
                None,
            )
        case PullEnd.WRONG_PLATFORM:
            return (
                msg("{at} has {image}, but not for the platform of this host.", at=at, image=image),
                msg(
                    "Ask the vendor for {image} for this platform, or take a host that the image is made for.",
                    image=image,
                ),
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
        case PullEnd.UNPROVED:
            return (
                msg(
                    "Whether {at} takes the login is not known: it was sent twice without a clear answer, and not "
                    "again, so that no account gets locked.",
                    at=at,
                ),
                login_fix(registry),
                None,
            )
        case PullEnd.GRANTED:
            return msg("{at} shows {image}, but not its digest.", at=at, image=image), service, None
        case _:
            assert_never(bad.end)
