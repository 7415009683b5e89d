"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.packages import (
    EnginePackageFact,
    EnginePackageQuery,
    Entry,
    PackagesAbsentRequirement,
    PackagesFact,
    PackagesQuery,
    SnapsFact,
    SnapsQuery,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.packages import Installed, Inventory, Manager, PackageState
from vorflug.ports.processes import Process, Running

NAMES = ("docker.io", "docker-doc", "podman-docker")
PACKAGES, SNAPS = PackagesQuery(names=NAMES), SnapsQuery(names=("docker",))
DENIED = Unseen(Reason.DENIED)


def entry(name="docker.io", state=PackageState.INSTALLED, detail="installed", version="20.10", architecture="amd64"):
    return Entry(name=name, version=version, architecture=architecture, state=state, detail=detail)


HALF = entry(state=PackageState.HALF, detail="half-configured")
GONE = entry(state=PackageState.CONFIG_FILES, detail="config-files")


# ---- host -> fact ----------------------------------------------------------------------------------------------------


def test_packages_as_the_port_tells_them():
    one = Installed("docker.io", "20.10", "amd64", PackageState.HALF, "half-configured")
    asked = []

    def find(names):
        asked.append(names)
        return Inventory(Manager.DPKG, (one,))

    fact = PACKAGES.observe(fake_host(packages=FakePort(find=find)))
    assert asked == [NAMES]
    assert fact == PackagesFact(manager=Manager.DPKG, found=(HALF,))
    assert render(PACKAGES.asks()) == "Are these packages installed: docker.io, docker-doc and podman-docker?"


@pytest.mark.parametrize("error", [NotImplementedError("no manager"), PermissionError(13, "x"), ValueError("broken")])
def test_records_that_could_not_be_read_are_no_empty_list(error):
    with pytest.raises(type(error)):
        PACKAGES.observe(fake_host(packages=FakePort(find=error)))


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ((), ()),
        (("/snap",), ()),
        (("/snap", "/snap/lxd"), ()),
        (("/snap/docker",), ("docker",)),
        (("/var/lib/snapd/snap/docker",), ("docker",)),
    ],
)
def test_snap_docker(there, found):
    assert SNAPS.observe(fake_host(files=FakePort(exists=lambda path: path in there))) == SnapsFact(found=found)
    assert render(SNAPS.asks()) == "Are these snaps installed: docker?"


def engine_host(programs, lists):
    def lines_with(path, words):
        if path not in lists:
            raise FileNotFoundError(2, "No such file")
        return tuple(line for line in lists[path] if any(word in line for word in words))

    def named(names):
        assert names == ("dockerd",)
        found = tuple(Process(7 + n, "dockerd", program, 0, "") for n, program in enumerate(programs))
        return Running(found, hidden=False)

    return fake_host(processes=FakePort(named=named), files=FakePort(lines_with=lines_with))


LIST, DOC = "/var/lib/dpkg/info/docker.io.list", "/var/lib/dpkg/info/docker-doc.list"


@pytest.mark.parametrize(
    ("programs", "lists", "package"),
    [
        (("/usr/sbin/dockerd",), {LIST: ("/usr/sbin/dockerd",)}, "docker.io"),
        ((None, "/usr/sbin/dockerd"), {LIST: ("/usr/sbin/dockerd",)}, "docker.io"),
        (("/usr/sbin/dockerd",), {DOC: ("/usr/share/doc",), LIST: ("/usr/sbin/dockerd",)}, "docker.io"),
        # docker-ce's own, or one put there by hand: the package is there, but it is not what runs
        (("/usr/bin/dockerd",), {LIST: ("/usr/sbin/dockerd",)}, ""),
        # part of a longer path is another file
        (("/usr/sbin/dockerd",), {LIST: ("/usr/sbin/dockerd-rootless.sh",)}, ""),
        (("/usr/sbin/dockerd",), {}, ""),
        ((None,), {LIST: ("/usr/sbin/dockerd",)}, ""),
        ((), {LIST: ("/usr/sbin/dockerd",)}, ""),
    ],
)
def test_whose_file_the_running_engine_is(programs, lists, package):
    query = EnginePackageQuery(packages=("docker-doc", "docker.io"))
    assert query.observe(engine_host(programs, lists)) == EnginePackageFact(package=package)
    assert render(query.asks()) == "Does the running engine belong to one of docker-doc and docker.io?"


def test_without_a_visible_engine_no_list_of_files_is_read():
    host = fake_host(processes=FakePort(named=Running((Process(7, "dockerd", None, 0, ""),), hidden=True)))
    assert EnginePackageQuery(packages=("docker.io",)).observe(host).package == ""


# ---- (demand, fact) -> verdict ---------------------------------------------------------------------------------------


def demand(**changes):
    return PackagesAbsentRequirement.model_validate(header(names=list(NAMES), snaps=["docker"], **changes))


def evidence(found=(), snaps=(), manager=Manager.DPKG, engine=None):
    packages = found if isinstance(found, Unseen) else Seen(PackagesFact(manager=manager, found=found))
    known = Evidence([Observation(PACKAGES, packages)])
    known.add(Observation(SNAPS, snaps if isinstance(snaps, Unseen) else Seen(SnapsFact(found=snaps))))
    if engine is not None:
        result = engine if isinstance(engine, Unseen) else Seen(EnginePackageFact(package=engine))
        known.add(Observation(EnginePackageQuery(packages=("docker.io",)), result))
    return known


MIDWAY = "An installation left these packages midway: docker.io."
CONFLICT = "Installed and in conflict with Docker's own packages: docker.io."
SNAP = "Installed as a snap, with data and settings of its own: docker."
CONFIGURE = "Finish what was left midway: dpkg --configure -a, then apt-get --fix-broken install."
REMOVE = "Remove docker.io before Docker's own packages are installed."
UNSNAP = "Save the data of its volumes where it was used, then: snap remove docker."


@pytest.mark.parametrize(
    ("known", "seen", "because", "fix"),
    [
        (evidence((entry(),)), "docker.io 20.10", CONFLICT, REMOVE),
        (evidence((entry(),), manager=Manager.RPM), "docker.io 20.10", CONFLICT, REMOVE),
        (evidence((entry(),), manager=Manager.APK), "docker.io 20.10", CONFLICT, REMOVE),
        (evidence((HALF,)), "docker.io 20.10 (half-configured)", MIDWAY, f"{CONFIGURE} {REMOVE}"),
        (
            evidence((HALF,), manager=Manager.APK),
            "docker.io 20.10 (half-configured)",
            MIDWAY,
            f"Finish what was left midway: apk fix docker.io. {REMOVE}",
        ),
        ((evidence((), ("docker",))), "snap docker", SNAP, UNSNAP),
        # one place that could not be looked at does not hide what the other has
        (evidence(DENIED, ("docker",)), "snap docker", SNAP, UNSNAP),
        (evidence((entry(),), DENIED), "docker.io 20.10", CONFLICT, REMOVE),
        # settings that are left are not named beside what is there
        (evidence((GONE,), ("docker",)), "snap docker", SNAP, UNSNAP),
        (
            evidence((entry(), entry(version="26.1"), entry(architecture="i386"))),
            "docker.io 20.10; docker.io 26.1",
            CONFLICT,
            REMOVE,
        ),
        (
            evidence((HALF, entry("docker-doc")), ("docker",)),
            "docker.io 20.10 (half-configured); docker-doc 20.10; snap docker",
            f"{MIDWAY} Installed and in conflict with Docker's own packages: docker-doc. {SNAP}",
            f"{CONFIGURE} Remove docker.io and docker-doc before Docker's own packages are installed. {UNSNAP}",
        ),
        (
            evidence((entry(),), engine="docker.io"),
            "docker.io 20.10",
            f"{CONFLICT} The engine that runs is that of the package docker.io.",
            REMOVE,
        ),
        (evidence((entry(),), engine=""), "docker.io 20.10", CONFLICT, REMOVE),
        (evidence((entry(),), engine=DENIED), "docker.io 20.10", CONFLICT, REMOVE),
    ],
)
def test_what_is_there_is_unmet(known, seen, because, fix, no_io):
    with no_io():
        verdict = demand().judge(known)
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.seen) == seen
    assert render(verdict.because) == because
    assert render(verdict.fix) == fix
    assert render(verdict.wanted) == "none of docker.io, docker-doc, podman-docker and snap docker"


@pytest.mark.parametrize("found", [(), (GONE,)])
@pytest.mark.parametrize("manager", list(Manager))
def test_nothing_or_only_settings_is_met(found, manager):
    verdict = demand().judge(evidence(found, manager=manager))
    assert verdict.outcome is Outcome.MET
    assert render(verdict.seen) == f"none of them, by the records of {manager.value}"
    assert render(verdict.because) == "None of these packages is installed."


@pytest.mark.parametrize("reason", list(Reason))
def test_absence_takes_both_places(reason):
    for known in (evidence(Unseen(reason), ()), evidence((), Unseen(reason)), evidence((GONE,), Unseen(reason))):
        with pytest.raises(NotSeen):
            demand().judge(known)


def test_without_snaps_no_snap_is_asked_for():
    without = PackagesAbsentRequirement.model_validate(header(names=list(NAMES)))
    assert without.queries(Evidence()) == [PACKAGES]
    assert render(without.wanted()) == "none of docker.io, docker-doc and podman-docker"
    known = Evidence([Observation(PACKAGES, Seen(PackagesFact(manager=Manager.APK, found=())))])
    assert without.judge(known).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("known", "follows"),
    [
        (Evidence(), ()),
        (evidence(DENIED), ()),
        (evidence(()), ()),
        (evidence((GONE,)), ()),
        (evidence((entry(),), manager=Manager.RPM), ()),
        (evidence((entry(),)), ("docker.io",)),
        (evidence((HALF, entry("docker-doc"), entry("docker-doc"))), ("docker.io", "docker-doc")),
    ],
)
def test_who_owns_the_engine_is_asked_only_where_dpkg_has_some(known, follows):
    more = [EnginePackageQuery(packages=follows)] if follows else []
    assert demand().queries(known) == [PACKAGES, SNAPS, *more]


@pytest.mark.parametrize("wrong", [{"names": []}, {"names": ["-rf"]}, {"names": ["a b"]}, {"snaps": ["../x"]}])
def test_names_that_are_none_are_refused(wrong):
    with pytest.raises(ValidationError):
        PackagesAbsentRequirement.model_validate(header(**{"names": list(NAMES)} | wrong))
