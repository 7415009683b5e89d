"""Networks as they are written."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from vorflug.model.network import Network

READ = TypeAdapter(Network).validate_python


@pytest.mark.parametrize(
    ("text", "network"),
    [("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.1", "192.0.2.1/32"), ("FD00:0::/64", "fd00::/64")],
)
def test_networks(text, network):
    assert READ(text) == network


@pytest.mark.parametrize(
    ("text", "hint"),
    [("10.0.0.1/8", "did you mean '10.0.0.0/8'"), ("corp", "wanted a network"), ("10.0.0.0/33", "wanted a network")],
)
def test_what_is_no_network_is_refused(text, hint):
    with pytest.raises(ValidationError, match=hint):
        READ(text)
