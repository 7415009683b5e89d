"""The real user database, and every answer of sudo that is known."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys

import pytest

from conftest import FakePort
from vorflug.host.live import Patience
from vorflug.host.live.accounts import LiveAccounts
from vorflug.host.live.commands import LiveCommands
from vorflug.ports.accounts import Home, Sudo
from vorflug.ports.commands import Completed

DEFAULTS = "Matching Defaults entries for ada on vm:\n    env_reset, mail_badpass, secure_path=/usr/sbin\\:/usr/bin\n\n"
MAY = "User ada may run the following commands on vm:\n"
AS_NOBODY = """
import os
from vorflug.host.live import Patience
from vorflug.host.live.accounts import LiveAccounts
os.setgroups([424242]); os.setgid(65534); os.setuid(65534)  # after the imports, which may lie in root's home
user = LiveAccounts(Patience(10)).user()
print(user.uid, "424242" in user.groups)
"""


def sudo(answer):
    asked = []

    def run(argv):
        asked.append(argv)
        return answer

    result = LiveAccounts(Patience(10), FakePort(run=run)).sudo()
    assert asked == [("sudo", "-n", "-l")], "asked once, and never with a prompt"
    return result


@pytest.mark.parametrize(
    ("code", "out", "err", "answer"),
    [
        (0, DEFAULTS + MAY + "    (ALL : ALL) NOPASSWD: ALL\n", "", Sudo.EVERYTHING),
        (0, MAY + "    (ALL) ALL\n    (root) NOPASSWD: ALL\n", "", Sudo.EVERYTHING),
        (0, MAY + "    (ALL) SETENV: NOPASSWD: ALL\n", "", Sudo.EVERYTHING),
        (0, MAY + "    (root) NOPASSWD: /usr/bin/docker\n", "", Sudo.SOME),
        (0, MAY + "    (postgres) NOPASSWD: ALL\n", "", Sudo.SOME),
        (0, MAY + "    (ALL : ALL) ALL\n    (root) NOPASSWD: /usr/bin/apt update\n", "", Sudo.SOME),
        # remembered from an earlier sudo: the rights still want a password
        (0, MAY + "    (ALL : ALL) ALL\n", "", Sudo.PASSWORD),
        (1, "", "sudo: a password is required\n", Sudo.PASSWORD),
        (1, "", "sudo: interactive authentication is required\n", Sudo.PASSWORD),
        (1, "", "Sorry, user ada may not run sudo on vm.\n", Sudo.REFUSED),
        (0, "User ada is not allowed to execute ...\n", "", Sudo.REFUSED),
    ],
)
def test_what_sudo_says(code, out, err, answer):
    assert sudo(Completed(code, out, err)) is answer


@pytest.mark.parametrize(
    "err",
    [
        'sudo: The "no new privileges" flag is set, which prevents sudo from running as root.\n',
        "sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set\n",
        "",
    ],
)
def test_what_is_not_understood_is_no_refusal(err):
    with pytest.raises(PermissionError):
        sudo(Completed(1, "", err))


def test_no_sudo(tmp_path):
    accounts = LiveAccounts(Patience(10), LiveCommands(Patience(10), [str(tmp_path)]))
    assert accounts.sudo() is Sudo.ABSENT


def test_the_user_is_this_process():
    user = LiveAccounts(Patience(10)).user()
    assert user.uid == os.geteuid()
    assert user.name and len(user.groups) >= 1


@pytest.mark.tier("root")
def test_a_group_without_a_name_is_its_number():
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["65534", "True"]


@pytest.mark.parametrize(("given", "seen"), [("/home/x", "/home/x"), ("", None), (None, None)])
def test_home_is_what_the_environment_and_the_user_database_say(monkeypatch, given, seen):
    monkeypatch.delenv("HOME", raising=False)
    if given is not None:
        monkeypatch.setenv("HOME", given)
    database = pwd.getpwuid(os.geteuid()).pw_dir
    assert LiveAccounts(Patience(10)).home() == Home(environment=seen, database=database)


@pytest.mark.tier("root")
def test_a_user_that_the_database_does_not_know_has_no_home_there():
    code = AS_NOBODY.replace("65534", "424243").replace("user =", "home =").replace(".user()", ".home()")
    code = code.replace('print(user.uid, "424242" in user.groups)', "print(home.database)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["None"]
