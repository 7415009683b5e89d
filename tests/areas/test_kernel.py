"""recorded host -> fact; (demand, fact) -> verdict; (demand, reason) -> unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from conftest import FakePort, fake_host, header
from vorflug.areas.kernel import (
    BlockedModule,
    KernelFeaturesFact,
    KernelFeaturesQuery,
    KernelFeaturesRequirement,
    KernelVersionFact,
    KernelVersionQuery,
    KernelVersionRequirement,
)
from vorflug.model.evidence import Evidence, NotSeen
from vorflug.model.message import render
from vorflug.model.query import Observation, Reason, Seen, Unseen
from vorflug.model.requirement import Outcome
from vorflug.ports.files import FileKind, FileStatus

RELEASE = "6.1.0-18-amd64"
FEATURES = [
    {"name": "overlay", "options": ["CONFIG_OVERLAY_FS"], "modules": ["overlay"]},
    {"name": "NAT", "options": ["CONFIG_NF_NAT", "CONFIG_NF_NAT_IPV4"], "modules": ["nf-nat", "nf_nat_ipv4"]},
]
OVERLAY = FEATURES[:1]


def tree(files, kind=FileKind.FILE):
    """A host whose files are given by path; a folder is what its files' paths begin with."""

    def read_text(path, **_limit):
        text = files.get(path, FileNotFoundError(2, "no such file", path))
        if isinstance(text, Exception):
            raise text
        return text

    def lines_with(path, words, **_limit):
        return tuple(line for line in read_text(path).splitlines() if any(word in line for word in words))

    def list_folder(path):
        if isinstance(files.get(path), Exception):
            raise files[path]
        names = tuple(sorted(name.removeprefix(path + "/") for name in files if name.startswith(path + "/")))
        if not names:
            raise FileNotFoundError(2, "no such folder", path)
        return names

    status = FileStatus(kind, 0o644, 0, 0, 0)
    return fake_host(files=FakePort(read_text=read_text, lines_with=lines_with, list_folder=list_folder, status=status))


BASE = {"/proc/sys/kernel/osrelease": RELEASE + "\n"}
CONFIG = {
    f"/boot/config-{RELEASE}": "CONFIG_MODULES=y\n# CONFIG_VETH is not set\nCONFIG_OVERLAY_FS=m\nCONFIG_NF_NAT=y\n"
}
MODULES = {
    f"/lib/modules/{RELEASE}/modules.dep": "kernel/fs/overlayfs/overlay.ko.xz: kernel/lib/x.ko\nkernel/net/br_netfilter.ko:\n",
    f"/lib/modules/{RELEASE}/modules.builtin": "kernel/net/netfilter/nf_nat.ko\n",
}


def requirement(features=FEATURES):
    return KernelFeaturesRequirement.model_validate(header(features=features))


def judge_host(host, features=FEATURES):
    demand = requirement(features)
    query = demand.queries(Evidence())[0]
    return demand.judge(Evidence([Observation(query, Seen(query.observe(host)))]))


# ---- version


@pytest.mark.parametrize(
    ("release", "at_least", "outcome"),
    [
        ("5.15.0-91-generic", "5.15", Outcome.MET),
        ("6.1.0-18-amd64", "5.15", Outcome.MET),
        ("5.4.0", "5.15", Outcome.UNMET),
        ("4.18.0-553.el8_10.x86_64", "4.18", Outcome.MET),
        ("4.18.0-553.el8_10.x86_64", "5.15", Outcome.UNMET),
        ("custom-build", "5.15", Outcome.UNKNOWN),
    ],
)
def test_version(release, at_least, outcome):
    fact = KernelVersionQuery().observe(tree({"/proc/sys/kernel/osrelease": release + "\n"}))
    demand = KernelVersionRequirement.model_validate(header(at_least=at_least))
    verdict = demand.judge(Evidence([Observation(KernelVersionQuery(), Seen(fact))]))
    assert verdict.outcome is outcome
    assert release in render(verdict.seen)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


@pytest.mark.parametrize("text", ["", "../../etc", "6.1 ; rm"])
def test_a_release_becomes_part_of_paths_so_it_must_look_like_one(text):
    with pytest.raises(NotImplementedError):
        KernelVersionQuery().observe(tree({"/proc/sys/kernel/osrelease": text}))


def test_without_proc_nothing_is_said():
    with pytest.raises(NotImplementedError):
        KernelVersionQuery().observe(tree({}))


@given(major=st.integers(1, 9), minor=st.integers(0, 30), low=st.integers(1, 9), more=st.integers(0, 9))
def test_a_newer_demand_never_turns_unmet_into_met(major, minor, low, more):
    evidence = Evidence([Observation(KernelVersionQuery(), Seen(KernelVersionFact(release=f"{major}.{minor}.0")))])

    def outcome(version):
        return KernelVersionRequirement.model_validate(header(at_least=version)).judge(evidence).outcome

    if outcome(f"{low}.4") is Outcome.UNMET:
        assert outcome(f"{low + more}.10") is Outcome.UNMET


# ---- features: what is read


def test_everything_is_read():
    host = tree(
        {
            **BASE,
            **CONFIG,
            **MODULES,
            "/proc/modules": "veth 32768 0 - Live 0x0\n",
            "/proc/filesystems": "nodev\tsysfs\n\text4\nnodev\toverlay\n",
            "/proc/sys/kernel/modules_disabled": "1\n",
            "/etc/modprobe.d/cis.conf": "# hardening\ninstall veth /bin/false\nblacklist usb-storage\n",
            "/lib/modprobe.d/cis.conf": "blacklist overlay\n",
            "/proc/cmdline": "quiet modprobe.blacklist=nf-nat,x module_blacklist=overlay\n",
        }
    )
    query = KernelFeaturesQuery(
        options=("CONFIG_OVERLAY_FS", "CONFIG_VETH", "CONFIG_NF_NAT"), modules=("overlay", "veth", "nf_nat")
    )
    assert query.observe(host) == KernelFeaturesFact(
        release=RELEASE,
        config=f"/boot/config-{RELEASE}",
        options={"CONFIG_OVERLAY_FS": "m", "CONFIG_NF_NAT": "y"},
        loaded=("veth",),
        built_in=("nf_nat",),
        installed=("overlay",),
        blocked=(
            # the file in /lib is hidden by the one of the same name in /etc (modprobe.d(5))
            BlockedModule(module="veth", rule="install", where="/etc/modprobe.d/cis.conf"),
            BlockedModule(module="nf_nat", rule="modprobe.blacklist", where="/proc/cmdline"),
            BlockedModule(module="overlay", rule="module_blacklist", where="/proc/cmdline"),
        ),
        rules_hidden=(),
        modules_disabled=True,
        filesystems=("overlay",),
    )


def test_a_masked_file_of_rules_hides_the_one_below_it():
    query = KernelFeaturesQuery(options=(), modules=("overlay",))
    masked = {"/etc/modprobe.d/a.conf": ValueError("no file"), "/lib/modprobe.d/a.conf": "blacklist overlay\n"}
    fact = query.observe(tree({**BASE, **masked}, FileKind.CHARACTER))
    assert (fact.blocked, fact.rules_hidden) == ((), ())
    fact = query.observe(tree({**BASE, **masked}, FileKind.FIFO))
    assert (fact.blocked, fact.rules_hidden) == ((), ("/etc/modprobe.d/a.conf",))


@pytest.mark.parametrize(
    ("rules", "blocked", "hidden"),
    [
        ("#" * (1 << 23) + "\nblacklist overlay\n", (), ("/etc/modprobe.d/a.conf",)),
        (PermissionError(13, "closed"), (), ("/etc/modprobe.d/a.conf",)),
        ("# note\fblacklist overlay\n", (), ()),
        ("options x\nblacklist overlay\n", ("overlay",), ()),
    ],
)
def test_rules_that_were_not_read_to_the_end_are_not_taken_for_none(rules, blocked, hidden):
    query = KernelFeaturesQuery(options=(), modules=("overlay",))
    fact = query.observe(tree({**BASE, "/etc/modprobe.d/a.conf": rules}))
    assert (tuple(one.module for one in fact.blocked), fact.rules_hidden) == (blocked, hidden)


def test_a_file_of_rules_that_has_just_gone_says_nothing():
    query = KernelFeaturesQuery(options=(), modules=("overlay",))
    fact = query.observe(tree({**BASE, "/etc/modprobe.d/a.conf": FileNotFoundError(2, "gone")}))
    assert (fact.blocked, fact.rules_hidden) == ((), ())


def test_nothing_is_read_as_nothing():
    query = KernelFeaturesQuery(options=("CONFIG_OVERLAY_FS",), modules=("overlay",))
    fact = query.observe(tree(BASE))
    assert (fact.config, fact.loaded, fact.built_in, fact.installed) == (None, None, None, None)


def test_a_hung_file_system_is_no_missing_file():
    with pytest.raises(TimeoutError):
        judge_host(tree({**BASE, "/proc/modules": TimeoutError("no answer")}))


@pytest.mark.parametrize(
    ("packed", "config"),
    [
        ("CONFIG_MODULES=y\nCONFIG_OVERLAY_FS=y\n", "/proc/config.gz"),
        ("# CONFIG_MODULES is not set\n", "/proc/config.gz"),
        ("CONFIG_OVERLAY_FS=y\n", None),  # no configuration, or a part of one
        ("", None),
        (OSError(74, "this gzip file is cut or damaged"), None),
        (PermissionError(13, "denied"), None),
    ],
)
def test_the_compressed_configuration_is_a_last_resort(packed, config):
    query = KernelFeaturesQuery(options=("CONFIG_OVERLAY_FS",), modules=())
    assert query.observe(tree({**BASE, "/proc/config.gz": packed})).config == config
    boot = f"/boot/config-{RELEASE}"
    assert query.observe(tree({**BASE, boot: "CONFIG_MODULES=y\n", "/proc/config.gz": packed})).config == boot


# ---- features: what decides


@pytest.mark.parametrize(
    ("files", "outcome", "says"),
    [
        ({}, Outcome.UNKNOWN, "overlay"),
        (MODULES, Outcome.MET, ""),
        ({"/proc/modules": "overlay 1 0 - Live 0x0\n"}, Outcome.MET, ""),
        ({"/proc/filesystems": "nodev\toverlay\n"}, Outcome.MET, ""),
        ({f"/boot/config-{RELEASE}": "CONFIG_MODULES=y\nCONFIG_OVERLAY_FS=y\n"}, Outcome.MET, ""),
        # a container sees the configuration but not the modules
        (CONFIG, Outcome.UNKNOWN, "overlay"),
        ({**CONFIG, **MODULES}, Outcome.MET, ""),
        ({**CONFIG, f"/lib/modules/{RELEASE}/modules.dep": "kernel/other.ko:\n"}, Outcome.UNMET, "not installed"),
        (
            {f"/usr/lib/modules/{RELEASE}/config": "CONFIG_MODULES=y\n"},
            Outcome.UNMET,
            f"/usr/lib/modules/{RELEASE}/config",
        ),
        # no list names it, but without a configuration it may still be built in under another name
        ({f"/lib/modules/{RELEASE}/modules.dep": "kernel/other.ko:\n"}, Outcome.UNKNOWN, "overlay"),
        (
            {**MODULES, "/etc/modprobe.d/a.conf": "blacklist overlay\n"},
            Outcome.UNMET,
            "blacklist in /etc/modprobe.d/a.conf",
        ),
        ({**MODULES, "/etc/modprobe.d/a.conf": "install overlay /bin/true\n"}, Outcome.UNMET, "install"),
        ({**MODULES, "/etc/modprobe.d/a.conf": "install overlay /sbin/modprobe -i overlay\n"}, Outcome.MET, ""),
        ({**MODULES, "/etc/modprobe.d/a.txt": "blacklist overlay\n"}, Outcome.MET, ""),
        ({**MODULES, "/etc/modprobe.d/a.conf": PermissionError(13, "no")}, Outcome.UNKNOWN, "overlay"),
        ({**MODULES, "/etc/modprobe.d": PermissionError(13, "no")}, Outcome.UNKNOWN, "overlay"),
        ({**MODULES, "/proc/sys/kernel/modules_disabled": "1\n"}, Outcome.UNMET, "switched off"),
        ({**MODULES, "/proc/sys/kernel/modules_disabled": "0\n"}, Outcome.MET, ""),
        # already there: what keeps it from being loaded no longer matters
        (
            {
                **MODULES,
                "/proc/modules": "overlay 1 0 - Live 0x0\n",
                "/proc/sys/kernel/modules_disabled": "1\n",
                "/etc/modprobe.d/a.conf": "blacklist overlay\n",
            },
            Outcome.MET,
            "",
        ),
    ],
)
def test_one_feature(files, outcome, says):
    verdict = judge_host(tree({**BASE, **files}), OVERLAY)
    assert verdict.outcome is outcome
    assert says in render(verdict.because)
    assert (verdict.fix is None) == (outcome is Outcome.MET)


@pytest.mark.parametrize("option", ["CONFIG_NF_NAT", "CONFIG_NF_NAT_IPV4"])
def test_a_renamed_option_counts_under_either_name(option):
    host = tree({**BASE, f"/boot/config-{RELEASE}": f"CONFIG_MODULES=y\n{option}=y\n"})
    assert judge_host(host, FEATURES[1:]).outcome is Outcome.MET


@pytest.mark.parametrize("text", ["", "an empty dream\n", "CONFIG_OVERLAY_FS=y, says the manual\n"])
def test_a_file_that_is_no_configuration_is_passed_over(text):
    files = {f"/boot/config-{RELEASE}": text, f"/lib/modules/{RELEASE}/config": "CONFIG_MODULES=y\n"}
    query = KernelFeaturesQuery(options=("CONFIG_OVERLAY_FS",), modules=("overlay",))
    assert query.observe(tree({**BASE, **files})).config == f"/lib/modules/{RELEASE}/config"


def test_what_is_built_in_is_there_without_a_configuration():
    host = tree({**BASE, f"/lib/modules/{RELEASE}/modules.builtin": "kernel/net/netfilter/nf_nat.ko\n"})
    assert judge_host(host, FEATURES[1:]).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("module_blacklist=x,overlay", Outcome.UNMET),
        ("modprobe.blacklist=overlay", Outcome.UNMET),
        ("rd.driver.pre=overlay", Outcome.MET),
    ],
)
def test_the_kernels_command_line(word, outcome):
    host = tree({**BASE, **MODULES, "/proc/cmdline": f"ro quiet {word}\n"})
    assert judge_host(host, OVERLAY).outcome is outcome


def test_dash_and_underscore_are_one_module_name():
    assert judge_host(tree({**BASE, "/proc/modules": "nf_nat 1 0 -\n"}), FEATURES[1:]).outcome is Outcome.MET


def test_only_what_is_missing_is_named():
    verdict = judge_host(tree({**BASE, f"/boot/config-{RELEASE}": "CONFIG_MODULES=y\nCONFIG_NF_NAT=y\n"}))
    assert verdict.outcome is Outcome.UNMET
    assert "overlay" in render(verdict.fix) and "NAT" not in render(verdict.fix)


@pytest.mark.parametrize(
    "features", [[], [{"name": "x", "options": []}], [{"name": "x", "options": ["OVERLAY_FS"]}], [{"name": "x"}]]
)
def test_a_demand_that_makes_no_sense_is_refused(features):
    with pytest.raises(ValidationError):
        requirement(features)


@pytest.mark.parametrize("reason", list(Reason))
def test_not_seen_is_never_a_verdict(reason):
    demand = requirement()
    with pytest.raises(NotSeen):
        demand.judge(Evidence([Observation(demand.queries(Evidence())[0], Unseen(reason))]))
    with pytest.raises(NotSeen):
        KernelVersionRequirement.model_validate(header(at_least="5.15")).judge(
            Evidence([Observation(KernelVersionQuery(), Unseen(reason))])
        )


@given(
    have=st.sets(st.sampled_from("ABCD")),
    wanted=st.sets(st.sampled_from("ABCD"), min_size=1),
    more=st.sets(st.sampled_from("ABCD")),
)
def test_wanting_more_features_never_turns_unmet_into_met(have, wanted, more):
    host = tree(
        {**BASE, f"/boot/config-{RELEASE}": "CONFIG_MODULES=y\n" + "".join(f"CONFIG_{n}=y\n" for n in sorted(have))}
    )

    def outcome(names):
        return judge_host(host, [{"name": n, "options": [f"CONFIG_{n}"]} for n in sorted(names)]).outcome

    assert outcome(wanted) is (Outcome.MET if wanted <= have else Outcome.UNMET)
    if outcome(wanted) is Outcome.UNMET:
        assert outcome(wanted | more) is Outcome.UNMET
