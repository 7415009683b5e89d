"""What must hold for every probe of a server that means harm."""

from __future__ import annotations

import unicodedata
from contextlib import ExitStack, contextmanager

from lab.servers import tcp

SECONDS = 2.0
GROWTH_KIB = 50 * 1024


@contextmanager
def served(cases):
    """The port of each case's server."""
    with ExitStack() as servers:
        yield {name: servers.enter_context(tcp(handler)) for name, (handler, _) in cases.items()}


def probed(run, *batches):
    """Probe everything in *batches*, ``(cases, keywords)`` each, side by side, and check it."""
    with ExitStack() as all_served:
        jobs, wanted = {}, {}
        for cases, keywords in batches:
            ports = all_served.enter_context(served(cases))
            for name, (_, codes) in cases.items():
                assert name not in jobs, name
                asked = {k: v.format(port=ports[name]) if isinstance(v, str) else v for k, v in keywords.items()}
                jobs[name], wanted[name] = ("probe", {"seconds": SECONDS, **asked}), codes
        results = run(jobs)
        for name, result in results.items():
            if result["took_s"] > SECONDS + 1:  # many at once on a busy machine: alone it has no excuse
                results |= run({name: jobs[name]})
    problems = [p for name, codes in wanted.items() for p in wrong(name, results[name], codes)]
    assert not problems, "\n".join(problems)
    return results


def wrong(name, result, codes=()):
    """What *result* should not have."""
    if result["failed"]:
        yield f"{name}: {result['failed']}"
        return
    allowed = (codes,) if isinstance(codes, str) else codes
    if allowed and result["code"] not in allowed:
        yield f"{name}: {result['code']} instead of {allowed}"
    if not allowed and "code" in result and result["code"] == "ok":
        yield f"{name}: ok, but nothing good came"
    if result["took_s"] > SECONDS + 1:
        yield f"{name}: took {result['took_s']:.1f} s ({result['cpu_s']:.1f} s of work)"
    if result["grown_kib"] > GROWTH_KIB:
        yield f"{name}: grew by {result['grown_kib'] >> 10} MiB"
    if result["stderr"]:
        yield f"{name}: said {result['stderr'][:500]!r} on stderr"
    for kind in ("json", "terminal", "out"):
        if found := live(result.get(kind, "")):
            yield f"{name}: live in {kind}: {found}"


def live(text):
    """Characters that act on a terminal or turn text around."""
    return sorted(
        {
            f"U+{ord(c):04X}"
            for c in text
            if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        }
    )
