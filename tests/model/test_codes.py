"""Pages can be read without the run that led to them, forwarded as they are, and their command lines copied."""

from __future__ import annotations

import re
import shlex
import string

import pytest

from vorflug.model.codes import PAGES
from vorflug.model.message import msg
from vorflug.ports.net_codes import Code
from vorflug.texts import say

PROGRAMS = {
    "cat", "curl", "date", "dig", "env", "getent", "ip", "nc", "openssl", "ping", "systemctl", "traceroute", "websocat",
}  # fmt: skip
PLACEHOLDERS = {"NAME", "PORT", "NAMESERVER", "PROXY", "ADDRESS", "PATH", "USER"}
NO_PLACEHOLDERS = {"A", "AAAA", "CNAME", "NS"}
"""Record types (RFC 1035, 3.2.2; RFC 3596)."""


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("code", list(Code))
def test_a_page_needs_no_values_and_is_short(code, language):
    page = PAGES[code]
    for said in (page.seen, page.proves, page.not_proves, page.who, page.ask):
        assert [name for _, name, _, _ in string.Formatter().parse(said.text) if name is not None] == []
        text = say(said, language)
        assert text[0] == text[0].upper() and text[-1] in ".?" and "  " not in text and len(text) < 400, text


@pytest.mark.parametrize("code", list(Code))
def test_the_request_can_be_forwarded(code):
    """It asks, and says what about without a value: those stand below it, and no report is needed."""
    ask = PAGES[code].ask
    assert say(ask, "en").startswith("Please ") and say(ask, "de").startswith("Bitte ")
    for language in ("en", "de"):
        assert not re.search(r"\b(NAME|PORT|ADDRESS|your|Sie|Ihr)\b|the report|im Bericht", say(ask, language))


def test_a_denial_by_the_proxy_asks_for_what_the_scheme_needs():
    """CONNECT is for https alone; by http:// the request itself is what the proxy denies."""
    page = PAGES[Code.PROXY_DENIED]
    for said in (page.seen, page.ask):
        assert "CONNECT" in said.text and "for http" in said.text


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("code", list(Code))
def test_what_is_not_proved_is_a_sentence_of_its_own(code, language):
    beginning = r"It (does not (prove|show|say)|says nothing|proves neither)\b"
    if language == "de":
        beginning = r"Es (belegt (nicht|weder)|zeigt nicht|sagt nichts)\b"
    assert re.match(beginning, say(PAGES[code].not_proves, language))


@pytest.mark.parametrize("code", list(Code))
def test_command_lines_can_be_copied(code):
    look = PAGES[code].look
    assert look
    assert max(map(len, look)) <= 76
    for line in "\n".join(look).replace("\\\n", " ").split("\n"):
        words = shlex.split(line)
        assert words[0] in PROGRAMS
        capitals = set(re.findall(r"(?<![\w-])[A-Z]{1,10}(?![\w:=-]*[a-z])(?=[^\w]|$)", line.split(" -H ")[0]))
        assert capitals <= PLACEHOLDERS | NO_PLACEHOLDERS, line


def test_interception_names_what_containers_need():
    """Must-show of network diagnosis: containers carry their own CA store."""
    page = PAGES[Code.TLS_INTERCEPTED]
    assert "containers" in page.proves.text
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        assert variable in page.ask.text


def test_the_parts_are_in_reading_order():
    page = PAGES[Code.TCP_TIMEOUT]
    *parts, values = [said for _, said in page.parts(None)]
    assert parts == [page.seen, page.proves, page.not_proves, page.who, page.ask]
    assert "vorflug diagnose" in values.text and "time" in values.text
    team = msg("Proxy")
    assert team in [said for _, said in page.parts(team)]
