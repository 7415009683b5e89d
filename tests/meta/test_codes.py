"""Every code has a page, German, a fault that produces it, and no text names a culprit beyond its evidence."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from vorflug.model.codes import PAGES, certificate, dns, host, http, proxy, stream, tcp, tls
from vorflug.model.netcause_texts import TEXTS
from vorflug.ports.net_codes import Code

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

MODULES = (dns, tcp, proxy, tls, certificate, http, stream, host)


@pytest.fixture(scope="module")
def german():
    import texts

    return texts.german()[0]


# ---- pages -----------------------------------------------------------------------------------------------------------


def test_every_code_has_exactly_one_page():
    assert list(PAGES) == list(Code)
    assert sum(len(module.PAGES) for module in MODULES) == len(Code)


@pytest.mark.parametrize("code", list(Code))
def test_every_sentence_has_german(code, german):
    missing = [said.text for said in everything(code) if said.text not in german]
    assert missing == [], f"no German for {missing}"


def everything(code):
    """Every sentence about *code*: of its page, and of the table of causes."""
    page = PAGES[code]
    return (page.seen, page.proves, page.not_proves, page.who, page.ask, *TEXTS[code])


# ---- faults ----------------------------------------------------------------------------------------------------------


def named_in(test: str) -> set[str]:
    """The codes that the test functions of this source name."""
    functions = (
        node
        for node in ast.walk(ast.parse(test))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )
    found: set[str] = set()
    for node in (inner for function in functions for inner in ast.walk(function)):
        match node:
            case ast.Attribute(value=ast.Name(id="Code"), attr=name) if name in Code.__members__:
                found.add(Code[name].value)
    return found


@pytest.fixture(scope="module")
def produced():
    """The right answers of the lab's table, and what the tests of the probe itself make with servers on loopback."""
    from lab.table import FAULTS

    table = {code for row in FAULTS for code in (row.code, row.proxied_code, *row.warnings) if code}
    tests = (ROOT / "tests" / "netprobe").glob("test_*.py")
    return table.union(*(named_in(path.read_text(encoding="utf-8")) for path in tests))


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_fault_that_produces_it(code, produced):
    assert code.value in produced, f"no row of tests/lab and no test of tests/netprobe has {code} as its answer"


def test_only_what_a_test_names_counts():
    source = (
        "from x import Code\nA = Code.DNS_HIJACK\ndef helper(): Code.DNS_BOGON\ndef test_x(): assert Code.TCP_RESET\n"
    )
    assert named_in(source) == {"tcp.reset"}


# ---- culprits --------------------------------------------------------------------------------------------------------

BLAME = r"firewall|packet filter|blocked|blocks|forbidden|forbids|censor"
BLAME_DE = r"firewall|paketfilter|blockier|gesperrt|sperrt|verboten|verbietet"
"""Words for an intent that a silent, refused or broken connection does not show."""

ATTACK = r"attack|intercept|man.in.the.middle|reads along|forged|hacked"
ATTACK_DE = r"angriff|abgefangen|mitles|mitgelesen|gefälscht"

BEYOND: dict[str, tuple[str, str]] = {
    # a whole layer, then single codes; English and German.  What it does not prove may name them all
    "dns": (rf"{BLAME}|proxy", rf"{BLAME_DE}|proxy"),
    "tcp": (rf"{BLAME}|proxy|dns|certificate", rf"{BLAME_DE}|proxy|dns|zertifikat"),
    "proxy": (rf"{BLAME}", rf"{BLAME_DE}"),
    "tls": (rf"{BLAME}|proxy", rf"{BLAME_DE}|proxy"),
    "http": (rf"{BLAME}|certificate", rf"{BLAME_DE}|zertifikat"),
    "stream": (BLAME, BLAME_DE),
    "ws": (rf"{BLAME}|certificate", rf"{BLAME_DE}|zertifikat"),
    "host": (rf"{BLAME}|{ATTACK}", rf"{BLAME_DE}|{ATTACK_DE}"),
    "dns.timeout": (r"nxdomain|does not exist|\bdown\b", r"nxdomain|gibt es nicht|ausgefallen"),
    "dns.servfail": (r"nxdomain|does not exist", r"nxdomain|gibt es nicht"),
    "dns.nxdomain": (r"time-?out|silent", r"zeitüberschreitung|schweig"),
    "dns.hijack": (ATTACK, ATTACK_DE),
    "tcp.refused": (r"drop|time-?out|device", r"verworfen|verwirft|zeitüberschreitung"),
    "tcp.timeout": (r"refus|reset|reject|\bdown\b|drop", r"lehnt|abgelehnt\.|reset|verwirft|verworfen"),
    "tcp.no_route": (r"gateway is|filter", r"filter"),
    "tcp.reset": (r"tls|filter", r"tls|filter"),
    "tcp.closed_early": (r"tls|filter", r"tls|filter"),
    "proxy.upstream_dns": (r"does not exist", r"gibt es nicht"),
    "proxy.upstream_timeout": (r"refus", r"abgelehnt"),
    "tls.stall": (r"mtu is|filter|certificate", r"filter|zertifikat"),
    "tls.reset": (r"filter|certificate", r"filter|zertifikat"),
    "tls.self_signed": (ATTACK, ATTACK_DE),
    "tls.unknown_ca": (rf"{ATTACK}|missing|inspect", rf"{ATTACK_DE}|fehlt|inspektion"),
    "tls.missing_intermediate": (rf"{ATTACK}|inspect", rf"{ATTACK_DE}|inspektion"),
    "tls.expired": (r"clock is wrong", r"uhr geht falsch"),
    "tls.not_yet_valid": (r"expired", r"abgelaufen"),
    "tls.intercepted": (r"attack|forged|hacked", r"angriff|gefälscht"),
    "tls.host_mismatch": (ATTACK, ATTACK_DE),
    "tls.invalid_chain": (ATTACK, ATTACK_DE),
    "tls.chain_too_large": (ATTACK, ATTACK_DE),
    "tls.weak_signature": (ATTACK, ATTACK_DE),
    "http.status": (r"proxy|cut|refus", r"proxy|abgebrochen|abgelehnt"),
    "http.no_response": (r"proxy|time-?out of", r"proxy"),
    "http.wrong_target": (r"portal|sign-in", r"portal|anmelde"),
    "http.header_too_large": (ATTACK, ATTACK_DE),
}
ALLOWED = {
    # this one is an ICMP or a routing table that says so itself
    "tcp.prohibited": (r"packet filter|forbids", r"paketfilter|verboten|verbietet"),
    # an account, not a target: why there are no more than two attempts
    "proxy.auth_rejected": ("", r"gesperrt"),
}


def beyond(code, language):
    """The patterns for *code*."""
    at = 0 if language == "en" else 1
    return [BEYOND[key][at] for key in (code.value.partition(".")[0], code.value) if key in BEYOND]


def culprits(code, said, language):
    """The words of *said* that name more than *code* proves."""
    allowed = ALLOWED.get(code.value, ("", ""))[0 if language == "en" else 1]
    found = [match.group() for pattern in beyond(code, language) for match in re.finditer(pattern, said, re.IGNORECASE)]
    return [word for word in found if not (allowed and re.fullmatch(allowed, word, re.IGNORECASE))]


@pytest.mark.parametrize("code", list(Code))
def test_no_text_names_a_culprit_beyond_its_evidence(code, german):
    assert beyond(code, "en"), f"{code}: no words are set down that its evidence does not bear"
    page = PAGES[code]
    for said in (page.seen, page.proves, TEXTS[code][0]):
        assert culprits(code, said.text, "en") == [], said.text
        assert culprits(code, german[said.text], "de") == [], german[said.text]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (Code.TCP_REFUSED, "A firewall refuses the connection."),
        (Code.TCP_TIMEOUT, "The packet was dropped."),
        (Code.DNS_SERVFAIL, "The proxy could not resolve."),
        (Code.TLS_SELF_SIGNED, "The connection is intercepted."),
        (Code.HTTP_STATUS, "The target is blocked."),
        (Code.TCP_PROHIBITED, "A firewall forbids it."),
    ],
)
def test_the_check_finds_a_culprit(code, said):
    assert culprits(code, said, "en")


@pytest.mark.parametrize("code", list(Code))
def test_only_what_is_not_proved_and_who_acts_may_say_perhaps(code):
    """What was seen and what follows are certain; guesses stand elsewhere."""
    for said in (PAGES[code].seen, PAGES[code].proves):
        assert not re.search(r"\b(perhaps|probably|maybe|possibly|presumably)\b", said.text), said.text
