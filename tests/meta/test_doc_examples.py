"""What the documentation shows as a site file is one."""

from __future__ import annotations

import re

import pytest

from source_tree import ROOT
from vorflug.cli.__main__ import execute

_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
_SITE = "schema: vorflug/site/1"
EXAMPLES = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md")
    for number, block in enumerate(_BLOCK.findall(page.read_text("utf-8")), start=1)
    if _SITE in block
]


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_site_file_in_the_documentation_is_taken(text, tmp_path, capsys):
    (tmp_path / "site.yaml").write_text(text, "utf-8")
    code = execute(["site", "check", str(tmp_path / "site.yaml")])
    assert (code, capsys.readouterr().err) == (0, "")
