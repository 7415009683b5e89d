"""Hypervisors and containers as they show themselves in files; names are those of systemd-detect-virt(1)."""

from __future__ import annotations

import pytest

from conftest import FakePort
from vorflug.host.live import LiveHost
from vorflug.host.live.files import LiveFiles
from vorflug.host.system import ComputedSystem
from vorflug.host.virtualisation import Detection
from vorflug.ports.system import Virtualisation

DMI = "sys/class/dmi/id"
CLOCKS = "sys/devices/system/clocksource/clocksource0/available_clocksource"
X86 = ("fpu", "tsc")
VM = (*X86, "hypervisor")
ARM = ("asimd", "fp")
ROOT = "28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
ALL_USERS = "         0          0 4294967295\n"
HOST = {"proc/self/mountinfo": ROOT, "proc/self/uid_map": ALL_USERS, "proc/self/cgroup": "0::/init.scope\n"}
INITIAL = "pid:[4026531836]"


def detected(root, files, flags=X86, *, said=None, pid=INITIAL):
    for path, text in {**HOST, **files}.items():
        if text is None:
            continue
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    if pid is not None:
        (root / "proc/self/ns").mkdir(parents=True, exist_ok=True)
        (root / "proc/self/ns/pid").symlink_to(pid)
    machine = FakePort(container_variable=said)
    return Detection(LiveFiles(str(root)), machine, lambda: None).virtualisation(flags)


def dmi(**words):
    return {f"{DMI}/{name}": f"{word}\n" for name, word in words.items()}


# ---- hypervisor ------------------------------------------------------------------------------------------------------


def test_a_machine_of_its_own(tmp_path):
    files = dmi(sys_vendor="Dell Inc.", product_name="PowerEdge R660", bios_vendor="Dell Inc.")
    assert detected(tmp_path, files) == Virtualisation("", "", False, (), ())


@pytest.mark.parametrize(
    ("files", "flags", "hypervisor", "by"),
    [
        (dmi(sys_vendor="QEMU", product_name="Standard PC (Q35 + ICH9, 2009)"), VM, "qemu", "sys_vendor: QEMU"),
        (dmi(sys_vendor="Red Hat", product_name="KVM"), VM, "kvm", "product_name: KVM"),
        (dmi(sys_vendor="VMware, Inc.", product_name="VMware7,1"), VM, "vmware", "product_name: VMware7,1"),
        (dmi(sys_vendor="innotek GmbH", product_name="VirtualBox"), VM, "oracle", "product_name: VirtualBox"),
        (dmi(sys_vendor="Xen", product_name="HVM domU"), VM, "xen", "sys_vendor: Xen"),
        (dmi(bios_vendor="BHYVE"), VM, "bhyve", "bios_vendor: BHYVE"),
        (dmi(board_vendor="Parallels Software"), VM, "parallels", "board_vendor: Parallels Software"),
        (
            dmi(sys_vendor="Microsoft Corporation", product_name="Virtual Machine", product_version="7.0"),
            VM,
            "microsoft",
            "product_version: Hyper-V",
        ),
        (dmi(product_version="Hyper-V UEFI Release v4.1"), VM, "microsoft", "product_version: Hyper-V UEFI Release"),
        # a Surface is a computer by Microsoft
        (dmi(sys_vendor="Microsoft Corporation", product_name="Surface Laptop 5"), X86, "", None),
        (dmi(sys_vendor="Other", product_name="Virtual Machine"), X86, "", None),
        # clouds sell machines of their own under the same name
        (dmi(sys_vendor="Amazon EC2", product_name="m7i.large"), VM, "amazon", "sys_vendor: Amazon EC2"),
        (dmi(sys_vendor="Amazon EC2", product_name="m7i.metal-24xl"), X86, "", None),
        (dmi(sys_vendor="Amazon EC2", product_name="m7g.large"), ARM, "amazon", "sys_vendor: Amazon EC2"),
        (dmi(sys_vendor="Amazon EC2", product_name="m7g.metal"), ARM, "", None),
        (dmi(sys_vendor="Google", product_name="Google Compute Engine"), VM, "google", "product_name: Google"),
        (dmi(sys_vendor="Google", product_name="Google Compute Engine"), X86, "", None),
        (dmi(sys_vendor="Oracle Corporation", product_name="ORACLE SERVER X9-2L"), X86, "", None),
        # a hypervisor that hides the flag and not the firmware
        (dmi(sys_vendor="QEMU"), X86, "qemu", "sys_vendor: QEMU"),
        # no firmware: the flag says that, the clock says which
        ({CLOCKS: "tsc kvm-clock\n"}, VM, "kvm", "available_clocksource: tsc kvm-clock"),
        ({CLOCKS: "hyperv_clocksource_tsc_page acpi_pm\n"}, VM, "microsoft", "available_clocksource: hyperv"),
        ({CLOCKS: "xen tsc\n"}, VM, "xen", "available_clocksource: xen tsc"),
        ({CLOCKS: "tsc hpet\n"}, VM, "vm-other", "/proc/cpuinfo: hypervisor"),
        ({}, VM, "vm-other", "/proc/cpuinfo: hypervisor"),
        # the machine that lends the clock to others has it too
        ({CLOCKS: "tsc kvm-clock\n"}, X86, "", None),
        # Xen: a guest, and the one that drives the machine
        ({"sys/hypervisor/type": "xen\n"}, VM, "xen", "/sys/hypervisor/type: xen"),
        ({"sys/hypervisor/type": "other\n"}, X86, "", None),
        ({"sys/hypervisor/type": "xen\n", "proc/xen/capabilities": "control_d\n"}, VM, "", "control_d"),
        ({"sys/hypervisor/type": "xen\n", "proc/xen/capabilities": "\n"}, VM, "xen", "/sys/hypervisor/type: xen"),
        # a device tree: strings end with a zero byte
        ({"proc/device-tree/hypervisor/compatible": "linux,kvm\0"}, ARM, "kvm", "compatible: linux,kvm"),
        ({"proc/device-tree/hypervisor/compatible": "xen,xen-4.17\0xen,xen\0"}, ARM, "xen", "compatible: xen"),
        ({"proc/device-tree/hypervisor/compatible": "vmware\0"}, ARM, "vmware", "compatible: vmware"),
        ({"proc/device-tree/hypervisor/compatible": "acme\0"}, ARM, "vm-other", "compatible: acme"),
        (
            {"proc/device-tree/ibm,partition-name": "lpar1\0", "proc/device-tree/hmc-managed?": ""},
            (),
            "powervm",
            "ibm,partition-name",
        ),
        ({"proc/device-tree/ibm,partition-name": "lpar1\0"}, (), "", None),
        ({"proc/device-tree/fw-cfg@9020000": ""}, ARM, "qemu", "fw-cfg"),
        ({"proc/device-tree/model": "Raspberry Pi 4 Model B\0"}, ARM, "", None),
        # mainframes
        ({"proc/sysinfo": "VM00 Name: LINUX1\nVM00 Control Program: z/VM    7.3.0\n"}, (), "zvm", "z/VM 7.3.0"),
        ({"proc/sysinfo": "VM00 Control Program: KVM/Linux\n"}, (), "kvm", "KVM/Linux"),
        ({"proc/sysinfo": "VM00 Control Program: ABC\n"}, (), "vm-other", "ABC"),
        ({"proc/sysinfo": "Manufacturer: IBM\nLPAR Name: L1\n"}, (), "", None),
    ],
)
def test_hypervisors(tmp_path, files, flags, hypervisor, by):
    found = detected(tmp_path, files, flags)
    assert (found.hypervisor, found.container, found.container_by) == (hypervisor, "", ())
    assert bool(found.hypervisor_by) == (by is not None)
    if by:
        assert by in "; ".join(found.hypervisor_by)


def test_what_the_firmware_says_is_cut(tmp_path):
    found = detected(tmp_path, dmi(sys_vendor="QEMU" + "x" * 200))
    assert found.hypervisor_by == (f"/{DMI}/sys_vendor: QEMU{'x' * 76}",)


# ---- container -------------------------------------------------------------------------------------------------------


def mount(point, root="/", kind="ext4"):
    return f"600 28 8:2 {root} {point} rw,relatime - {kind} /dev/sda2 rw\n"


DOCKER_ETC = ROOT + mount("/etc/hostname", "/var/lib/docker/containers/9f2c/hostname")
POD_ETC = ROOT + mount("/etc/hosts", "/var/lib/kubelet/pods/1e8c/etc-hosts") + mount("/etc/hostname", "/x")
LXCFS = ROOT + mount("/proc/meminfo", "/proc/meminfo", "fuse.lxcfs")


@pytest.mark.parametrize(
    ("files", "container", "by"),
    [
        ({"proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n"}, "wsl", "WSL2"),
        ({"proc/sys/kernel/osrelease": "4.4.0-19041-Microsoft\n"}, "wsl", "Microsoft"),
        ({"proc/sys/kernel/osrelease": "6.8.0-generic-WSL", ".dockerenv": ""}, "wsl", "WSL"),
        ({"proc/sys/kernel/osrelease": "6.1.0-18-amd64\n"}, "", None),
        ({"proc/vz": ""}, "openvz", "/proc/vz"),
        ({"proc/vz": "", "proc/bc": ""}, "", None),
        ({"run/host/container-manager": "systemd-nspawn\n"}, "systemd-nspawn", "container-manager: systemd-nspawn"),
        ({"run/systemd/container": "lxc\n"}, "lxc", "/run/systemd/container: lxc"),
        ({"run/systemd/container": "\n"}, "", None),
        ({"run/.containerenv": ""}, "podman", "/run/.containerenv"),
        ({"proc/self/mountinfo": POD_ETC, ".dockerenv": ""}, "kubernetes", "kubelet"),
        ({"proc/self/mountinfo": ROOT + mount("/etc/hosts", "/srv/hosts")}, "", None),
        ({"proc/self/mountinfo": DOCKER_ETC, ".dockerenv": ""}, "docker", "/.dockerenv"),
        # the image of a virtual machine that was made from a container's
        ({".dockerenv": ""}, "", None),
        ({"proc/self/mountinfo": DOCKER_ETC}, "", None),
        ({"proc/self/mountinfo": LXCFS}, "lxc", "/proc/meminfo: fuse.lxcfs"),
        # the machine that runs such containers
        ({"proc/self/mountinfo": ROOT + mount("/var/lib/lxcfs", "/", "fuse.lxcfs")}, "", None),
        ({"proc/self/mountinfo": ROOT + mount("/proc/meminfo", "/x")}, "", None),
        # cgroup v1, or v2 without a namespace
        ({"proc/self/cgroup": "4:memory:/docker/9f2c4d1e7a\n"}, "docker", "4:memory:/docker/9f2c4d1e7a"),
        ({"proc/self/cgroup": "0::/system.slice/docker-9f2c4d1e7a00.scope\n"}, "docker", "docker-9f2c"),
        ({"proc/self/cgroup": "0::/system.slice/docker.service\n"}, "", None),
        ({"proc/self/cgroup": "0::/machine.slice/libpod-9f2c4d1e7a00.scope/container\n"}, "podman", "libpod-9f2c"),
        ({"proc/self/cgroup": "0::/lxc.payload.web/init.scope\n"}, "lxc", "lxc.payload.web"),
        ({"proc/self/cgroup": "4:memory:/lxc/web\n"}, "lxc", "/lxc/web"),
        ({"proc/self/cgroup": "0::/lxcfs.service\n"}, "", None),
        (
            {"proc/self/cgroup": "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope\n"},
            "kubernetes",
            "kubep",
        ),
        ({"proc/self/cgroup": "0::/k/crio-1e.scope\n"}, "kubernetes", "crio-"),
        ({"proc/self/cgroup": "4:cpu:/\n3:memory:/kubepods/pod1\n"}, "kubernetes", "3:memory:/kubepods/pod1"),
        ({"proc/self/cgroup": None}, "", None),
    ],
)
def test_containers(tmp_path, files, container, by):
    found = detected(tmp_path, files)
    assert (found.container, found.hypervisor, found.rootless) == (container, "", False)
    assert bool(found.container_by) == (by is not None)
    if by:
        assert by in "; ".join(found.container_by)


@pytest.mark.parametrize(
    ("said", "files", "container"),
    [
        ("lxc", {}, "lxc"),
        ("lxc-libvirt\n", {}, "lxc-libvirt"),
        ("x" * 100, {}, "x" * 64),
        ("", {}, ""),
        # said by several managers, of which each leaves its own mark
        ("oci", {"run/.containerenv": ""}, "podman"),
        ("oci", {}, ""),
        (PermissionError("not root"), {}, ""),
        (FileNotFoundError("no /proc/1"), {}, ""),
        (NotImplementedError("not recorded"), {}, ""),
    ],
)
def test_what_the_first_process_was_told(tmp_path, said, files, container):
    assert detected(tmp_path, files, said=said).container == container


def test_a_name_that_a_manager_gives_is_cut(tmp_path):
    assert detected(tmp_path, {"run/systemd/container": "y" * 100}).container == "y" * 64


@pytest.mark.parametrize(("pid", "container"), [(INITIAL, ""), ("pid:[4026532281]", "container-other"), (None, "")])
def test_another_process_namespace_is_a_container_of_whatever_kind(tmp_path, pid, container):
    found = detected(tmp_path, {}, pid=pid)
    assert found.container == container
    assert found.container_by == ((f"/proc/self/ns/pid: {pid}",) if container else ())


@pytest.mark.parametrize(
    ("users", "rootless"),
    [
        (ALL_USERS, False),
        (None, False),
        ("         0       1000          1\n         1     100000      65536\n", True),
        ("         0     100000      65536\n", True),
        ("         0          0      65536\n", True),
    ],
)
def test_a_user_namespace_of_its_own(tmp_path, users, rootless):
    found = detected(tmp_path, {"proc/self/uid_map": users, "run/.containerenv": ""})
    assert (found.rootless, found.container) == (rootless, "podman")
    assert len(found.container_by) == 1 + rootless


class Closed(LiveFiles):
    """What is closed to this user is no clue and no reason to give up."""

    def read_text(self, path, *, limit=1 << 20):
        if path.endswith("/mountinfo"):
            return ROOT
        raise PermissionError(path)

    def exists(self, path):
        raise PermissionError(path)

    def list_folder(self, path):
        raise PermissionError(path)

    def read_link(self, path):
        raise PermissionError(path)


def test_closed_files_are_no_clues():
    closed = Detection(Closed(), FakePort(container_variable=PermissionError("x")), lambda: None)
    assert closed.virtualisation(()) == Virtualisation("", "", False, (), ())


def test_without_proc_nothing_is_known(tmp_path):
    with pytest.raises(NotImplementedError, match="/proc"):
        detected(tmp_path, {"proc/self/mountinfo": None})


def test_the_time_of_a_question_ends(tmp_path):
    def over():
        raise TimeoutError("over")

    with pytest.raises(TimeoutError):
        Detection(LiveFiles(str(tmp_path)), FakePort(), over).virtualisation(())


def test_the_flags_are_those_of_the_processor(tmp_path):
    for path, text in {
        **HOST,
        "proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu hypervisor\n\n",
        "proc/self/status": "Cpus_allowed_list:\t0\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    system = ComputedSystem(LiveFiles(str(tmp_path)), FakePort(container_variable=None))
    assert system.virtualisation().hypervisor == "vm-other"


def test_this_machine_answers():
    found = LiveHost(10).system.virtualisation()
    assert bool(found.hypervisor) <= bool(found.hypervisor_by)
    assert bool(found.container) <= bool(found.container_by)
