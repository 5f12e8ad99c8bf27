"""Find which row of one list belongs to which of another, where order means nothing. Pure.

Equal rows belong together; the others wherever `alike` says so, in as many pairs as there can be. Which rows
are left over never depends on the order of either list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from strangler.compare.lossless import Json, text

MAX_MATCHED = 64  # rows left over by equality that are still tried one against another

Alike = Callable[[Json, Json], bool]
Edges = list[list[int]]


@dataclass(frozen=True)
class Pairing:
    """The pairs as indices of both lists, and the rows without a partner."""

    pairs: tuple[tuple[int, int], ...]
    only_control: tuple[int, ...] = ()
    only_candidate: tuple[int, ...] = ()
    by_key: bool = False

    @property
    def is_largest(self) -> bool:
        """Whether there can be no more pairs: one side has no row left."""
        return not self.only_control or not self.only_candidate


def in_place(control: Sequence[Json], candidate: Sequence[Json], alike: Alike) -> Pairing | None:
    """Pair each row with the one at its place; None when two of them are not alike."""
    if len(control) != len(candidate) or not all(map(alike, control, candidate)):
        return None
    return Pairing(tuple((index, index) for index in range(len(control))))


def as_multisets(control: Sequence[Json], candidate: Sequence[Json], alike: Alike) -> Pairing:
    """Pair two lists in which rows have no identity, only a number of times that each occurs."""
    by_equality = _pair_equal(control, candidate)
    pairing = _pair_alike(by_equality, control, candidate, alike)
    if pairing.is_largest or max(len(control), len(candidate)) > MAX_MATCHED:
        return pairing
    # Being alike is not transitive (a tolerance): an equal row may have been the only partner of another.
    nothing = Pairing((), _sorted(control, range(len(control))), _sorted(candidate, range(len(candidate))))
    again = _pair_alike(nothing, control, candidate, alike)
    return again if len(again.pairs) > len(pairing.pairs) else pairing


def by_key(control: Sequence[Json], candidate: Sequence[Json], key: str) -> Pairing | None:
    """Pair rows with the same value under `key`; None when a row has none or two rows share one."""
    ours, theirs = _index(control, key), _index(candidate, key)
    if ours is None or theirs is None:
        return None
    return Pairing(
        tuple((index, theirs[name]) for name, index in ours.items() if name in theirs),
        tuple(index for name, index in ours.items() if name not in theirs),
        tuple(index for name, index in theirs.items() if name not in ours),
        by_key=True,
    )


def _index(rows: Sequence[Json], key: str) -> dict[str, int] | None:
    index: dict[str, int] = {}
    for position, row in enumerate(rows):
        if not isinstance(row, dict) or key not in row:
            return None
        index[text(row[key])] = position
    return index if len(index) == len(rows) else None


def _pair_equal(control: Sequence[Json], candidate: Sequence[Json]) -> Pairing:
    places: dict[str, list[int]] = {}
    for index in range(len(candidate) - 1, -1, -1):
        places.setdefault(text(candidate[index]), []).append(index)
    pairs: list[tuple[int, int]] = []
    left: list[int] = []
    for index, row in enumerate(control):
        if found := places.get(text(row)):
            pairs.append((index, found.pop()))
        else:
            left.append(index)
    others = [index for found in places.values() for index in found]
    return Pairing(tuple(pairs), _sorted(control, left), _sorted(candidate, others))


def _sorted(rows: Sequence[Json], indices: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(indices, key=lambda index: text(rows[index])))


def _pair_alike(
    pairing: Pairing, control: Sequence[Json], candidate: Sequence[Json], alike: Alike
) -> Pairing:
    left, right = pairing.only_control, pairing.only_candidate
    if max(len(left), len(right)) > MAX_MATCHED or not left or not right:
        return pairing
    edges = [
        [there for there in range(len(right)) if alike(control[i], candidate[right[there]])] for i in left
    ]
    partner_of = _matching(edges)
    taken = {here: there for there, here in partner_of.items()}
    return Pairing(
        pairing.pairs + tuple((left[here], right[there]) for here, there in sorted(taken.items())),
        tuple(index for here, index in enumerate(left) if here not in taken),
        tuple(index for there, index in enumerate(right) if there not in partner_of),
    )


def _matching(edges: Edges) -> dict[int, int]:
    """Return a largest matching, right to left (H. W. Kuhn, 1955: by augmenting paths)."""
    partner_of: dict[int, int] = {}

    def find(here: int, seen: set[int]) -> bool:
        for there in edges[here]:
            if there not in seen:
                seen.add(there)
                if there not in partner_of or find(partner_of[there], seen):
                    partner_of[there] = here
                    return True
        return False

    for here in range(len(edges)):
        find(here, set())
    return partner_of
