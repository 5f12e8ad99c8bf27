"""Learn which new row of one side is which of the other. Pure.

Two belong together when they hold the same, ids of new rows apart, and are pointed at alike by other rows and
by the answer: colours that are refined until they tell no more apart (B. Weisfeiler, A. Leman, 1968). Which
ids the sides chose never matters. Rows that differ are paired by what they have in common.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from strangler.compare import lossless, times
from strangler.compare.effects import Effects, Row
from strangler.compare.id_map import ANY, IdMap
from strangler.compare.lossless import Json, Number, children
from strangler.compare.naming import is_of_itself, refers, tables_named

MOST = 64  # new rows of a side among which ties are broken one by one
ANSWER = -1  # for a row's place: the answer points at another

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\Z")
_MOMENT = "(a moment)"


@dataclass(frozen=True)
class Told:
    """What one side told: its effects, and the tree of its answer (None where that is no JSON)."""

    effects: Effects
    answer: Json


@dataclass
class _Graph:
    """A side's new rows, what each holds, and who points at whom by which name."""

    rows: list[Row]
    held: list[Mapping[str, str]]
    edges: list[tuple[int, str, int]]
    colours: list[str] = field(default_factory=list)


def learn(control: Told, candidate: Told, said: frozenset[str], resource: str) -> IdMap:
    """Return the words for all new rows. `said`: what the client itself named, and so no side chose."""
    one, other = _graph(control, said, resource), _graph(candidate, said, resource)
    words: tuple[dict[str, dict[Json, str]], dict[str, dict[Json, str]]] = ({}, {})
    for number, (mine, their) in enumerate(_pairs(one, other), 1):
        _name(words[0], one.rows[mine], f"new {one.rows[mine].table} {number}")
        _name(words[1], other.rows[their], f"new {one.rows[mine].table} {number}")
    for side, graph, whose in ((words[0], one, "control"), (words[1], other, "candidate")):
        for number, row in enumerate(graph.rows, 1):
            if _id_of(row) not in side.get(row.table, {}):
                _name(side, row, f"new {row.table} {number} of the {whose} alone")
    return IdMap(*words, resource)


def from_answers(control: Json, candidate: Json, resource: str) -> IdMap:
    """Return what two answers to a creation tell, where no effects do: the ids at their roots."""
    ids = [tree.get("id") if isinstance(tree, dict) else None for tree in (control, candidate)]
    if not all(map(is_id, ids)):
        return IdMap()
    return IdMap({ANY: {ids[0]: "new 1"}}, {ANY: {ids[1]: "new 1"}}, resource)


def is_id(value: Json) -> bool:
    """Say whether a value can be an id that a side chose: a number, or a UUID."""
    return isinstance(value, Number) or (isinstance(value, str) and _UUID.match(value) is not None)


def _id_of(row: Row) -> Json:
    return next(iter(row.key.values()))


def _name(words: dict[str, dict[Json, str]], row: Row, word: str) -> None:
    words.setdefault(row.table, {})[_id_of(row)] = word


def _has_own_id(row: Row, said: frozenset[str]) -> bool:
    if row.op != "insert" or len(row.key) != 1:
        return False
    ((name, value),) = row.key.items()
    return is_id(value) and not refers(name) and lossless.text(value).strip('"') not in said


def _graph(told: Told, said: frozenset[str], resource: str) -> _Graph:
    rows = [row for row in told.effects.rows if _has_own_id(row, said)]
    rows.sort(key=lambda row: (row.table, lossless.text(_id_of(row))))
    places = {(row.table, _id_of(row)): place for place, row in enumerate(rows)}
    tables = tuple(dict.fromkeys(row.table for row in rows))

    def target(name: str, whose: str, value: Json) -> int | None:
        if not isinstance(value, str | bytes):
            return None
        may_guess = is_of_itself(name) or refers(name)
        known = tables_named(whose, tables) or (tables if may_guess else ())
        return next((places[table, value] for table in known if (table, value) in places), None)

    held: list[Mapping[str, str]] = []
    edges: list[tuple[int, str, int]] = []
    for place, row in enumerate(rows):
        own: dict[str, str] = {}
        for name, value in (row.row or {}).items():
            to = target(name, name, value)
            if name in row.key:
                continue
            if to is None:
                own[name] = _plain(value)
            else:
                edges.append((place, name, to))
        held.append(own)
    for path, name, above, value in _leaves(told.answer, "", "", ""):
        to = target(name, (above or resource) if is_of_itself(name) else name, value)
        if to is not None:
            edges.append((ANSWER, path, to))
    return _Graph(rows, held, edges)


def _plain(value: Json) -> str:
    is_moment = isinstance(value, str) and times.is_moment(value)
    return _MOMENT if is_moment else lossless.text(value)


def _leaves(tree: Json, path: str, name: str, above: str) -> Iterator[tuple[str, str, str, Json]]:
    members = children(tree)
    if not members and not isinstance(tree, dict | list):
        yield path, name, above, tree
    for step, child in members:
        if isinstance(step, int):
            yield from _leaves(child, f"{path}[{step}]", name, above)
        else:
            yield from _leaves(child, f"{path}.{step}", step, name)


def _pairs(one: _Graph, other: _Graph) -> list[tuple[int, int]]:
    for graph in (one, other):
        graph.colours = [
            _digest(row.table, *sorted(f"{name}={value}" for name, value in held.items()))
            for row, held in zip(graph.rows, graph.held, strict=True)
        ]
    pairs: list[tuple[int, int]] = []
    _refine(one, other)
    while (tie := _next_pair(one, other, pairs)) is not None:
        pairs.append(tie)
        if max(len(one.rows), len(other.rows)) <= MOST:
            one.colours[tie[0]] = other.colours[tie[1]] = f"paired {len(pairs)}"
            _refine(one, other)
    pairs += _by_likeness(one, other, pairs)
    return sorted(pairs)


def _refine(one: _Graph, other: _Graph) -> None:
    """Let colours tell apart what points, or is pointed at, otherwise. As often on both sides."""
    seen = 0
    for _ in range(max(len(one.rows), len(other.rows)) + 1):
        one.colours, other.colours = _refined(one), _refined(other)
        found = len({*one.colours, *other.colours})
        if found == seen:
            return
        seen = found


def _refined(graph: _Graph) -> list[str]:
    around: list[list[str]] = [[] for _ in graph.rows]
    for here, name, there in graph.edges:
        around[there].append(f"<{name} {graph.colours[here] if here != ANSWER else 'answer'}")
        if here != ANSWER:
            around[here].append(f">{name} {graph.colours[there]}")
    return [_digest(colour, *sorted(each)) for colour, each in zip(graph.colours, around, strict=True)]


def _digest(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _next_pair(one: _Graph, other: _Graph, pairs: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Return two rows of one colour that are not paired yet, those first whose colour no other row has."""
    ours, theirs = {each for each, _ in pairs}, {each for _, each in pairs}
    places: dict[str, list[int]] = {}
    for place, colour in enumerate(other.colours):
        if place not in theirs:
            places.setdefault(colour, []).append(place)
    often = Counter(colour for place, colour in enumerate(one.colours) if place not in ours)
    free = [place for place, colour in enumerate(one.colours) if place not in ours and colour in places]
    if not free:
        return None
    mine = min(free, key=lambda place: (often[one.colours[place]], place))
    return mine, places[one.colours[mine]][0]


def _by_likeness(one: _Graph, other: _Graph, pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Pair what is left within each table: those that have the most in common first."""
    ours = set(range(len(one.rows))) - {each for each, _ in pairs}
    theirs = set(range(len(other.rows))) - {each for _, each in pairs}
    likely = sorted(
        (-len(one.held[mine].items() & other.held[their].items()), mine, their)
        for mine in ours
        for their in theirs
        if one.rows[mine].table == other.rows[their].table
    )
    for _, mine, their in likely:
        if mine in ours and their in theirs:
            ours.discard(mine)
            theirs.discard(their)
            yield mine, their
