"""The same 32 checks of this host by Vorflug and by goss (github.com/goss-org/goss): whole processes, wall time.

goss is built once from its Go module into ``build/goss``.  Both tools must decide every one of the checks, and alike,
or this fails.  The runs take turns, so that both meet the same neighbours; the median of RUNS (15 by default) counts.

What is compared is not quite the same work: ``vorflug run`` also writes a signed report with a page for people,
``vorflug collect`` only asks and writes the facts, ``goss validate`` asks, judges and prints.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("VORFLUG_BINARY") or ROOT / "dist" / "vorflug")
RUNS = int(os.environ.get("RUNS", "15"))
CHECKS = 32

MODULE = "github.com/goss-org/goss"
VERSIONS = ("latest", "v0.4.10", "v0.4.9", "v0.4.8")
"""Tried in this order: a module proxy need not know what the latest is."""

PROFILE = """\
schema: vorflug/profile/1
name: host-checks
version: "1.0.0"
title: {en: "32 checks of a host", de: "32 Prüfungen eines Hosts"}
published: "2026-11-25"
sizes: {S: {title: {en: small, de: klein}}}
sources: {}
parameters: {}
requirements:
"""


@dataclass(frozen=True)
class Check:
    """One check, as each of the tools writes it."""

    what: str
    kind: str
    demand: dict[str, Any]
    resource: str
    """The type of goss resource."""
    expects: dict[str, Any]


def checks(folder: Path) -> list[Check]:
    """The 32; *folder* holds the files that some of them look at."""
    kinds = {line.split()[1]: line.split()[2] for line in Path("/proc/mounts").read_text().splitlines()}
    release = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line and line[0] != "#"
    )
    system, version = release["ID"].strip('"'), release["VERSION_ID"].strip('"')
    machine = os.uname().machine
    me = {"uid": os.getuid(), "gid": os.getgid()}
    names = ("docker-doc", "podman-docker")
    sysctls = {
        "fs.file-max": 1000,
        "fs.inotify.max_user_instances": 1,
        "fs.inotify.max_user_watches": 1,
        "kernel.pid_max": 1000,
        "vm.max_map_count": 1000,
    }
    files = {
        "/etc/passwd": "any",
        "/etc/group": "any",
        str(folder / "settings.json"): "json",
        str(folder / "settings.yaml"): "yaml",
        str(folder / "settings.env"): "env",
    }
    (folder / "settings.json").write_text('{"a": 1}\n')
    (folder / "settings.yaml").write_text("a: 1\n")
    (folder / "settings.env").write_text("A=1\n")

    def command(line: str, stdout: Any) -> dict[str, Any]:
        return {"exec": line, "exit-status": 0, "stdout": stdout}

    return [
        *(
            Check(f"{name} at least {n}", "sysctl", {"name": name, "at_least": n}, "kernel-param",
                  {"name": name, "value": {"ge": n}})
            for name, n in sysctls.items()
        ),
        Check("kernel 4.0 or newer", "kernel_version", {"at_least": "4.0"}, "kernel-param",
              {"name": "kernel.osrelease", "value": {"semver-constraint": ">=4.0.0"}}),
        *(
            Check(f"file {Path(path).name}", "file_present", {"path": path, "format": format_}, "file",
                  {"path": path, "exists": True, "filetype": "file"})
            for path, format_ in files.items()
        ),
        Check("folder /tmp of root", "folder_writable", {"path": "/tmp", "uid": 0, "gid": 0}, "file",
              {"path": "/tmp", "exists": True, "filetype": "directory", "owner": "root"}),
        Check("folder of this user", "folder_writable", {"path": str(folder), **me}, "file",
              {"path": str(folder), "exists": True, "filetype": "directory", "mode": "0700"}),
        *(
            Check(f"{point} on {kinds[point]}", "storage_filesystem", {"path": point, "accepted": [kinds[point]]},
                  "mount", {"mountpoint": point, "exists": True, "filesystem": kinds[point]})
            for point in ("/", "/proc", "/sys")
        ),
        Check("/ not full", "storage_fill", {"paths": ["/"], "at_most": "99 %"}, "mount",
              {"mountpoint": "/", "exists": True, "usage": {"le": 99}}),
        Check("1 MB free at /", "storage_free", {"needs": [{"path": "/", "at_least": "1 MB"}]}, "command",
              command("df -B1 --output=avail / | tail -1", {"ge": 1_000_000})),
        *(
            Check(f"tcp {port} free", "port_free", {"ports": [port]}, "port",
                  {"port": f"tcp:{port}", "listening": False})
            for port in (40441, 40442, 40443, 40444)
        ),
        *(
            Check(f"udp {port} free", "port_free", {"ports": [port], "protocol": "udp"}, "port",
                  {"port": f"udp:{port}", "listening": False})
            for port in (40441, 40442)
        ),
        Check("no Falcon sensor runs", "no_agents",
              {"exclusions_agreed": False,
               "agents": [{"name": "Falcon", "processes": ["falcon-sensor"], "folders": ["/opt/CrowdStrike"]}]},
              "process", {"comm": "falcon-sensor", "running": False}),
        Check(f"no {' or '.join(names)}", "packages_absent", {"dpkg": names, "rpm": names}, "command",
              command(f"dpkg-query -W -f '${{Status}}\\n' {' '.join(names)} 2>/dev/null | grep -c '^install ok'; true",
                      ["/^0$/"])),
        Check("this user may install", "admin_access", {"groups": ["docker"]}, "command", command("id -u", ["/^0$/"])),
        Check("1 CPU or more", "cpu_cores", {"at_least": 1}, "command", command("nproc", {"ge": 1})),
        Check("64 MB of memory", "memory", {"at_least": "64 MB"}, "command",
              command("awk '/^MemTotal:/ {print $2}' /proc/meminfo", {"ge": 62_500})),
        Check(f"{system} {version}", "os_release", {"accepted": [{"id": system, "versions": [version]}]}, "file",
              {"path": "/etc/os-release", "exists": True, "contents": [f'/^ID="?{system}"?$/']}),
        Check(f"architecture {machine}", "architecture", {"accepted": [machine]}, "command",
              command("uname -m", [machine])),
        Check("cgroups there", "cgroup_version", {"at_least": 1}, "file",
              {"path": "/sys/fs/cgroup", "exists": True, "filetype": "directory"}),
    ]  # fmt: skip


def profile(rows: Sequence[Check]) -> str:
    """Our profile of *rows*."""
    head = {
        "title": {"en": "Check", "de": "Prüfung"},
        "advice": {"en": "Mend it.", "de": "Beheben."},
        "models": ["compose"],
        "phases": ["pre-install"],
        "team": "os-virtualisation",
        "basis": "derived",
    }
    items = [{"id": f"HC-{n:02}", "kind": row.kind, **head, **row.demand} for n, row in enumerate(rows, start=1)]
    return PROFILE + "\n".join(f"  - {json.dumps(item, ensure_ascii=False)}" for item in items) + "\n"


def gossfile(rows: Sequence[Check]) -> str:
    """The same for goss."""
    resources: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(rows, start=1):
        resources.setdefault(row.resource, {})[f"HC-{number:02}"] = row.expects
    return yaml.safe_dump(resources)


def goss() -> tuple[Path, str]:
    """The built program and its version.  Raises CalledProcessError where no version can be built."""
    folder = ROOT / "build" / "goss"
    program, module, note = folder / "goss", folder / "module", folder / "version"
    if program.exists() and note.exists():
        return program, note.read_text()
    module.mkdir(parents=True, exist_ok=True)

    def go(*arguments: str) -> str:
        return subprocess.run(["go", *arguments], cwd=module, check=True, capture_output=True, text=True).stdout

    for wanted in VERSIONS:
        # a module that requires it, not `go install`: that also asks for modules of the same name below it
        (module / "go.mod").write_text("module bench\n\ngo 1.22\n")
        try:
            version = json.loads(go("list", "-m", "-json", f"{MODULE}@{wanted}"))["Version"]
            go("mod", "edit", f"-require={MODULE}@{version}")
            go("build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", str(program), f"{MODULE}/cmd/goss")
        except subprocess.CalledProcessError as error:
            print(f"goss {wanted}: {error.stderr.strip().splitlines()[-1][:100]}", file=sys.stderr)
            last = error
            continue
        note.write_text(version)
        return program, version
    raise last


def decided_by_goss(printed: bytes) -> dict[str, bool]:
    """Whether each check holds, by its id.  Raises AssertionError where one was skipped."""
    told: dict[str, bool] = {}
    for result in json.loads(printed)["results"]:
        assert not result["skipped"], result
        id_ = result["resource-id"].partition(":")[0]  # "HC-09: /etc/passwd"
        told[id_] = told.get(id_, True) and result["successful"]
    return told


def decided_by_us(report: Path) -> dict[str, bool]:
    """The same.  Raises AssertionError where one is undetermined or not applicable."""
    findings = json.loads(report.read_bytes())["findings"]
    undecided = [(f["id"], f["because"]["en"]) for f in findings if f["outcome"] not in {"met", "unmet"}]
    assert not undecided, undecided
    return {f["id"]: f["outcome"] == "met" for f in findings}


def timed(command: Sequence[str]) -> float:
    """Wall seconds of a whole process."""
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)
    took = time.perf_counter() - began
    assert done.returncode in {0, 1, 3}, done
    return took


def main() -> None:
    if shutil.which("go") is None:
        print("host checks against goss: no Go here, left out")
        return
    program, version = goss()
    with tempfile.TemporaryDirectory(prefix="vorflug-bench-") as name:
        folder = Path(name)
        rows = checks(folder)
        assert len(rows) == CHECKS, len(rows)
        (folder / "profile.yaml").write_text(profile(rows))
        (folder / "goss.yaml").write_text(gossfile(rows))
        theirs = [str(program), "--gossfile", str(folder / "goss.yaml"), "validate", "--format", "json"]
        options = ["--profile", str(folder / "profile.yaml")]
        commands = {f"goss {version} validate": theirs}
        ours = {"source": [sys.executable, "-m", "vorflug.cli"]}
        if BINARY.exists():
            ours["binary"] = [str(BINARY)]
        for where, vorflug in ours.items():
            commands[f"vorflug collect ({where})"] = [*vorflug, "collect", *options, "--out", str(folder / "facts")]
            commands[f"vorflug run ({where})"] = [*vorflug, "run", *options, "--out", str(folder / "out")]

        for command in commands.values():  # to warm up, and to see that all is decided
            timed(command)
        by_goss = decided_by_goss(subprocess.run(theirs, stdout=subprocess.PIPE, check=False).stdout)
        by_us = decided_by_us(next(folder.glob("out/vorflug-*/report.json")))
        assert len(by_goss) == len(by_us) == CHECKS, (len(by_goss), len(by_us))
        differ = [
            (rows[int(id_[3:]) - 1].what, by_us[id_], by_goss[id_]) for id_ in by_us if by_us[id_] != by_goss[id_]
        ]
        assert not differ, differ

        commands["python -c pass"] = [sys.executable, "-c", "pass"]
        took: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(RUNS):
            for name, command in commands.items():
                took[name].append(timed(command))
                shutil.rmtree(folder / "out", ignore_errors=True)

    print(f"{'check':34} {'Vorflug':20} goss")
    counted = Counter((row.kind, row.resource) for row in rows)
    for row in rows:
        print(f"{row.what[:34]:34} {row.kind:20} {row.resource}")
    print(f"\n{CHECKS} checks, all decided by both and alike, in {len(counted)} pairs of kinds; median of {RUNS}:")
    base = statistics.median(took[next(iter(commands))])
    for name, seconds in took.items():
        middle = statistics.median(seconds)
        print(f"{name:28} {middle:7.3f} s {middle / base:6.1f} x   {min(seconds):.3f} to {max(seconds):.3f} s")


if __name__ == "__main__":
    main()
