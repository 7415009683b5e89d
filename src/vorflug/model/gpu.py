"""Which GPUs a machine has, and what NVIDIA's driver says about its own.

Sources: sysfs for PCI devices (display controllers have class 03, processing accelerators 12: PCI Code and ID
Assignment Specification); the driver's README for /proc/driver/nvidia; nvidia-smi(1), whose fields read ``[N/A]`` or
``[Not Supported]`` where a card does not know them; NVIDIA's Multi-Instance GPU User Guide: a process can use only one
instance of a partitioned card, whose name gives its memory in GB (``3g.20gb``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from vorflug.model.base import Frozen
from vorflug.model.message import Message, msg
from vorflug.model.query import Fact, Query
from vorflug.ports import Host

_PCI = "/sys/bus/pci/devices"
_CLASSES = ("PCI_CLASS=3", "PCI_CLASS=12")
"""As the kernel writes them into ``uevent``: hexadecimal, without the leading zero."""
_DRIVER = "/proc/driver/nvidia"
_MIG = "mig.mode.current"
_MIB = 2**20
_GB = 10**9


class Vendor(StrEnum):
    """Who makes GPUs, by the PCI number."""

    NVIDIA = "10DE"
    AMD = "1002"
    INTEL = "8086"


class GpuDevice(Frozen):
    """A graphics device on the PCI bus."""

    address: str
    """``0000:01:00.0``."""
    vendor: Vendor
    device: str
    """The vendor's number for the model: ``20B5``."""
    driver: str
    """The kernel driver that is bound to it; empty for none."""


class Card(Frozen):
    """A card that nvidia-smi knows."""

    name: str
    memory_bytes: int | None
    """None where the card does not tell (it shares the machine's memory, or there was an error)."""
    partitioned: bool
    """Whether MIG is on, so that only instances can be used."""


class GpuFact(Fact):
    """What graphics devices there are, and what NVIDIA's driver says about its own."""

    devices: tuple[GpuDevice, ...] | None
    """Of NVIDIA, AMD and Intel; None where /sys shows no buses."""
    driver: str | None
    """The version of NVIDIA's kernel driver; None where it is not loaded."""
    models: tuple[str, ...] = ()
    """The cards that the kernel driver has taken over."""
    cards: tuple[Card, ...] = ()
    instances: tuple[int, ...] = ()
    """Memory of each MIG instance in bytes."""
    complaint: str | None = None
    """What nvidia-smi said when it failed; None where it did not fail or is not there."""
    asked: bool = False
    """Whether there is an nvidia-smi."""
    lent_by_windows: bool = False
    """Whether Windows lends its graphics to this machine (/dev/dxg), which no other field shows."""

    def of(self, vendor: Vendor) -> tuple[GpuDevice, ...]:
        """The devices of one vendor."""
        return tuple(device for device in self.devices or () if device.vendor is vendor)

    @property
    def usable_bytes(self) -> int:
        """What one model can have: the unpartitioned cards together, or the largest instance."""
        together = sum(card.memory_bytes or 0 for card in self.cards if not card.partitioned)
        return max(together, *self.instances, 0)


@dataclass(frozen=True, kw_only=True)
class GpuQuery(Query[GpuFact]):
    """Which GPUs are there, and can they be used?"""

    kind = "gpu"
    touches = ("nvidia-smi", "/sys/bus/", "/proc/driver/nvidia/", "/dev/dxg")
    deadline = 30.0

    def asks(self) -> Message:
        return msg("Which GPUs are there, and does their driver answer?")

    def observe(self, host: Host) -> GpuFact:
        cards, complaint, asked = _ask_cards(host)
        return GpuFact(
            devices=_devices(host),
            driver=_driver(host),
            models=_models(host),
            cards=cards,
            instances=_instances(host) if any(card.partitioned for card in cards) else (),
            complaint=complaint,
            asked=asked,
            lent_by_windows=host.files.exists("/dev/dxg"),
        )


def _devices(host: Host) -> tuple[GpuDevice, ...] | None:
    if not host.files.exists("/sys/bus"):
        return None
    try:
        found = host.files.lines_below(_PCI, "uevent", _CLASSES)
    except FileNotFoundError:
        return ()  # a machine without PCI
    devices = []
    for address, _ in found:
        lines = host.files.read_text(f"{_PCI}/{address}/uevent", limit=4096).splitlines()
        told = dict(line.split("=", 1) for line in lines if "=" in line)
        vendor, _, device = told.get("PCI_ID", "").partition(":")
        if vendor in set(Vendor):
            devices.append(
                GpuDevice(address=address, vendor=Vendor(vendor), device=device, driver=told.get("DRIVER", ""))
            )
    return tuple(devices)


def _driver(host: Host) -> str | None:
    try:
        text = host.files.read_text(f"{_DRIVER}/version", limit=4096)
    except FileNotFoundError:
        return None
    # "NVIDIA UNIX x86_64 Kernel Module  550.135  Fri …", "NVIDIA UNIX Open Kernel Module for x86_64  565.77  Release …"
    version = re.search(r"Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)", text)
    return version[1] if version else ""


def _models(host: Host) -> tuple[str, ...]:
    try:
        lines = host.files.lines_below(f"{_DRIVER}/gpus", "information", ("Model:",))
    except FileNotFoundError:
        return ()
    return tuple(line.partition(":")[2].strip() for _, line in lines)


def _ask_cards(host: Host) -> tuple[tuple[Card, ...], str | None, bool]:
    """The cards, what nvidia-smi complained about, and whether there is one."""
    try:
        done = host.commands.run(_smi(f"name,memory.total,{_MIG}"))
        if done.code != 0 and _MIG in done.out:  # a version from before MIG does not know the field
            done = host.commands.run(_smi("name,memory.total"))
    except FileNotFoundError:
        return (), None, False
    if done.code != 0:
        said = next((line.strip() for line in (done.out + "\n" + done.err).splitlines() if line.strip()), "")
        return (), said or f"exit status {done.code}", True
    return tuple(_card(line) for line in done.out.splitlines() if line.strip()), None, True


def _smi(fields: str) -> tuple[str, ...]:
    return ("nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader,nounits")


def _card(line: str) -> Card:
    name, memory, *mig = (field.strip() for field in line.split(","))
    return Card(
        name=name,
        memory_bytes=int(memory) * _MIB if memory.isdecimal() else None,
        partitioned=mig == ["Enabled"],
    )


def _instances(host: Host) -> tuple[int, ...]:
    """``  MIG 3g.20gb     Device  0: (UUID: …)`` below each card."""
    sizes = re.findall(r"(?m)^\s+MIG\s+\S*?\dg\.(\d+)gb", host.commands.run(("nvidia-smi", "-L")).out)
    return tuple(int(size) * _GB for size in sizes)
