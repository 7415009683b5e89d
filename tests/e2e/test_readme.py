"""The pipeline of the README works as it stands, on its second run too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from e2e.program import profile

README = Path(__file__).parents[2] / "README.md"
BLOCKS = dict(re.findall(r"<!-- tested: ([a-z]+) -->\n```sh\n(.*?)```", README.read_text(), re.DOTALL))


def test_the_pipeline_twice(tmp_path):
    profile(tmp_path, ("memory", {"at_least": "1 MB"}))
    text = (tmp_path / "profile.yaml").read_text().replace("name: e2e", "name: ai-audit-assist")
    (tmp_path / "profile.yaml").write_text(text)
    (tmp_path / "site.yaml").write_text("schema: vorflug/site/1\n")
    # the shipped profile asks the network, so the program gets a small one of the same name
    program = tmp_path / "bin" / "vorflug"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\ncommand=$1; shift\n[ "$command" != run ] || set -- "$@" --profile profile.yaml\n'
        f'exec {sys.executable} -m vorflug.cli.__main__ "$command" "$@"\n'
    )
    program.chmod(0o755)
    environment = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "en",
    }

    def shell(script):
        return subprocess.run(
            ["/bin/sh", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    first = shell("vorflug run --site site.yaml --out reports --format json")
    assert first.returncode == 0, first.stderr
    assert shell(BLOCKS["trust"]).returncode == 0
    for _ in range(2):
        done = shell(BLOCKS["pipeline"])
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "reports").iterdir())) == 3
