"""Compiles the German texts into the package when it is built."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TextsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs ``tools/texts.py compile`` before the files are gathered."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        sys.path.insert(0, str(Path(self.root) / "tools"))
        import texts

        compiled = texts.compile_all().relative_to(self.root)
        build_data.setdefault("artifacts", []).append(str(compiled.parent / "*.mo"))
