"""GPU: is there an NVIDIA GPU with enough memory, and can containers use it?

Sources: see `vorflug.model.gpu`; the Container Device Interface specification for /etc/cdi and /var/run/cdi; the
installation guide of the NVIDIA Container Toolkit for its programs.
Memory of several cards adds up, because the servers of local models spread a model over cards.  A partitioned card
(MIG) offers only its instances, of which a process can use one: there the largest counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vorflug.model.evidence import Evidence
from vorflug.model.gpu import Card, GpuFact, GpuQuery, Vendor
from vorflug.model.message import Message, listed, msg
from vorflug.model.quantity import Percent, Size
from vorflug.model.query import Fact, Query
from vorflug.model.requirement import Gauge, Requirement, Verdict, met, not_applicable, unknown, unmet
from vorflug.ports import Host

TITLE = msg("GPU")

_CDI_FOLDERS = ("/etc/cdi", "/var/run/cdi")
_TOOLKIT = ("nvidia-ctk", "nvidia-container-runtime", "nvidia-container-cli")
_VENDOR_NAMES = {Vendor.NVIDIA: "NVIDIA", Vendor.AMD: "AMD", Vendor.INTEL: "Intel"}


class NvidiaGpuRequirement(Requirement):
    """An NVIDIA GPU that its driver serves, with at least this much memory."""

    kind = "nvidia_gpu"
    at_least: Size
    """Over all cards together, or in one instance of a partitioned card.  0 B: none is needed."""
    tolerance: Percent = 0.0
    """What a card keeps for error correction."""

    def wanted(self) -> Message:
        if self.at_least == 0:
            return msg("no GPU needed")
        return msg(
            "NVIDIA GPU with at least {need:size} of memory (tolerance {tolerance:percent})",
            need=self.at_least,
            tolerance=self.tolerance,
        )

    def queries(self, known: Evidence) -> Sequence[GpuQuery]:  # noqa: ARG002 - one question, whatever is known
        return [GpuQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        if self.at_least == 0:
            return not_applicable(wanted=self.wanted(), because=msg("This size needs no GPU."))
        gpu = evidence[GpuQuery()]
        if gpu.cards:
            return self._judge_memory(gpu)
        if not gpu.of(Vendor.NVIDIA) and not gpu.models:
            return self._judge_absent(gpu)
        if gpu.driver is None:
            return self._judge_without_driver(gpu)
        return unknown(
            wanted=self.wanted(),
            seen=_seen(gpu),
            because=msg("nvidia-smi gives no answer: {said}", said=gpu.complaint)
            if gpu.complaint
            else msg("How much memory the card has is told by nvidia-smi, which gives no answer here."),
            fix=msg(
                "Install nvidia-smi in the same version as the driver ({version}); where both were just updated, "
                "restart the machine.",
                version=gpu.driver,
            ),
        )

    def _judge_memory(self, gpu: GpuFact) -> Verdict:
        have = gpu.usable_bytes
        gauge = Gauge(have, self.at_least, "B")
        if have >= self.at_least * (1 - self.tolerance):
            return met(
                wanted=self.wanted(),
                seen=_seen(gpu),
                because=msg(
                    "{have:sizes} of GPU memory are enough, {need:size} are wanted.", have=have, need=self.at_least
                ),
                gauge=gauge,
            )
        if any(card.memory_bytes is None and not card.partitioned for card in gpu.cards):
            return unknown(
                wanted=self.wanted(),
                seen=_seen(gpu),
                because=msg("The card does not tell how much memory it has."),
                fix=msg("Look the card up at its maker, and note the result at the sign-off."),
            )
        if any(card.partitioned for card in gpu.cards):
            return unmet(
                wanted=self.wanted(),
                seen=_seen(gpu),
                because=msg(
                    "A card is partitioned (MIG), and a model can use one instance only: {have:size} at most.",
                    have=have,
                ),
                fix=msg(
                    "Make an instance of at least {need:size}, or turn MIG off (nvidia-smi -mig 0).", need=self.at_least
                ),
                gauge=gauge,
            )
        return unmet(
            wanted=self.wanted(),
            seen=_seen(gpu),
            because=msg("{have:sizes} of GPU memory, {need:size} wanted.", have=have, need=self.at_least),
            fix=msg("Provide cards with {need:size} together, or use a smaller model.", need=self.at_least),
            gauge=gauge,
        )

    def _judge_absent(self, gpu: GpuFact) -> Verdict:
        if gpu.lent_by_windows or (gpu.devices is None and gpu.driver is None):
            return unknown(
                wanted=self.wanted(),
                seen=msg("graphics lent by Windows (/dev/dxg)") if gpu.lent_by_windows else msg("no /sys"),
                because=msg("Which GPU stands behind it is not visible here."),
                fix=msg("Run this on the machine itself."),
            )
        if gpu.driver is not None:
            return unmet(
                wanted=self.wanted(),
                seen=msg("NVIDIA driver {version} and no NVIDIA device", version=gpu.driver),
                because=msg("The driver is loaded, but no NVIDIA device is on the PCI bus of this machine."),
                fix=msg("Assign the card to this machine (PCI passthrough or vGPU), or check its seat and power."),
            )
        if gpu.devices:
            return unmet(
                wanted=self.wanted(),
                seen=_seen(gpu),
                because=msg("There is a GPU, but none by NVIDIA."),
                fix=msg("Provide a machine with an NVIDIA GPU, or use a cloud provider for the model."),
            )
        return unmet(
            wanted=self.wanted(),
            seen=msg("no GPU"),
            because=msg("No GPU is on the PCI bus of this machine."),
            fix=msg("Provide a machine with an NVIDIA GPU, or use a cloud provider for the model."),
        )

    def _judge_without_driver(self, gpu: GpuFact) -> Verdict:
        bound = sorted({device.driver for device in gpu.of(Vendor.NVIDIA)} - {""})
        if bound:
            return unmet(
                wanted=self.wanted(),
                seen=_seen(gpu),
                because=msg(
                    "The NVIDIA device is served by {drivers:list}, with which models do not run.", drivers=bound
                ),
                fix=msg(
                    "Install NVIDIA's driver, keep {drivers:list} from loading (modprobe.d), and restart the machine.",
                    drivers=bound,
                ),
            )
        return unmet(
            wanted=self.wanted(),
            seen=_seen(gpu),
            because=msg("There is an NVIDIA device, and no driver serves it."),
            fix=msg("Install NVIDIA's driver (with Secure Boot its module must be signed), and restart the machine."),
        )


def _seen(gpu: GpuFact) -> Message:
    if gpu.cards:
        things = [_shown(card) for card in gpu.cards]
        things += [msg("instance of {size:size}", size=size) for size in gpu.instances]
        return listed(things)
    if gpu.models:
        return listed(msg("{model}", model=model) for model in gpu.models)
    return listed(
        msg("{vendor} device {number} (driver: {driver})", vendor=name, number=device.device, driver=device.driver)
        if device.driver
        else msg("{vendor} device {number} (no driver)", vendor=name, number=device.device)
        for vendor, name in _VENDOR_NAMES.items()
        for device in gpu.of(vendor)
    )


def _shown(card: Card) -> Message:
    if card.partitioned:
        return msg("{card}, partitioned (MIG)", card=card.name)
    if card.memory_bytes is None:
        return msg("{card}, memory not told", card=card.name)
    return msg("{card}, {size:size}", card=card.name, size=card.memory_bytes)


class ContainerToolkitFact(Fact):
    """What lets containers use NVIDIA GPUs."""

    programs: tuple[str, ...]
    specifications: tuple[str, ...]
    """Files by which the Container Device Interface offers NVIDIA GPUs."""


@dataclass(frozen=True, kw_only=True)
class ContainerToolkitQuery(Query[ContainerToolkitFact]):
    """Can containers use NVIDIA GPUs?"""

    kind = "nvidia_container_toolkit"
    touches = ("nvidia-ctk", "nvidia-container-runtime", "nvidia-container-cli", "/etc/cdi/", "/var/run/cdi/")

    def asks(self) -> Message:
        return msg("Is the NVIDIA Container Toolkit installed?")

    def observe(self, host: Host) -> ContainerToolkitFact:
        programs = tuple(program for program in _TOOLKIT if host.commands.which(program))
        return ContainerToolkitFact(programs=programs, specifications=_specifications(host))


def _specifications(host: Host) -> tuple[str, ...]:
    found = []
    for folder in _CDI_FOLDERS:
        try:
            names = host.files.list_folder(folder)
        except FileNotFoundError:
            continue
        paths = (f"{folder}/{name}" for name in names if name.endswith((".yaml", ".json")))
        found += [path for path in paths if host.files.lines_with(path, ("nvidia.com/gpu",))]
    return tuple(found)


class NvidiaContainerToolkitRequirement(Requirement):
    """Containers can use the NVIDIA GPU; pointless where there is none."""

    kind = "nvidia_container_toolkit"

    def wanted(self) -> Message:
        return msg("NVIDIA Container Toolkit")

    def queries(self, known: Evidence) -> Sequence[GpuQuery | ContainerToolkitQuery]:  # noqa: ARG002 - always both
        return [GpuQuery(), ContainerToolkitQuery()]

    def judge(self, evidence: Evidence) -> Verdict:
        toolkit = evidence[ContainerToolkitQuery()]
        found = (*toolkit.programs, *toolkit.specifications)
        if found:
            return met(
                wanted=self.wanted(),
                seen=msg("{found:list}", found=found),
                because=msg("Containers can be given the GPU."),
            )
        gpu = evidence[GpuQuery()]
        if not gpu.of(Vendor.NVIDIA) and not gpu.models and not gpu.cards:
            return not_applicable(
                wanted=self.wanted(), seen=msg("no NVIDIA GPU"), because=msg("There is no NVIDIA GPU for containers.")
            )
        return unmet(
            wanted=self.wanted(),
            seen=msg("neither its programs nor a specification in {folders:list}", folders=_CDI_FOLDERS),
            because=msg("Without it no container can be given the GPU."),
            fix=msg("Install the package nvidia-container-toolkit, and set it up with: nvidia-ctk runtime configure."),
        )
