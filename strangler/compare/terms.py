"""What one route's answers are compared by: rules that forgive, and how lists and keys line up. Only data.

`Terms` are the rules of a route, `Arrangement` is what the walk through two JSON trees needs of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from strangler.compare.rules import SHIPPED, Rule
from strangler.compare.verdict import Difference

Place = tuple[str, ...]  # the steps of a pattern in JSON


@dataclass(frozen=True)
class ListRule:
    """A list whose order means nothing; with a `key`, its rows are told apart by that member."""

    name: str
    key: str | None = None


@dataclass(frozen=True)
class RenameRule:
    """A member that the candidate calls `to`."""

    name: str
    to: str


@dataclass(frozen=True)
class Terms:
    """The rules of one route. The first rule that forgives a difference is the one that is named."""

    rules: tuple[Rule, ...] = SHIPPED
    lists: Mapping[Place, ListRule] = field(default_factory=dict)
    renames: Mapping[Place, RenameRule] = field(default_factory=dict)


@dataclass(frozen=True)
class Arrangement:
    """How two trees line up, and what is forgiven where rows are matched."""

    lists: Mapping[Place, ListRule] = field(default_factory=dict)
    renames: Mapping[Place, RenameRule] = field(default_factory=dict)
    forgives: Callable[[Difference], bool] = field(default=lambda _: False)


STRICT = Arrangement()
