"""Kernel: is it new enough, and has it the features that containers need?

Sources: moby's ``contrib/check-config.sh`` for where a kernel's configuration lies; kmod's modprobe.d(5) and
modules.dep(5) for what can be loaded; the kernel's admin guide for ``modules_disabled`` and ``module_blacklist``.
Nothing is loaded to find out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from pydantic import Field, StringConstraints

from vorflug.model.base import Frozen
from vorflug.model.drop_in import drop_ins, masked
from vorflug.model.evidence import Evidence
from vorflug.model.kernel_module import module_folders, module_of_path
from vorflug.model.message import Message, msg
from vorflug.model.quantity import Version
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Requirement, Verdict, met, unknown, unmet
from vorflug.model.whole_file import NotWhole, read_whole
from vorflug.ports import Host

TITLE = msg("Kernel")

T = TypeVar("T")

_RELEASE = "/proc/sys/kernel/osrelease"
_LIMIT = 1 << 23
"""Bytes of a configuration or module list: distributions have up to 1 MB."""
_MODPROBE_FOLDERS = (
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
)
_IN_EVERY_CONFIG = "CONFIG_MODULES"
"""kernel/module/Kconfig: every configuration says whether this is set or "is not set"."""
_NO_INSTALL = {"/bin/false", "/usr/bin/false", "/bin/true", "/usr/bin/true"}


class KernelVersionFact(Fact):
    """The running kernel."""

    release: str
    """As uname(2) gives it: ``6.1.0-18-amd64``."""


@dataclass(frozen=True, kw_only=True)
class KernelVersionQuery(Query[KernelVersionFact]):
    """Which kernel is running?"""

    kind = "kernel_release"
    touches = ("/proc/sys/kernel/osrelease",)

    def asks(self) -> Message:
        return msg("Which kernel is running?")

    def observe(self, host: Host) -> KernelVersionFact:
        return KernelVersionFact(release=_release(host))


def _release(host: Host) -> str:
    try:
        release = host.files.read_text(_RELEASE).strip()
    except FileNotFoundError as error:
        raise NotImplementedError(f"there is no {_RELEASE}") from error
    if not module_folders(release):
        raise NotImplementedError(f"{_RELEASE} holds no release")  # it becomes part of paths
    return release


class KernelVersionRequirement(Requirement):
    """A kernel of this version or newer."""

    kind = "kernel_version"
    at_least: Version

    def wanted(self) -> Message:
        return msg("kernel {version} or newer", version=str(self.at_least))

    def queries(self, known: Evidence) -> Sequence[KernelVersionQuery]:  # noqa: ARG002 - one question, whatever is known
        return [KernelVersionQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        release = evidence[KernelVersionQuery()].release
        seen = msg("{release}", release=release)
        try:
            version = Version(release)
        except ValueError:
            return unknown(
                wanted=self.wanted(),
                seen=seen,
                because=msg("{release} holds no version that can be compared.", release=release),
                fix=msg("Ask the supplier of this kernel its base version, and note the answer at the sign-off."),
            )
        if version >= self.at_least:
            return met(
                wanted=self.wanted(),
                seen=seen,
                because=msg("Kernel {release} is new enough.", release=release),
            )
        return unmet(
            wanted=self.wanted(),
            seen=seen,
            because=msg("Kernel {release} is older than {version}.", release=release, version=str(self.at_least)),
            fix=msg(
                "Boot a kernel of version {version} or newer; if the distribution has none, have the one that is there "
                "agreed with the vendor.",
                version=str(self.at_least),
            ),
        )


class BlockedModule(Fact):
    """A rule that keeps a module from being loaded."""

    module: str
    rule: str
    """``blacklist`` or ``install`` as in modprobe.d(5), or the kernel's parameter."""
    where: str
    """The file that holds the rule."""


class KernelFeaturesFact(Fact):
    """What is known about options and modules, from the places that could be read."""

    release: str
    config: str | None
    """Where the kernel's configuration was read; None where there is none to read."""
    options: dict[str, str]
    """The asked options that are set: ``y``, ``m`` or a value."""
    loaded: tuple[str, ...] | None
    """The asked modules in /proc/modules; None where that could not be read."""
    built_in: tuple[str, ...] | None
    """The asked modules in modules.builtin; None where that could not be read."""
    installed: tuple[str, ...] | None
    """The asked modules in modules.dep; None where that could not be read."""
    blocked: tuple[BlockedModule, ...]
    rules_hidden: tuple[str, ...]
    """Places of such rules that could not be read."""
    modules_disabled: bool
    """Whether /proc/sys/kernel/modules_disabled is 1, so that nothing is loaded until the next boot."""
    filesystems: tuple[str, ...]
    """The asked modules that /proc/filesystems names: built in or loaded, whichever."""


@dataclass(frozen=True, kw_only=True)
class KernelFeaturesQuery(Query[KernelFeaturesFact]):
    """Which options and modules does the kernel have?"""

    kind = "kernel_options"
    touches = (
        "/proc/",
        "/boot/",
        "/lib/modules/",
        "/usr/lib/modules/",
        "/etc/modprobe.d/",
        "/run/modprobe.d/",
        "/usr/local/lib/modprobe.d/",
        "/usr/lib/modprobe.d/",
        "/lib/modprobe.d/",
    )
    options: tuple[str, ...]
    modules: tuple[str, ...]
    """With ``_`` for ``-``, as the kernel writes them."""

    def asks(self) -> Message:
        return msg(
            "Which of the modules {modules:list} does the kernel have, built in, loaded or loadable?",
            modules=self.modules,
        )

    def observe(self, host: Host) -> KernelFeaturesFact:
        release = _release(host)
        config, text = _config(host, release, self.options)
        folders = module_folders(release)
        values = dict(re.findall(r"^(CONFIG_\w+)=(.*)$", text, re.MULTILINE))
        disabled = _read_first(host, "/proc/sys/kernel/modules_disabled")
        rules = _rules(host)
        return KernelFeaturesFact(
            release=release,
            config=config,
            options={name: values[name][:64] for name in self.options if name in values},
            loaded=self._listed(host, ("/proc/modules",), lambda line: line.partition(" ")[0]),
            built_in=self._listed(host, tuple(f"{f}/modules.builtin" for f in folders), module_of_path),
            installed=self._listed(host, tuple(f"{f}/modules.dep" for f in folders), module_of_path),
            blocked=tuple(blocked for blocked in rules.blocked if blocked.module in self.modules),
            rules_hidden=tuple(rules.hidden),
            modules_disabled=disabled is not None and disabled.strip() == "1",
            filesystems=self._listed(host, ("/proc/filesystems",), lambda line: line.split()[-1]) or (),
        )

    def _listed(self, host: Host, paths: tuple[str, ...], name: Callable[[str], str]) -> tuple[str, ...] | None:
        """The asked modules that the first readable of *paths* names."""
        words = tuple(dict.fromkeys(word for m in self.modules for word in (m, m.replace("_", "-"))))
        lines = _lines_first(host, words, *paths)
        if lines is None:
            return None
        names = {_plain(name(line)) for line in lines}
        return tuple(module for module in self.modules if module in names)


def _plain(module: str) -> str:
    return module.replace("-", "_")


def _read_first(host: Host, *paths: str) -> str | None:
    """The first of *paths* that can be read; None where none can."""
    return _first(lambda path: host.files.read_text(path, limit=_LIMIT), paths)


def _lines_first(host: Host, words: tuple[str, ...], *paths: str) -> tuple[str, ...] | None:
    """The lines with one of *words* in the first of *paths* that can be read; None where none can.

    These files are long and little of them matters: a recording of the machine stays small.
    """
    return _first(lambda path: host.files.lines_with(path, words, limit=_LIMIT), paths)


def _first(read: Callable[[str], T], paths: Iterable[str]) -> T | None:
    for path in paths:
        try:
            return read(path)
        except TimeoutError:
            raise
        except OSError:
            continue  # not there, or not for us to read: the fact says None
    return None


def _config(host: Host, release: str, options: tuple[str, ...]) -> tuple[str | None, str]:
    """Where the running kernel's configuration lies, and its lines that set *options*."""
    words = (_IN_EVERY_CONFIG, *(f"{option}=" for option in options))
    folders = reversed(module_folders(release))
    # the kernel's own copy is the last: not every kernel has one
    for path in (f"/boot/config-{release}", *(f"{folder}/config" for folder in folders), "/proc/config.gz"):
        lines = _lines_first(host, words, path)
        if lines and any(_IN_EVERY_CONFIG in line for line in lines):  # else it is no configuration
            return path, "\n".join(lines)
    return None, ""


@dataclass
class _Rules:
    """What keeps modules from being loaded, and which places could not be read."""

    blocked: list[BlockedModule]
    hidden: list[str]


def _rules(host: Host) -> _Rules:
    rules = _Rules([], [])
    paths, closed = drop_ins(host, _MODPROBE_FOLDERS)
    rules.hidden += closed
    for path in paths:
        try:
            rules.blocked += _modprobe_rules(read_whole(host, path, limit=_LIMIT), path)
        except FileNotFoundError:
            continue  # it has just gone
        except PermissionError:
            rules.hidden.append(path)
        except NotWhole:
            if not masked(host, path):
                rules.hidden.append(path)
    for word in (_read_first(host, "/proc/cmdline") or "").split():
        parameter, _, modules = word.partition("=")
        if parameter in ("module_blacklist", "modprobe.blacklist"):
            rules.blocked += [
                BlockedModule(module=_plain(module), rule=parameter, where="/proc/cmdline")
                for module in modules.split(",")
            ]
    return rules


def _modprobe_rules(text: str, path: str) -> Iterator[BlockedModule]:
    for line in text.split("\n"):
        match line.split():
            case ["blacklist", module, *_]:
                yield BlockedModule(module=_plain(module), rule="blacklist", where=path)
            case ["install", module, program, *_] if program in _NO_INSTALL:
                yield BlockedModule(module=_plain(module), rule="install", where=path)


class Feature(Frozen):
    """Something the kernel must be able to do."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """What it is called in texts."""
    options: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^CONFIG_[A-Za-z0-9_]+$")], ...], Field(min_length=1)
    ]
    """The option that builds it, with its older and newer names."""
    modules: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")], ...] = ()
    """The module that holds it, with its older and newer names; none where it can only be built in."""


class KernelFeaturesRequirement(Requirement):
    """Each of these features is built in, loaded or can be loaded."""

    kind = "kernel_features"
    features: Annotated[tuple[Feature, ...], Field(min_length=1)]

    def wanted(self) -> Message:
        return msg("{features:list} built in, loaded or loadable", features=tuple(f.name for f in self.features))

    def queries(self, known: Evidence) -> Sequence[KernelFeaturesQuery]:  # noqa: ARG002 - one question, whatever is known
        return [
            KernelFeaturesQuery(
                options=tuple(dict.fromkeys(option for f in self.features for option in f.options)),
                modules=tuple(dict.fromkeys(_plain(module) for f in self.features for module in f.modules)),
            )
        ]

    def judge(self, evidence: Evidence) -> Verdict:
        fact = evidence[self.queries(evidence)[0]]
        wanted = self.wanted()
        found = [(feature, _look(feature, fact)) for feature in self.features]
        missing = tuple(result for _, result in found if isinstance(result, Message))
        if missing:
            names = tuple(feature.name for feature, result in found if isinstance(result, Message))
            return unmet(
                wanted=wanted,
                seen=msg("missing: {names:list}", names=names),
                because=msg("The kernel lacks features: {missing:list}.", missing=missing),
                fix=msg(
                    "Make {names:list} available: remove what blocks the modules, install the distribution's package "
                    "with further modules, or boot its standard kernel.",
                    names=names,
                ),
            )
        unclear = tuple(feature.name for feature, result in found if result is None)
        if unclear:
            return unknown(
                wanted=wanted,
                seen=msg("not visible: {names:list}", names=unclear),
                because=msg(
                    "What can be read of the kernel's configuration and modules does not show {names:list}.",
                    names=unclear,
                ),
                fix=msg(
                    "Run this as root on the machine itself instead of in a container, or make /boot/config-{release} "
                    "readable.",
                    release=fact.release,
                ),
            )
        return met(
            wanted=wanted,
            seen=msg("all there"),
            because=msg(
                "Kernel {release} has {names:list}.", release=fact.release, names=tuple(f.name for f in self.features)
            ),
        )


def _look(feature: Feature, fact: KernelFeaturesFact) -> bool | Message | None:
    """True: there.  A message: missing, and why.  None: not visible."""
    modules = tuple(_plain(module) for module in feature.modules)
    values = {fact.options[option] for option in feature.options if option in fact.options}
    there = {*(fact.loaded or ()), *(fact.built_in or ()), *fact.filesystems}
    if "y" in values or there.intersection(modules):
        return True
    installed = [module for module in modules if fact.installed is not None and module in fact.installed]
    if installed:
        if fact.modules_disabled:
            return msg("{name} (loading modules is switched off until the next boot)", name=feature.name)
        blocks = {blocked.module: blocked for blocked in fact.blocked}
        if all(module in blocks for module in installed):
            block = blocks[installed[0]]
            return msg("{name} ({rule} in {where})", name=feature.name, rule=block.rule, where=block.where)
        return None if fact.rules_hidden else True
    if fact.config is None:
        return None  # what no list names may still be built in under another name
    if "m" in values:
        # built as a module: only a list that could be read can show that it is not installed
        return None if fact.installed is None else msg("{name} (its module is not installed)", name=feature.name)
    return msg("{name} (not in {config})", name=feature.name, config=fact.config)
