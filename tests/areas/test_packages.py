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
    PackagesWholeRequirement,
    SnapsFact,
    SnapsQuery,
    UnfinishedPackagesFact,
    UnfinishedPackagesQuery,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.os_release import OsReleaseFact, OsReleaseQuery
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.packages import Installed, Inventory, Manager, PackageState
from vorflug.ports.processes import Process, Running

DPKG_NAMES, RPM_NAMES = ("docker.io", "docker-doc", "podman-docker"), ("docker", "podman-docker")
NAMES = ("docker.io", "docker-doc", "podman-docker", "docker")
OS = OsReleaseQuery()
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
    assert render(PACKAGES.asks()) == ("Are these packages installed: docker.io, docker-doc, podman-docker and docker?")


@pytest.mark.parametrize("error", [NotImplementedError("no manager"), PermissionError(13, "x"), ValueError("broken")])
def test_records_that_could_not_be_read_are_no_empty_list(error):
    with pytest.raises(type(error)):
        PACKAGES.observe(fake_host(packages=FakePort(find=error)))


def snap_host(there, images):
    def list_folder(path):
        assert path == "/var/lib/snapd/snaps"
        if isinstance(images, Exception):
            raise images
        return images

    return fake_host(files=FakePort(exists=lambda path: path in there, list_folder=list_folder))


NO_SNAPD = FileNotFoundError(2, "No such file")


@pytest.mark.parametrize(
    ("there", "images", "found"),
    [
        ((), NO_SNAPD, ()),
        (("/snap",), NO_SNAPD, ()),
        (("/snap", "/snap/lxd"), ("lxd_24061.snap", "docker-compose_1.snap"), ()),
        (("/snap/docker",), ("docker_2893.snap",), ("docker",)),
        (("/snap/docker",), NO_SNAPD, ("docker",)),
        (("/var/lib/snapd/snap/docker",), (), ("docker",)),
        # disabled, or below a /snap that this process does not see
        ((), ("core22_1.snap", "docker_2893.snap"), ("docker",)),
        ((), ("docker_x1.snap",), ("docker",)),
        # snapd's second instance of a snap
        ((), ("docker_second_2893.snap",), ("docker",)),
    ],
)
def test_snap_docker(there, images, found):
    assert SNAPS.observe(snap_host(there, images)) == SnapsFact(found=found)
    assert render(SNAPS.asks()) == "Are these snaps installed: docker?"


def test_snaps_in_a_folder_that_is_closed_are_not_absent():
    with pytest.raises(PermissionError):
        SNAPS.observe(snap_host((), PermissionError(13, "Permission denied")))


@pytest.mark.parametrize("count", [0, 20, 21])
def test_unfinished_packages_as_the_port_tells_them(count):
    one = Installed("x", "1", "amd64", PackageState.HALF, "unpacked")
    host = fake_host(packages=FakePort(unfinished=Inventory(Manager.DPKG, (one,) * count)))
    fact = UnfinishedPackagesQuery().observe(host)
    assert (fact.manager, fact.count) == (Manager.DPKG, count)
    assert fact.found == (entry("x", PackageState.HALF, "unpacked", "1"),) * min(count, 20)
    assert render(UnfinishedPackagesQuery().asks()) == "Which packages did an installation leave midway?"


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
    fields = {"dpkg": list(DPKG_NAMES), "rpm": list(RPM_NAMES), "snaps": ["docker"], "unpublished": ["sles"]}
    return PackagesAbsentRequirement.model_validate(header(**fields | changes))


def system(id_="debian"):
    return Seen(OsReleaseFact(id=id_, version_id="12", id_like=(), pretty_name="", path="/etc/os-release"))


def evidence(found=(), snaps=(), manager=Manager.DPKG, engine=None, os=None):
    packages = found if isinstance(found, Unseen) else Seen(PackagesFact(manager=manager, found=found))
    known = Evidence([Observation(OS, os or system()), Observation(PACKAGES, packages)])
    known.add(Observation(SNAPS, snaps if isinstance(snaps, Unseen) else Seen(SnapsFact(found=snaps))))
    if engine is not None:
        result = engine if isinstance(engine, Unseen) else Seen(EnginePackageFact(package=engine))
        known.add(Observation(EnginePackageQuery(packages=("docker.io",)), result))
    return known


RPM = {"manager": Manager.RPM}
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
        (
            evidence((entry("docker"), entry("docker.io")), **RPM),
            "docker 20.10",
            CONFLICT.replace("docker.io", "docker"),
            REMOVE.replace("docker.io", "docker"),
        ),
        # the name of another manager's package
        (evidence((entry("docker"), entry()), ()), "docker.io 20.10", CONFLICT, REMOVE),
        # rpm and a package midway: it keeps no such state, and nothing is said of dpkg
        (
            evidence((entry("podman-docker", PackageState.HALF, "x"),), **RPM),
            "podman-docker 20.10 (x)",
            *(
                text.replace("docker.io", "podman-docker")
                for text in (
                    "An installation left these packages midway: docker.io.",
                    "Remove docker.io before Docker's own packages are installed.",
                )
            ),
        ),
        (evidence((HALF,)), "docker.io 20.10 (half-configured)", MIDWAY, f"{CONFIGURE} {REMOVE}"),
        ((evidence((), ("docker",))), "snap docker", SNAP, UNSNAP),
        # one place that could not be looked at does not hide what the other has
        (evidence(DENIED, ("docker",)), "snap docker", SNAP, UNSNAP),
        (evidence(DENIED, ("docker",), os=DENIED), "snap docker", SNAP, UNSNAP),
        # where the distribution's own packages are right, the snap is still in the way
        (evidence((entry("docker"),), ("docker",), **RPM, os=system("sles")), "snap docker", SNAP, UNSNAP),
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
    assert render(verdict.wanted) == "nothing installed that conflicts with Docker's own packages"


@pytest.mark.parametrize("found", [(), (GONE,)])
@pytest.mark.parametrize(
    ("manager", "names"),
    [(Manager.DPKG, "docker.io, docker-doc and podman-docker"), (Manager.RPM, "docker and podman-docker")],
)
@pytest.mark.parametrize("os", [system(), DENIED])
def test_nothing_or_only_settings_is_met(found, manager, names, os):
    verdict = demand().judge(evidence(found, manager=manager, os=os))
    assert verdict.outcome is Outcome.MET
    assert render(verdict.seen) == f"none of them, by the records of {manager.value}"
    assert render(verdict.because) == f"Not installed: {names}."


@pytest.mark.parametrize("found", [(), (entry("docker"),), DENIED])
def test_where_docker_publishes_nothing_the_packages_of_the_distribution_are_right(found):
    verdict = demand().judge(evidence(found, **RPM, os=system("sles")))
    assert verdict.outcome is Outcome.NOT_APPLICABLE
    assert render(verdict.seen) == "SLES"
    assert render(verdict.because) == "Docker publishes no packages for SLES; its own are right there."


def test_a_manager_for_which_docker_publishes_nothing():
    verdict = demand().judge(evidence((entry("docker"),), manager=Manager.APK, os=system("postmarketos")))
    assert verdict.outcome is Outcome.NOT_APPLICABLE
    assert render(verdict.seen) == "apk"
    assert render(verdict.because) == "Docker publishes no packages for apk."


def test_a_package_on_a_system_that_is_not_known_may_be_the_right_one():
    with pytest.raises(NotSeen):
        demand().judge(evidence((entry("docker"),), **RPM, os=DENIED))


@pytest.mark.parametrize("reason", list(Reason))
def test_absence_takes_both_places(reason):
    for known in (
        evidence(Unseen(reason), ()),
        evidence((), Unseen(reason)),
        evidence((GONE,), Unseen(reason)),
        evidence((), Unseen(reason), os=system("sles")),
    ):
        with pytest.raises(NotSeen):
            demand().judge(known)


def test_without_snaps_no_snap_is_asked_for():
    without = demand(snaps=[])
    assert without.queries(Evidence()) == [OS, PACKAGES]
    known = Evidence(
        [Observation(OS, system()), Observation(PACKAGES, Seen(PackagesFact(manager=Manager.RPM, found=())))]
    )
    assert without.judge(known).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("known", "follows"),
    [
        (Evidence(), ()),
        (evidence(DENIED), ()),
        (evidence(()), ()),
        (evidence((GONE,)), ()),
        (evidence((entry("docker"),), manager=Manager.RPM), ()),
        (evidence((entry("docker"),)), ()),
        (evidence((entry(),)), ("docker.io",)),
        (evidence((HALF, entry("docker-doc"), entry("docker-doc"))), ("docker.io", "docker-doc")),
    ],
)
def test_who_owns_the_engine_is_asked_only_where_dpkg_has_some(known, follows):
    more = [EnginePackageQuery(packages=follows)] if follows else []
    assert demand().queries(known) == [OS, PACKAGES, SNAPS, *more]


@pytest.mark.parametrize(
    "wrong", [{"dpkg": [], "rpm": []}, {"dpkg": ["-rf"]}, {"rpm": ["a b"]}, {"snaps": ["../x"]}, {"unpublished": [""]}]
)
def test_names_that_are_none_are_refused(wrong):
    with pytest.raises(ValidationError):
        demand(**wrong)


@pytest.mark.parametrize("right", [{"dpkg": []}, {"rpm": []}])
def test_names_of_one_manager_are_enough(right):
    assert demand(**right).kind == "packages_absent"


# ---- nothing midway --------------------------------------------------------------------------------------------------


def whole(*found, manager=Manager.DPKG, count=None, result=None):
    row = PackagesWholeRequirement.model_validate(header())
    query = UnfinishedPackagesQuery()
    assert row.queries(Evidence()) == [query]
    assert render(row.wanted()) == "no package left midway"
    fact = UnfinishedPackagesFact(manager=manager, found=found, count=len(found) if count is None else count)
    return row.judge(Evidence([Observation(query, result or Seen(fact))]))


@pytest.mark.parametrize("manager", [Manager.DPKG, Manager.APK])
def test_no_package_midway(manager):
    verdict = whole(manager=manager)
    assert verdict.outcome is Outcome.MET
    assert render(verdict.seen) == f"none, by the records of {manager.value}"
    assert render(verdict.because) == "No package was left midway."


def test_rpm_does_not_know():
    verdict = whole(manager=Manager.RPM)
    assert verdict.outcome is Outcome.NOT_APPLICABLE
    assert render(verdict.seen) == "rpm"
    assert render(verdict.because) == "rpm keeps no record of packages that were left midway."


TZDATA = entry("tzdata", PackageState.HALF, "triggers-pending", "2024a")


@pytest.mark.parametrize(
    ("manager", "count", "fix", "more"),
    [
        (Manager.DPKG, 2, CONFIGURE, ""),
        (Manager.DPKG, 3, CONFIGURE, " In all there are 3 of them."),
        (Manager.APK, 2, "Finish what was left midway: apk fix docker.io tzdata.", ""),
    ],
)
def test_packages_midway_whatever_their_names(manager, count, fix, more):
    verdict = whole(HALF, TZDATA, manager=manager, count=count)
    assert verdict.outcome is Outcome.UNMET
    assert render(verdict.seen) == "docker.io 20.10 (half-configured); tzdata 2024a (triggers-pending)"
    assert render(verdict.because) == f"An installation left these packages midway: docker.io and tzdata.{more}"
    assert render(verdict.fix) == fix


@pytest.mark.parametrize("reason", list(Reason))
def test_records_that_were_not_read_are_no_answer(reason):
    with pytest.raises(NotSeen):
        whole(result=Unseen(reason))
