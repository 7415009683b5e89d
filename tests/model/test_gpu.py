"""GPUs as other machines show them: sysfs and /proc/driver/nvidia as trees, nvidia-smi as what it printed."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host
from vorflug.host.live import LiveHost
from vorflug.host.live.files import LiveFiles
from vorflug.model.gpu import Card, GpuDevice, GpuQuery, Vendor
from vorflug.ports.commands import Completed

MIB = 2**20
GB = 10**9
OPEN = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  565.77  Release Build  (dvs@u22)  Sun Feb  9 11:08:26\n"
)
CLOSED = (
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.135  Fri Jan 10 20:00:00 UTC 2025\nGCC version:  gcc 12.3\n"
)
INFORMATION = "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 10\nBus Location: \t 0000:62:00.0\nGPU Excluded:\t No\n"
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n"
)
MISMATCH = "Failed to initialize NVML: Driver/library version mismatch"
NO_FIELD = 'Field "mig.mode.current" is not a valid field to query.\n'
ASK = ("nvidia-smi", "--query-gpu=name,memory.total,mig.mode.current", "--format=csv,noheader,nounits")
ASK_OLD = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
LIST = ("nvidia-smi", "-L")


def uevent(pci_class, pci_id, driver=""):
    return (f"DRIVER={driver}\n" if driver else "") + f"PCI_CLASS={pci_class}\nPCI_ID={pci_id}\nPCI_SLOT_NAME=x\n"


def observed(root, files, commands=None):
    for path, text in {"sys/bus/x": "", **files}.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    asked = []

    def run(argv):
        asked.append(argv)
        answer = (commands or {}).get(argv, FileNotFoundError(argv[0]))
        return Completed(0, answer, "") if isinstance(answer, str) else answer

    fact = GpuQuery().observe(fake_host(files=LiveFiles(str(root)), commands=FakePort(run=run)))
    return fact, asked


@pytest.mark.parametrize(
    ("text", "device"),
    [
        (uevent("30200", "10DE:2330", "nvidia"), (Vendor.NVIDIA, "2330", "nvidia")),
        (uevent("30000", "10DE:2504"), (Vendor.NVIDIA, "2504", "")),
        (uevent("30000", "8086:4680", "i915"), (Vendor.INTEL, "4680", "i915")),
        (uevent("120000", "1002:74A1", "amdgpu"), (Vendor.AMD, "74A1", "amdgpu")),
        (uevent("38000", "1002:740F", "amdgpu"), (Vendor.AMD, "740F", "amdgpu")),
        # what a hypervisor shows as a screen
        (uevent("30000", "1234:1111", "bochs-drm"), None),
        (uevent("30000", "15AD:0405", "vmwgfx"), None),
        # the sound device on the same card, and a network device
        (uevent("40300", "10DE:228E", "snd_hda_intel"), None),
        (uevent("20000", "8086:1521", "igb"), None),
        ("PCI_CLASS=30000\n", None),
    ],
)
def test_graphics_devices_on_the_pci_bus(tmp_path, text, device):
    fact, _ = observed(tmp_path, {"sys/bus/pci/devices/0000:01:00.0/uevent": text})
    if device is None:
        assert fact.devices == ()
    else:
        vendor, number, driver = device
        assert fact.devices == (GpuDevice(address="0000:01:00.0", vendor=vendor, device=number, driver=driver),)
        assert fact.of(vendor) == fact.devices
        assert all(fact.of(other) == () for other in Vendor if other is not vendor)


def test_a_machine_without_pci_has_none(tmp_path):
    fact, asked = observed(tmp_path, {})
    assert (fact.devices, fact.driver, fact.cards, fact.complaint, fact.asked) == ((), None, (), None, False)
    assert (fact.models, fact.instances, fact.lent_by_windows, fact.usable_bytes) == ((), (), False, 0)
    assert asked == [ASK]


def test_without_sys_no_device_is_known(tmp_path):
    commands = FakePort(run=FileNotFoundError("nvidia-smi"))
    fact = GpuQuery().observe(fake_host(files=LiveFiles(str(tmp_path)), commands=commands))
    assert fact.devices is None
    assert fact.of(Vendor.NVIDIA) == ()


@pytest.mark.parametrize(("text", "version"), [(OPEN, "565.77"), (CLOSED, "550.135"), ("something new\n", "")])
def test_the_version_of_the_driver(tmp_path, text, version):
    fact, _ = observed(tmp_path, {"proc/driver/nvidia/version": text})
    assert fact.driver == version


def test_the_cards_that_the_kernel_driver_has(tmp_path):
    fact, _ = observed(tmp_path, {"proc/driver/nvidia/gpus/0000:62:00.0/information": INFORMATION})
    assert fact.models == ("NVIDIA H100 80GB HBM3",)


def test_windows_lends_its_graphics(tmp_path):
    assert observed(tmp_path, {"dev/dxg": ""})[0].lent_by_windows


@pytest.mark.parametrize(
    ("line", "card"),
    [
        ("Tesla T4, 15360, [N/A]", ("Tesla T4", 15360 * MIB, False)),
        ("NVIDIA A100-SXM4-40GB, 40960, Disabled", ("NVIDIA A100-SXM4-40GB", 40960 * MIB, False)),
        ("NVIDIA A100-SXM4-40GB, 40960, Enabled", ("NVIDIA A100-SXM4-40GB", 40960 * MIB, True)),
        # shares the machine's memory
        ("NVIDIA GB10, [N/A], [N/A]", ("NVIDIA GB10", None, False)),
        ("GeForce GT 710, [Not Supported], [Not Supported]", ("GeForce GT 710", None, False)),
    ],
)
def test_what_nvidia_smi_prints(tmp_path, line, card):
    name, memory, partitioned = card
    fact, asked = observed(tmp_path, {}, {ASK: f"{line}\n\n", LIST: ""})
    assert fact.cards == (Card(name=name, memory_bytes=memory, partitioned=partitioned),)
    assert (fact.complaint, fact.asked) == (None, True)
    assert asked == ([ASK, LIST] if partitioned else [ASK])


def test_a_line_that_makes_no_sense_is_refused(tmp_path):
    with pytest.raises(ValueError):
        observed(tmp_path, {}, {ASK: "nonsense\n"})


def test_an_old_nvidia_smi_that_does_not_know_mig(tmp_path):
    fact, asked = observed(tmp_path, {}, {ASK: Completed(2, NO_FIELD, ""), ASK_OLD: "Tesla K80, 11441\n"})
    assert fact.cards == (Card(name="Tesla K80", memory_bytes=11441 * MIB, partitioned=False),)
    assert asked == [ASK, ASK_OLD]


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (Completed(9, NO_DRIVER, ""), NO_DRIVER.strip()),
        (Completed(18, f"{MISMATCH}\nNVML library version: 1\n", ""), MISMATCH),
        (Completed(6, "", "\nNo devices were found\n"), "No devices were found"),
        (Completed(-11, "", ""), "exit status -11"),
    ],
)
def test_an_nvidia_smi_that_fails_says_why(tmp_path, done, said):
    fact, asked = observed(tmp_path, {}, {ASK: done})
    assert (fact.complaint, fact.cards, fact.asked) == (said, (), True)
    assert asked == [ASK]


def test_the_instances_of_a_partitioned_card(tmp_path):
    listed = (
        "GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)\n"
        "  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)\n"
        "  MIG 1c.2g.10gb  Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)\n"
        "  MIG 1g.5gb+me   Device  2: (UUID: MIG-1e8c0a5e-0000-5b25-b243-5985ef7c9beb)\n"
        "GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-6d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)\n"
    )
    fact, _ = observed(tmp_path, {}, {ASK: "A100, 40960, Enabled\nA100, 40960, Disabled\n", LIST: listed})
    assert fact.instances == (20 * GB, 10 * GB, 5 * GB)
    assert fact.usable_bytes == 40960 * MIB


@pytest.mark.parametrize(
    ("cards", "instances", "usable"),
    [
        ("T4, 15360, [N/A]\nT4, 15360, [N/A]\n", "", 2 * 15360 * MIB),
        ("A100, 40960, Enabled\n", "", 0),
        ("A100, 40960, Enabled\n", "  MIG 3g.20gb Device 0: (UUID: x)\n  MIG 1g.5gb Device 1: (UUID: y)\n", 20 * GB),
        ("A100, 40960, Enabled\nT4, 15360, [N/A]\n", "  MIG 3g.20gb Device 0: (UUID: x)\n", 20 * GB),
        ("GB10, [N/A], [N/A]\nT4, 15360, [N/A]\n", "", 15360 * MIB),
    ],
)
def test_whole_cards_add_up_and_instances_do_not(tmp_path, cards, instances, usable):
    fact, _ = observed(tmp_path, {}, {ASK: cards, LIST: instances})
    assert fact.usable_bytes == usable


def test_this_machine_answers():
    fact = GpuQuery().observe(LiveHost(20))
    assert fact.asked == bool(fact.cards or fact.complaint)
