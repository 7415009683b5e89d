"""No secret leaves the machine, and no text from it does anything in a page, a terminal or a table."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from dataclasses import dataclass
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from e2e.canaries import CANARIES, HOSTILE, PLACES, Machine, disguise, machine, spellings
from e2e.program import Ended, leftovers, profile, vorflug

FORMATS = ("html", "markdown", "junit", "csv", "terminal")


@dataclass
class Evidence:
    """Everything that the program said and wrote on that machine."""

    machine: Machine
    ran: Ended
    texts: dict[str, str]

    def finding(self, id_: str) -> dict:
        return next(f for f in self.ran.report["findings"] if f["id"] == id_)


def _everything(folder, here: Machine, wrapper=()) -> Evidence:
    """Run every command that says anything about a host; collect all of it."""
    settings = {"home": here.home, "wrapper": wrapper, "env": {**here.env, "TMPDIR": str(folder)}}
    options = ("--profile", here.profile, "--site", here.site)
    ended = {
        "run": vorflug("run", *options, out=folder / "out", **settings),
        "run as json": vorflug("run", *options, "--format", "json", "--lang", "de", out=folder / "again", **settings),
        "collect": vorflug("collect", *options, "--out", folder / "facts.json", **settings),
        "plan": vorflug("plan", *options, **settings),
        "plan as json": vorflug("plan", *options, "--format", "json", **settings),
        "evaluate": vorflug("evaluate", folder / "facts.json", *options, **settings),
    }
    ran = ended["run"]
    ended |= {f"render {f}": vorflug("render", ran.folder, "--format", f, **settings) for f in FORMATS}
    assert [e.code for e in ended.values()] == [3, 3, 0, 0, 0, 3, 0, 0, 0, 0, 0], ended
    texts = {f"{name} {stream}": getattr(e, stream) for name, e in ended.items() for stream in ("out", "err")}
    files = [*ran.folder.iterdir(), *ended["run as json"].folder.iterdir(), folder / "facts.json"]
    texts |= {str(f): f.read_text(encoding="utf-8") for f in files}
    # a question that failed unforeseen leaves a log, which is an output like the others
    texts |= {p: (folder / p).read_text(encoding="utf-8") for p in leftovers(folder) if "crash" in p}
    return Evidence(here, ran, texts)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    folder = tmp_path_factory.mktemp("canaries")
    with machine(folder) as here:
        yield _everything(folder, here)


def _leaks(texts: dict[str, str], canaries: dict[str, str]) -> list[str]:
    found = []
    for where, text in texts.items():
        # a terminal or table may have wrapped it, and Markdown puts a backslash before marks
        unwrapped = re.sub(r"[\s\\]+", "", text)
        for name, secret in canaries.items():
            found += [f"{name} in {where}" for s in spellings(secret) if s in text or s.replace(" ", "") in unwrapped]
    return found


# ---- secrets -----------------------------------------------------------------------------------------------------------


def test_every_secret_was_really_read(evidence):
    outcomes = {f["id"]: f["outcome"] for f in evidence.ran.report["findings"]}
    for id_ in (
        "E2E-3",
        "E2E-4",
        "E2E-6",
        "E2E-10",
        "E2E-11",
        "E2E-13",
        "E2E-15",
        "E2E-16",
        "E2E-17",
        "E2E-20",
        "E2E-21",
    ):
        assert outcomes[id_] == "met", evidence.finding(id_)
    logins = evidence.machine.proxy_logins
    for name in ("http_proxy", "https_proxy, percent-encoded"):
        assert any(s in login for s in spellings(CANARIES[name]) for login in logins), "the proxy got the login"
    assert evidence.finding("E2E-2")["cause"]["kind"] == "proxy.auth_rejected"
    assert evidence.machine.registry.sent(CANARIES["registry password"]) and evidence.machine.registry.sent(
        CANARIES["image registry's token"]
    )
    for name in ("secret parameter by variable", "secret parameter by file"):
        assert evidence.machine.registry.sent(CANARIES[name]), "both keys went to the model"
    shown = json.dumps(evidence.finding("E2E-1")["seen"])
    for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        assert variable in shown
    assert "[redacted]@ca.example" in json.dumps(evidence.finding("E2E-5"))
    for id_, place in (("E2E-8", "line 2"), ("E2E-9", "line 2")):
        assert place in evidence.finding(id_)["because"]["en"]


def test_no_canary_is_in_any_output(evidence):
    canaries = {**CANARIES, "the TLS private key": evidence.machine.private_key}
    assert len(canaries) > 20
    assert _leaks(evidence.texts, canaries) == []
    parameters = evidence.ran.report["site"]["parameters"]
    assert "api.key" not in parameters and "api.other" not in parameters


def test_where_a_secret_lies_stands_in_no_report_and_no_facts_file(evidence):
    texts = {where: text for where, text in evidence.texts.items() if not where.startswith("plan")}
    assert _leaks(texts, PLACES) == []
    plan = {where: text for where, text in evidence.texts.items() if where.startswith("plan")}
    assert _leaks(plan, {"file": PLACES["file of a secret"]}), "the plan names every file that is read"
    assert evidence.ran.report["site"]["secrets"] == ["api.key", "api.other"]


@pytest.mark.parametrize("source", ["report.json", "facts.json"])
def test_facts_are_judged_again_to_the_same_bytes_without_the_site_file(tmp_path, evidence, source):
    """With a key that was given: that it was is known, where it lay is not."""
    report = evidence.ran.folder / "report.json"
    file = report if source == "report.json" else evidence.ran.folder.parent.parent / source
    out = tmp_path / "judged.json"
    judged = vorflug("evaluate", file, "--profile", evidence.machine.profile, "--out", out, home=tmp_path)
    assert judged.code == 3, judged.err
    if source == "report.json":
        once, again = (
            [json.dumps(r["findings"]), json.dumps(r["roots"])]
            for r in (evidence.ran.report, json.loads(out.read_bytes()))
        )
        assert once == again
    findings = {f["id"]: f["outcome"] for f in json.loads(out.read_bytes())["findings"]}
    assert (findings["E2E-20"], findings["E2E-21"]) == ("met", "met")


@pytest.mark.parametrize("spelling", sorted(spellings("cnry-00 a/b?")))
def test_the_search_would_find_one(spelling):
    assert _leaks({"here": f"x{spelling}y"}, {"it": "cnry-00 a/b?"})
    assert _leaks({"here": "cnry\\-00\n a/b?"}, {"it": "cnry-00 a/b?"}), "escaped, and wrapped"
    assert not _leaks({"here": "cnry-00"}, {"it": "cnry-00 a/b?"})


def test_secrets_in_a_site_file_are_refused_without_being_repeated(tmp_path):
    parameters = {
        "api.key": {"type": "secret", "title": {"en": "A key", "de": "Ein Schlüssel"}},
        "proxy.url": {"type": "url", "title": {"en": "Proxy", "de": "Proxy"}},
    }
    file = profile(tmp_path, ("memory", {"at_least": "1 B"}), parameters=parameters)
    site = tmp_path / "site.yaml"
    site.write_text(
        "schema: vorflug/site/1\nparameters:\n  api.key: cnry-30-inline\n  proxy.url: http://me:cnry-31-inline@proxy:3128\n"
    )
    ended = vorflug("run", "--profile", file, "--site", site, out=tmp_path / "out", home=tmp_path)
    assert ended.code == 2 and "site.yaml:3" in ended.err and "site.yaml:4" in ended.err
    assert _leaks({"err": ended.err, "out": ended.out}, {"a": "cnry-30-inline", "b": "cnry-31-inline"}) == []


# ---- hostile text ------------------------------------------------------------------------------------------------------


class _Page(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs


def _inert_page(text: str) -> None:
    page = _Page(text)
    assert "alert(1)" in text and "html" in page.tags
    assert not {"script", "img", "iframe", "object", "embed", "form", "base"} & set(page.tags)
    assert [n for n, _ in page.attributes if n.startswith("on")] == []
    assert [v for n, v in page.attributes if n in {"href", "src", "action"} and v and ":" in v.partition("/")[0]] == []


def _hidden(text: str) -> set[str]:
    """Control, format and bidirectional characters, line ends and tabs left out."""
    return {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} and c not in "\n\r\t\ufeff"}


def test_hostile_text_is_inert_in_the_page(evidence):
    pages = [t for where, t in evidence.texts.items() if where.endswith("report.html") or where == "render html out"]
    assert len(pages) == 3
    for page in pages:
        _inert_page(page)


def test_no_control_or_bidi_character_leaves_in_any_form(evidence):
    assert any("\\u202e" in text for text in evidence.texts.values()), "hostile text was seen at all"
    for where, text in evidence.texts.items():
        assert _hidden(text) == set(), where


def test_hostile_text_is_inert_in_markdown(evidence):
    text = evidence.texts["render markdown out"]
    assert "alert(1)" in text
    assert re.search(r"(?<!\\)<(script|img|b)\b", text) is None, "a tag would be one in Markdown as well"


def test_hostile_text_is_inert_in_tables_and_xml(evidence):
    text = evidence.texts["render csv out"].removeprefix("\ufeff")
    rows = list(csv.reader(io.StringIO(text), delimiter=csv.Sniffer().sniff(text.splitlines()[0], ",;").delimiter))
    assert len(rows) >= len(evidence.ran.report["findings"]) and len({len(row) for row in rows}) == 1
    assert [
        cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r")) and cell != "-"
    ] == []
    suite = ET.fromstring(evidence.texts["render junit out"])
    assert len(list(suite.iter("testcase"))) == len(evidence.ran.report["findings"])


@pytest.mark.tier("mounts")
def test_a_disguised_machine_leaks_nothing_and_harms_nobody(tmp_path):
    with machine(tmp_path) as here:
        ended = vorflug(
            "run", "--profile", here.profile, "--site", here.site, out=tmp_path / "out", home=here.home, env=here.env,
            wrapper=disguise(tmp_path),
        )  # fmt: skip
        assert ended.code == 3, ended.err
    outcomes = {f["id"]: f["outcome"] for f in ended.report["findings"]}
    assert outcomes["E2E-19"] == "met", "the helper was asked"
    assert ended.report["host"]["name"].startswith("<script>")
    assert re.fullmatch(r"vorflug-[A-Za-z0-9_-]+-\d{8}T\d{6}Z", ended.folder.name)
    texts = {str(f): f.read_text(encoding="utf-8") for f in ended.folder.iterdir()}
    texts |= {"out": ended.out, "err": ended.err}
    assert _leaks(texts, CANARIES) == []
    for where, text in texts.items():
        assert _hidden(text) == set(), where
    _inert_page((ended.folder / "report.html").read_text(encoding="utf-8"))
    assert len(ended.out) < 20_000, "ten thousand characters from the host are cut"


def test_hostile_facts_are_as_inert_as_a_hostile_host(tmp_path, evidence):
    """Facts come from another machine: whoever edits them edits what is shown, and nothing else."""
    plain = json.loads((evidence.ran.folder / "report.json").read_bytes())
    for row in plain["facts"]:
        if row["query"]["kind"] == "os_release":
            row["fact"] |= {"pretty_name": f"{HOSTILE}\x00{'y' * 10_000}", "id": "evil", "version_id": "1\x1b[2J"}
    plain["host"]["name"] = HOSTILE
    plain["site"]["customer"] = HOSTILE.replace("\x1b", "").replace("\x9b", "")
    file = tmp_path / "edited.json"
    file.write_text(json.dumps(plain))
    report = tmp_path / "judged.json"
    judged = vorflug("evaluate", file, "--profile", evidence.machine.profile, "--out", report, home=tmp_path)
    assert judged.code == 3, judged.err
    assert _hidden(judged.out + judged.err + report.read_text()) == set()
    page = vorflug("render", report, "--format", "html", home=tmp_path)
    _inert_page(page.out)
    for format_ in ("markdown", "junit", "csv", "terminal"):
        shown = vorflug("render", report, "--format", format_, home=tmp_path)
        assert shown.code == 0 and _hidden(shown.out) == set(), format_
        if format_ == "junit":
            ET.fromstring(shown.out)
