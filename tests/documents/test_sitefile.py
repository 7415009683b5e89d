"""The file to fill in is valid as it is, and every line of it works once the comment mark is gone."""

from __future__ import annotations

import pytest

from documents.samples import HEAD, TODAY, confirmation, load, row
from vorflug.documents import site
from vorflug.documents.problems import DocumentError
from vorflug.documents.sitefile import template
from vorflug.model.requirement import OperatingModel

PROFILE = load(
    row(fields="at_least: {param: ram.floor}"),
    row("M-2", models="[saas]", when="{param: llm.provider, is: aws}"),
    confirmation(),
)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("model", [None, *OperatingModel])
def test_untouched_it_is_valid_and_gives_nothing(language, model):
    read = site.parse(template(PROFILE, model, language).encode(), "site.yaml", PROFILE, TODAY)
    assert read.parameters == {} and read.confirmations == {} and read.model is model


def test_every_parameter_works_when_its_mark_is_removed():
    before = template(PROFILE, None, "en").partition("confirmations:")[0]
    lines = [line.replace("# ", "", 1) if line.lstrip().startswith("# ") else line for line in before.splitlines()]
    read = site.parse("\n".join([*lines, "confirmations:", ""]).encode(), "site.yaml", PROFILE, TODAY)
    assert set(read.parameters) | set(read.secrets) == set(PROFILE.parameters)
    assert read.customer and read.size == "S" and read.phase == "pre-install"


def test_nothing_is_confirmed_by_removing_marks():
    text = (
        template(PROFILE, None, "en")
        .replace("  # ", "  ")
        .replace("  ##", "  #")
        .replace("parameters:", "parameters: {}\nx:")
    )
    text = text[: text.index("parameters")] + text[text.index("confirmations:") :]
    with pytest.raises(DocumentError) as refused:
        site.parse(text.encode(), "site.yaml", PROFILE, TODAY)
    assert {str(p.says).partition(":")[0] for p in refused.value.problems} == {"by", "on"}


def test_it_explains_each():
    text = template(PROFILE, None, "en")
    assert "## Language model (required): azure or aws" in text
    assert "## Proxy (false if not given): true or false" in text
    assert "## Integrations (may be left out): a list, each entry smtp or sharepoint" in text
    assert "## Queue agreed (must, OS / virtualisation)" in text
    german = template(PROFILE, None, "de")
    assert "Sprachmodell" in german and "(Muss, " in german and "on: JJJJ-MM-TT" in german
    assert "must" not in german and "os-virtualisation" not in german


def test_what_only_another_model_s_overlay_asks_for_is_left_out():
    base = row(models="[compose, saas]")
    profile = load(base, saas="change:\n  MEM-1: {at_least: {param: ram.floor}}\n")
    assert "ram.floor" not in template(profile, OperatingModel.COMPOSE, "en")
    assert "ram.floor" in template(profile, OperatingModel.SAAS, "en")


def test_of_one_model_only_what_it_asks_for():
    text = template(PROFILE, OperatingModel.COMPOSE, "en")
    assert "# ram.floor: 8 GB" in text and "llm.provider" not in text
    assert "api.key" in text  # nothing looks at it, so no model can be said not to


def test_a_text_of_the_profile_stays_in_its_comment():
    head = HEAD.replace("{en: Proxy, de: Proxy}", '{en: "Proxy\\nschema: other\\nparameters:", de: Proxy}')
    profile = load(row(), head=head)
    assert site.parse(template(profile, None, "en").encode(), "site.yaml", profile, TODAY).given
