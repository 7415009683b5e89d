"""Pages that answer instead of the service: sign-in pages of a network, pages of a filter.

Marks only.  Whoever bears them may still be the service itself, so a control decides where they are not plain.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from vorflug.model.hosts import address
from vorflug.netprobe.target import Target
from vorflug.ports.net import Code

_NETWORK_AUTHENTICATION_REQUIRED = 511
"""RFC 6585, 6: only a captive portal gives it."""
_REDIRECT = (301, 302, 303, 307, 308)

_PORTAL = re.compile(
    r"WISPAccessGatewayParam"  # the tag of the WISPr 1.0 recommendation, which portals put into their pages
    r"|captive[\s_-]*portal|wi-?fi[\s-]+(?:login|portal|gast)|(?:guest|gast)[\s-]?(?:access|login|network|netz|zugang|wi-?fi|wlan)"
    r"|network[\s-]+(?:login|log[\s-]?in|sign[\s-]?in|authentication)|netz(?:werk)?[\s-]?anmeldung"
    r"|(?:log|sign|anmeld\w{0,12})[\s-]?(?:in|on)?[\s]+(?:to|onto|am|im|an)[\s]+(?:the[\s]+|use[\s]+|access[\s]+|dem[\s]+)*"
    r"(?:network|internet|wi-?fi|wlan|netz(?:werk)?)"
    r"|(?:access|use|connect(?:ed)?|get)[\s]+(?:to[\s]+)?(?:the[\s]+)?(?:internet|wi-?fi|wlan|network)",
    re.IGNORECASE,
)
_ABOUT_A_NETWORK = re.compile(
    r"wi-?fi|wlan|hot[\s-]?spot|internet|guest|gast|network|netzwerk|captive|portal", re.IGNORECASE
)
_PORTAL_WAY = re.compile(r"captive|portal|hot-?spot|splash|wispr|guest|gast|webauth|cna\b", re.IGNORECASE)
"""In the target of a redirect."""
_PORTAL_PARTS = re.compile(
    r"nas(?:ip|id)=|res=notyet|uamip="  # CoovaChilli
    r"|/fgtauth\?"  # FortiGate
    r"|/php/uid\.php\?|[?&]vsys=\d"  # PAN-OS
    r"|/cgi-bin/login\?cmd=login|securelogin\.arubanetworks\.com"  # Aruba
    r"|//(?:1\.1\.1\.1|192\.0\.2\.1|virtual\.wireless)/(?:login|fs/customwebauth)|[?&]switch_url="  # Cisco WLC
    r"|/guest/s/\w+/\?",  # UniFi
    re.IGNORECASE,
)
"""In the target of a redirect: what the portals of these products put there, and hardly anybody else."""
_CLIENT_SIDE = re.compile(
    r"<meta\b[^<>]{0,80}http-equiv\s*=\s*[\"']?refresh\b[^<>]{0,80}\burl\s*=\s*[\"']?([^\"'<>\s]{1,400})"
    r"|\b(?:window|document|top|self|parent)\.location(?:\.href)?\s*(?:=|\.(?:replace|assign)\s*\()\s*"
    r"[\"']([^\"'<>\s]{1,400})[\"']",
    re.IGNORECASE,
)
"""A page that leads its reader elsewhere by a refresh (WHATWG HTML, 4.2.5.3) or a script, and its target."""
_PAGE_THAT_LEADS = 4096
"""Such a page is short; on a longer one a script may do so upon a click."""
_LOGIN_WAY = re.compile(r"log-?in|log-?on|sign-?in|anmeld|auth|welcome", re.IGNORECASE)
_FORM = re.compile(r"<form\b|<input\b|type=[\"']?password", re.IGNORECASE)

_CODE = re.compile(r"<(?:script|style)\b|</(?:script|style)>", re.IGNORECASE)

_BLOCK = re.compile(
    r"zscaler|fortiguard|fortigate|blue\s?coat|forcepoint|websense|netskope|palo\s?alto\s?networks|barracuda|sophos"
    r"|mcafee|skyhigh|umbrella|ironport|check\s?point|watchguard|smoothwall|untangle|squidguard|e2guardian|dansguardian"
    r"|requested url could not be retrieved|access control configuration"  # squid
    r"|politique de s[ée]curit[ée]|pol[ií]tica de seguridad|cat[ée]gor[iíï]"
    r"|contentkeeper|iboss|menlo\s?security|trend\s?micro|kaspersky|bitdefender|pi-?hole"
    r"|(?:web|url|content|internet)[\s_-]?filter|(?:security|sicherheits|company|corporate|internet|usage|use|access)[\s-]?"
    r"(?:policy|richtlinie|policies)|(?:web|url|site|content)?[\s-]?categor(?:y|i[sz]ed|i[sz]ation)|kategorie",
    re.IGNORECASE,
)
_BLOCKED = re.compile(
    r"block(?:ed|iert)|gesperrt|denied|verweigert|not (?:allowed|permitted)|prohibited|forbidden|restricted"
    r"|untersagt|nicht erlaubt|bloqu(?:é|ée|eado|ata)\b|bloccat[oa]\b|refusé|interdit|denegado",
    re.IGNORECASE,
)
_BLOCKED_BY = re.compile(
    r"(?:been|was|is|wurde|ist)\s+(?:\w+\s+){0,2}(?:blocked|blockiert|gesperrt)\b[^.<]{0,80}\b(?:by|durch|von|due|because)"
    r"|(?:web\s?site|web\s?page|url|page|site|webseite|seite)\s+(?:(?!not\b|never\b|nicht\b|nie\b)\w+\s+){0,3}"
    r"(?:blocked|blockiert|gesperrt)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Suspicion:
    """Something else may have answered."""

    code: Code
    """`HTTP_CAPTIVE_PORTAL` or `HTTP_BLOCK_PAGE`."""
    plain: bool
    """The marks suffice where the answer is not what was wanted."""
    proof: bool = False
    """The marks suffice by themselves."""


def suspicion(target: Target, status: int, headers: Sequence[tuple[str, str]], text: str) -> Suspicion | None:
    """Of what an answer bears the marks; None where of nothing."""
    if status == _NETWORK_AUTHENTICATION_REQUIRED or "WISPAccessGatewayParam" in text:
        return Suspicion(Code.HTTP_CAPTIVE_PORTAL, plain=True, proof=True)
    if status in _REDIRECT:
        return _of_redirect(target, next((value for name, value in headers if name == "location"), ""))
    if "<" not in text[:4096]:
        return None
    if len(text) <= _PAGE_THAT_LEADS and (leads := _CLIENT_SIDE.search(text)) is not None:
        found = _of_redirect(target, leads[1] or leads[2])
        if found is not None:
            return found
    readable = _without_code(text[:65536])
    words = re.sub(r"<[^<>]{0,2000}>", " ", readable)
    if (_BLOCK.search(words) and _BLOCKED.search(words)) or _BLOCKED_BY.search(words):
        return Suspicion(Code.HTTP_BLOCK_PAGE, plain=True, proof=bool(_BLOCKED_BY.search(words)))
    form = bool(_FORM.search(readable))
    if _PORTAL.search(words) or (form and _ABOUT_A_NETWORK.search(words)):
        return Suspicion(Code.HTTP_CAPTIVE_PORTAL, plain=True)
    return Suspicion(Code.HTTP_CAPTIVE_PORTAL, plain=False) if form else None


def _without_code(text: str) -> str:
    """*text* without scripts and styles; one that does not end stays.

    Once over the text: a search for the end of every beginning takes quadratic time, and pages are from outside.
    """
    kept: list[str] = []
    at, begins = 0, -1
    for mark in _CODE.finditer(text):
        closes = mark[0].startswith("</")
        if begins < 0 and not closes:
            begins = mark.start()
        elif begins >= 0 and closes:
            kept.append(text[at:begins])
            at, begins = mark.end(), -1
    return " ".join((*kept, text[at:]))


def _of_redirect(target: Target, location: str) -> Suspicion | None:
    try:
        parts = urlsplit(urljoin(target.absolute, location))
        host = parts.hostname or ""
    except ValueError:
        return None
    if host == target.host:
        return None
    where = f"{host}{parts.path}?{parts.query}"
    if _PORTAL_PARTS.search(f"//{where}"):
        return Suspicion(Code.HTTP_CAPTIVE_PORTAL, plain=True)
    if re.search(r"block|denied|gesperrt|urlfilter|webfilter|deny", where, re.IGNORECASE) or _BLOCK.search(host):
        return Suspicion(Code.HTTP_BLOCK_PAGE, plain=True)
    here = address(host)
    near = here is not None and here.is_private
    if here is None and host.split(".")[-2:] == target.host.split(".")[-2:]:
        return None  # a sister: services, too, have portals and log-ins
    if _PORTAL_WAY.search(where) or (_LOGIN_WAY.search(where) and (parts.scheme == "http" or near)):
        return Suspicion(Code.HTTP_CAPTIVE_PORTAL, plain=True)
    return None


def looks_like(status: int, headers: Sequence[tuple[str, str]], text: str) -> Code | None:
    """The code of plain marks, whoever the answer is from."""
    found = suspicion(Target("http", "", 80, "/"), status, headers, text)
    return found.code if found is not None and found.plain else None
