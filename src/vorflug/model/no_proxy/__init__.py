"""Which proxy applies to a URL, by which setting and why, as each program reads the settings.

There is no standard for ``NO_PROXY``.  One module for each family of programs, with its source; docs/no-proxy.md shows
the rules side by side, and tests/model/no_proxy_cases.yaml holds cases that are checked against the real programs.
"""

from __future__ import annotations

from vorflug.model.no_proxy.asked import Asked as Asked
from vorflug.model.no_proxy.asked import parse as parse
from vorflug.model.no_proxy.decision import NAMES as NAMES
from vorflug.model.no_proxy.decision import Decision as Decision
from vorflug.model.no_proxy.decision import Dialect as Dialect
from vorflug.model.no_proxy.decision import Problem as Problem
from vorflug.model.no_proxy.decision import Way as Way
from vorflug.model.no_proxy.decision import decide as decide
from vorflug.model.no_proxy.decision import list_names as list_names
from vorflug.model.no_proxy.decision import matching as matching
from vorflug.model.no_proxy.decision import proxy_names as proxy_names
from vorflug.model.no_proxy.places import given as given
from vorflug.model.no_proxy.places import hidden as hidden
from vorflug.model.no_proxy.settings import Setting as Setting
from vorflug.model.no_proxy.settings import Settings as Settings
