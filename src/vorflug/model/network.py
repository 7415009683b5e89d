"""Networks as a profile or site file writes them."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema


def _network(text: str) -> str:
    """Raises ValueError for what is no network or has host bits set."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        try:
            near = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"wanted a network such as '10.20.0.0/16', saw {text!r}") from error
        raise ValueError(f"wanted a network such as '10.20.0.0/16', saw {text!r}; did you mean '{near}'?") from error


Network = Annotated[str, AfterValidator(_network), WithJsonSchema({"type": "string", "examples": ["10.20.0.0/16"]})]
"""An IPv4 or IPv6 network in prefix notation (RFC 4632) without host bits, or a single address."""
