"""What the environment must not do to the program."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from vorflug.cli.surroundings import without_openssl_settings


@pytest.mark.parametrize("name", ["pipe", "none", "", "."])
def test_settings_of_openssl_that_are_no_file_are_not_read(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    environ = {"OPENSSL_CONF": str(tmp_path / name), "HOME": "/root"}
    without_openssl_settings(environ)
    assert environ == {"HOME": "/root"}


def test_a_file_stays(tmp_path):
    (tmp_path / "openssl.cnf").touch()
    environ = {"OPENSSL_CONF": str(tmp_path / "openssl.cnf")}
    without_openssl_settings(environ)
    assert "OPENSSL_CONF" in environ
    environ = {}
    without_openssl_settings(environ)
    assert environ == {}


def test_a_pipe_of_settings_does_not_hang_the_program(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    done = subprocess.run(
        [sys.executable, "-m", "vorflug.cli", "diagnose", "https://127.0.0.1:1/", "--deadline", "2"],
        env={**os.environ, "OPENSSL_CONF": str(tmp_path / "pipe"), "NO_PROXY": "*", "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert (done.returncode, done.stderr) == (3, "") and "tcp.refused" in done.stdout
