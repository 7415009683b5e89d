"""recorded host -> fact; (demand, facts) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest

from conftest import FakePort, fake_host, header
from vorflug.areas.updates import (
    Manager,
    SecurityUpdatesFact,
    SecurityUpdatesQuery,
    SecurityUpdatesRequirement,
    Source,
    UpdateSourcesFact,
    UpdateSourcesQuery,
    UpdateSourcesRequirement,
)
from vorflug.host.live import LiveHost
from vorflug.model.date import DateFact, DateQuery
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.commands import Completed

GONE = FileNotFoundError(2, "No such file")
CLOSED = PermissionError(13, "Permission denied")


def host(*programs, files=None, closed=(), runs=None):
    """*files*: path -> text; their folders are there.  *runs*: program -> what it gives."""
    files = files or {}
    folders = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        while folder:
            folders.setdefault(folder, set()).add(name)
            folder, _, name = folder.rpartition("/")
    asked = []

    def text(path, **_):
        if path in closed:
            raise CLOSED
        if path not in files:
            raise GONE
        return files[path]

    def names(path):
        if path in closed:
            raise CLOSED
        if path not in folders:
            raise GONE
        return tuple(sorted(folders[path]))

    def run(argv, *, limit):
        asked.append(argv)
        found = (runs or {}).get(argv[0], GONE)
        if isinstance(found, Exception):
            raise found
        return found

    found = fake_host(
        commands=FakePort(which=lambda name: f"/usr/bin/{name}" if name in programs else None, run=run),
        files=FakePort(
            read_text=text,
            list_folder=names,
            lines_with=lambda path, words: tuple(
                line for line in text(path).splitlines() if any(word in line for word in words)
            ),
        ),
        certificates=FakePort(now="2026-11-25T05:00:00Z"),
    )
    found.asked = asked
    return found


ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb http://deb.example/debian bookworm main  # the mirror
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] https://mirror.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
debris http://nothing.example/
"""
DEB822 = """\
# the file of the installer
Types: deb deb-src
URIs: http://a.example/debian
# a comment: between
 http://b.example/debian
Suites: bookworm bookworm-updates
Components: main

Enabled: No
Types: deb
URIs: http://off.example/debian

Types: deb-src
URIs: http://source.example/debian

Types: deb
URIs: cdrom:[Debian]/

Types: deb
uris: http://c.example/security
Enabled: yes
"""
REPO = """\
# a comment with [brackets]
[baseos]
name=Base OS
baseurl=https://cdn.example/baseos/$releasever
enabled=1
[appstream]
mirrorlist = https://cdn.example/list
[off]
baseurl=https://off.example/
enabled=0
[off2]
metalink=https://off.example/
Enabled = False
[meta]
metalink=https://meta.example/
#enabled=0
;enabled=0
[several]
baseurl=
   https://first.example/
   https://second.example/
[empty]
enabled=1
"""


def uris(fact):
    return [source.uri for source in fact.sources]


def test_apt_reads_both_styles():
    asked = host(
        "apt-get",
        files={
            "/etc/apt/sources.list": ONE_LINE,
            "/etc/apt/sources.list.d/debian.sources": DEB822,
            "/etc/apt/sources.list.d/more.list": "deb http://more.example/ ./\n",
            "/etc/apt/sources.list.d/old.sources.disabled": "Types: deb\nURIs: http://disabled.example/\n",
            "/etc/apt/sources.list.d/old.list.disabled": "deb http://disabled.example/ ./\n",
            "/etc/apt/sources.list.d/windows.sources": "Types: deb\r\nURIs: http://crlf.example/\r\n\r\nTypes: deb-src\r\nURIs: http://x/\r\n",
        },
    )
    fact = UpdateSourcesQuery().observe(asked)
    assert fact.manager is Manager.APT and fact.closed == ()
    assert uris(fact) == [
        "http://deb.example/debian",
        "https://mirror.example/debian",
        "http://more.example/",
        "http://a.example/debian",
        "http://b.example/debian",
        "http://c.example/security",
        "http://crlf.example/",
    ]
    assert fact.sources[0].file == "/etc/apt/sources.list"


@pytest.mark.parametrize("word", ["no", "false", "without", "off", "disable", "0", "NO"])
def test_apt_has_many_words_for_off(word):
    stanza = f"Types: deb\nURIs: http://a.example/\nEnabled: {word}\n"
    fact = UpdateSourcesQuery().observe(host("apt-get", files={"/etc/apt/sources.list.d/a.sources": stanza}))
    assert fact.sources == ()


@pytest.mark.parametrize(
    ("program", "manager", "folder"),
    [
        ("dnf", Manager.DNF, "/etc/yum.repos.d"),
        ("yum", Manager.DNF, "/etc/yum.repos.d"),
        ("dnf5", Manager.DNF, "/usr/share/dnf5/repos.d"),
        ("dnf", Manager.DNF, "/etc/distro.repos.d"),
        ("zypper", Manager.ZYPPER, "/etc/zypp/repos.d"),
    ],
)
def test_repo_files(program, manager, folder):
    fact = UpdateSourcesQuery().observe(
        host(program, files={f"{folder}/a.repo": REPO, f"{folder}/a.repo.rpmsave": "[x]\nbaseurl=http://old/\n"})
    )
    assert fact.manager is manager
    assert uris(fact) == [
        "https://cdn.example/baseos/$releasever",
        "https://cdn.example/list",
        "https://meta.example/",
        "https://first.example/",
    ]


def test_zypper_does_not_read_the_folders_of_dnf():
    asked = host("zypper", "dnf", files={"/etc/yum.repos.d/a.repo": REPO})
    assert UpdateSourcesQuery().observe(asked) == UpdateSourcesFact(manager=Manager.ZYPPER, sources=(), closed=())


def test_apk_repositories():
    text = "#http://off.example/\nhttp://main.example/alpine\n@testing http://testing.example/alpine\n\n"
    files = {
        "/etc/apk/repositories": text,
        "/etc/apk/repositories.d/own.list": "/media/apks\n",
        "/etc/apk/repositories.d/own.bak": "/media/old\n",
    }
    fact = UpdateSourcesQuery().observe(host("apk", files=files))
    assert fact.manager is Manager.APK
    assert uris(fact) == ["http://main.example/alpine", "http://testing.example/alpine", "/media/apks"]


def test_debian_with_dnf_beside_is_still_apts():
    assert UpdateSourcesQuery().observe(host("apt-get", "dnf")).manager is Manager.APT


def test_what_is_closed_is_told():
    asked = host("apt-get", closed={"/etc/apt/sources.list", "/etc/apt/sources.list.d"})
    assert UpdateSourcesQuery().observe(asked).closed == ("/etc/apt/sources.list.d", "/etc/apt/sources.list")


def test_no_known_manager():
    assert UpdateSourcesQuery().observe(host()) == UpdateSourcesFact(manager=None, sources=(), closed=())


def judge_sources(fact):
    demand = UpdateSourcesRequirement.model_validate(header())
    assert demand.queries(Evidence()) == [UpdateSourcesQuery()]
    return demand.judge(Evidence([Observation(UpdateSourcesQuery(), fact if isinstance(fact, Unseen) else Seen(fact))]))


A, B = Source(file="/a", uri="http://a.example/"), Source(file="/b", uri="http://a.example/")


@pytest.mark.parametrize(
    ("manager", "sources", "closed", "outcome", "because"),
    [
        (Manager.APT, (A, B), (), Outcome.MET, "Sources configured for apt: 1; whether they answer was not asked."),
        (Manager.APT, (A,), ("/x",), Outcome.MET, "Sources configured for apt: 1; whether they answer was not asked."),
        (
            Manager.DNF,
            (),
            (),
            Outcome.UNMET,
            "dnf has no source that is switched on, so no update can arrive.",
        ),
        (Manager.APT, (), ("/x",), Outcome.UNKNOWN, "This user may not read /x."),
        (None, (), (), Outcome.UNKNOWN, "Where this system gets its updates from is not known to this program."),
    ],
)
def test_sources_verdict(manager, sources, closed, outcome, because):
    verdict = judge_sources(UpdateSourcesFact(manager=manager, sources=sources, closed=closed))
    assert verdict.outcome is outcome
    assert render(verdict.because) == because
    assert (verdict.fix is None) == (outcome is Outcome.MET)
    if outcome is Outcome.MET:
        assert render(verdict.seen) == "http://a.example/"


# ---- security updates

APT_OUT = """\
NOTE: This is only a simulation!
Inst bash [5.2.15-2+b8] (5.2.15-2+b13 Debian:12.15/oldstable [amd64])
Inst libgcrypt20 [1.10.1-3] (1.10.1-3+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []
Inst openssl [3.0.1] (3.0.2 Ubuntu:22.04/jammy-security [amd64])
Inst old [1] (2 Debian-Security:10/oldstable [amd64])
Inst my-security [1] (2 Corp:1/stable [amd64])
Conf openssl (3.0.2 Ubuntu:22.04/jammy-security [amd64])
"""
RELEASE = "Origin: Debian\nDate: {date}\nMD5Sum:\n"
LISTS = {
    "/var/lib/apt/lists/x_InRelease": RELEASE.format(date="Sat, 15 Nov 2025 09:00:00 UTC"),
    "/var/lib/apt/lists/y_Release": RELEASE.format(date="Tue, 24 Nov 2026 20:00:00 +0100"),
    "/var/lib/apt/lists/z_InRelease": RELEASE.format(date="no date at all"),
    "/var/lib/apt/lists/x_Packages": RELEASE.format(date="Wed, 25 Nov 2026 00:00:00 UTC"),
}


def test_apt_simulates_and_tells_security_apart():
    asked = host("apt-get", files=LISTS, runs={"apt-get": Completed(0, APT_OUT, "")})
    assert SecurityUpdatesQuery().observe(asked) == SecurityUpdatesFact(
        manager=Manager.APT,
        pending=("libgcrypt20", "openssl", "old"),
        count=3,
        lists_of="2026-11-24T19:00:00Z",
    )
    (argv,) = asked.asked
    assert "--simulate" in argv and "update" not in argv


def test_without_lists_apt_knows_nothing():
    for files in ({}, {"/var/lib/apt/lists/z_InRelease": "Origin: x\n"}):
        with pytest.raises(NotImplementedError, match="no package lists"):
            SecurityUpdatesQuery().observe(host("apt-get", files=files, runs={"apt-get": Completed(0, "", "")}))


DNF_OUT = """\
RHSA-2024:1234 Important/Sec. openssl-3.0.7-25.el9_3.x86_64
RHSA-2024:1234 Important/Sec. openssl-libs-3.0.7-25.el9_3.x86_64
RHSA-2024:2000 Moderate/Sec.  curl-7.76.1-29.el9.x86_64
RHBA-2024:3000 bugfix         tzdata-2024a-1.el9.noarch
FEDORA-2024-ab security Important curl-8.0-1.fc40.x86_64 2024-01-01 00:00:00
"""


@pytest.mark.parametrize(
    ("out", "err", "lists_of"),
    [
        ("Last metadata expiration check: 0:12:34 ago on Wed Nov 25 04:47:26 2026.\n", "", "2026-11-25T04:47:26Z"),
        ("", "Last metadata expiration check: 12 days, 3:00:01 ago on x.\n", "2026-11-13T01:59:59Z"),
        ("Last metadata expiration check: 1 day, 0:00:00 ago on x.\n", "", "2026-11-24T05:00:00Z"),
        ("", "", ""),
    ],
)
def test_dnf_by_its_cache_alone(out, err, lists_of):
    asked = host("dnf", runs={"dnf": Completed(0, out + DNF_OUT, err)})
    assert SecurityUpdatesQuery().observe(asked) == SecurityUpdatesFact(
        manager=Manager.DNF,
        pending=("RHSA-2024:1234", "RHSA-2024:2000", "FEDORA-2024-ab"),
        count=3,
        lists_of=lists_of,
    )
    assert asked.asked == [("dnf", "--cacheonly", "updateinfo", "list", "--security")]


ZYPPER_OUT = """\
Repository | Name                  | Category | Severity  | Interactive | Status     | Summary
-----------+-----------------------+----------+-----------+-------------+------------+--------
Update     | SUSE-SLE-2024-100     | security | important | ---         | needed     | openssl
Update     | SUSE-SLE-2024-101     | security | moderate  | ---         | not needed | needed
Update     | SUSE-SLE-2024-102     | security | moderate  | ---         | needed     | a | b
"""


def test_zypper_does_not_refresh():
    revision = "<repomd>\n  <revision>{}</revision>\n</repomd>\n"
    raw = "/var/cache/zypp/raw"
    asked = host(
        "zypper",
        files={
            f"{raw}/a/repodata/repomd.xml": revision.format(1700000000),
            f"{raw}/b/repodata/repomd.xml": revision.format(1732500000),
            f"{raw}/c/repodata/repomd.xml": revision.format("9.4"),
            f"{raw}/d/content": "",
        },
        closed={f"{raw}/c/repodata/repomd.xml"},
        runs={"zypper": Completed(0, ZYPPER_OUT, "")},
    )
    fact = SecurityUpdatesQuery().observe(asked)
    assert fact.pending == ("SUSE-SLE-2024-100",)
    assert fact.lists_of == "2024-11-25T02:00:00Z"
    assert "--no-refresh" in asked.asked[0]


@pytest.mark.parametrize(
    ("closed", "files"),
    [((), {}), (("/var/cache/zypp/raw",), {}), ((), {"/var/cache/zypp/raw/a/repodata/repomd.xml": "<repomd/>"})],
)
def test_zypper_without_a_cache_does_not_tell_the_age(closed, files):
    out = "Loading repository data...\nNo updates found. | \n"
    asked = host("zypper", closed=closed, files=files, runs={"zypper": Completed(0, out, "")})
    assert SecurityUpdatesQuery().observe(asked).count == 0
    assert SecurityUpdatesQuery().observe(asked).lists_of == ""


def test_more_than_ten_are_counted_and_not_all_named():
    out = "".join(f"RHSA-2024:{n} Low/Sec. p-1.x86_64\n" for n in range(12))
    fact = SecurityUpdatesQuery().observe(host("dnf", runs={"dnf": Completed(0, out, "")}))
    assert (fact.count, len(fact.pending)) == (12, 10)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (host(), "no package manager here"),
        (host("apk"), "no package manager here"),
        (
            host("dnf", runs={"dnf": Completed(1, "", "Error: Cache-only enabled but no cache")}),
            "status 1: Error: Cache",
        ),
        (host("dnf", runs={"dnf": Completed(1, "on the other stream", "")}), "on the other stream"),
        (host("yum", runs={}), "there is no dnf to ask"),
    ],
)
def test_what_cannot_be_asked_is_no_zero(asked, says):
    with pytest.raises(NotImplementedError, match=says):
        SecurityUpdatesQuery().observe(asked)


NOW = "2026-11-25T05:00:00Z"


def judge(fact, now=NOW, most=0):
    demand = SecurityUpdatesRequirement.model_validate(header(at_most=most, lists_at_most="14 d"))
    questions = demand.queries(Evidence())
    assert questions == [SecurityUpdatesQuery(), DateQuery()]
    facts = (fact, now if isinstance(now, Unseen) else DateFact(now=now))
    return demand.judge(
        Evidence(Observation(q, f if isinstance(f, Unseen) else Seen(f)) for q, f in zip(questions, facts, strict=True))
    )


def waiting(count, lists_of="2026-11-25T00:00:00Z"):
    names = tuple(f"p{n}" for n in range(count))
    return SecurityUpdatesFact(manager=Manager.APT, pending=names, count=count, lists_of=lists_of)


@pytest.mark.parametrize(
    ("fact", "most", "outcome", "seen"),
    [
        (waiting(0), 0, Outcome.MET, "0 security updates pending, by lists of 2026-11-25"),
        (waiting(1), 1, Outcome.MET, "1 security updates pending, by lists of 2026-11-25"),
        (waiting(1), 0, Outcome.UNMET, "1 security updates pending"),
        (waiting(2), 1, Outcome.UNMET, "2 security updates pending"),
        # what waits by old lists waits still; that nothing waits they do not show
        (waiting(1, "2020-01-01T00:00:00Z"), 0, Outcome.UNMET, "1 security updates pending"),
        (waiting(1, ""), 0, Outcome.UNMET, "1 security updates pending"),
        (
            waiting(0, "2026-11-11T05:00:00Z"),
            0,
            Outcome.MET,
            "0 security updates pending, by lists of 2026-11-11",
        ),
        (
            waiting(0, "2026-11-11T04:59:59Z"),
            0,
            Outcome.UNKNOWN,
            "0 security updates pending, by lists of 2026-11-11",
        ),
        (waiting(0, ""), 0, Outcome.UNKNOWN, "0 security updates pending, by lists of unknown age"),
    ],
)
def test_verdict(fact, most, outcome, seen, no_io):
    with no_io():
        verdict = judge(fact, most=most)
    assert verdict.outcome is outcome
    assert render(verdict.seen) == seen
    assert (verdict.fix is None) == (outcome is Outcome.MET)


def test_what_is_wanted_reads_well():
    assert render(judge(waiting(0)).wanted) == "no security update pending, by lists no older than 14 d"
    assert render(judge(waiting(0), most=3).wanted) == (
        "at most 3 security updates pending, by lists no older than 14 d"
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    with pytest.raises(NotSeen):
        judge(Unseen(reason))
    with pytest.raises(NotSeen):
        judge(waiting(0), now=Unseen(reason))
    with pytest.raises(NotSeen):
        judge_sources(Unseen(reason))


def test_this_machine_is_asked_and_not_changed():
    assert UpdateSourcesQuery().observe(LiveHost(10)).manager
    assert "lists" in render(SecurityUpdatesQuery().asks())
    assert "sources" in render(UpdateSourcesQuery().asks())
