"""``docs/reference/codes.md`` and ``codes.de.md``: the page of every code, as ``vorflug explain`` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby

from reference.markdown import cell, document
from vorflug.model.cause import TEAM_NAMES
from vorflug.model.codes import PAGES
from vorflug.model.message import Text
from vorflug.model.netcause import team_of
from vorflug.ports.net_codes import Code
from vorflug.texts import say

_TITLE = Text("Codes of network diagnosis", "Codes der Netzdiagnose")
_INTRO = Text(
    "What can stop a connection, layer by layer; the first layer that fails gives the code, everything else seen is a "
    "warning. `vorflug explain CODE` prints the same. Words in capitals in the command lines stand for the values of "
    "the case. [German](codes.de.md).",
    "Was eine Verbindung aufhalten kann, Schicht für Schicht; die erste Schicht, die scheitert, gibt den Code, alles "
    "Weitere ist eine Warnung. `vorflug explain CODE --lang de` zeigt dasselbe. Wörter in Großbuchstaben in den "
    "Befehlszeilen stehen für die Werte des Falls. [Englisch](codes.md).",
)
_LAYERS = {
    "dns": Text("Names", "Namen"),
    "tcp": Text("Connection", "Verbindung"),
    "proxy": Text("Proxy", "Proxy"),
    "tls": Text("TLS and certificates", "TLS und Zertifikate"),
    "http": Text("Request and answer", "Anfrage und Antwort"),
    "stream": Text("Streams of events", "Ereignisströme"),
    "ws": Text("WebSocket", "WebSocket"),
    "host": Text("This machine", "Diese Maschine"),
}


def page(language: str) -> str:
    """The whole page in *language*.  Raises KeyError for a code without a page or a layer without a heading."""
    return document(say(_TITLE, language), _lines(language))


def _lines(language: str) -> Iterator[str]:
    yield say(_INTRO, language)
    for layer, codes in groupby(Code, key=lambda code: code.value.partition(".")[0]):
        yield from ("", f"## {say(_LAYERS[layer], language)}")
        for code in codes:
            yield from ("", f"### {code.value}", "")
            yield from _code(code, language)


def _code(code: Code, language: str) -> Iterator[str]:
    tell = partial(say, language=language)
    team = team_of(code)
    for label, text in PAGES[code].parts(None if team is None else TEAM_NAMES[team]):
        yield f"- **{tell(label)}:** {cell(tell(text))}"
    yield from ("", "```sh", *PAGES[code].look, "```")
