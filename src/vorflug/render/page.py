"""What every self-contained page shares: templates that escape everything, and one style sheet allowed by its hash."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def page_environment(style_sheet: str) -> Environment:
    """Templates of this package; ``style`` and ``style_hash`` are set for the file *style_sheet* beside them.

    The Content-Security-Policy of the page allows exactly these bytes (W3C CSP Level 3, section 6.7.2.3).
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    folder = files("vorflug.render") / "templates"
    style = (folder / style_sheet).read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FunctionLoader(lambda name: (folder / name).read_text("utf-8")),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    # our own file, and its hash must be that of the very bytes on the page
    environment.globals.update(style=Markup(style), style_hash=f"sha256-{digest}")  # noqa: S704
    return environment
