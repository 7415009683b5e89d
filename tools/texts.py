"""Extracts, checks and compiles the program's sentences.  ``python tools/texts.py compile|check|missing``.

Templates are the literal first arguments of ``msg(…)`` in the code and of ``_(…)`` in page templates.  German lies in
fragments ``src/vorflug/texts/de/*.po``; they are merged, and two fragments may not translate one template differently.
"""

from __future__ import annotations

import ast
import re
import string
import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "vorflug"
GERMAN = SOURCE / "texts" / "de"
CLICK = GERMAN / "click" / "messages.po"
"""German for the sentences of the command-line library itself ("Usage:", "No such option")."""
COMPILED = GERMAN / "LC_MESSAGES" / "vorflug.mo"
_SAME_IN_BOTH = re.compile(r"^[^A-Za-z]*(\{[a-z_]+(:[a-z]+)?\}[^A-Za-z]*)*$")
"""A template without a word of its own ("{have:size}") needs no translation."""


def templates() -> dict[str, list[str]]:
    """Every template with the places that say it."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        # not Babel's extractor: it misses a message that is a value of another one
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="msg"), args=[ast.Constant(value=str(text)), *_]):
                    found.setdefault(text, []).append(f"{path.relative_to(ROOT)}:{node.lineno}")
    methods = [("**.html.j2", "jinja2"), ("**.md.j2", "jinja2")]
    for name, line, message, _comments, _context in extract_from_dir(str(SOURCE), method_map=methods):
        found.setdefault(message if isinstance(message, str) else message[0], []).append(f"src/vorflug/{name}:{line}")
    return found


def german() -> tuple[dict[str, str], list[str]]:
    """The merged German texts, and what is wrong with the fragments."""
    merged: dict[str, str] = {}
    wrong: list[str] = []
    for path in sorted(GERMAN.glob("*.po")):
        for entry in read_po(BytesIO(path.read_bytes()), locale="de", abort_invalid=True):
            if not entry.id:
                continue
            where = f"{path.relative_to(ROOT)}:{entry.lineno}"
            if entry.fuzzy or not entry.string:
                wrong.append(f"{where}: no German for {entry.id!r}")
            elif merged.setdefault(str(entry.id), str(entry.string)) != entry.string:
                wrong.append(f"{where}: a second, different German text for {entry.id!r}")
            elif fields(str(entry.id)) != fields(str(entry.string)):
                wrong.append(f"{where}: other placeholders than the English: {entry.id!r}")
    return merged, wrong


def fields(template: str) -> set[tuple[str, str]]:
    """The placeholders of a template with their formats."""
    return {(name, spec or "") for _, name, spec, _ in string.Formatter().parse(template) if name is not None}


def problems() -> list[str]:
    """Everything that keeps the texts from being complete; an empty list is good."""
    said = templates()
    if not said:
        return ["no template found: the extractor looks in the wrong place"]
    known, wrong = german()
    wrong += [
        f"{places[0]}: no German for {text!r}"
        for text, places in said.items()
        if text not in known and not _SAME_IN_BOTH.match(text)
    ]
    wrong += [f"German for a sentence that nobody says: {text!r}" for text in known if text not in said]
    return wrong


def compile_all() -> Path:
    """Write the compiled catalogue; return its path."""
    catalog = Catalog(locale="de", charset="utf-8")
    for text, translated in sorted(german()[0].items()):
        catalog.add(text, translated)
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    out = BytesIO()
    write_mo(out, catalog)
    if not COMPILED.exists() or COMPILED.read_bytes() != out.getvalue():
        COMPILED.write_bytes(out.getvalue())
    messages = BytesIO()
    write_mo(messages, read_po(BytesIO(CLICK.read_bytes()), locale="de"))
    COMPILED.with_name("messages.mo").write_bytes(messages.getvalue())
    return COMPILED


def main(command: str) -> int:
    """Run one command; 1 where something is wrong."""
    if command == "compile":
        compile_all()
        return 0
    found = problems()
    print("\n".join(found) or f"texts: {len(templates())} sentences, all in German")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
