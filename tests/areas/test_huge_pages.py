"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.huge_pages import (
    HugePageMode,
    TransparentHugePagesFact,
    TransparentHugePagesQuery,
    TransparentHugePagesRequirement,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

FILE = "/sys/kernel/mm/transparent_hugepage/enabled"


def observed(text, there=True):
    asked = []
    files = FakePort(read_text=lambda path: asked.append(path) or text, exists=lambda path: asked.append(path) or there)
    if isinstance(text, Exception):
        files = FakePort(read_text=text, exists=lambda path: path == "/sys/kernel/mm" and there)
    return TransparentHugePagesQuery().observe(fake_host(files=files)), asked


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("[always] madvise never\n", HugePageMode.ALWAYS),
        ("always [madvise] never\n", HugePageMode.MADVISE),
        ("always madvise [never]\n", HugePageMode.NEVER),
    ],
)
def test_the_mode_in_brackets_is_in_force(text, mode):
    fact, asked = observed(text)
    assert (fact.mode, asked) == (mode, [FILE])


def test_a_kernel_without_them_is_not_a_machine_without_sys():
    assert observed(FileNotFoundError(FILE))[0].mode is None
    with pytest.raises(NotImplementedError, match="/sys is not mounted"):
        observed(FileNotFoundError(FILE), there=False)


@pytest.mark.parametrize("text", ["", "always madvise never\n", "[sometimes] never\n"])
def test_what_names_no_mode_is_refused(text):
    with pytest.raises(ValueError):
        observed(text)


def judged(fact, accepted=("madvise", "never")):
    demand = TransparentHugePagesRequirement.model_validate(header(accepted=accepted))
    seen = fact if isinstance(fact, Unseen) else Seen(TransparentHugePagesFact(mode=fact))
    return demand.judge(Evidence([Observation(TransparentHugePagesQuery(), seen)]))


@pytest.mark.parametrize(
    ("mode", "accepted", "outcome", "because"),
    [
        (None, ("never",), Outcome.MET, "This kernel makes no huge pages by itself."),
        (HugePageMode.MADVISE, ("madvise", "never"), Outcome.MET, "The mode madvise is accepted."),
        (HugePageMode.NEVER, ("madvise", "never"), Outcome.MET, "The mode never is accepted."),
        (HugePageMode.ALWAYS, ("madvise", "never"), Outcome.UNMET, "In the mode always the kernel may hold up"),
        (HugePageMode.MADVISE, ("never",), Outcome.UNMET, "The mode is madvise."),
    ],
)
def test_verdict(mode, accepted, outcome, because):
    verdict = judged(mode, accepted)
    assert verdict.outcome is outcome
    assert render(verdict.because).startswith(because)
    assert (verdict.fix is not None) == (outcome is Outcome.UNMET)
    if verdict.fix:
        assert render(verdict.fix).startswith(f"Write {accepted[0]} to {FILE}")


def test_the_demand_in_words():
    assert render(judged(None).wanted) == "transparent huge pages: madvise or never"
    assert render(judged(None).seen) == "a kernel without transparent huge pages"


@pytest.mark.parametrize("accepted", [[], ["sometimes"]])
def test_a_demand_for_nothing_is_refused(accepted):
    with pytest.raises(ValueError):
        TransparentHugePagesRequirement.model_validate(header(accepted=accepted))


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judged(Unseen(reason))
