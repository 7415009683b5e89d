"""A Debian of its own in QEMU, with systemd and cgroup v2: runs a scenario there and brings home what it left.

``python tools/vm/boot.py OUT [SCENARIO]`` needs root, debootstrap, qemu-system-x86_64, e2fsprogs and the binary
(``make binary``).  SCENARIO is a shell script (``tools/vm/plain.sh`` by default) that runs as root once the machine has
started; what it writes to ``/out`` lies in OUT afterwards.  Its comment lines ``# packages: …`` are installed before.

The machine has no network.  It is emulated unless ``VM_ACCELERATOR=kvm`` is set, and takes some minutes then.
This is no test: it is how real recordings are made and how judgements are checked that containers cannot check.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = Path(os.environ.get("VORFLUG_BINARY") or HERE.parent.parent / "dist" / "vorflug")
RELEASE = "bookworm"
BASE = ("linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "dbus", "udev", "chrony", "iproute2")
DISK_BYTES = 6 * 2**30
MEMORY_MIB = 2048
PROCESSORS = 3
SECONDS = 1500
"""An emulated machine needs some 30 s to start, and about ten times as long as a real one for a run."""

UNIT = """\
[Unit]
Description=What this machine is for
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'mkdir -p /out && cd /out && HOME=/root sh -x /root/scenario > /out/log 2>&1; sync'
ExecStopPost=/usr/bin/systemctl poweroff

[Install]
WantedBy=multi-user.target
"""


def run(*command: str | Path) -> None:
    """Raises CalledProcessError."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def build(tree: Path, scenario: str) -> None:
    """The files of the machine."""
    wanted = re.findall(r"^# packages: (.*)$", scenario, re.MULTILINE)
    packages = (*BASE, *(name for line in wanted for name in line.split()))
    run("debootstrap", "--variant=minbase", f"--include={','.join(packages)}", RELEASE, tree)
    shutil.copy2(BINARY, tree / "usr/local/bin/vorflug")
    (tree / "root/scenario").write_text(scenario)
    (tree / "etc/hostname").write_text("audit-vm\n")
    (tree / "etc/fstab").write_text("LABEL=root / ext4 defaults 0 1\n")
    (tree / "etc/systemd/system/scenario.service").write_text(UNIT)
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "scenario.service").symlink_to("../scenario.service")


def boot(disk: Path, kernel: Path, initrd: Path, log: Path) -> None:
    """Until the machine has switched itself off.  Raises TimeoutExpired."""
    command = [
        "qemu-system-x86_64", "-accel", os.environ.get("VM_ACCELERATOR", "tcg"), "-cpu", "max",
        "-smp", str(PROCESSORS), "-m", str(MEMORY_MIB), "-nographic", "-no-reboot", "-nic", "none",
        "-kernel", str(kernel), "-initrd", str(initrd), "-append", "root=LABEL=root rw console=ttyS0",
        "-drive", f"file={disk},if=virtio,format=raw",
    ]  # fmt: skip
    with log.open("wb") as console:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=console, stderr=console, timeout=SECONDS)


def main() -> None:
    """Everything."""
    out = Path(sys.argv[1])
    scenario = Path(sys.argv[2] if len(sys.argv) > 2 else HERE / "plain.sh").read_text()  # noqa: PLR2004
    if out.exists():
        sys.exit(f"{out} is there already: name a folder that is not")
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="vorflug-vm-") as name:
        folder = Path(name)
        tree, disk = folder / "tree", folder / "disk"
        build(tree, scenario)
        with disk.open("wb") as file:
            file.truncate(DISK_BYTES)
        run("mkfs.ext4", "-q", "-L", "root", "-d", tree, disk)
        (kernel,), (initrd,) = tree.glob("boot/vmlinuz-*"), tree.glob("boot/initrd.img-*")
        boot(disk, kernel, initrd, out / "console")
        run("debugfs", "-R", f"rdump /out {out}", disk)


if __name__ == "__main__":
    main()
