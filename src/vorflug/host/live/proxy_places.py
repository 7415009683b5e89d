"""Where proxy settings stand on this machine, besides the environment of this process; credentials stay here.

Sources: systemd.exec(5) on Environment=, EnvironmentFile= and UnsetEnvironment=; systemd.unit(5) on fragments and
drop-ins; systemd-system.conf(5); dockerd(8), "proxies" of daemon.json, which win over the environment (moby
daemon/command/daemon.go, ``configureProxyEnv``); docs.docker.com, "Use a proxy server with the Docker CLI"; pam_env(8);
the manual of wget, "Wgetrc Commands"; apt-transport-http(1).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from vorflug.host.live.structured import Unparsable, parse_json
from vorflug.host.secrets import remember
from vorflug.model.hosts import NO_PROXY_AT_MOST
from vorflug.netprobe import proxy
from vorflug.ports.files import Files
from vorflug.ports.net import PlaceState, ProxyPlace, ProxyReader, ProxyVariable

DAEMON_FILE = "/etc/docker/daemon.json"
_MOST_BYTES = 1 << 20
_UNITS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
"""systemd.unit(5), "UNIT FILE LOAD PATH", the one that wins first."""
_MANAGER = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd")
_PAC = re.compile(
    r"(?:auto_?proxy(?:_url)?|proxy_?(?:auto_?config|pac)(?:_url)?|(?:proxy_)?pac(?:_?(?:url|file))?)", re.IGNORECASE
)
"""Names under which administrators name a PAC file; no program of the table reads any of them."""
_DAEMON = {"http-proxy": "HTTP_PROXY", "https-proxy": "HTTPS_PROXY", "no-proxy": "NO_PROXY"}
_CLI = {"httpProxy": "http_proxy", "httpsProxy": "https_proxy", "noProxy": "no_proxy", "allProxy": "all_proxy"}
_APT = re.compile(r'Acquire::(https?)::Proxy\s+"([^"]*)"\s*;', re.IGNORECASE)


def places(files: Files, environ: Mapping[str, str]) -> tuple[ProxyPlace, ...]:
    """Every place, of one reader the one that wins last."""
    home = environ.get("DOCKER_CONFIG") or f"{environ.get('HOME', '/root')}/.docker"
    return (
        _place(ProxyReader.PROCESS, "", environ),
        *_unit(files, ProxyReader.SERVICES, _MANAGER, "system.conf", "DefaultEnvironment"),
        *_unit(files, ProxyReader.DOCKERD, _UNITS, "docker.service", "Environment"),
        _file(files, ProxyReader.DOCKERD, DAEMON_FILE, _daemon),
        *_unit(files, ProxyReader.CONTAINERD, _UNITS, "containerd.service", "Environment"),
        _file(files, ProxyReader.CONTAINERS, f"{home}/config.json", _cli),
        _file(files, ProxyReader.LOGIN, "/etc/environment", _assignments),
        _file(files, ProxyReader.WGET, "/etc/wgetrc", _wgetrc),
        *_apt(files),
    )


def _place(reader: ProxyReader, path: str, values: Mapping[str, str]) -> ProxyPlace:
    """*values* without their secrets."""
    remember(*proxy.secrets(values))
    names = [n for n in values if n in proxy.NAMES or n in _DAEMON]
    return ProxyPlace(
        reader,
        path,
        PlaceState.READ,
        variables=tuple(setting(n, values[n]) for n in names if values[n]),
        empty=tuple(n for n in names if not values[n]),
        cgi="REQUEST_METHOD" in values,
        pac=tuple(n for n, value in values.items() if value and _PAC.fullmatch(n)),
    )


def setting(name: str, value: str) -> ProxyVariable:
    """One setting without its credentials.  A list is kept to the letter: blanks in it mean something."""
    usual = _DAEMON.get(name, name)
    if usual.lower() == "no_proxy":
        return ProxyVariable(name, value[:NO_PROXY_AT_MOST], has_credentials=False, valid=True)
    remember(*proxy.secrets({usual: value}))
    shown = proxy.variables({usual: value})
    one = shown[0] if shown else ProxyVariable(usual, "", has_credentials=False, valid=False)
    return ProxyVariable(name, one.value, one.has_credentials, one.valid)


def _file(files: Files, reader: ProxyReader, path: str, parse: Callable[[str], Mapping[str, str]]) -> ProxyPlace:
    try:
        text = files.read_text(path, limit=_MOST_BYTES)
        return _place(reader, path, parse(text))
    except (FileNotFoundError, NotADirectoryError):
        return ProxyPlace(reader, path, PlaceState.ABSENT)
    except PermissionError:
        return ProxyPlace(reader, path, PlaceState.DENIED)
    except (Unparsable, IsADirectoryError, ValueError):
        return ProxyPlace(reader, path, PlaceState.BROKEN)


# ---- formats ---------------------------------------------------------------------------------------------------------


def _strings(value: object, names: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {name: text for key, name in names.items() if isinstance(text := value.get(key), str)}


def _daemon(text: str) -> Mapping[str, str]:
    settings = parse_json(text, DAEMON_FILE) if text.strip() else {}
    found = settings.get("proxies") if isinstance(settings, dict) else None
    return _strings(found, {key: key for key in _DAEMON})


def _cli(text: str) -> Mapping[str, str]:
    """The docker command sets each variable in both spellings (docker/cli, cli/config/configfile/file.go)."""
    settings = parse_json(text, "config.json") if text.strip() else {}
    proxies = settings.get("proxies") if isinstance(settings, dict) else None
    found = _strings(proxies.get("default") if isinstance(proxies, dict) else None, _CLI)
    return {spelled: value for name, value in found.items() for spelled in (name, name.upper())}


def _assignments(text: str) -> dict[str, str]:
    """Lines ``NAME=value``, as pam_env(8) and EnvironmentFile= read them: without a shell, quotes taken off."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and not name.startswith(("#", ";")):
            found[name.strip()] = _unquoted(value)
    return found


def _unquoted(value: str) -> str:
    plain = value.strip()
    return plain[1:-1] if len(plain) > 1 and plain[0] == plain[-1] and plain[0] in "\"'" else plain


def _wgetrc(text: str) -> dict[str, str]:
    """Commands are spelled as one likes, with ``-`` or ``_`` or neither."""
    known = {"httpproxy": "http_proxy", "httpsproxy": "https_proxy", "noproxy": "no_proxy"}
    found = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        usual = known.get(re.sub(r"[-_ \t]", "", name).lower())
        if equals and usual:
            found[usual] = value.strip()
    return found


def _apt(files: Files) -> Iterator[ProxyPlace]:
    folder = "/etc/apt/apt.conf.d"
    try:
        names = files.list_folder(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    except PermissionError:
        yield ProxyPlace(ProxyReader.APT, folder, PlaceState.DENIED)
        return
    for path in (*(f"{folder}/{name}" for name in names), "/etc/apt/apt.conf"):
        place = _file(files, ProxyReader.APT, path, _apt_conf)
        if place.state is not PlaceState.ABSENT and (place.variables or place.state is not PlaceState.READ):
            yield place


def _apt_conf(text: str) -> Mapping[str, str]:
    lines = (line for line in text.splitlines() if not line.lstrip().startswith(("//", "#")))
    return {f"{scheme.lower()}_proxy": value for scheme, value in _APT.findall("\n".join(lines)) if value != "DIRECT"}


# ---- systemd ---------------------------------------------------------------------------------------------------------


@dataclass
class _Unit:
    """What the fragment and the drop-ins of a unit set together."""

    environment: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Values and the files that set them."""
    files: list[str] = field(default_factory=list)
    unset: set[str] = field(default_factory=set)

    def read(self, text: str, path: str, key: str) -> None:
        for name, value in _lines(text):
            if name == key:
                if not value:
                    self.environment.clear()
                for word in _words(value):
                    variable, equals, content = word.partition("=")
                    if equals:
                        self.environment[variable] = (content.replace("%%", "%"), path)
            elif name == "EnvironmentFile":
                self.files = [*self.files, value] if value else []
            elif name == "UnsetEnvironment":
                self.unset = {*self.unset, *(w.partition("=")[0] for w in _words(value))} if value else set()


def _unit(files: Files, reader: ProxyReader, folders: tuple[str, ...], name: str, key: str) -> Iterator[ProxyPlace]:
    """The files of one unit that set something, the one that wins last; what is closed is told as well."""
    unit, known = _Unit(), False
    closed: list[str] = []
    for path in _unit_files(files, folders, name, closed):
        text = _text(files, path, closed)
        if text is not None:
            known = True
            unit.read(text, path, key)
    by_path: dict[str, dict[str, str]] = {}
    for variable, (value, path) in unit.environment.items():
        by_path.setdefault(path, {})[variable] = value
    for listed in unit.files:  # "settings from these files override settings made with Environment="
        path = listed.removeprefix("-")
        if not path.startswith("/") or set(path) & set("*?[%"):  # a pattern or a specifier stands for other files
            yield ProxyPlace(reader, path, PlaceState.BROKEN)
            continue
        text = _text(files, path, closed)
        if text is not None:
            by_path[path] = _assignments(text)
    yield from (ProxyPlace(reader, path, PlaceState.DENIED) for path in closed)
    for path, values in by_path.items():
        yield _place(reader, path, {n: v for n, v in values.items() if n not in unit.unset})
    if not by_path:
        yield ProxyPlace(reader, name, PlaceState.READ if known else PlaceState.ABSENT)


def _unit_files(files: Files, folders: tuple[str, ...], name: str, closed: list[str]) -> Iterator[str]:
    """The fragment of the first folder that has one, then the drop-ins by name, of two with one name the first."""
    for folder in folders:
        if name in _names(files, folder, closed):
            yield f"{folder}/{name}"
            break
    found: dict[str, str] = {}
    kinds = (name, "service") if name.endswith(".service") else (name,)
    for folder in (f"{folder}/{kind}.d" for kind in kinds for folder in folders):
        for one in _names(files, folder, closed):
            if one.endswith(".conf"):
                found.setdefault(one, f"{folder}/{one}")
    yield from (path for _, path in sorted(found.items()))


def _names(files: Files, folder: str, closed: list[str]) -> Iterable[str]:
    try:
        return files.list_folder(folder)
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except PermissionError:
        closed.append(folder)
        return ()


def _text(files: Files, path: str, closed: list[str]) -> str | None:
    """None where there is nothing to read: a device is how a unit or drop-in is masked."""
    try:
        return files.read_text(path, limit=_MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return None
    except PermissionError:
        closed.append(path)
        return None


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """``(key, value)`` of each assignment; a line that ends in a backslash goes on (systemd.syntax(7))."""
    joined = re.sub(r"\\\n(?:[ \t]*[#;].*\n)*", " ", text)
    for line in joined.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith(("#", ";", "[")):
            yield key.strip(), value.strip()


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:  # a quote that is not closed: systemd ignores the line
        return []
