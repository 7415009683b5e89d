"""What docker's config.json keeps for a registry.  Values are remembered for redaction and handed to the exchange only.

Source: docker-login(1) and the credential helper protocol of docker-credential-helpers: the server's name on standard
input of ``docker-credential-NAME get``, JSON with ``Username`` and ``Secret`` on its standard output; the user name
``<token>`` marks an identity token.
"""

from __future__ import annotations

import json
import os
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from errno import ENODEV, ENXIO
from hashlib import sha256
from stat import S_ISREG
from typing import Any

from vorflug.host.live.commands import LiveCommands
from vorflug.host.secrets import remember
from vorflug.model.message import visible
from vorflug.model.registry import DOCKER_HUB
from vorflug.ports.registry import CredentialSeen, CredentialSource, CredentialState

_LARGEST = 1 << 20
_HUB_KEY = "https://index.docker.io/v1/"
"""The one name under which pulls from Docker Hub look for a login, for historical reasons.

What ``docker login registry-1.docker.io`` writes under that name is not used (docker/cli, pull request 5379).
"""
_HELPER = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_PASSED_ON = (
    "USER",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "GNUPGHOME",
    "PASSWORD_STORE_DIR",
    "AWS_PROFILE",
    "AWS_REGION",
)
"""Variables by which helpers find their stores; everything else of the environment stays behind."""


@dataclass(frozen=True)
class Login:
    """A credential, and what may be said of it."""

    seen: CredentialSeen
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def mark(self) -> bytes:
        """The same for equal logins, and says nothing of them."""
        return sha256(f"{self.user}\0{self.password}\0{self.identity_token}".encode()).digest()

    @property
    def basic(self) -> str:
        """The value of an Authorization field with Basic (RFC 7617); empty where there is no password."""
        if not self.password:
            return ""
        value = "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")
        remember(value.partition(" ")[2])
        return value


def config_file() -> str:
    """Where docker's client keeps its configuration: ``$DOCKER_CONFIG/config.json``, else in ``~/.docker``."""
    folder = os.environ.get("DOCKER_CONFIG") or os.path.join(os.path.expanduser("~"), ".docker")  # noqa: PTH111, PTH118
    return os.path.join(folder, "config.json")  # noqa: PTH118


def login(registry: str, commands: LiveCommands) -> Login:
    """The credential for *registry* (``host[:port]``).

    Raises PermissionError where the file may not be read, TimeoutError where a helper gives no answer.
    """
    path = config_file()
    try:
        data = _content(path)
    except (FileNotFoundError, NotADirectoryError):
        return _without(CredentialState.MISSING, CredentialSource.NONE, path)
    line = None
    try:
        config = json.loads(data) if data is not None and len(data) <= _LARGEST else None
    except json.JSONDecodeError as error:  # its text quotes the file, so only the place goes anywhere
        config, line = None, error.lineno
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        return Login(CredentialSeen(CredentialState.BAD_FILE, CredentialSource.NONE, path, line=line))
    key = _HUB_KEY if registry in DOCKER_HUB else registry
    helper = _lookup(config.get("credHelpers"), key)
    if isinstance(helper, str) and helper:
        return _from_helper(helper, key, CredentialSource.HELPER, path, commands)
    store = config.get("credsStore")
    entry = _lookup(config.get("auths"), key)
    if isinstance(store, str) and store:
        found = _from_helper(store, key, CredentialSource.STORE, path, commands)
        # the client falls back to the file where its store holds nothing for this registry
        if found.seen.state is CredentialState.USABLE or not (isinstance(entry, dict) and entry):
            return found
    if not isinstance(entry, dict) or not entry:
        return _without(CredentialState.MISSING, CredentialSource.NONE, path)
    return _from_entry(entry, path)


def _content(path: str) -> bytes | None:
    """What the file holds; None where it is no regular file: a pipe or a device may never end."""
    try:
        # without O_NONBLOCK a pipe that nobody writes to would hold us
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError as error:
        if error.errno in {ENXIO, ENODEV}:  # a socket, or a device that is not there
            return None
        raise
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        return file.read(_LARGEST + 1)


def _without(state: CredentialState, source: CredentialSource, path: str, helper: str = "") -> Login:
    return Login(CredentialSeen(state, source, path, helper))


def _lookup(table: object, key: str) -> Any:
    """The entry for a registry, whichever way its name is written: with scheme, with path, or bare.

    As docker's own look-up, which compares *key* with each name's host: Docker Hub's key is no host, it alone counts.
    """
    if not isinstance(table, dict):
        return None
    if key in table:
        return table[key]
    hosts = ((k.partition("://")[2] or k).partition("/")[0] for k in table)
    return next((v for host, v in zip(hosts, table.values(), strict=True) if host == key), None)


def _from_entry(entry: dict[str, Any], path: str) -> Login:
    user, password = entry.get("username"), entry.get("password")
    token = entry.get("identitytoken")
    packed = entry.get("auth")
    if isinstance(packed, str) and packed:
        remember(packed)
        try:
            user, colon, password = b64decode(packed, validate=True).decode().rstrip("\0").partition(":")
        except (NotBase64, UnicodeDecodeError, ValueError):
            user, colon, password = "", "", ""
        if not colon and not isinstance(token, str):
            return _without(CredentialState.UNREADABLE, CredentialSource.AUTHS, path)
    return _login(user, password, token, CredentialSource.AUTHS, path)


def _from_helper(name: str, key: str, source: CredentialSource, path: str, commands: LiveCommands) -> Login:
    program = f"docker-credential-{name}"
    if _HELPER.fullmatch(name) is None:
        return _without(CredentialState.NO_HELPER, source, path, visible(program, at_most=80))
    reads, writes = os.pipe()
    try:
        with os.fdopen(writes, "wb") as question:
            question.write(key.encode())  # shorter than the pipe, so this cannot wait
        done = commands.feed((program, "get"), reads, keep=_PASSED_ON)
    except FileNotFoundError:
        return _without(CredentialState.NO_HELPER, source, path, program)
    finally:
        os.close(reads)
    try:
        answer = json.loads(done.out) if done.code == 0 else None
    except (ValueError, RecursionError):  # the parser's text quotes the answer, so it goes nowhere
        answer = None
    if not isinstance(answer, dict):
        # helpers say in these words that they hold nothing, on either stream, and end with 1
        missing = "credentials not found" in done.out + done.err
        return _without(CredentialState.MISSING if missing else CredentialState.HELPER_FAILED, source, path, program)
    user, secret = answer.get("Username"), answer.get("Secret")
    if user == "<token>":
        return _login("", "", secret, source, path, program)
    return _login(user, secret, None, source, path, program)


def _login(  # noqa: PLR0917 - the members of one value
    user: object, password: object, token: object, source: CredentialSource, path: str, helper: str = ""
) -> Login:
    texts = [value if isinstance(value, str) else "" for value in (user, password, token)]
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:  # JSON may hold half a surrogate pair, which no request can carry
        return _without(CredentialState.UNREADABLE, source, path, helper)
    remember(*texts[1:])
    state = CredentialState.USABLE if texts[1] or texts[2] else CredentialState.MISSING
    return Login(CredentialSeen(state, source, path, helper), *texts)
