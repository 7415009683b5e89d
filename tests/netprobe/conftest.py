from __future__ import annotations

import pytest

from lab.prober import Prober


@pytest.fixture
def ask(tmp_path):
    return Prober(tmp_path)
