"""Text in two columns for a terminal: labels on the left, wrapped text on the right.

With `terminal` and `diagnosis` the only place that uses rich; for colours, and for cell widths when lines are wrapped.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

LEFT = 13
"""Two spaces, the longest label and a gap (columns)."""
NARROWEST = 40


def wants_color() -> bool:
    """Whether stdout is a terminal and nobody asked for no colours (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class Columns:
    """Lines that are put one after the other.  Without *color* there is no escape sequence in them."""

    def __init__(self, width: int, *, color: bool) -> None:
        from rich.console import Console

        self._width = max(width, NARROWEST)
        self._color = color
        self._console: Console = Console(
            width=self._width,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )
        self._lines: list[Text] = []

    def heading(self, said: str) -> None:
        """An empty line and a heading."""
        self.blank()
        line = self._text("  ")
        line.append(said, "bold underline" if self._color else "")
        self._lines.append(line)

    def blank(self) -> None:
        """An empty line."""
        self._lines.append(self._text(""))

    def put(
        self,
        label: str,
        said: str,
        *,
        left: int = LEFT,
        style: str = "",
        text_style: str = "",
        after: str = "",
        right: str = "",
        rail: str = "",
    ) -> None:
        """*label* in the left column, *said* wrapped in the right one.

        *after* stands dim at its end, *right* at the right edge of the first line; *rail* is drawn down the left column
        of the lines that have no label.
        """
        from rich.cells import cell_len

        room = max(LEFT, self._width - left - (cell_len(right) + 2 if right else 0))
        text = self._text(said, text_style)
        if after:
            text.append(f" · {after}", "not bold dim")
        for number, part in enumerate(text.wrap(self._console, room, overflow="fold")):
            part.rstrip()
            labelled = number == 0 and bool(label)
            shown = f"  {label}" if labelled else (f"  {rail}" if rail else "")
            # the style is the label's alone: a Text's own style would hold for everything that is appended
            line = self._text("")
            line.append(shown, style if labelled else "dim")
            line.append(" " * max(1 if shown else 0, left - cell_len(shown)))
            line.append_text(part)
            if not part.plain:
                line.rstrip()
            if right and number == 0:
                line.append(" " * max(1, self._width - line.cell_len - cell_len(right)))
                line.append(right, "dim")
            self._lines.append(line)

    def write(self) -> str:
        """All of it, ending with a newline."""
        from rich.text import Text

        with self._console.capture() as captured:
            self._console.print(Text("\n").join(self._lines), soft_wrap=True)
        return captured.get()

    def _text(self, text: str, style: str = "") -> Text:
        from rich.text import Text

        return Text(text, style=style, end="")


_SPELLED = {
    "✓": "+",
    "✗": "x",
    "·": "-",
    "│": "|",
    "→": "->",
    "…": "...",
    "–": "-",
    "—": "-",
    "“": '"',
    "”": '"',
    "„": '"',
    "\u00a0": " ",
    "ä": "ae",
    "ö": "oe",
    "ü": "ue",
    "Ä": "Ae",
    "Ö": "Oe",
    "Ü": "Ue",
    "ß": "ss",
}


def spelled(text: str, encoding: str) -> str:
    """*text* with what *encoding* cannot write spelled with what it can; the rest is left to the stream."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "".join(_SPELLED.get(c, c) if not _writes(c, encoding) else c for c in text)
    return text


def _writes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
