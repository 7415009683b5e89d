"""Mutation check of the areas: change one decision at a time and see whether the area's own test notices.

``python tools/mutants.py [AREA...]`` prints every mutant that survived, save those that ``docs/mutants.md`` explains.

A mutant is one change to one place of ``src/vorflug/areas/AREA.py``: a comparison is turned round or moved by one, a
branch is taken away or always taken, an operand of ``and``/``or`` is left out, a ``not`` is left out, a filter of a
comprehension is left out, a ``case`` is taken away, an exception is let through.  The known tools were tried first: the
one reads Python with a grammar that has no ``match``, neither changes ``in`` or takes a branch away.

Each mutant runs in a process of its own, forked from one that has imported everything but the area, with the area's
mirror test and nothing else.  Tests of a tier (root, namespaces, …) are left out: they ask the real machine.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
AREAS = ROOT / "src" / "vorflug" / "areas"
TESTS = ROOT / "tests" / "areas"
EXPLAINED = ROOT / "docs" / "mutants.md"
SECONDS = 60.0
"""A mutant that takes longer is caught: it would never end."""
PROCESSES = 2

_TURNED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.GtE, ast.LtE),
    ast.LtE: (ast.Gt, ast.Lt),
    ast.Gt: (ast.LtE, ast.GtE),
    ast.GtE: (ast.Lt, ast.Gt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


@dataclass(frozen=True)
class Mutant:
    """One change."""

    area: str
    line: int
    what: str
    """The place before and after, as code on one line."""
    tree: ast.Module

    @property
    def key(self) -> str:
        """The same change keeps its key while other lines move."""
        return f"{self.area}: {self.what}"


def mutants(area: str) -> Iterator[Mutant]:
    """Every mutant of one area."""
    whole = ast.parse((AREAS / f"{area}.py").read_text(encoding="utf-8"))
    for number, node in enumerate(ast.walk(whole)):
        for change in _changes(node):
            tree = copy.deepcopy(whole)
            place = next(n for i, n in enumerate(ast.walk(tree)) if i == number)
            before = _code(place)
            change(place)
            ast.fix_missing_locations(tree)
            yield Mutant(area, getattr(node, "lineno", 0), f"{before} -> {_code(place)}", tree)


def _code(node: ast.AST) -> str:
    """*node* in short: of a statement its first line."""
    match node:
        case ast.If() | ast.While():
            return f"if {ast.unparse(node.test)}"
        case ast.Match():
            return "match " + ast.unparse(node.subject) + ": " + " | ".join(ast.unparse(c.pattern) for c in node.cases)
        case ast.comprehension():
            return ast.unparse(node).strip()
        case ast.ExceptHandler():
            body = " ".join(ast.unparse(s).splitlines()[0] for s in node.body)
            return f"except {ast.unparse(node.type) if node.type else ''}: {body}"[:160]
        case _:
            return " ".join(ast.unparse(node).split())[:160]


def _changes(node: ast.AST) -> Iterator[Callable[[ast.AST], None]]:
    match node:
        case ast.Compare():
            for at, op in enumerate(node.ops):
                for other in _TURNED[type(op)]:
                    yield lambda n, at=at, other=other: n.ops.__setitem__(at, other())  # type: ignore[misc]
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return
        case ast.If() | ast.IfExp():
            yield lambda n: setattr(n, "test", ast.Constant(False))
            if node.orelse or isinstance(node, ast.If):
                yield lambda n: setattr(n, "test", ast.Constant(True))
        case ast.BoolOp():
            for at in range(len(node.values)):
                yield lambda n, at=at: _leave_out(n, at)  # type: ignore[misc]
        case ast.comprehension():
            for at in range(len(node.ifs)):
                yield lambda n, at=at: n.ifs.pop(at)  # type: ignore[misc]
        case ast.Match():
            for at, case in enumerate(node.cases if len(node.cases) > 1 else ()):
                if not (isinstance(case.pattern, ast.MatchAs) and case.pattern.name is None and case.guard is None):
                    yield lambda n, at=at: n.cases.pop(at)  # type: ignore[misc]
        case ast.ExceptHandler():
            if not (len(node.body) == 1 and isinstance(node.body[0], ast.Raise)):
                yield lambda n: setattr(n, "body", [ast.Raise()])
        case _:
            return


def _leave_out(node: ast.BoolOp, at: int) -> None:
    node.values.pop(at)
    if len(node.values) == 1:
        node.values *= 2  # "a and a" is a; one operand alone is no BoolOp


# ---- running them ----------------------------------------------------------------------------------------------------


def survivors(found: Iterable[Mutant]) -> list[Mutant]:
    """The mutants whose mirror test passes although the area was changed.  Forks, so there must be no thread."""
    lived, running = [], {}
    todo = deque(found)
    while todo or running:
        while todo and len(running) < PROCESSES:
            mutant = todo.popleft()
            running[_start(mutant)] = (mutant, time.monotonic() + SECONDS)
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            mutant, _ = running.pop(pid)
            if os.waitstatus_to_exitcode(status) == 0:
                lived.append(mutant)
            continue
        for pid, (_, ends) in list(running.items()):
            if time.monotonic() > ends:
                os.kill(pid, 9)
        time.sleep(0.01)
    return lived


def _start(mutant: Mutant) -> int:
    code = compile(mutant.tree, str(AREAS / f"{mutant.area}.py"), "exec")
    pid = os.fork()
    if pid:
        return pid
    status = 1
    with contextlib.suppress(BaseException):
        status = 0 if _passes(mutant.area, code) else 1
    os._exit(status)


def _passes(area: str, code: object) -> bool:
    import pytest

    from vorflug import areas

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    name = f"vorflug.areas.{area}"
    module = ModuleType(name)
    module.__file__ = str(AREAS / f"{area}.py")
    module.__package__ = "vorflug.areas"
    sys.modules[name] = module
    exec(code, module.__dict__)  # type: ignore[call-overload]  # the mutant
    setattr(areas, area, module)
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    words = [
        "-x",
        "-q",
        "--no-header",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:logging",
        "-m",
        "not tier",
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        return pytest.main([*words, str(TESTS / f"test_{area}.py")]) == 0


def _prepare() -> None:
    """Import what every test needs, once."""
    sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
    os.chdir(ROOT)
    import hypothesis
    import pytest  # noqa: F401

    import vorflug.engine.evaluate
    import vorflug.host.live
    import vorflug.model.report
    import vorflug.ports  # noqa: F401

    hypothesis.settings.register_profile("mutants", max_examples=25, derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("mutants")


def explained() -> dict[str, str]:
    """Survivors that are known, and why they are no gap: the table of the page."""
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \|$", EXPLAINED.read_text(encoding="utf-8"), re.MULTILINE)
    return {key.replace("\\|", "|"): why for key, why in rows}


def main(areas: list[str]) -> int:
    """Print the survivors; 1 where one of them is not explained on the page, 2 where a test fails by itself."""
    _prepare()
    known = explained()
    total = 0
    unexplained = []
    for area in areas:
        began = time.monotonic()
        unchanged = Mutant(area, 0, "", ast.parse((AREAS / f"{area}.py").read_text(encoding="utf-8")))
        if not survivors([unchanged]):
            print(f"{area}: its own test fails without any change; mend that first")
            return 2
        found = list(mutants(area))
        total += len(found)
        lived = survivors(found)
        new = [m for m in lived if m.key not in known]
        unexplained += new
        print(f"{area}: {len(found)} mutants, {len(lived)} survived, {time.monotonic() - began:.0f} s", flush=True)
        for mutant in new:
            print(f"  {area}.py:{mutant.line}  {mutant.what}", flush=True)
    print(f"{total} mutants in {len(areas)} areas, {len(unexplained)} survivors without an explanation")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or sorted(p.stem for p in AREAS.glob("*.py") if p.stem != "__init__")))
