"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from areas.asking import ask
from conftest import FakePort, fake_host, header
from vorflug.areas.gpu import (
    ContainerToolkitFact,
    ContainerToolkitQuery,
    NvidiaContainerToolkitRequirement,
    NvidiaGpuRequirement,
)
from vorflug.host.live import LiveHost
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.gpu import Card, GpuDevice, GpuFact, GpuQuery, Vendor
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome

GB = 10**9
MIB = 2**20
NO_DRIVER = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."


def device(vendor=Vendor.NVIDIA, driver="", number="20B5"):
    return GpuDevice(address="0000:01:00.0", vendor=vendor, device=number, driver=driver)


def card(memory=16 * GB, partitioned=False):
    return Card(name="Some GPU", memory_bytes=memory, partitioned=partitioned)


SERVED = (device(driver="nvidia"),)


def gpu(*cards, devices=SERVED, driver="550.135", **more):
    return GpuFact(devices=devices, driver=driver, cards=cards, asked=bool(cards), **more)


def judged(fact, at_least="16 GB", tolerance="0 %"):
    demand = NvidiaGpuRequirement.model_validate(header(at_least=at_least, tolerance=tolerance))
    return demand.judge(Evidence([Observation(GpuQuery(), fact if isinstance(fact, Unseen) else Seen(fact))]))


MET, UNMET, UNKNOWN = Outcome.MET, Outcome.UNMET, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("fact", "outcome", "seen", "because"),
    [
        (gpu(card()), MET, "Some GPU, 16 GB", "16 GB of GPU memory are enough, 16 GB are wanted."),
        (gpu(card(16 * GB - 1)), UNMET, "Some GPU, 14.9 GiB", "14.9 GiB (16 GB) of GPU memory, 16 GB wanted."),
        (gpu(card(8 * GB), card(8 * GB)), MET, "Some GPU, 8 GB", "16 GB of GPU memory are enough"),
        (gpu(card(None)), UNKNOWN, "Some GPU, memory not told", "The card does not tell"),
        (gpu(card(None), card()), MET, "Some GPU, memory not told; Some GPU, 16 GB", "16 GB of GPU memory"),
        (
            gpu(card(40 * GB, partitioned=True)),
            UNMET,
            "Some GPU, partitioned (MIG)",
            "A card is partitioned (MIG), and a model can use one instance only: 0 B at most.",
        ),
        (
            gpu(card(None, partitioned=True), instances=(10 * GB, 5 * GB)),
            UNMET,
            "Some GPU, partitioned (MIG); instance of 10 GB; instance of 5 GB",
            "A card is partitioned (MIG), and a model can use one instance only: 10 GB at most.",
        ),
        (
            gpu(card(40 * GB, partitioned=True), instances=(20 * GB,)),
            MET,
            "Some GPU, partitioned (MIG); instance of 20 GB",
            "20 GB of GPU memory are enough",
        ),
        # whatever else is or is not visible (a container shows neither PCI nor /proc/driver)
        (gpu(card(), devices=None, driver=None), MET, "Some GPU, 16 GB", "16 GB of GPU memory"),
    ],
)
def test_memory_verdict(fact, outcome, seen, because, no_io):
    with no_io():
        verdict = judged(fact)
    assert (verdict.outcome, render(verdict.seen)) == (outcome, seen)
    assert render(verdict.because).startswith(because)
    assert (verdict.fix is not None) == (outcome is not MET)
    if outcome is not UNKNOWN:
        assert verdict.gauge is not None
        assert (verdict.gauge.have, verdict.gauge.want, verdict.gauge.unit) == (fact.usable_bytes, 16 * GB, "B")


@pytest.mark.parametrize(("have", "outcome"), [(93, MET), (92, UNMET)])
def test_a_tolerance_for_what_the_card_keeps(have, outcome):
    verdict = judged(gpu(card(have)), at_least="100 B", tolerance="7 %")
    assert verdict.outcome is outcome
    assert render(verdict.wanted) == "NVIDIA GPU with at least 100 B of memory (tolerance 7 %)"


@pytest.mark.parametrize(
    ("fact", "outcome", "seen", "because"),
    [
        (gpu(devices=(), driver=None), UNMET, "no GPU", "No GPU is on the PCI bus"),
        # a driver without a device
        (
            gpu(devices=(), complaint="No devices were found"),
            UNMET,
            "NVIDIA driver 550.135 and no NVIDIA device",
            "The driver is loaded, but no NVIDIA device",
        ),
        (gpu(devices=None), UNMET, "NVIDIA driver 550.135 and no NVIDIA device", "The driver is loaded"),
        # a device without a driver
        (gpu(devices=(device(),), driver=None), UNMET, "NVIDIA device 20B5 (no driver)", "There is an NVIDIA device"),
        (
            gpu(devices=(device(),), driver=None, complaint=NO_DRIVER),
            UNMET,
            "NVIDIA device 20B5 (no driver)",
            "There is an NVIDIA device",
        ),
        (
            gpu(devices=(device(driver="nouveau"), device()), driver=None),
            UNMET,
            "NVIDIA device 20B5 (driver: nouveau); NVIDIA device 20B5 (no driver)",
            "The NVIDIA device is served by nouveau, with which models do not run.",
        ),
        # other makers
        (
            gpu(devices=(device(Vendor.AMD, "amdgpu", "740F"), device(Vendor.INTEL, "", "4680")), driver=None),
            UNMET,
            "AMD device 740F (driver: amdgpu); Intel device 4680 (no driver)",
            "There is a GPU, but none by NVIDIA.",
        ),
        # driver and device are there, and nvidia-smi says nothing or complains
        (gpu(), UNKNOWN, "NVIDIA device 20B5 (driver: nvidia)", "How much memory the card has is told by nvidia-smi"),
        (gpu(models=("H100",)), UNKNOWN, "H100", "How much memory the card has is told by nvidia-smi"),
        (gpu(devices=None, models=("H100",)), UNKNOWN, "H100", "How much memory"),
        (
            gpu(complaint="Failed to initialize NVML: Driver/library version mismatch"),
            UNKNOWN,
            "NVIDIA device 20B5 (driver: nvidia)",
            "nvidia-smi gives no answer: Failed to initialize NVML: Driver/library version mismatch",
        ),
        # not visible
        (gpu(devices=None, driver=None), UNKNOWN, "no /sys", "Which GPU stands behind it is not visible"),
        (gpu(devices=(), driver=None, lent_by_windows=True), UNKNOWN, "graphics lent by Windows", "Which GPU stands"),
    ],
)
def test_verdict_without_an_answer_of_nvidia_smi(fact, outcome, seen, because):
    verdict = judged(fact)
    assert verdict.outcome is outcome
    assert render(verdict.seen).startswith(seen)
    assert render(verdict.because).startswith(because)
    assert verdict.fix is not None


def test_nouveau_is_named_in_the_fix():
    verdict = judged(gpu(devices=(device(driver="nouveau"),), driver=None))
    assert "keep nouveau from loading" in render(verdict.fix)


def test_a_size_that_needs_none_asks_nothing_of_the_machine():
    verdict = judged(Unseen(Reason.CRASHED), at_least="0 B")
    assert (verdict.outcome, render(verdict.wanted)) == (Outcome.NOT_APPLICABLE, "no GPU needed")
    assert judged(gpu(card(1)), at_least="1 B").outcome is MET


# ---- containers ------------------------------------------------------------------------------------------------------


class Folders:
    """Folders of CDI specifications: name -> whether it offers NVIDIA GPUs."""

    def __init__(self, folders):
        self._folders = folders

    def list_folder(self, path):
        if path not in self._folders:
            raise FileNotFoundError(path)
        return tuple(self._folders[path])

    def lines_with(self, path, words):
        assert words == ("nvidia.com/gpu",)
        folder, _, name = path.rpartition("/")
        return ('kind: "nvidia.com/gpu"',) if self._folders[folder][name] else ()


@pytest.mark.parametrize(
    ("programs", "folders", "fact"),
    [
        ((), {}, ((), ())),
        (("nvidia-ctk", "nvidia-container-cli"), {}, (("nvidia-ctk", "nvidia-container-cli"), ())),
        (
            (),
            {"/etc/cdi": {"nvidia.yaml": True, "other.yaml": False, "notes.txt": True}},
            ((), ("/etc/cdi/nvidia.yaml",)),
        ),
        ((), {"/var/run/cdi": {"n.json": True}}, ((), ("/var/run/cdi/n.json",))),
    ],
)
def test_what_lets_containers_use_a_gpu(programs, folders, fact):
    commands = FakePort(which=lambda name: f"/usr/bin/{name}" if name in programs else None)
    seen = ContainerToolkitQuery().observe(fake_host(files=Folders(folders), commands=commands))
    assert (seen.programs, seen.specifications) == fact


def toolkit(fact, programs=(), specifications=()):
    found = ContainerToolkitFact(programs=programs, specifications=specifications)
    demand = NvidiaContainerToolkitRequirement.model_validate(header())
    seen = [Observation(ContainerToolkitQuery(), Seen(found)), Observation(GpuQuery(), Seen(fact))]
    return demand.judge(Evidence(seen))


NONE = gpu(devices=(), driver=None)


@pytest.mark.parametrize(
    ("fact", "programs", "specifications", "outcome", "seen"),
    [
        (NONE, ("nvidia-ctk",), (), MET, "nvidia-ctk"),
        (NONE, (), ("/etc/cdi/nvidia.yaml",), MET, "/etc/cdi/nvidia.yaml"),
        (gpu(), ("nvidia-ctk",), ("/etc/cdi/nvidia.yaml",), MET, "nvidia-ctk and /etc/cdi/nvidia.yaml"),
        (NONE, (), (), Outcome.NOT_APPLICABLE, "no NVIDIA GPU"),
        (gpu(devices=(device(Vendor.AMD),), driver=None), (), (), Outcome.NOT_APPLICABLE, "no NVIDIA GPU"),
        (gpu(), (), (), UNMET, "neither its programs nor a specification in /etc/cdi and /var/run/cdi"),
        (gpu(devices=None, models=("H100",)), (), (), UNMET, "neither its programs"),
        (gpu(card(), devices=None), (), (), UNMET, "neither its programs"),
    ],
)
def test_toolkit_verdict(fact, programs, specifications, outcome, seen):
    verdict = toolkit(fact, programs, specifications)
    assert verdict.outcome is outcome
    assert render(verdict.seen).startswith(seen)
    assert (verdict.fix is not None) == (outcome is UNMET)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judged(Unseen(reason))
    demand = NvidiaContainerToolkitRequirement.model_validate(header())
    none = Seen(ContainerToolkitFact(programs=(), specifications=()))
    for missing in ([], [Observation(ContainerToolkitQuery(), none), Observation(GpuQuery(), Unseen(reason))]):
        with pytest.raises(NotSeen):
            demand.judge(Evidence(missing))


@pytest.mark.parametrize(
    "demand",
    [
        NvidiaGpuRequirement.model_validate(header(at_least="1 TiB")),
        NvidiaContainerToolkitRequirement.model_validate(header()),
    ],
)
def test_this_machine_answers_and_nothing_crashes(demand):
    assert demand.judge(ask(demand, LiveHost(20))).outcome in set(Outcome)
