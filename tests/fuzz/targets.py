"""All fuzz targets: one for each parser of bytes from outside.  Each takes bytes and raises only what is a defect."""

from __future__ import annotations

from pathlib import Path

from fuzz import of_files, of_http, of_names

CORPUS = Path(__file__).parent / "corpus"
"""A folder for each target: inputs that once broke it."""
_ALL = {**of_http.TARGETS, **of_names.TARGETS, **of_files.TARGETS}
TARGETS = {target.__name__: target for target in _ALL}


def seeds(name):
    """Sound and unsound inputs to begin with, and what is kept."""
    made = _ALL[TARGETS[name]]
    kept = sorted((CORPUS / name).glob("*"))
    return [*(made() if callable(made) else made), *(path.read_bytes() for path in kept)]
