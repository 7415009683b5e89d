"""What this machine and the people on it are called, so that a recording can do without."""

from __future__ import annotations

import grp
import os
import pwd
import socket
from pathlib import Path

from vorflug.host.stand_ins import Names, is_person


def names(root: str = "/") -> Names:
    """The names that are known here.

    Users of a directory service are known only where it lists them, or where they have a folder in /home or run this.
    """
    host = socket.gethostname()
    resolver = [line.split() for line in _lines(Path(root) / "etc/resolv.conf")]
    domains = {
        host.partition(".")[2],
        *(w for words in resolver if words[:1] in (["search"], ["domain"]) for w in words[1:]),
    }
    users = {user.pw_name for user in pwd.getpwall() if is_person(user.pw_uid)}
    users |= {group.gr_name for group in grp.getgrall() if is_person(group.gr_gid)}
    users |= {name for gid in {os.getegid(), *os.getgroups()} if is_person(gid) and (name := _group(gid))}
    users |= {name for uid in {os.getuid(), os.geteuid()} if is_person(uid) and (name := _user(uid))}
    return Names(
        hosts=tuple(sorted({host, host.partition(".")[0]} - {""})),
        # a domain of one word ("local", "internal") names nobody
        domains=tuple(sorted(domain.strip(".") for domain in domains if "." in domain.strip("."))),
        users=tuple(sorted(users)),
    )


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []  # without it there is no search domain


def _group(gid: int) -> str | None:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return None


def _user(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
