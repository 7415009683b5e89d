"""What is set, and where: the variables of one program, without credentials."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vorflug.ports.net import ProxyVariable


@dataclass(frozen=True)
class Setting:
    """A variable or property, and where it is set."""

    variable: ProxyVariable
    where: str = ""
    """The file that sets it; empty for the environment of this process."""

    @property
    def name(self) -> str:
        """As it is spelled."""
        return self.variable.name


@dataclass(frozen=True)
class Settings:
    """All that one program is given."""

    settings: tuple[Setting, ...] = ()
    """In the order in which they were set: of two with one name the later counts."""
    empty: frozenset[str] = frozenset()
    """Names that are set to nothing: urllib takes a lower-case one for "no proxy", whatever the upper-case one says."""
    cgi: bool = False
    """Whether REQUEST_METHOD is set, as it is for a CGI program (RFC 3875, 4.1.12)."""

    @classmethod
    def of(cls, variables: Iterable[ProxyVariable], *, where: str = "", cgi: bool = False) -> Settings:
        """Those of one place."""
        return cls(tuple(Setting(variable, where) for variable in variables), cgi=cgi)

    def under(self, other: Settings) -> Settings:
        """These, and *other* above them: what it sets wins."""
        return Settings((*self.settings, *other.settings), (self.empty - other._names()) | other.empty, other.cgi)

    def _names(self) -> frozenset[str]:
        return frozenset(one.name for one in self.settings)

    @property
    def by_name(self) -> Mapping[str, Setting]:
        """The setting that counts for each name."""
        return {one.name: one for one in self.settings if one.name not in self.empty}

    def first(self, names: Iterable[str]) -> Setting | None:
        """The first of *names* that is set and not empty."""
        known = self.by_name
        return next((known[name] for name in names if name in known), None)
