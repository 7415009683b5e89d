"""Standard streams that are closed, full or no longer read, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, sys
from vorflug.cli import streams
streams.prepare()
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)
print("x" * 100_000)
print("said", file=sys.stderr)
os.write(fd, b"only this")
lost = streams.flush()
os.write(fd, f" {lost.strerror if lost else None} {fd > 2}".encode())
"""


def _run(tmp_path, redirect):
    file = tmp_path / "file"
    done = subprocess.run(
        ["bash", "-c", f'"$0" "$@" {redirect}', sys.executable, "-c", CODE, str(file)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return file.read_text(), done


@pytest.mark.parametrize("redirect", ["", "1>&-", "2>&-", "0<&- 1>&- 2>&-", "| true"])
def test_nothing_lands_in_another_file_and_nothing_is_called_lost(tmp_path, redirect):
    written, done = _run(tmp_path, redirect)
    assert written == "only this None True"
    assert (len(done.stdout) > 100_000) == (redirect in {"", "2>&-"})


def test_a_full_disk_behind_stdout_is_known(tmp_path):
    written, done = _run(tmp_path, ">/dev/full")
    assert written == "only this No space left on device True"
    assert done.stderr == "said\n"
