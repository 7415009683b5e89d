"""What the methods of the ports touch on this machine beyond what a question names in its own fields.

Questions write it down in a short notation, and so does this table: ``/etc/hosts`` is a file, ``/proc/`` a folder and
all that lies below it, ``~/.docker/`` lies below the home of whoever runs it, ``unix:/path`` is a socket, ``nft`` a
command, ``@accounts.user`` whatever that method touches.  A test runs every question against this machine, watches what
it opens, starts and connects to, and fails where that is not written down.
"""

from __future__ import annotations

from collections.abc import Mapping

_CGROUPS = ("/proc/", "/sys/")
_TRUST = (
    "/etc/ssl/",
    "/etc/pki/",
    "/var/lib/ca-certificates/",
)
_NAMES = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf")
_LOGINS = ("~/.docker/config.json", "docker-credential-*")
_ENGINE = ("unix:/var/run/docker.sock", "/etc/docker/daemon.json", "/etc/containerd/config.toml", "/run/docker/")
_PACKAGES = (
    "/lib/apk/",
    "/usr/lib/apk/",
    "/usr/lib/sysimage/rpm/",
    "/usr/share/rpm/",
    "/var/lib/dpkg/",
    "/var/lib/rpm/",
    "rpm",
)
_USERS = ("/etc/passwd", "/etc/group", "/etc/nsswitch.conf")

TOUCHED: Mapping[str, tuple[str, ...]] = {
    "accounts.user": _USERS,
    "accounts.home": _USERS,
    "accounts.sudo": (*_USERS, "sudo"),
    "certificates.anchors": _TRUST,
    "certificates.key": (),
    "certificates.now": (),
    "certificates.read": _TRUST,
    "clock.kernel": (),
    "containers.daemon_file": _ENGINE,
    "containers.engine": _ENGINE,
    "containers.networks": _ENGINE,
    "files.file_system": ("/proc/self/",),
    "files.quotas": ("/proc/self/",),
    "files.xfs_ftype": ("/proc/self/",),
    "kubernetes.config": ("~/.kube/config",),
    "kubernetes.server": ("~/.kube/config",),
    "machine.container_variable": ("/proc/1/environ",),
    "machine.memory_modules": ("/sys/firmware/dmi/",),
    "machine.uname": (),
    "machine.wait": (),
    "net.nameserver": (),
    "net.nameservers": ("/etc/resolv.conf",),
    "net.pointer": (),
    "net.probe": (*_NAMES, *_TRUST),
    "net.probe_with_key": (*_NAMES, *_TRUST),
    "net.proxy_places": (
        "/etc/apt/",
        "/etc/default/",
        "/etc/docker/",
        "/etc/environment",
        "/etc/sysconfig/",
        "/etc/systemd/",
        "/etc/wgetrc",
        "/lib/systemd/",
        "/run/systemd/",
        "/usr/lib/systemd/",
        "/usr/local/lib/systemd/",
        "~/.docker/config.json",
        "~/.wgetrc",
        "~/.config/docker/",
    ),
    "net.proxy_variables": (),
    "net.resolve": _NAMES,
    "net.route": (),
    "package.compose": (),
    "package.config": (),
    "package.env": (),
    "package.env_proxy": (),
    "package.images": (),
    "package.licence": (),
    "package.read": (),
    "package.shared_folder": (),
    "packages.find": _PACKAGES,
    "packages.unfinished": _PACKAGES,
    "processes.named": ("/proc/",),
    "processes.of": ("/proc/",),
    "registry.credential": _LOGINS,
    "registry.download": (*_NAMES, *_TRUST, *_LOGINS, "/etc/docker/"),
    "registry.manifests": (*_NAMES, *_TRUST, *_LOGINS, "/etc/docker/"),
    "registry.pull_rights": (*_NAMES, *_TRUST, *_LOGINS, "/etc/docker/"),
    "routing.network": ("/proc/", "/sys/class/net/"),
    "sockets.addresses": ("/proc/net/",),
    "sockets.listeners": ("/proc/",),
    "storage_speed.random_reads": ("/proc/self/",),
    "storage_speed.synchronous_writes": ("/proc/self/",),
    "system.cgroup_limits": _CGROUPS,
    "system.cgroup_top_hidden": _CGROUPS,
    "system.disks": ("/sys/", "/dev/"),
    "system.layers": ("/sys/", "/dev/"),
    "system.memory": _CGROUPS,
    "system.memory_given": ("/proc/", "/sys/"),
    "system.processor": ("/proc/", "/sys/"),
    "system.topology": ("/proc/", "/sys/"),
    "system.uname": (),
    "system.virtualisation": (
        "/.dockerenv",
        "/etc/hostname",
        "/etc/hosts",
        "/proc/",
        "/run/.containerenv",
        "/run/host/container-manager",
        "/run/systemd/container",
        "/sys/",
    ),
}
"""By ``port.method``.  What a method's own arguments name (a path, a program) is not repeated here."""
