"""Connections to many endpoints by Vorflug, by ``curl -Z`` and by goss: whole processes, wall time and peak memory.

W3: 20 healthy endpoints that take 50 ms to answer.  W4: 40 endpoints, of which 20 are dead: their queue of connections
is full, so that the kernel drops what comes, as a filter does.  All on loopback, over TLS with an authority of our own;
the servers are one process with threads.  Every tool has 2 seconds for each endpoint and must tell the healthy from the
dead, or this fails.  The runs take turns, so that all meet the same neighbours; what counts is the median of RUNS, 9 by
default.

Not quite the same work: curl and goss say whether an answer came.  ``vorflug collect`` also writes down each stage with
its time, the whole chain and every fault of it, judged against three stores, and what was seen besides.
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
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from host_checks import BINARY, PROFILE, ROOT, goss

RUNS = int(os.environ.get("RUNS", "9"))
LIMIT_S = 2
ANSWERS_AFTER_S = 0.05
AT_ONCE = 50

LAUNCHER = """\
import os, sys, time
began = time.perf_counter()
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
took = time.perf_counter() - began
with open(sys.argv[1], "w") as file:
    print(took, used.ru_maxrss, os.waitstatus_to_exitcode(status), file=file)
"""
"""A process's peak counts what it was before exec (getrusage(2), ``ru_maxrss``), so it is started by a small one."""


@dataclass(frozen=True)
class Work:
    """Some endpoints."""

    what: str
    ca_file: str
    healthy: Sequence[str]
    dead: Sequence[str]

    @property
    def urls(self) -> list[str]:
        """All, in turn, as in a list that people wrote."""
        return [*self.healthy, *self.dead]


@dataclass(frozen=True)
class Run:
    """One whole process."""

    took_s: float
    peak_kib: int
    code: int
    printed: str


@dataclass(frozen=True)
class Tool:
    """A program and how to read what it found."""

    name: str
    command: Sequence[str]
    codes: frozenset[int]
    facts: Path | None = None

    def answered(self, run: Run) -> set[str]:
        """The URLs that answered."""
        if self.facts is not None:
            rows = json.loads(self.facts.read_bytes())["facts"]
            return {r["query"]["url"] for r in rows if not any(s["code"] for s in r["fact"]["trace"]["stages"])}
        if self.name.startswith("curl"):
            lines = [line.split() for line in run.printed.splitlines()]
            return {url for url, status in lines if status == "200"}
        results = json.loads(run.printed)["results"]
        return {r["resource-id"].partition(": ")[2] or r["resource-id"] for r in results if r["successful"]}

    def collection_s(self) -> float:
        """Seconds from the first question to the last answer."""
        if self.facts is None:
            raise ValueError(f"{self.name} writes no facts")
        times = json.loads(self.facts.read_bytes())["times"]
        return (datetime.fromisoformat(times["finished"]) - datetime.fromisoformat(times["started"])).total_seconds()


def serve(folder: Path, healthy: int, dead: int) -> None:
    """Serve until standard input ends; the first line on standard output has the ports of both sorts."""
    sys.path.insert(0, str(ROOT / "tests"))
    from lab import authority, servers

    (folder / "ca.pem").write_bytes(authority.root().pem())

    def slow(sock) -> None:
        servers.head(sock)
        time.sleep(ANSWERS_AFTER_S)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    with ExitStack() as stack:
        context = authority.context(folder, authority.good())
        ports = [stack.enter_context(servers.tcp(servers.tls(context, slow))) for _ in range(healthy)]
        full = [stack.enter_context(servers.full_backlog()) for _ in range(dead)]
        print(json.dumps([ports, full]), flush=True)
        sys.stdin.read()


@contextmanager
def work(what: str, folder: Path, healthy: int, dead: int) -> Iterator[Work]:
    """The servers in a process of their own."""
    arguments = [sys.executable, __file__, "serve", str(folder), str(healthy), str(dead)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        ports = json.loads(server.stdout.readline())
        yield Work(what, str(folder / "ca.pem"), *([f"https://localhost:{p}/" for p in sort] for sort in ports))
        server.stdin.close()


def profile(job: Work) -> str:
    """Our profile of it."""
    head = {
        "kind": "egress_endpoint",
        "title": {"en": "Endpoint", "de": "Endpunkt"},
        "advice": {"en": "Mend it.", "de": "Beheben."},
        "models": ["compose"],
        "phases": ["pre-install"],
        "team": "network-firewall",
        "basis": "derived",
        "ca_file": job.ca_file,
        "timeout": f"{LIMIT_S} s",
    }
    rows = [{"id": f"NET-{n:02}", **head, "url": url} for n, url in enumerate(job.urls, start=1)]
    return PROFILE + "\n".join(f"  - {json.dumps(row, ensure_ascii=False)}" for row in rows) + "\n"


def gossfile(job: Work) -> str:
    """The same for goss; YAML takes JSON."""
    expects = {"status": 200, "timeout": LIMIT_S * 1000, "ca-file": job.ca_file}
    return json.dumps({"http": dict.fromkeys(job.urls, expects)})


def tools(job: Work, folder: Path, goss_built: tuple[Path, str] | None) -> list[Tool]:
    """All that are here; the first is what the others are held against."""
    (folder / "profile.yaml").write_text(profile(job), encoding="utf-8")
    (folder / "goss.yaml").write_text(gossfile(job), encoding="utf-8")
    found = []
    if (curl := shutil.which("curl")) is not None:
        outputs = [part for url in job.urls for part in ("-o", "/dev/null", url)]
        limits = ["--connect-timeout", str(LIMIT_S), "--max-time", str(LIMIT_S), "--cacert", job.ca_file]
        command = [curl, "-q", "-s", "-Z", "--parallel-max", str(AT_ONCE), "--noproxy", "*", *limits]
        found.append(Tool("curl -Z", [*command, "-w", "%{url} %{http_code}\n", *outputs], frozenset({0, 28})))
    if goss_built is not None:
        program, version = goss_built
        command = [str(program), "--gossfile", str(folder / "goss.yaml"), "validate", "--format", "json"]
        command += ["--max-concurrent", str(AT_ONCE)]
        found.append(Tool(f"goss {version} validate", command, frozenset({0, 1})))
    ours = {"source": [sys.executable, "-m", "vorflug.cli"]}
    if BINARY.exists():
        ours["one file"] = [str(BINARY)]
    for where, vorflug in ours.items():
        facts = folder / f"facts-{where[:3]}.json"
        command = [*vorflug, "collect", "--profile", str(folder / "profile.yaml"), "--out", str(facts)]
        found.append(Tool(f"vorflug collect, {where}", command, frozenset({0}), facts))
    return found


def run(tool: Tool, folder: Path) -> Run:
    """Run it once.  Raises AssertionError where it ends in a way that it should not."""
    note = folder / "note"
    command = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(note), *tool.command]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    took, peak, code = note.read_text().split()
    assert int(code) in tool.codes, (tool.name, code, done.stderr[-2000:])
    return Run(float(took), int(peak), int(code), done.stdout)


def measure(job: Work, folder: Path, goss_built: tuple[Path, str] | None) -> None:
    """Print one table."""
    compared = tools(job, folder, goss_built)
    for tool in compared:  # to warm up, and to see that all tell the same
        answered = tool.answered(run(tool, folder))
        assert answered == set(job.healthy), (tool.name, len(answered), "answered of", len(job.healthy))
    runs: dict[str, list[Run]] = {tool.name: [] for tool in compared}
    collections: dict[str, list[float]] = {tool.name: [] for tool in compared}
    for _ in range(RUNS):
        for tool in compared:
            runs[tool.name].append(run(tool, folder))
            if tool.facts is not None:
                collections[tool.name].append(tool.collection_s())

    print(f"\n{job.what}; median of {RUNS}, all tell the healthy from the dead:")
    print(f"{'':28} {'process':>9} {'':8} {'least to most':>18} {'peak memory':>14} {'':8} collection")
    base = compared[0].name
    base_s = statistics.median(r.took_s for r in runs[base])
    base_kib = statistics.median(r.peak_kib for r in runs[base])
    for name, made in runs.items():
        took = [r.took_s for r in made]
        middle, peak = statistics.median(took), statistics.median(r.peak_kib for r in made)
        span = f"{min(took):.3f} to {max(took):.3f} s"
        own = f"{statistics.median(collections[name]):.3f} s" if collections[name] else ""
        print(
            f"{name:28} {middle:7.3f} s {middle / base_s:6.2f} x {span:>18} "
            f"{peak / 1024:10.1f} MiB {peak / base_kib:6.1f} x {own}"
        )


def main() -> None:
    try:
        goss_built = goss() if shutil.which("go") else None
        if goss_built is None:
            print("goss: no Go here, left out")
    except subprocess.CalledProcessError as error:
        print(f"goss: cannot be built here, left out: {error.stderr.strip().splitlines()[-1]}")
        goss_built = None
    if shutil.which("curl") is None:
        print("curl: not here, left out")
    works = (
        ("W3: 20 healthy endpoints of 50 ms", 20, 0),
        (f"W4: 40 endpoints of which 20 are dead, {LIMIT_S} s for each", 20, 20),
    )
    for what, healthy, dead in works:
        with tempfile.TemporaryDirectory(prefix="vorflug-bench-") as name, work(what, Path(name), healthy, dead) as job:
            measure(job, Path(name), goss_built)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
