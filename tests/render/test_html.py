from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from time import process_time

import pytest

from render.parts import SCRIPT
from render.sample import in_a_container, interrupted, report
from vorflug.model.message import msg
from vorflug.model.report import Sentence
from vorflug.render.html import render_html

VOID = {"meta", "link", "br", "hr", "img", "input", "path", "circle", "rect", "use"}
ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "svg", "symbol", "circle", "path", "rect", "text", "use", "a",
    "header", "main", "footer", "nav", "section", "div", "span", "p", "h1", "h2", "h3", "h4", "ul", "ol", "li", "dl", "dt", "dd",
    "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "time", "b", "pre",
}  # fmt: skip


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def page(sample=None, lang="en", **more) -> Page:
    return Page(render_html(sample or report(), lang=lang, **more))


def test_the_page_is_well_formed_and_every_id_stands_once():
    shown = page()
    assert shown.wrong == []
    ids = [a["id"] for _, a in shown.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for _, a in shown.tags if "href" in a}
    assert targets <= set(ids)
    named = {i for _, a in shown.tags for i in (a.get("aria-labelledby") or "").split()}
    assert named <= set(ids)


def test_there_is_no_script_nothing_is_loaded_and_no_style_attribute_needs_leave():
    html = render_html(report(), lang="en")
    shown = Page(html)
    assert {t for t, _ in shown.tags} <= ALLOWED
    for tag, attributes in shown.tags:
        assert not [a for a in attributes if a.startswith("on") or a in ("style", "src", "srcset", "action", "data")], (
            tag
        )
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in html and "@import" not in html


def test_the_policy_allows_the_very_style_sheet_on_the_page_and_nothing_else():
    html = render_html(report(), lang="en")
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for t, a in Page(html).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert html.index("Content-Security-Policy") < html.index("<style>")


@pytest.mark.parametrize("lang", ["en", "de"])
def test_hostile_text_is_shown_and_does_nothing(lang):
    html = render_html(report(), lang=lang)
    assert SCRIPT not in html and "&lt;script&gt;" in html
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", html)
    assert "\\u202e" in html and "\\u001b" in html
    assert len(html) < 400_000 and "n" * 1000 not in html


def test_a_hostile_report_cannot_smuggle_markup_through_ids_or_keys():
    sample = report(hostile=False)
    bad = sample.findings[0].model_copy(update={"id": '"><img src=x onerror=alert(1)>', "subject": '"><b>'})
    shown = page(sample.model_copy(update={"findings": (bad, *sample.findings[1:])}))
    assert "img" not in {t for t, _ in shown.tags}
    assert shown.wrong == []


@pytest.mark.parametrize("lang", ["en", "de"])
def test_the_same_report_gives_the_same_bytes(lang):
    assert render_html(report(), lang=lang) == render_html(report(), lang=lang)


def test_the_story_stands_in_its_order():
    text = page(fingerprint="SHA256:abc").text
    order = [
        "Not ready".lower(), "7 musts unmet", "proxy.corp:3128 wants Negotiate", "Operating model", "What to do By", "blocks 4 requirements",
        "Undetermined Nothing", "To be confirmed by people", "This host fits S, not M or L", "Wanted and seen Every", "Sign-off The", "SHA256:abc",
        "Facts and times Started", "need the vendor's confirmation",
    ]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_every_requirement_is_there_with_what_was_wanted():
    sample = report(hostile=False)
    text = page(sample).text
    for found in sample.findings:
        assert found.id in text and found.title.en in text


@pytest.mark.parametrize(("lang", "word"), [("en", "not ready"), ("de", "nicht bereit")])
def test_the_page_names_its_language_and_speaks_it(lang, word):
    shown = page(lang=lang)
    assert dict(shown.tags[0][1]) == {"lang": lang}
    assert word in shown.text


def test_table_headings_have_a_scope_and_every_table_a_caption():
    shown = page()
    assert all(a.get("scope") in ("row", "col") for t, a in shown.tags if t == "th")
    names = [t for t, _ in shown.tags]
    assert names.count("caption") == names.count("table")


def test_colour_never_speaks_alone_every_mark_has_its_word():
    html = render_html(report(), lang="en")
    marks = re.findall(r'<span class="status [a-z_]+"><svg.*?</svg><span>([^<]+)</span></span>', html)
    assert len(marks) == html.count('class="status ') > 100
    bars = re.findall(r'<svg class="bar[^>]*role="img" aria-label="([^"]+)"', html)
    assert len(bars) == html.count('<svg class="bar') >= 10 and all("wanted" in b for b in bars)


def test_without_a_fingerprint_there_is_a_line_to_write_on():
    assert 'class="mono blank"' in render_html(report(), lang="en")
    assert 'class="mono blank"' not in render_html(report(), lang="en", fingerprint="SHA256:x")


def test_a_ready_report_has_no_empty_lists():
    text = page(report(ready=True)).text
    assert "Undetermined" not in text
    assert "Every technical must that applies here is met." in text


def test_an_interrupted_run_says_so_at_the_top():
    assert "this report is partial" in page(interrupted()).text[:1500]


def test_a_fact_with_very_many_fields_is_cut_and_says_by_how_much():
    sample = report(hostile=False)
    big = sample.facts[0].model_copy(update={"fact": {f"k{n}": n for n in range(1000)}})
    text = page(sample.model_copy(update={"facts": (big,)})).text
    assert "+ 960" in text and "k999" not in text


def test_fields_without_a_value_are_named_together():
    text = page(report(hostile=False)).text
    assert "without a value: limit_bytes, limited_by" in text and "running true" in text


def test_a_hundred_and_ten_findings_are_quick():
    sample = report(plain=86)
    assert len(sample.findings) >= 110
    render_html(sample, lang="en")
    took = min(_timed(sample) for _ in range(3))
    assert took < 0.15


def _timed(sample) -> float:
    begun = process_time()
    render_html(sample, lang="en")
    return process_time() - begun


def test_words_with_hyphens_are_kept_whole_and_can_be_copied_as_they_are():
    sample = report(hostile=False)
    fix = Sentence.of(msg("Run: systemctl enable --now docker, for registry-1.docker.io & <b-c>."))
    bad = sample.findings[0].model_copy(update={"fix": fix})
    html = render_html(sample.model_copy(update={"findings": (bad, *sample.findings[1:])}), lang="en")
    assert 'enable <span class="unbroken">--now</span> docker' in html
    assert '<span class="unbroken">registry-1.docker.io</span> &amp; <span class="unbroken">&lt;b-c&gt;.</span>' in html
    assert "systemctl enable --now docker, for registry-1.docker.io & <b-c>." in Page(html).text
    assert f'<span class="unbroken">{"-" * 41}' not in render_html(sample, lang="en")


def test_what_does_not_apply_stands_folded_below_its_subject():
    html = render_html(report(hostile=False), lang="en")
    folded = re.search(r'<details class="apart few">(.*?)</details>', html, re.DOTALL)[1]
    assert "Does not apply: OS-031</summary>" in folded and "The file system is ext4, not XFS." in folded
    assert not re.search(r'<tr class="not_applicable"', html)


def test_a_subject_of_which_nothing_applies_has_no_empty_table():
    sample = report(hostile=False)
    lone = next(f for f in sample.findings if f.id == "OS-031").model_copy(update={"subject": "kubernetes"})
    html = render_html(sample.model_copy(update={"findings": (lone,)}), lang="en")
    assert 'class="findings"' not in html and "OS-031" in html


def test_bars_across_sizes_are_neutral_where_sizes_differ():
    html = render_html(report(hostile=False), lang="en")
    table = html[html.index('<table class="sizes">') : html.index('<table class="models">')]
    assert [table.count(f'class="bar {tone}"') for tone in ("mixed", "enough", "short")] == [3, 1, 1]


# ---- in a real browser -----------------------------------------------------------------------------------------------

_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        yield opened
        opened.close()


@pytest.mark.tier("chromium")
@pytest.mark.parametrize("lang", ["en", "de"])
@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (768, "dark"), (1280, "light")])
def test_it_fits_the_screen_loads_nothing_and_breaks_no_policy(browser, tmp_path, lang, width, scheme):
    file = tmp_path / "report.html"
    file.write_text(render_html(report(), lang=lang), "utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    shown = context.new_page()
    shown.on("console", lambda m: said.append(m.text))
    shown.on("dialog", lambda d: said.append(d.message))
    shown.on("request", lambda r: None if r.url == file.as_uri() else said.append(r.url))
    shown.goto(file.as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") != "rgba(0, 0, 0, 0)"
    assert said == []
    context.close()


@pytest.mark.tier("chromium")
@pytest.mark.parametrize(
    ("sample", "width", "scheme"),
    [
        (report(), 390, "light"),
        (report(), 1280, "dark"),
        (report(ready=True), 1280, "light"),
        (interrupted(), 390, "dark"),
    ],
    ids=["unready-light", "unready-dark", "ready-light", "partial-dark"],
)
def test_axe_finds_nothing(browser, tmp_path, sample, width, scheme):
    import axe_core_python

    axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8")
    file = tmp_path / "report.html"
    file.write_text(render_html(sample, lang="de", fingerprint="SHA256:abc"), "utf-8")
    # the page's own policy forbids axe's script, as it should
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    shown = context.new_page()
    shown.goto(file.as_uri())
    shown.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    shown.evaluate(axe + ";0")
    found = shown.evaluate("axe.run()")
    assert len(found["passes"]) > 20
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found["violations"]] == []
    context.close()


@pytest.mark.tier("chromium")
def test_on_paper_nothing_is_lost(browser, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(render_html(report(), lang="en"), "utf-8")
    context = browser.new_context(viewport={"width": 680, "height": 900}, color_scheme="dark")
    shown = context.new_page()
    shown.goto(file.as_uri())
    shown.emulate_media(media="print", color_scheme="dark")
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    # what is folded on screen is not folded on paper; the facts alone stand in the file, and the page says so
    assert shown.evaluate("document.querySelector('.requests .path').checkVisibility({contentVisibilityAuto: true})")
    assert not shown.evaluate("document.querySelector('.facts').checkVisibility()")
    assert shown.evaluate("document.querySelector('.on-paper').checkVisibility()")
    assert shown.evaluate("document.documentElement.scrollWidth") <= 680
    pdf = shown.pdf(prefer_css_page_size=True)
    assert (
        pdf.startswith(b"%PDF")
        and pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") + pdf.count(b"/Type/Page") > 3
    )
    context.close()


def test_a_run_in_a_container_says_what_it_hides():
    said = page(in_a_container("podman")).text
    assert "inside a container (podman)" in said
    assert "inside a container" not in page(in_a_container("")).text


def test_each_request_is_a_row_of_marks_with_times_grouped_by_what_came_of_it():
    html = render_html(report(hostile=False), lang="en")
    network = html[html.index('id="network"') : html.index('id="requirements"')]
    assert network.count('<li class="request">') == 6
    assert network.count('<ol class="path">') == 5  # nothing can be drawn where there was no answer
    text = Page(f"<h2 {network[: network.rindex('</section>')]}").text
    order = [
        "dns.timeout – 10.1.0.53 2 requests",
        "tls.intercepted – CN=Corp Inspection CA 1 request",
        "no answer in time",
        "passed 1 request",
    ]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    for part in ("Name stopped here 5 s", "TLS not reached", "by the proxy proxy.corp:3128, from https_proxy"):
        assert part in text


def test_the_facts_are_told_to_stand_in_the_file_where_they_are_not_printed():
    html = render_html(report(hostile=False), lang="en")
    assert "are not printed; they stand in report.json." in html and '<details class="appendix">' in html
    style = html[html.index("@media print") : html.index("</style>")]
    assert ".appendix { display: none; }" in style and ".on-paper { display: block; }" in style


def test_a_name_that_the_proxy_resolves_is_told_as_that():
    html = render_html(report(hostile=False), lang="en")
    assert html.count("resolved by the proxy") == 1


def test_each_team_has_a_text_that_can_be_copied_whole():
    html = render_html(report(hostile=False), lang="de")
    assert html.count('<details class="handover">') == html.count('<div class="team">')
    assert "user-select: all" in html
