"""The published schemas agree with the loader, and are the ones that are committed."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from documents.samples import HEAD, SITE, TODAY, confirmation, load, row
from vorflug.documents import schema as schemas
from vorflug.documents import site, yamlstrict
from vorflug.documents.problems import DocumentError
from vorflug.documents.schema import Document, text
from vorflug.documents.sitefile import template
from vorflug.engine import registry

schema = cache(schemas.schema)
PUBLISHED = Path(__file__).parent.parent.parent / "schemas"


def valid(document, written):
    validator = jsonschema.Draft202012Validator(schema(document))
    return not list(validator.iter_errors(yamlstrict.load(written.encode(), "f.yaml")))


@pytest.mark.parametrize("document", Document)
def test_it_is_a_schema_and_the_committed_one(document):
    jsonschema.Draft202012Validator.check_schema(schema(document))
    committed = (PUBLISHED / f"{document}.schema.json").read_text(encoding="utf-8")
    assert committed == text(document), f"vorflug profile schema {document} > schemas/{document}.schema.json"


@pytest.mark.parametrize("document", [Document.PROFILE, Document.OVERLAY])
def test_every_kind_has_its_entry(document):
    definitions = schema(document)["$defs"]
    assert {f"kind.{kind}" for kind in registry.requirements()} <= set(definitions)


GOOD = [
    row(),
    row(fields="at_least: {param: ram.floor}\ntolerance: {S: 7 %, M: 8 %, L: {param: ram.slack}}"),
    row(
        level="{S: must, M: must, L: should}",
        when="{all: [{param: proxy.used, is: true}, {any: [{param: llm.provider, is: [aws]}]}]}",
    ),
    confirmation(),
]
BAD = [
    row(kind="memroy"),
    row(fields=""),
    row(fields="at_leest: 8 GB"),
    row(fields="at_least: 8"),
    row(fields="at_least: 8 Gb"),
    row(fields="at_least: {S: 8 GB, XL: 9 GB}"),
    row(fields="at_least: {parm: ram.floor}"),
    row(level="mustt"),
    row(models="[]"),
    row(title="{en: x}"),
    row(when="{param: proxy.used}"),
    row().replace("advice", "advise"),
]


@pytest.mark.parametrize("written", GOOD)
def test_what_loads_is_valid(written):
    assert load(written).rows
    assert valid(Document.PROFILE, HEAD + written)


@pytest.mark.parametrize("written", BAD)
def test_what_is_refused_by_its_form_is_invalid(written):
    with pytest.raises(DocumentError):
        load(written)
    assert not valid(Document.PROFILE, HEAD + written)


def test_overlays():
    head = "schema: vorflug/overlay/1\nextends: profile.yaml\nmodel: kubernetes\n"
    assert valid(Document.OVERLAY, head + "change: {A-1: {at_least: 8 GB}}\nremove: [B-1]\nrequirements:\n" + row())
    assert not valid(Document.OVERLAY, head + "requirements:\n" + row(kind="memroy"))
    assert not valid(Document.OVERLAY, head.replace("kubernetes", "k8s"))


def test_site_files():
    profile = load(row(), confirmation())
    for written in (SITE, template(profile, None, "de")):
        assert site.parse(written.encode(), "s", profile, TODAY)
        assert valid(Document.SITE, written)
    assert not valid(Document.SITE, SITE + "parameter: {}\n")
    assert not valid(Document.SITE, SITE.replace("by: Erika Muster, ", ""))


def test_it_is_json_with_a_final_newline():
    assert json.loads(text(Document.SITE)) == schema(Document.SITE) and text(Document.SITE).endswith("}\n")
