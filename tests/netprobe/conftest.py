from __future__ import annotations

import pytest

from lab import authority, measured
from lab.prober import Prober


@pytest.fixture
def ask(tmp_path):
    return Prober(tmp_path)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Jobs in processes of their own, see `lab.measured`."""
    folder = tmp_path_factory.mktemp("measured")
    (folder / "ca.pem").write_bytes(authority.root().pem())
    with measured.pool(folder) as go:
        yield go
