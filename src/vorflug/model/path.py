"""Paths on the host, as profiles name them."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

AbsolutePath = Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$", max_length=4096)]
"""A path from the root (path_resolution(7)): at most PATH_MAX bytes, no NUL."""
