"""What only system calls tell, asked of this machine; tables of the firmware have a test of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from vorflug.host.live import LiveHost, Patience
from vorflug.host.live.machine import LiveMachine


def test_uname_is_what_the_kernel_says():
    seen = LiveMachine(Patience(5)).uname()
    assert (seen.release, seen.machine) == (os.uname().release, os.uname().machine)


def test_time_passes_between_two_readings():
    began = time.monotonic()
    LiveMachine(Patience(5)).wait(0.05)
    assert 0.05 <= time.monotonic() - began < 2


def test_waiting_longer_than_the_question_may_take_ends_with_it():
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        LiveMachine(Patience(0.05)).wait(30)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "ask",
    [
        lambda machine: machine.uname(),
        lambda machine: machine.memory_modules(),
        lambda machine: machine.container_variable(),
        lambda machine: machine.wait(0),
    ],
)
def test_nothing_is_asked_when_the_time_is_over(ask):
    with pytest.raises(TimeoutError):
        ask(LiveMachine(Patience(-1)))


def test_a_host_has_it():
    assert LiveHost(5).machine.uname().machine == os.uname().machine


ENVIRONMENT = """
import os, sys
from vorflug.host.live import LiveHost
machine = LiveHost(20).machine  # before the user is another one, who may not read Python's modules
if sys.argv[1] == "nobody":
    os.setuid(65534)
try:
    print(repr(machine.container_variable()))
except PermissionError:
    print("denied")
"""


@pytest.mark.tier("namespaces")
@pytest.mark.parametrize(
    ("variables", "who", "said"),
    [
        (["container=podman"], "root", "'podman'"),
        (["container="], "root", "''"),
        (["no_container=x", "xcontainer=docker"], "root", "None"),
        (["A=1", f"container={'x' * 100}"], "root", repr("x" * 64)),
        (["container=podman"], "nobody", "denied"),
    ],
)
def test_the_variable_of_process_1(variables, who, said):
    shell = ("/bin/sh", "-c", '"$@"; true', "sh")
    # process 1 of a process namespace of its own is the shell
    done = subprocess.run(
        [
            "unshare",
            "--pid",
            "--fork",
            "--mount-proc",
            "env",
            "-i",
            *variables,
            *shell,
            sys.executable,
            "-c",
            ENVIRONMENT,
            who,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == said
