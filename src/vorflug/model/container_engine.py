"""What stands behind every finding that the Docker Engine's silence leaves open: one cause for all of them."""

from __future__ import annotations

from typing import assert_never

from vorflug.model.cause import Cause, Team
from vorflug.model.message import Message, msg
from vorflug.model.requirement import Verdict, unknown
from vorflug.ports.containers import EngineState


def engine_cause(state: EngineState, socket: str, *, installed: bool = False) -> Cause | None:
    """Why the engine behind *socket* could not be asked; None where it answers.

    *installed*: that a client or daemon is there was seen, so that nobody is told to install it again.
    """
    if state is EngineState.ANSWERING:
        return None
    says, fix = _words(state, socket, installed=installed)
    return Cause(f"docker.{state}", socket, says, fix, Team.PLATFORM)


def daemon_file_cause(path: str, broken: str) -> Cause:
    """daemon.json at *path* cannot be parsed; *broken* says why, with the line."""
    return Cause(
        "docker.daemon_file",
        path,
        msg("daemon.json cannot be parsed, and Docker does not start with it: {broken}", broken=broken),
        msg("Mend daemon.json at the line named and check it: dockerd --validate."),
        Team.PLATFORM,
    )


def engine_gap(wanted: Message, state: EngineState, socket: str, *, installed: bool = False) -> Verdict | None:
    """The verdict on a demand that needs the engine while it cannot be asked; None where it answers."""
    cause = engine_cause(state, socket, installed=installed)
    return None if cause is None else unknown(wanted=wanted, because=cause.says, fix=cause.fix, cause=cause)


def _words(state: EngineState, socket: str, *, installed: bool) -> tuple[Message, Message]:
    match state:
        case EngineState.ABSENT if installed:
            return (
                msg("Docker is installed, but its socket {socket} is not there.", socket=socket),
                msg("Start it (systemctl enable --now docker), or name its socket with DOCKER_HOST. Then run again."),
            )
        case EngineState.ABSENT:
            return (
                msg("There is no Docker socket {socket}.", socket=socket),
                msg("Install and start Docker Engine: systemctl enable --now docker. Then run again."),
            )
        case EngineState.DENIED:
            return (
                msg("This user may not use the Docker socket {socket}.", socket=socket),
                msg("Run again as root or as a member of the group that owns {socket}.", socket=socket),
            )
        case EngineState.REFUSED:
            return (
                msg("The Docker socket {socket} exists, but nobody listens behind it.", socket=socket),
                msg("Start the daemon and look at why it ended: systemctl start docker; journalctl -u docker."),
            )
        case EngineState.TIMEOUT:
            return (
                msg("The Docker Engine behind {socket} gave no answer in time.", socket=socket),
                msg("Find out why the daemon hangs: journalctl -u docker. Then run again."),
            )
        case EngineState.NOT_DOCKER:
            return (
                msg("What answers behind {socket} does not speak the Docker Engine API.", socket=socket),
                msg("Find out which program owns {socket}: ss -xlp. Then start Docker Engine there.", socket=socket),
            )
        case EngineState.REMOTE:
            return (
                msg("DOCKER_HOST names {socket}; only a Unix socket of this machine is asked.", socket=socket),
                msg("Run again on the machine that Docker runs on, with DOCKER_HOST unset."),
            )
        case EngineState.ANSWERING:
            raise ValueError("an engine that answers is no cause")
        case _:
            assert_never(state)
