from __future__ import annotations

import pytest

from conftest import FakePort, fake_host
from vorflug.model.process_namespace import apart


@pytest.mark.parametrize(
    ("link", "own"),
    [("pid:[4026531836]", False), ("pid:[4026532771]", True), (FileNotFoundError(2, "no namespaces"), False)],
)
def test_the_machines_own_processes_or_others(link, own):
    assert apart(fake_host(files=FakePort(read_link=link))) is own


def test_a_link_that_is_not_readable_is_not_taken_for_the_machine():
    with pytest.raises(PermissionError):
        apart(fake_host(files=FakePort(read_link=PermissionError(13, "denied"))))
