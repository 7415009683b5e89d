"""The customer's values: checked against the profile, by line; secrets never leave; facts can stand in for the file."""

from __future__ import annotations

import pytest

from documents.samples import HEAD, SITE, TODAY, confirmation, load, row
from vorflug.documents import site
from vorflug.documents.problems import DocumentError
from vorflug.documents.resolve import resolve
from vorflug.documents.site import Site
from vorflug.model.evidence import Evidence
from vorflug.model.report import SiteInfo
from vorflug.model.requirement import HostSize, OperatingModel, Phase

PROFILE = load(
    row(fields="at_least: {param: ram.floor}\ntolerance: {param: ram.slack}"),
    row("MEM-2", models="[saas]", when="{param: llm.provider, is: aws}"),
    confirmation(),
)
TOP = "schema: vorflug/site/1\n"
KEYED = row(
    "KEY-1",
    "llm_key",
    "provider: openai\nurl: 'https://llm.lab.test'\npath: /v1/models\nkey: {param: api.key}",
)


def parse(text, profile=PROFILE):
    return site.parse(text.encode(), "site.yaml", profile, TODAY)


def mistakes(text, profile=PROFILE):
    with pytest.raises(DocumentError) as refused:
        parse(text, profile)
    return [f"{p.place.file}:{p.place.line} {p.says}" for p in refused.value.problems]


def test_what_it_gives():
    read = parse(SITE + "model: saas\nsize: L\nphase: go-live\nprofile: {name: sample, version: 1.2.0}\n")
    assert (read.given, read.customer) == (True, "Musterbank")
    assert (read.model, read.size, read.phase) == (OperatingModel.SAAS, HostSize.L, Phase.GO_LIVE)
    assert read.parameters == {"llm.provider": "azure", "ram.floor": "8 GB"}
    assert read.confirmations["ORG-1"].by == "Erika Muster"
    assert read.answers(PROFILE)["proxy.used"] is False


@pytest.mark.parametrize("text", [TOP, TOP + "parameters:\nconfirmations:\n", TOP + "parameters: {}\n"])
def test_it_may_give_nothing(text):
    assert parse(text).missing(PROFILE) == ["llm.provider", "ram.floor"]
    assert parse(text).missing(PROFILE, OperatingModel.COMPOSE) == ["ram.floor"]
    assert parse(text).missing(PROFILE, OperatingModel.SAAS) == ["llm.provider"]


def test_what_does_not_apply_is_not_missing():
    profile = load(row(fields="at_least: {param: ram.floor}", when="{param: llm.provider, is: aws}"))
    assert parse(TOP, profile).missing(profile) == ["llm.provider", "ram.floor"]
    assert parse(TOP + "parameters: {llm.provider: aws}", profile).missing(profile) == ["ram.floor"]
    assert parse(TOP + "parameters: {llm.provider: azure}", profile).missing(profile) == []


GOLDEN = {
    "field": (TOP + "parameter: {}", 2, "there is no field parameter; did you mean parameters? Fields here: schema, customer, profile, model, size, phase, parameters and confirmations."),
    "schema": ("schema: vorflug/site/2", 1, "schema: wanted exactly vorflug/site/1, saw vorflug/site/2."),
    "parameter": (TOP + "parameters:\n  llm.provder: azure", 3, "there is no parameter llm.provder; did you mean llm.provider?"),
    "choice": (TOP + "parameters:\n  llm.provider: asure", 3, "llm.provider: wanted azure or aws, saw asure; did you mean azure?"),
    "size": (TOP + "parameters:\n  ram.floor: 8 Gb", 3, "ram.floor: wanted a size such as '40 GB', saw 8 Gb."),
    "boolean": (TOP + "parameters:\n  proxy.used: 'true'", 3, "proxy.used: wanted true or false, saw the text 'true'; remove the quotes."),
    "a word for a boolean": (TOP + "parameters:\n  proxy.used: yes", 3, "saw yes, which some YAML readers take for true: write true, or 'yes' in quotes if it is a text."),
    "no list": (TOP + "parameters:\n  integrations: smtp", 3, "integrations: wanted a list with at least one entry, each smtp or sharepoint, saw smtp; did you mean [smtp]?"),
    "in a list": (TOP + "parameters:\n  integrations:\n    - smtp\n    - sharepont", 5, "integrations: wanted smtp or sharepoint, saw sharepont; did you mean sharepoint?"),
    "secret": (TOP + "parameters:\n  api.key: s3cr3t-canary", 3, "api.key: wanted where the secret lies: {env: NAME} or {file: /path}, never the secret itself."),
    "secret in braces": (TOP + "parameters:\n  api.key: {env: s3cr3t-canary}", 3, "api.key: wanted where the secret lies: {env: NAME} or {file: /path}, never the secret itself."),
    "another parameter": (TOP + "parameters:\n  llm.zone: azure", 3, "there is no parameter llm.zone; did you mean llm.provider?"),
    "no parameter at all": (TOP + "parameters:\n  wxyz: 1", 3, "there is no parameter wxyz; vorflug site init lists all."),
    "one of several": (TOP + "parameters:\n  ram.q: 1", 3, "there is no parameter ram.q; did you mean ram.floor or ram.slack? vorflug site init lists all."),
    "confirmation": (TOP + "confirmations:\n  ORG-2: {confirmed: true, by: xy, on: 2026-11-20}", 3, "there is no confirmation ORG-2; did you mean ORG-1?"),
    "technical": (TOP + "confirmations:\n  MEM-1: {confirmed: true, by: xy, on: 2026-11-20}", 3, "MEM-1 is looked at by the program: nobody needs to confirm it."),
    "date": (TOP + "confirmations:\n  ORG-1: {confirmed: true, by: xy, on: 20.11.2026}", 3, "on: wanted a date such as 2026-11-25, saw 20.11.2026."),
    "nobody": (TOP + "confirmations:\n  ORG-1: {confirmed: true, by: '', on: 2026-11-20}", 3, "by: wanted a text of 2 to 200 characters, saw an empty text."),
    "just true": (TOP + "confirmations:\n  ORG-1: true", 3, "ORG-1: wanted the fields confirmed, by, on, evidence, saw true."),
    "another profile": (TOP + "profile: {name: other}", 2, "this site file was written for the profile other, but sample@1.2.0 is asked for."),
    "another version": (TOP + "profile: {name: sample, version: 1.1.0}", 2, "this site file was written for the profile sample@1.1.0, but sample@1.2.0 is asked for."),
    "misspelled pin": (TOP + "profile: {name: sample, versoin: 1.2.0}", 2, "there is no field versoin; did you mean version? Fields here: name and version."),
    "model": (TOP + "model: docker", 2, "model: wanted saas, compose, kubernetes or hybrid, saw docker."),
}  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_one_mistake_one_sentence_at_its_line(name):
    text, line, says = GOLDEN[name]
    assert mistakes(text) == [f"site.yaml:{line} {says}"]
    assert "canary" not in "".join(mistakes(text))


@pytest.mark.parametrize("type_", ["url", "host", "choice, values: [x]", "port", "network"])
def test_a_url_with_a_password_is_not_repeated(type_):
    head = HEAD.replace("requirements:", f"  net.proxy: {{type: {type_}, title: {{en: x, de: x}}}}\nrequirements:")
    profile = load(row(), head=head)
    for value in ("http://user:canary@proxy:3128", "user:canary@proxy", "http://canary@proxy"):
        (found,) = mistakes(TOP + f"parameters:\n  net.proxy: {value}\n", profile)
        assert found.startswith("site.yaml:3 net.proxy: wanted ") and "canary" not in found


def test_all_mistakes_at_once():
    assert (
        len(mistakes(TOP + "parameters: {llm.provider: x, ram.floor: 1, nope: 2}\nconfirmations: {MEM-1: true}\n")) == 4
    )


def test_a_value_that_no_requirement_can_use_is_found_here():
    head = HEAD.replace("type: percent", "type: text, example: 5 %")
    profile = load(row(fields="at_least: 8 GB\ntolerance: {param: ram.slack}"), head=head)
    (found,) = mistakes(TOP + "parameters:\n  ram.slack: a lot\n", profile)
    assert found == (
        "site.yaml:3 ram.slack: does not suit MEM-1: tolerance: wanted a number with its unit such as '7 %', saw a lot."
    )


def test_where_a_secret_lies_is_not_reported():
    read = parse(TOP + "parameters:\n  api.key: {env: CANARY_VARIABLE}\n")
    assert read.secrets == {"api.key": {"env": "CANARY_VARIABLE"}}
    assert "CANARY" not in read.info().model_dump_json() and read.info().secrets == ("api.key",)


def test_that_a_secret_was_given_is_known_when_facts_are_judged_again():
    profile = load(KEYED)
    for place in ("{env: CANARY_VARIABLE}", "{file: /run/CANARY}"):
        read = site.parse(f"{TOP}parameters:\n  api.key: {place}\n".encode(), "site.yaml", profile, TODAY)
        again = site.from_info(read.info(), profile, TODAY)
        assert again.secrets == {"api.key": {"given": True}} and again.info() == read.info()
        case = {"model": OperatingModel.COMPOSE, "size": HostSize.S, "phase": Phase.PRE_INSTALL}
        ((then,), (now,)) = resolve(profile, read, **case), resolve(profile, again, **case)
        assert then.key.name == now.key.name == "api.key" and now.key.given
        assert then.queries(Evidence()) == now.queries(Evidence()) != []


def test_a_secret_that_this_version_does_not_know_or_that_is_none_is_left_aside():
    info = SiteInfo(given=True, secrets=("gone", "ram.floor"))
    assert site.from_info(info, PROFILE, TODAY).secrets == {}


def test_facts_stand_in_for_the_file():
    read = parse(SITE)
    again = site.from_info(SiteInfo.model_validate_json(read.info().model_dump_json()), PROFILE, TODAY)
    assert again.info() == read.info()
    for model, size in ((OperatingModel.COMPOSE, HostSize.S), (OperatingModel.SAAS, HostSize.L)):
        case = {"model": model, "size": size, "phase": Phase.PRE_INSTALL}
        assert resolve(PROFILE, read, **case) == resolve(PROFILE, again, **case)


def test_facts_from_another_version_give_what_this_one_knows():
    info = SiteInfo(
        given=True,
        parameters={"ram.floor": "9 GB", "gone": 1},
        confirmations={"ORG-9": {"confirmed": True, "by": "xy", "on": "2026-11-20"}},
    )
    again = site.from_info(info, PROFILE, TODAY)
    assert again.parameters == {"ram.floor": "9 GB"} and again.confirmations == {}


@pytest.mark.parametrize(
    "info",
    [
        SiteInfo(given=True, parameters={"ram.floor": 9}),
        SiteInfo(given=True, confirmations={"ORG-1": {"confirmed": "perhaps"}}),
        SiteInfo(given=True, confirmations={"ORG-1": 1}),
    ],
)
def test_facts_that_do_not_fit_are_refused(info):
    with pytest.raises(DocumentError, match=r"^facts\.json: "):
        site.from_info(info, PROFILE, TODAY, "facts.json")


def test_without_a_file_there_is_nothing_given():
    assert Site.empty().info() == SiteInfo(given=False)


def test_the_profile_that_a_file_names(tmp_path):
    path = tmp_path / "site.yaml"
    for line, ref in (("", None), ("profile: {name: a}", "a"), ("profile: {name: a, version: 1.0.0}", "a@1.0.0")):
        path.write_text(TOP + line)
        assert site.pinned(path) == ref
    # its mistakes are named by load, together with all others
    path.write_text(TOP + "profile: a@1\nmodel: docker")
    assert site.pinned(path) is None
    with pytest.raises(DocumentError, match=r"site.yaml:2:10: profile: wanted the fields name and version, saw a@1\."):
        site.load(path, PROFILE, TODAY)


def test_a_confirmation_from_the_future_is_refused():
    def dated(day):
        return TOP + f"confirmations:\n  ORG-1: {{confirmed: true, by: xy, on: {day}}}"

    assert parse(dated("2026-11-25")).confirmations
    says = (
        "ORG-1: the date 2026-11-26 lies in the future (nowhere is it later than 2026-11-25): "
        "write the day on which it was confirmed."
    )
    assert mistakes(dated("2026-11-26")) == [f"site.yaml:3 {says}"]
    info = SiteInfo(given=True, confirmations={"ORG-1": {"confirmed": True, "by": "xy", "on": "2026-11-26"}})
    with pytest.raises(DocumentError, match="lies in the future"):
        site.from_info(info, PROFILE, TODAY)


def test_a_value_is_tried_although_its_row_waits_for_another():
    head = HEAD.replace(
        "requirements:",
        "  f.path: {type: path, required: true, title: {en: x, de: x}}\n"
        "  f.uid: {type: integer, required: true, title: {en: x, de: x}}\nrequirements:",
    )
    profile = load(row("F-1", "folder_writable", "path: {param: f.path}\nuid: {param: f.uid}\ngid: 0"), head=head)
    assert parse(TOP + "parameters: {f.uid: 0}", profile).missing(profile) == ["f.path"]
    says = "f.uid: does not suit F-1: uid: wanted a whole number of at least 0, saw -1."
    assert mistakes(TOP + "parameters:\n  f.uid: -1", profile) == [f"site.yaml:3 {says}"]


HINTS = {
    "n.count: '7'": "n.count: wanted a whole number, saw the text '7'; remove the quotes.",
    "n.count: seven": "n.count: wanted a whole number, saw the text 'seven'.",
    "n.net: 10.0.0.5/8": "n.net: wanted a network such as 10.20.0.0/16, saw 10.0.0.5/8; host bits are set: did you mean 10.0.0.0/8?",
    "n.nets: 10.0.0.0/8": "n.nets: wanted a list with at least one entry, each a network such as 10.20.0.0/16, saw 10.0.0.0/8; did you mean [10.0.0.0/8]?",
    "llm.provider: AZURE": "llm.provider: wanted azure or aws, saw AZURE; did you mean azure?",
    "integrations: [share]": "integrations: wanted smtp or sharepoint, saw share; did you mean sharepoint?",
    "api_token: x": "there is no parameter api_token; did you mean api.key? No secret belongs into this file: keep it elsewhere.",
}  # fmt: skip


@pytest.mark.parametrize("line", HINTS)
def test_what_was_probably_meant(line):
    head = HEAD.replace(
        "requirements:",
        "  n.count: {type: integer, title: {en: x, de: x}}\n  n.net: {type: network, title: {en: x, de: x}}\n"
        "  n.nets: {type: network, many: true, title: {en: x, de: x}}\nrequirements:",
    )
    assert mistakes(f"{TOP}parameters:\n  {line}", load(row(), head=head)) == [f"site.yaml:3 {HINTS[line]}"]


def test_the_mistakes_of_all_layers_at_once():
    text = (
        "schema: vorflug/site/1\nmodel: docker\nparameters:\n  proxy.used: yes\n  llm.provider: asure\n"
        "  ram.floor: no\n  ram.slack: 200 %\nconfirmations:\n  ORG-1: {confirmed: on, by: x, on: 2027-01-01}\n"
    )
    # line 6 once: that the word's reading is no size follows from the doubt
    assert [said.split()[0].partition(":")[2] for said in mistakes(text)] == ["2", "4", "5", "6", "7", "9", "9"]


@pytest.mark.parametrize("text", ["parameters:\n\tproxy.used: true", "parameters:\n  \tproxy.used: true"])
def test_a_tab_is_named(text):
    assert mistakes(TOP + text) == ["site.yaml:3 saw a tab: indent with spaces."]


@pytest.mark.parametrize("url", ["https://x.example.com/?token=CANARY", "no-url?CANARY", "https://x y/#CANARY"])
def test_a_refused_url_is_not_repeated_where_it_may_hold_a_key(url):
    profile = load(row(), head=HEAD.replace("  api.key:", "  app.url: {type: url, title: {en: U, de: U}}\n  api.key:"))
    with pytest.raises(DocumentError, match=r"app\.url: wanted a URL") as refused:
        parse(SITE.replace("parameters:", f"parameters:\n  app.url: {url!r}").partition("confirmations")[0], profile)
    assert "CANARY" not in str(refused.value)
