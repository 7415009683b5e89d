"""Writes what follows from the code: ``schemas/``, ``docs/reference/``, the table of kinds.

``python tools/generate.py write|check``.

The same sources give the same bytes, so ``check`` can say which files are not up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from reference import areas, codes, commands, kinds, requirements, schemas
from vorflug.documents.problems import DocumentError
from vorflug.documents.schema import Document, text

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("schemas", "docs/reference")
"""Everything in them is generated; what is not is an error."""

PAGES: dict[str, Callable[[], str]] = {
    **{f"schemas/{document.value}.schema.json": partial(text, document) for document in Document},
    "schemas/report.schema.json": schemas.report,
    "schemas/facts.schema.json": schemas.facts,
    "schemas/diagnosis.schema.json": schemas.diagnosis,
    # the commands' help is said in the language that is chosen before they are imported, so this page comes first
    "docs/reference/commands.md": commands.page,
    "docs/reference/areas.md": areas.page,
    "docs/reference/codes.md": partial(codes.page, "en"),
    "docs/reference/codes.de.md": partial(codes.page, "de"),
    "docs/reference/requirements.md": requirements.page,
    "src/vorflug/engine/kinds.py": kinds.page,
}
"""What is generated, by the file's path."""


def generated() -> Iterator[tuple[Path, str]]:
    """Every file with its text.  Raises DocumentError where the shipped profile cannot be loaded."""
    for name, make in PAGES.items():
        yield ROOT / name, make()


def strays() -> list[Path]:
    """Files in the generated folders that nothing generates."""
    known = {ROOT / name for name in PAGES}
    return sorted(p for folder in FOLDERS for p in (ROOT / folder).rglob("*") if p.is_file() and p not in known)


def write() -> int:
    """Write every file that differs; 0."""
    for path, content in generated():
        if not _holds(path, content):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    for path in strays():
        path.unlink()
        print(f"removed {path.relative_to(ROOT)}")
    return 0


def check() -> int:
    """Name every file that is not up to date; 1 where there is one."""
    wrong = [f"{path.relative_to(ROOT)}: not up to date" for path, content in generated() if not _holds(path, content)]
    wrong += [f"{path.relative_to(ROOT)}: nothing generates this file" for path in strays()]
    if wrong:
        print("\n".join([*wrong, "run `make docs` and look at what changed"]), file=sys.stderr)
        return 1
    print(f"generated files: {len(PAGES)}, all up to date")
    return 0


def _holds(path: Path, content: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == content


def main(arguments: list[str]) -> int:
    """Run one command; 2 for wrong usage or a profile that does not load."""
    doing = {"write": write, "check": check}.get(arguments[0] if len(arguments) == 1 else "")
    if doing is None:
        print(f"wanted write or check, saw {' '.join(arguments) or 'nothing'}", file=sys.stderr)
        return 2
    try:
        return doing()
    except DocumentError as refused:
        print(f"the shipped profile does not load:\n{refused.message}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
