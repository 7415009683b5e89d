"""How the Docker daemon is set up: its proxy, log rotation, open-file limit and packet filter.

Sources: dockerd(8), "daemon configuration file"; docs.docker.com on daemon proxies, logging drivers and packet
filtering.  The engine is asked for what it uses (proxy, logging driver), daemon.json for what it does not tell.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from vorflug.model.container_engine import daemon_file_gap, engine_cause, engine_gap
from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, msg
from vorflug.model.quantity import Version
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.ports import Host
from vorflug.ports.containers import DaemonFile, EngineState

TITLE = msg("Docker daemon")

_UNLIMITED = -1


class SettingsFact(Fact):
    """Settings as the engine and daemon.json tell them."""

    state: EngineState
    socket: str
    product: str = ""
    version: str = ""
    logging_driver: str = ""
    """The engine's default for new containers."""
    http_proxy: str = ""
    """Without credentials, as the one below."""
    https_proxy: str = ""
    no_proxy: tuple[str, ...] = ()
    firewall: str = ""
    """What the engine filters with: ``iptables``, ``nftables``; empty where it does not say."""
    daemon_file: str
    """Path of daemon.json."""
    broken: str = ""
    """Why daemon.json cannot be parsed, with the line; then nothing below is known."""
    log_options: tuple[str, ...] = ()
    nofile_soft: int | None = None
    """``default-ulimits``; -1 is unlimited, None is not set."""
    iptables: bool | None = None
    """None where daemon.json does not say, which means true."""


@dataclass(frozen=True, kw_only=True)
class SettingsQuery(Query[SettingsFact]):
    """How is the Docker daemon set up?"""

    kind = "docker_settings"
    touches = ("@containers.engine", "@containers.daemon_file")

    def asks(self) -> Message:
        return msg("How is the Docker daemon set up (proxy, logging, limits, packet filter)?")

    def observe(self, host: Host) -> SettingsFact:
        engine = host.containers.engine()
        broken = ""
        try:
            file = host.containers.daemon_file()
        except ValueError as error:
            broken = str(error)
            file = DaemonFile(broken.partition(":")[0], exists=True)
        return SettingsFact(
            state=engine.state,
            socket=engine.socket,
            product=engine.product,
            version=engine.version,
            logging_driver=engine.logging_driver,
            http_proxy=engine.http_proxy,
            https_proxy=engine.https_proxy,
            no_proxy=tuple(entry for e in engine.no_proxy.split(",") if (entry := e.strip())),
            firewall=engine.firewall,
            daemon_file=file.path,
            broken=broken,
            log_options=file.log_options,
            nofile_soft=file.nofile_soft,
            iptables=file.iptables,
        )


class OfSettings(Requirement):
    """A demand on the daemon's settings.  A daemon.json that cannot be parsed is one fault for all of them."""

    def queries(self, known: Evidence) -> Sequence[SettingsQuery]:  # noqa: ARG002 - one question, whatever is known
        return [SettingsQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        settings = evidence[SettingsQuery()]
        if settings.broken:
            return daemon_file_gap(self.wanted(), settings.daemon_file, settings.broken)
        cause = engine_cause(settings.state, settings.socket, product=settings.product)
        return engine_gap(self.wanted(), cause) or self.judge_settings(settings)

    @abstractmethod
    def judge_settings(self, settings: SettingsFact) -> Verdict:
        """Decide, given an engine that answers and a daemon.json that is absent or well formed."""


class PacketFilterRequirement(OfSettings):
    """Docker may write its packet filter rules: without them published ports and networks do not work."""

    kind = "docker_packet_filter"

    def wanted(self) -> Message:
        return msg("Docker manages its packet filter rules (iptables is not false)")

    def judge_settings(self, settings: SettingsFact) -> Verdict:
        if settings.iptables is False:
            return unmet(
                wanted=self.wanted(),
                seen=msg('"iptables": false in {file}', file=settings.daemon_file),
                because=msg("{file} forbids Docker to write packet filter rules.", file=settings.daemon_file),
                fix=msg(
                    'Remove "iptables": false from {file}, restart Docker, and put rules of your own into the chain '
                    "DOCKER-USER.",
                    file=settings.daemon_file,
                ),
            )
        return met(
            wanted=self.wanted(),
            seen=(
                msg("not forbidden; the engine filters with {firewall}", firewall=settings.firewall)
                if settings.firewall
                else msg("not forbidden")
            ),
            because=msg("Docker writes its packet filter rules itself."),
        )


class DaemonProxyRequirement(OfSettings):
    """The daemon pulls images through the proxy."""

    kind = "docker_daemon_proxy"
    proxy: str | None = None
    """``http://host:port`` that must be the one; None accepts any."""
    no_proxy: tuple[str, ...] = ()
    """Entries that the daemon's NO_PROXY must have."""

    def wanted(self) -> Message:
        if self.proxy is not None:
            return msg("the Docker daemon uses the proxy {proxy}", proxy=_place(self.proxy))
        return msg("the Docker daemon uses a proxy")

    def judge_settings(self, settings: SettingsFact) -> Verdict:
        fix = msg(
            'Add "proxies" (http-proxy, https-proxy, no-proxy) to {file} and restart Docker.', file=settings.daemon_file
        )
        used = settings.https_proxy  # registries are asked by https
        if not used:
            return unmet(
                wanted=self.wanted(),
                seen=(
                    msg("a proxy for http alone: {proxy}", proxy=settings.http_proxy)
                    if settings.http_proxy
                    else msg("no proxy")
                ),
                because=msg("The Docker daemon has no proxy for https: it pulls images directly."),
                fix=fix,
            )
        seen = (
            msg("proxy {proxy}, not for {no_proxy:list}", proxy=used, no_proxy=settings.no_proxy)
            if settings.no_proxy
            else msg("proxy {proxy}, without exceptions", proxy=used)
        )
        if self.proxy is not None and _place(used) != _place(self.proxy):
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "The Docker daemon uses another proxy ({used}) than {proxy}.",
                    used=_place(used),
                    proxy=_place(self.proxy),
                ),
                fix=fix,
            )
        missing = tuple(entry for entry in self.no_proxy if entry not in settings.no_proxy)
        if missing:
            return unmet(
                wanted=self.wanted(),
                seen=seen,
                because=msg("The Docker daemon's no-proxy list lacks {missing:list}.", missing=missing),
                fix=msg('Add {missing:list} to "no-proxy" in {file}.', missing=missing, file=settings.daemon_file),
            )
        return met(
            wanted=self.wanted(), seen=seen, because=msg("The Docker daemon uses the proxy {proxy}.", proxy=used)
        )


class LogRotationRequirement(OfSettings):
    """Container logs cannot fill the disk."""

    kind = "docker_log_rotation"
    drivers: Annotated[tuple[str, ...], Field(min_length=1)]
    """Logging drivers that rotate or forward by themselves: ``local``, ``journald``, ``syslog``."""
    options: Annotated[tuple[str, ...], Field(min_length=1)]
    """What must be set in ``log-opts`` with the driver json-file: ``max-size``, ``max-file``."""

    def wanted(self) -> Message:
        return msg(
            "logging driver {drivers:or}, or json-file with {options:list}", drivers=self.drivers, options=self.options
        )

    def judge_settings(self, settings: SettingsFact) -> Verdict:
        driver = settings.logging_driver
        if not driver:
            return unknown(
                wanted=self.wanted(),
                because=msg("The engine does not say which logging driver it uses."),
                fix=msg("Look at the logging driver with docker info, and note the result at the sign-off."),
            )
        if driver in self.drivers:
            return met(
                wanted=self.wanted(),
                seen=msg("logging driver {driver}", driver=driver),
                because=msg("The logging driver {driver} does not fill the disk.", driver=driver),
            )
        if driver != "json-file":
            return unmet(
                wanted=self.wanted(),
                seen=msg("logging driver {driver}", driver=driver),
                because=msg("The logging driver {driver} is none of those wanted.", driver=driver),
                fix=msg(
                    'Set "log-driver": "{driver}" in {file} and restart Docker.',
                    driver=self.drivers[0],
                    file=settings.daemon_file,
                ),
            )
        missing = tuple(option for option in self.options if option not in settings.log_options)
        if not missing:
            return met(
                wanted=self.wanted(),
                seen=msg("json-file with {options:list}", options=self.options),
                because=msg("The logging driver json-file rotates."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=msg("json-file without {missing:list}", missing=missing),
            because=msg(
                "The logging driver json-file has no {missing:list}: logs grow until the disk is full.",
                missing=missing,
            ),
            fix=msg(
                'Set "log-opts" with {options:list} in {file}, restart Docker and create the containers anew.',
                options=self.options,
                file=settings.daemon_file,
            ),
        )


class NofileRequirement(OfSettings):
    """Containers may open this many files."""

    kind = "docker_nofile"
    at_least: Annotated[int, Field(gt=0)]
    """Soft limit, a count of open files."""
    low_since: Version | None = None
    """First engine version whose default is known to be too low; None where that is not known."""

    def wanted(self) -> Message:
        return msg("at least {least} open files for a container", least=self.at_least)

    def judge_settings(self, settings: SettingsFact) -> Verdict:
        soft = settings.nofile_soft
        fix = msg(
            'Set "default-ulimits" with nofile (Soft and Hard at least {least}) in {file} and restart Docker.',
            least=self.at_least,
            file=settings.daemon_file,
        )
        if soft is None:
            seen = msg("no default limit in {file}", file=settings.daemon_file)
            if self.low_since is not None and _at_least(settings.version, self.low_since):
                return unmet(
                    wanted=self.wanted(),
                    seen=seen,
                    because=msg(
                        "{file} sets no limit, and the default of Docker {version} is lower.",
                        file=settings.daemon_file,
                        version=settings.version,
                    ),
                    fix=fix,
                )
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg(
                    "{file} sets no limit: what containers get depends on how containerd is started.",
                    file=settings.daemon_file,
                ),
                fix=fix,
            )
        if soft == _UNLIMITED or soft >= self.at_least:
            return met(
                wanted=self.wanted(),
                seen=msg("unlimited") if soft == _UNLIMITED else msg("{soft} open files", soft=soft),
                because=msg("The default limit in {file} is high enough.", file=settings.daemon_file),
            )
        return unmet(
            wanted=self.wanted(),
            seen=msg("{soft} open files", soft=soft),
            because=msg("{file} limits containers to {soft} open files.", file=settings.daemon_file, soft=soft),
            fix=fix,
        )


def _at_least(version: str, least: Version) -> bool:
    """Whether it is known to be; a build of one's own says "dev"."""
    try:
        return Version(version) >= least
    except ValueError:
        return False


def _place(url: str) -> str:
    """``host:port`` of a proxy URL, without scheme, credentials and path."""
    return url.rpartition("://")[2].rpartition("@")[2].partition("/")[0].lower()
