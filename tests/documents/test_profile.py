"""Files -> a profile that can be resolved for every size; every mistake by its line, with what was meant."""

from __future__ import annotations

import hashlib
import subprocess
import time

import pytest

from documents.samples import HEAD, confirmation, line_of, load, row
from vorflug.documents import profile
from vorflug.documents.problems import DocumentError
from vorflug.model.requirement import HostSize, Level, OperatingModel, Phase


def mistakes(*rows, **more):
    with pytest.raises(DocumentError) as refused:
        load(*rows, **more)
    return [f"{p.place.file}:{p.place.line} {p.says}" for p in refused.value.problems]


def test_a_profile_with_what_it_says():
    loaded = load(row(), confirmation(), row("MEM-2", models="[saas]"))
    assert (loaded.name, loaded.version, loaded.title.de) == ("sample", "1.2.0", "Beispiel")
    assert [r.id for r in loaded.rows] == ["MEM-1", "ORG-1", "MEM-2"]
    assert [r.id for r in loaded.rows_of(OperatingModel.COMPOSE)] == ["MEM-1", "ORG-1"]
    assert [r.id for r in loaded.confirmations()] == ["ORG-1"]
    assert loaded.models == (OperatingModel.SAAS, OperatingModel.COMPOSE)
    assert loaded.sources["V-REQ"].startswith("vendor")
    assert loaded.row("MEM-2").kind == "memory" and loaded.row("MEM-9") is None
    info = loaded.info(OperatingModel.COMPOSE, HostSize.M, Phase.GO_LIVE)
    assert not info.thorough and loaded.info(info.model, info.size, info.phase, thorough=True).thorough
    assert (info.size, info.digest, [s.title.en for s in info.sizes]) == (
        "M",
        loaded.digest,
        ["small", "medium", "large"],
    )


def test_level_may_differ_by_size():
    headers = load(row(level="{S: should, M: must, L: must}")).rows[0].headers
    assert [headers[s].level for s in HostSize] == [Level.SHOULD, Level.MUST, Level.MUST]


FIELDS = "Fields here: id, title, why, advice, level, models, phases, team, basis, sources, kind, when, at_least and tolerance."
TEAMS = (
    "os-virtualisation, network-firewall, proxy, dns, pki, iam, container-platform, dba, storage-backup, monitoring or "
    "project-management"
)
GOLDEN = {
    "kind": (
        row(kind="memroy"),
        "kind: memroy",
        "there is no kind of requirement memroy; did you mean memory?",
    ),
    "no kind": (
        row().replace("    kind: memory\n", ""),
        "id: MEM-1",
        "the field kind is missing; it wants one of the kinds of requirement.",
    ),
    "misspelled kind": (
        row().replace("kind:", "knd:"),
        "knd:",
        "there is no field knd; did you mean kind? Fields here: kind.",
    ),
    "field": (
        row(fields="at_leest: 8 GB"),
        "at_leest",
        f"there is no field at_leest; did you mean at_least? {FIELDS}",
    ),
    "header field": (
        row().replace("advice:", "advise:"),
        "advise",
        f"there is no field advise; did you mean advice? {FIELDS}",
    ),
    "missing field": (
        row(fields=""),
        "- id: MEM-1",
        "the field at_least is missing; it wants a text such as '32 GB'.",
    ),
    "missing German": (
        row(title="{en: Memory}"),
        "{en: Memory}",
        "the field title.de is missing; it wants a text of 1 to 2000 characters.",
    ),
    "wrong case of a unit": (
        row(fields="at_least: 32 Gb"),
        "at_least",
        "at_least: wanted one of the units B, kB, MB, GB, TB, KiB, MiB, GiB and TiB, saw 32 Gb; did you mean '32 GB'?",
    ),
    "unknown unit": (
        row(fields="at_least: 32 bananas"),
        "at_least",
        "at_least: wanted one of the units B, kB, MB, GB, TB, KiB, MiB, GiB and TiB, saw 32 bananas.",
    ),
    "no unit": (
        row(fields="at_least: 32"),
        "at_least",
        "at_least: wanted a number with its unit such as '32 GB', saw 32.",
    ),
    "no unit in quotes": (
        row(fields="at_least: '32'"),
        "at_least",
        "at_least: wanted one of the units B, kB, MB, GB, TB, KiB, MiB, GiB and TiB, saw 32.",
    ),
    "a share without %": (
        row(fields="at_least: 8 GB\ntolerance: 0.07"),
        "tolerance",
        "tolerance: wanted a number with its unit such as '7 %', saw 0.07.",
    ),
    "more than the whole": (
        row(fields="at_least: 8 GB\ntolerance: 107 %"),
        "tolerance",
        "tolerance: wanted at most 100 %, saw 107 %.",
    ),
    "unit mistake in one size": (
        row(fields="at_least:\n  S: 8 GB\n  M: 32 gb\n  L: 64 GB"),
        "M: 32 gb",
        "at_least: wanted one of the units B, kB, MB, GB, TB, KiB, MiB, GiB and TiB, saw 32 gb; did you mean '32 GB'?",
    ),
    "a size is missing": (row(fields="at_least: {S: 8 GB, M: 9 GB}"), "at_least", "at_least: no value for the size L."),
    "level": (row(level="mustt"), "mustt", "level: wanted must, should or info, saw mustt; did you mean must?"),
    "team": (
        row(team="storage"),
        "team: storage",
        f"team: wanted {TEAMS}, saw storage; did you mean storage-backup?",
    ),
    "phase": (
        row(phases="[preinstall]"),
        "preinstall",
        "phases.1: wanted pre-install, test-deployment, go-live or operations, saw preinstall; did you mean pre-install?",
    ),
    "model": (
        row(models="[compose, k8s]"),
        "k8s",
        "models.2: wanted saas, compose, kubernetes or hybrid, saw k8s.",
    ),
    "basis": (
        row(basis="vendors"),
        "basis: vendors",
        "basis: wanted vendor, upstream, norm, runbook or derived, saw vendors; did you mean vendor?",
    ),
    "no model": (row(models="[]"), "models: []", "models: wanted a list with at least one entry, saw a list of 0."),
    "source": (row(sources="[V-REK]"), "V-REK", "there is no source V-REK; did you mean V-REQ?"),
    "parameter": (
        row(fields="at_least: {param: ram.flor}"),
        "ram.flor}",
        "there is no parameter ram.flor; did you mean ram.floor?",
    ),
    "parameter of another type": (
        row(fields="at_least: {param: llm.provider}"),
        "{param: llm.provider}",
        "at_least: wanted a number with its unit such as '32 GB', saw azure.",
    ),
    "secret": (
        row(fields="at_least: {param: api.key}"),
        "{param: api.key}",
        "api.key is a secret: no requirement may show it.",
    ),
    "may be left out, but the field may not": (
        row(fields="at_least: {param: ram.slack}"),
        "{param: ram.slack}",
        "at_least: wanted one of the units B, kB, MB, GB, TB, KiB, MiB, GiB and TiB, saw 10 %.",
    ),
    "title by parameter": (
        row(title="{param: llm.provider}"),
        "title: {param",
        "title is the same for every customer and size: write its value.",
    ),
    "when without a parameter of that name": (
        row(when="{param: proxy.use, is: true}"),
        "proxy.use,",
        "there is no parameter proxy.use; did you mean proxy.used?",
    ),
    "when with a value that cannot be": (
        row(when="{param: llm.provider, is: [azure, asure]}"),
        "asure]",
        "llm.provider can never be asure: it is azure or aws.",
    ),
    "when of another form": (
        row(when="proxy.used == true"),
        "proxy.used ==",
        "when: wanted {param: NAME, is: VALUE}, {all: […]} or {any: […]}, saw proxy.used == true.",
    ),
    "not fields": ("  - word\n", "- word", "wanted the fields of a requirement, saw word."),
    "bad id": (
        row("MEM_1"),
        "id: MEM_1",
        "id: wanted a text of the form ^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*(\\.[a-z][a-z0-9-]*)*$, saw MEM_1.",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_one_mistake_one_sentence_at_its_line(name):
    text, part, says = GOLDEN[name]
    assert mistakes(text) == [f"profile.yaml:{line_of(text, part)} {says}"]


def test_an_id_only_once():
    (found,) = mistakes(row(), row())
    assert found.endswith(f"MEM-1 stands here a second time; the first is profile.yaml:{line_of(row(), '- id')}.")


def test_a_version_wants_quotes_and_is_shown_as_it_was_written():
    text = row("OS-1", "kernel_version", "at_least: 24.10")
    (found,) = mistakes(text)
    assert found.endswith("at_least: wanted a version in quotes such as '24.04', saw 24.10 without quotes.")


def test_an_optional_parameter_wants_a_field_with_a_default():
    head = HEAD.replace("required: true, example: 8 GB", "example: 8 GB")
    (found,) = mistakes(row(fields="at_least: {param: ram.floor}"), head=head)
    assert "the parameter ram.floor may be left out, but this field has no default" in found
    # where 'when' cannot hold without the parameter, it is surely there
    head = HEAD.replace("values: [azure, aws]\n    required: true", "values: [V-REQ, V-MAN]")
    asks = row(
        "ORG-1", "confirmation", "asks: {en: {param: llm.provider}, de: x}", when="{param: llm.provider, is: V-REQ}"
    )
    assert load(asks, head=head).rows
    (found,) = mistakes(
        asks.replace("when", "why").replace("{param: llm.provider, is: V-REQ}", "{en: x, de: x}"), head=head
    )
    assert "may be left out" in found


def test_all_mistakes_of_a_file_at_once():
    found = mistakes(row(kind="memroy"), row("MEM-2", level="mustt", team="os"), row("MEM-3", fields="at_least: 1"))
    assert len(found) == 4


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema: vorflug/profile/1", "schema: vorflug/profile/2", "schema: wanted exactly vorflug/profile/1, saw vorflug/profile/2."),
        ("name: sample", "name: Sample Profile", "name: wanted a text such as 'ai-audit-assist', saw Sample Profile."),
        ("version: 1.2.0", "version: 1.2", "version: wanted a text such as '1.0.0', saw 1.2."),
        ("published: 2026-11-25", "published: 2026-13-25", "published: wanted a date such as 2026-11-25, saw 2026-13-25."),
        ("type: size", "type: sixe", "did you mean size?"),
        ("values: [azure, aws]", "values: []", "'values' belong to a choice, and a choice wants them."),
        ("example: 8 GB", "example: 8", "example: wanted a size such as '40 GB'."),
        ("default: false", "default: false, required: true", "wanted either 'required: true' or a default, saw both."),
        ("requirements:", "requirement:", "there is no field requirement; did you mean requirements?"),
        ("  ram.floor:", "  Ram floor:", "name: wanted a text such as 'llm.provider', saw Ram floor."),
    ],
)  # fmt: skip
def test_mistakes_before_the_requirements(old, new, says):
    assert HEAD.count(old) == 1
    assert any(says in found for found in mistakes(row(), head=HEAD.replace(old, new)))


def test_a_broken_parameter_is_not_blamed_on_its_rows():
    found = mistakes(row(fields="at_least: {param: ram.floor}"), head=HEAD.replace("type: size", "type: sixe"))
    assert len(found) == 1


def test_an_empty_profile_is_an_error():
    assert "an empty profile demands nothing" in mistakes(head=HEAD)[0]


# ---- overlays --------------------------------------------------------------------------------------------------------

ADDED = "requirements:\n" + row("K8S-1", models="[kubernetes]")


def test_an_overlay_changes_one_operating_model_only():
    change = "change:\n  MEM-1: {at_least: 16 GB, tolerance: null}\nremove: [MEM-2]\n"
    both = "[compose, kubernetes]"
    loaded = load(
        row(models=both, fields="at_least: 8 GB\ntolerance: 7 %"), row("MEM-2", models=both), kubernetes=change + ADDED
    )
    kubernetes = loaded.rows_of(OperatingModel.KUBERNETES)
    assert [r.id for r in kubernetes] == ["MEM-1", "K8S-1"]
    changed = kubernetes[0].requirement(HostSize.S, {})
    assert (changed.at_least, changed.tolerance) == (16_000_000_000, 0.0)
    compose = loaded.rows_of(OperatingModel.COMPOSE)
    assert [r.id for r in compose] == ["MEM-1", "MEM-2"]
    assert compose[0].requirement(HostSize.S, {}).at_least == 8_000_000_000
    assert [r.id for r in loaded.rows] == ["MEM-1", "MEM-2", "K8S-1"]


@pytest.mark.parametrize(
    ("overlay", "says"),
    [
        ("change: {MEM-2: {at_least: 1 GB}}", "kubernetes.yaml:4 there is no requirement MEM-2; did you mean MEM-1?"),
        ("change: {MEM-1: {at_leest: 1 GB}}", "kubernetes.yaml:4 there is no field at_leest; did you mean at_least?"),
        ("change: {MEM-1: {at_least: 1 Gb}}", "kubernetes.yaml:4 at_least: wanted one of the units"),
        ("change: {MEM-1: {at_least: null}}", "kubernetes.yaml:4 the field at_least is missing"),
        ("change: {MEM-1: {why: null}}", "kubernetes.yaml:4 MEM-1 has no field why to take away."),
        ("change: {MEM-1: {id: MEM-9}}", "kubernetes.yaml:4 an id stays"),
        ("change: {MEM-1: {models: [saas]}}", "MEM-1 is not for the operating model kubernetes"),
        ("change: [MEM-1]", "kubernetes.yaml:4 change: wanted ids with fields, saw a list of 1."),
        ("remove: [MEM-2]", "kubernetes.yaml:4 there is no requirement MEM-2; did you mean MEM-1?"),
        ("remove: MEM-1", "kubernetes.yaml:4 remove: wanted a list of ids, saw MEM-1."),
        ("requirements:\n" + row(), "kubernetes.yaml:5 MEM-1 stands here a second time; the first is profile.yaml:"),
        ("requirements:\n" + row("K-1"), "kubernetes.yaml:5 K-1 is not for the operating model kubernetes"),
        ("chnage: {}", "kubernetes.yaml:4 there is no field chnage; did you mean change?"),
        ("<<: {}", "kubernetes.yaml:4 merge keys"),
    ],
)
def test_mistakes_in_an_overlay_name_the_overlay(overlay, says):
    found = mistakes(row(models="[compose, kubernetes]"), kubernetes=overlay + "\n")
    assert any(says in one for one in found), found


@pytest.mark.parametrize("name", ["../kubernetes.yaml", "/etc/passwd", "a/b.yaml", ".hidden.yaml", "kubernetes.json"])
def test_an_overlay_lies_in_the_same_folder(name):
    head = HEAD.replace("requirements:", f"overlays: {{kubernetes: {name}}}\nrequirements:")
    (found,) = mistakes(row(), head=head)
    assert f"saw {name}" in found


def test_an_overlay_is_no_base():
    with pytest.raises(DocumentError, match=r"this is an overlay: name the base that it extends \(base.yaml\)"):
        profile.parse("k.yaml", "k.yaml", lambda _: b"schema: vorflug/overlay/1\nextends: base.yaml\n")


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    head = HEAD.replace("requirements:", "overlays: {kubernetes: kubernetes.yaml}\nrequirements:")
    (tmp_path / "profile.yaml").write_text(head + row(models="[compose, kubernetes]"))
    (tmp_path / "kubernetes.yaml").write_text(
        "schema: vorflug/overlay/1\nextends: profile.yaml\nmodel: kubernetes\nchange: {MEM-1: {at_least: 9 GB}}\n"
    )
    return tmp_path


def test_a_folder_and_its_base_are_the_same_profile(folder):
    assert profile.load(folder).digest == profile.load(folder / "profile.yaml").digest


def test_the_digest_can_be_recomputed_with_coreutils(folder):
    told = subprocess.run(
        "sha256sum *.yaml | LC_ALL=C sort -k2 | sha256sum",
        shell=True,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert profile.load(folder).digest == told.stdout.split()[0]


@pytest.mark.parametrize("name", ["profile.yaml", "kubernetes.yaml"])
def test_the_digest_covers_every_file(folder, name):
    before = profile.load(folder).digest
    path = folder / name
    path.write_text(path.read_text() + "# one more line\n")
    assert profile.load(folder).digest != before


def test_the_digest_is_over_names_too():
    assert profile.digest({"a": b"1", "b": b"2"}) != profile.digest({"a": b"2", "b": b"1"})
    lines = "".join(f"{hashlib.sha256(d).hexdigest()}  {n}\n" for n, d in (("a", b"1"), ("b", b"2")))
    assert profile.digest({"b": b"2", "a": b"1"}) == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: None, "there is no such file"),
        (lambda p: __import__("os").mkfifo(p), "saw a folder, pipe or device"),
        (lambda p: (p.mkdir(), (p / "profile.yaml").mkdir()), "saw a folder, pipe or device"),
        (lambda p: p.symlink_to("/dev/zero"), "saw a folder, pipe or device"),
        (lambda p: p.symlink_to(p), "cannot be read"),
        (lambda p: p.write_bytes(b"a" * (2 << 20)), "at most 1 MiB"),
    ],
)
def test_what_is_no_file_is_refused_without_waiting(tmp_path, make, says):
    path = tmp_path / "p.yaml"
    make(path)
    with pytest.raises(DocumentError, match=says):
        profile.load(path)


def test_a_large_profile_loads_quickly(capsys):
    """Two hundred requirements; the budget is 60 ms, the limit leaves room for slow and busy machines."""
    varied = ["at_least: 8 GB", "at_least: {S: 8 GB, M: 16 GB, L: 32 GB}", "at_least: {param: ram.floor}"]
    text = "".join(row(f"MEM-{n}", fields=varied[n % 3], why="{en: Because., de: Darum.}") for n in range(200))
    load(row())
    took = []
    for _ in range(3):
        began = time.process_time()
        load(text)
        took.append(time.process_time() - began)
    with capsys.disabled():
        print(f" [200 requirements in {min(took) * 1000:.0f} ms] ", end="")
    assert min(took) < 0.25


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ({"models": "{param: llm.provider}"}, "models"),
        ({"models": "{S: [compose], M: [compose], L: [compose]}"}, "models"),
        ({"phases": "[{param: nothing}]"}, "phases"),
        ({"title": "{en: {param: nothing}, de: x}"}, "title"),
        ({"why": "{en: x, de: {param: ram.slack}}"}, "why"),
        ({"advice": "{en: x, de: {S: a, M: b, L: c}}"}, "advice"),
        ({"advice": "{en: x, de: {param: nothing}}", "bogus": "1"}, "advice"),
    ],
)
def test_no_parameter_fills_in_a_header_also_where_an_overlay_reads_it_again(header, field):
    says = f"{field} is the same for every customer and size"
    with pytest.raises(DocumentError, match=rf"profile.yaml:\d+:\d+: {says}"):
        load(row(**header))
    with pytest.raises(DocumentError, match=rf"profile.yaml:\d+:\d+: {says}"):
        load(row(**header), compose="change:\n  MEM-1: {at_least: 16 GB}\n")
