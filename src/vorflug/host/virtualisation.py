"""Which hypervisor and which container this runs in, from files that anyone may read.

Sources: systemd-detect-virt(1) for the names and, with systemd's src/basic/virt.c, for what points to them;
"The Container Interface" of systemd; user_namespaces(7); for x86 the flag ``hypervisor`` of /proc/cpuinfo
(X86_FEATURE_HYPERVISOR), which Linux shows exactly where the processor says that it is a hypervisor's.
What a process could choose itself (its name, its own environment) is not asked, and neither is /proc/1/sched, whose
first line tells the process number in the machine on old kernels only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from vorflug import ports
from vorflug.host import mounts
from vorflug.host.mounts import Mount
from vorflug.ports.processes import FIRST_NAMESPACE
from vorflug.ports.system import Virtualisation

_DMI = "/sys/class/dmi/id"
_DMI_FILES = ("product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version")
_DMI_STARTS = {
    "KVM": "kvm",
    "OpenStack": "kvm",
    "KubeVirt": "kvm",
    "Amazon EC2": "amazon",
    "QEMU": "qemu",
    "VMware": "vmware",
    "VMW": "vmware",
    "innotek GmbH": "oracle",
    "VirtualBox": "oracle",
    "Oracle Corporation": "oracle",
    "Xen": "xen",
    "Bochs": "bochs",
    "Parallels": "parallels",
    "BHYVE": "bhyve",
    "Hyper-V": "microsoft",
    "Apple Virtualization": "apple",
    "Google Compute Engine": "google",
}
"""Starts of what the firmware says, in the order in which systemd looks for them."""
_SELL_BARE_METAL = {"amazon", "google", "oracle"}
"""Whose firmware says the same on machines of their own."""

_CLOCKS = {"kvm-clock": "kvm", "hyperv_clocksource": "microsoft", "xen": "xen"}
"""Clock sources that a hypervisor lends (/sys/devices/system/clocksource): they tell it where the firmware does not."""

_NAME_AT_MOST = 64
_ALL_USERS = ["0", "0", "4294967295"]
"""The map of the initial user namespace (user_namespaces(7))."""

_GROUPS = (
    (re.compile(r"/kubepods|cri-containerd|/crio-"), "kubernetes"),
    (re.compile(r"/docker[/-][0-9a-f]{8,64}"), "docker"),
    (re.compile(r"libpod-[0-9a-f]{8,64}"), "podman"),
    (re.compile(r"/lxc(\.payload)?[./]"), "lxc"),
)
"""How container managers call the cgroups of their containers; seen where the container has no cgroup namespace."""


class Detection:
    """Looks at the files of one machine."""

    def __init__(self, files: ports.Files, machine: ports.Machine, go_on: Callable[[], object]) -> None:
        self._files = files
        self._machine = machine
        self._go_on = go_on
        self._evidence: list[str] = []

    def virtualisation(self, flags: Collection[str]) -> Virtualisation:
        """*flags* are those of the processor.  Raises NotImplementedError without /proc."""
        hypervisor, hypervisor_by = self._hypervisor(flags), self._taken()
        container, rootless = self._container(), self._rootless()
        return Virtualisation(hypervisor, container, rootless, hypervisor_by, self._taken())

    def _taken(self) -> tuple[str, ...]:
        """The evidence so far, which then begins anew."""
        found, self._evidence = tuple(self._evidence), []
        return found

    # ---- hypervisor

    def _hypervisor(self, flags: Collection[str]) -> str:
        if self._is_xen_host():
            return ""  # dom0 sees the hypervisor that it drives itself, as systemd judges too
        named = self._by_sysfs() or self._by_firmware(flags) or self._by_device_tree() or self._by_mainframe()
        if named:
            return named
        if "hypervisor" not in flags:
            return ""
        self._evidence.append("/proc/cpuinfo: hypervisor")
        return self._by_clock() or "vm-other"

    def _is_xen_host(self) -> bool:
        return self._noted("/proc/xen/capabilities", "control_d" in self._text("/proc/xen/capabilities"), "control_d")

    def _by_sysfs(self) -> str:
        kind = self._text("/sys/hypervisor/type")
        return "xen" if self._noted("/sys/hypervisor/type", kind == "xen", kind) else ""

    def _by_firmware(self, flags: Collection[str]) -> str:
        words = {name: self._text(f"{_DMI}/{name}") for name in _DMI_FILES}
        # Hyper-V and Azure; Microsoft's own computers have other product names
        if words["sys_vendor"] == "Microsoft Corporation" and words["product_name"] == "Virtual Machine":
            words["product_version"] = "Hyper-V"
        for name, word in words.items():
            found = next((kind for start, kind in _DMI_STARTS.items() if word.startswith(start)), "")
            if found in _SELL_BARE_METAL and self._is_bare_metal(flags, words["product_name"]):
                continue
            if self._noted(f"{_DMI}/{name}", bool(found), word):
                return found
        return ""

    def _is_bare_metal(self, flags: Collection[str], product: str) -> bool:
        # only x86 has a feature called fpu, and there a hypervisor shows itself
        return ("fpu" in flags and "hypervisor" not in flags) or ".metal" in product

    def _by_device_tree(self) -> str:
        path = "/proc/device-tree/hypervisor/compatible"
        word = self._text(path)
        if self._noted(path, bool(word), word):
            known = {"kvm": "kvm", "xen": "xen", "vmware": "vmware"}
            return next((kind for part, kind in known.items() if part in word), "vm-other")
        folder = "/proc/device-tree"
        names = self._names(folder)
        if self._noted(folder, {"ibm,partition-name", "hmc-managed?"} <= names, "ibm,partition-name"):
            return "powervm"
        return "qemu" if self._noted(folder, any("fw-cfg" in name for name in names), "fw-cfg") else ""

    def _by_mainframe(self) -> str:
        # "VM00 Control Program: KVM/Linux" (the kernel's arch/s390/kernel/sysinfo.c)
        path = "/proc/sysinfo"
        line = next((t for t in self._text(path).splitlines() if "Control Program:" in t), "")
        if not self._noted(path, bool(line), " ".join(line.split())):
            return ""
        return "zvm" if "z/VM" in line else "kvm" if "KVM" in line else "vm-other"

    def _by_clock(self) -> str:
        path = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
        words = self._text(path).split()
        found = next((kind for clock, kind in _CLOCKS.items() if any(w.startswith(clock) for w in words)), "")
        return found if self._noted(path, bool(found), " ".join(words)) else ""

    # ---- container

    def _container(self) -> str:
        release = "/proc/sys/kernel/osrelease"
        word = self._text(release)
        if self._noted(release, "Microsoft" in word or "WSL" in word, word):
            return "wsl"  # first, because Docker Desktop leaves its traces there
        if self._noted("/proc/vz", self._exists("/proc/vz") and not self._exists("/proc/bc"), ""):
            return "openvz"
        return self._by_manager() or self._by_mark() or self._by_group() or self._by_namespace()

    def _by_manager(self) -> str:
        """The manager says its name, in the three ways of the container interface."""
        for path in ("/run/host/container-manager", "/run/systemd/container"):
            word = self._text(path)
            if self._noted(path, bool(word), word):
                return word[:_NAME_AT_MOST]
        try:
            word = (self._machine.container_variable() or "").strip()
        except (FileNotFoundError, PermissionError, NotImplementedError):
            return ""
        # "oci" is said by several managers, which leave marks of their own
        named = self._noted("/proc/1/environ", word not in {"", "oci"}, f"container={word}")
        return word[:_NAME_AT_MOST] if named else ""

    def _by_mark(self) -> str:
        if self._noted("/run/.containerenv", self._exists("/run/.containerenv"), ""):
            return "podman"
        table = mounts.read(self._files)
        pod = _mounted(table, "/etc/hosts")
        if self._noted("/etc/hosts", pod is not None and "/kubelet/pods/" in pod.root, "mounted from /kubelet/pods"):
            return "kubernetes"
        # An image of a virtual machine that was made out of a container's keeps the file.  In a container that runs,
        # Docker has mounted the name of the host as well.
        docker = self._exists("/.dockerenv") and _mounted(table, "/etc/hostname") is not None
        if self._noted("/.dockerenv", docker, ""):
            return "docker"
        lxcfs = next((m.point for m in table if m.kind == "fuse.lxcfs" and m.point.startswith("/proc/")), "")
        return "lxc" if self._noted(lxcfs, bool(lxcfs), "fuse.lxcfs") else ""

    def _by_group(self) -> str:
        path = "/proc/self/cgroup"
        for line in self._text(path).splitlines():
            found = next((kind for pattern, kind in _GROUPS if pattern.search(line)), "")
            if self._noted(path, bool(found), line):
                return found
        return ""

    def _by_namespace(self) -> str:
        path = "/proc/self/ns/pid"
        try:
            link = self._files.read_link(path)
        except OSError:
            return ""  # a kernel without namespaces
        return "container-other" if self._noted(path, link != FIRST_NAMESPACE, link) else ""

    def _rootless(self) -> bool:
        path = "/proc/self/uid_map"
        text = self._text(path)
        return self._noted(path, bool(text) and text.split() != _ALL_USERS, " ".join(text.split()))

    # ---- files

    def _noted(self, path: str, holds: bool, word: str) -> bool:
        if holds:
            self._evidence.append(f"{path}: {word[:80]}" if word else path)
        return holds

    def _text(self, path: str) -> str:
        """Empty where it is not there or closed: these files are clues, of which any may be missing."""
        self._go_on()
        try:
            return self._files.read_text(path, limit=1 << 16).strip("\0 \t\n")
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return ""

    def _exists(self, path: str) -> bool:
        self._go_on()
        try:
            return self._files.exists(path)
        except PermissionError:
            return False

    def _names(self, folder: str) -> set[str]:
        self._go_on()
        try:
            return set(self._files.list_folder(folder))
        except (FileNotFoundError, PermissionError):
            return set()


def _mounted(table: tuple[Mount, ...], point: str) -> Mount | None:
    return next((mount for mount in table if mount.point == point), None)
