"""Compare what two databases hold at two moments, table by table, and name every row that differs. Read-only.

Between PostgreSQL servers by a hash of each chunk, and of each row where chunks differ; else row by row.
Values
are equal when they are the same bytes, between two engines when they mean the same to PostgreSQL's type.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from strangler.takeover.carrying import Conversion
from strangler.takeover.engines import Engine, Snapshot, Stream
from strangler.takeover.flow import Flow
from strangler.takeover.postgres_snapshot import PostgresSnapshot
from strangler.takeover.shape import Column, Pair, Shape
from strangler.takeover.state import Key
from strangler.takeover.values import canonical

LOOKED_UP = 200  # rows that are in memory at once where they are compared by key


@dataclass(frozen=True, slots=True)
class Stride:
    """How many rows are hashed at once, and after how many it is said how far all was equal."""

    hashed: int = 20_000
    said: int = 100_000


# More rows of the source that were read, what differs, up to which key all was looked at if known.
Found = tuple[int, "Difference | None", Key | None]
Keyed = tuple[tuple[Any, ...], Any]  # a row's key, and something that is equal for equal rows
Form = Callable[[tuple[Any, ...]], tuple[Any, ...]]


class Kind(StrEnum):
    """How one row differs."""

    MISSING = "missing"  # in the copy
    EXTRA = "extra"  # in the copy
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not the same on both sides."""

    table: str
    key: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Compared:
    """What comparing one table gave: its rows at the source, how many differ, the first of them."""

    table: str
    rows: int
    differing: int
    differences: tuple[Difference, ...]


def compare(
    flow: Flow,
    pair: Pair,
    moments: tuple[Snapshot, Snapshot],
    *,
    after: Key | None = None,
    stride: Stride | None = None,
    shown: int = 20,
    told: Callable[[int], None] = lambda _: None,
    equal_to: Callable[[Key], None] = lambda _: None,
) -> Compared:
    """Compare one table at the source's moment and the copy's, from the key `after` on.

    `told` hears now and then how many rows have been read; `equal_to` up to which key all were equal.
    """
    stride = stride or Stride()
    pair = pair.as_compared()
    seen, said, differing = 0, 0, 0
    first: list[Difference] = []
    for rows, difference, reached in _compared(flow, pair, moments, after, stride):
        seen += rows
        if rows:
            told(seen)
        if difference is not None:
            differing += 1
            if len(first) < shown:
                first.append(difference)
        elif reached is not None and not differing and seen - said >= stride.said:
            said = seen
            equal_to(reached)
    return Compared(pair.table, seen, differing, tuple(first))


def compare_changed(
    flow: Flow, pair: Pair, source: Snapshot, copy: Snapshot, since: str, shown: int = 20
) -> Compared:
    """Compare the rows of one table whose keys were logged after `since`, some at a time in memory."""
    pair = pair.as_compared()
    if isinstance(source, PostgresSnapshot) and isinstance(copy, PostgresSnapshot):
        keys: Sequence[tuple[Any, ...]] = source.logged_as_text(pair.source, since)
        batches = (_hashed(pair, source, copy, batch) for batch in _batches(keys, Stride().hashed))
    else:
        keys = list(source.dirty_keys(pair.source, since, None).rows())
        batches = (_looked_up(flow, pair, source, copy, batch) for batch in _batches(keys, LOOKED_UP))
    found = [
        difference
        for sides in batches
        for _, difference, _ in _matched(pair, *sides)
        if difference is not None
    ]
    return Compared(pair.table, len(keys), len(found), tuple(found[:shown]))


def _batches(keys: Sequence[tuple[Any, ...]], size: int) -> Iterator[Sequence[tuple[Any, ...]]]:
    return (keys[begin : begin + size] for begin in range(0, len(keys), size))


def _hashed(
    pair: Pair, source: PostgresSnapshot, copy: PostgresSnapshot, keys: Sequence[tuple[Any, ...]]
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    columns, into = pair.compared
    ours = source.digests_having(pair.source, columns, keys)
    theirs = copy.digests_having(_keyed_alike(pair), into, keys)
    return dict(_hashes(ours)), dict(_hashes(theirs))


def _looked_up(
    flow: Flow, pair: Pair, source: Snapshot, copy: Snapshot, keys: Sequence[tuple[Any, ...]]
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    target = _keyed_alike(pair)
    columns, into = pair.compared
    ours = source.having(pair.source, columns, keys)
    theirs = copy.having(target, into, list(flow.carrier.keys(pair, keys)))
    return (
        dict(_keyed(pair.source, columns, ours, _form(pair, columns, source, flow))),
        dict(_keyed(target, into, theirs, _form(pair, into, copy, flow))),
    )


def _compared(
    flow: Flow, pair: Pair, moments: tuple[Snapshot, Snapshot], after: Key | None, stride: Stride
) -> Iterator[Found]:
    source, copy = moments
    if isinstance(source, PostgresSnapshot) and isinstance(copy, PostgresSnapshot):
        yield from _by_hash(pair, source, copy, after, stride.hashed)
    else:
        columns, into = pair.compared
        ours = _rows(pair.source, columns, pair, source, flow, after)
        theirs = _rows(_keyed_alike(pair), into, pair, copy, flow, after)
        yield from _merged(pair, ours, theirs)


def _by_hash(
    pair: Pair, source: PostgresSnapshot, copy: PostgresSnapshot, after: Key | None, rows: int
) -> Iterator[Found]:
    target = _keyed_alike(pair)
    columns, into = pair.compared
    more = True
    while more:
        upto = source.bound_by_bytes(pair.source, after, rows)
        ours = source.digest(pair.source, columns, after, upto)
        theirs = copy.digest(target, into, after, upto)
        if ours != theirs:
            yield from _matched(
                pair,
                dict(_hashes(source.row_digests(pair.source, pair.key, columns, after, upto))),
                dict(_hashes(copy.row_digests(target, pair.key_into, into, after, upto))),
            )
        yield ours[0], None, upto
        after, more = upto, upto is not None


def _hashes(rows: Iterator[tuple[Any, ...]]) -> Iterator[Keyed]:
    return ((row[:-1], row[-1]) for row in rows)


def _rows(
    shape: Shape, columns: tuple[Column, ...], pair: Pair, moment: Snapshot, flow: Flow, after: Key | None
) -> Iterator[Keyed]:
    stream = moment.chunk(shape, columns, after, None, ordered=True)
    return _keyed(shape, columns, stream, _form(pair, columns, moment, flow))


def _keyed(shape: Shape, columns: tuple[Column, ...], stream: Stream, as_compared: Form) -> Iterator[Keyed]:
    places = [columns.index(name) for name in shape.key]
    for row in stream.rows():
        form = as_compared(row)
        yield tuple(form[place] for place in places), form


def _form(pair: Pair, columns: tuple[Column, ...], moment: Snapshot, flow: Flow) -> Form:
    """Return what makes rows comparable: nothing between equal engines, else PostgreSQL's idea of them."""
    if flow.source.engine is flow.target.engine:
        return _with_types
    ours, theirs = pair.compared
    postgres, names = (
        (pair.target, theirs) if flow.target.engine is Engine.POSTGRESQL else (pair.source, ours)
    )
    types = postgres.types(names)
    if isinstance(moment, PostgresSnapshot):
        return lambda row: tuple(map(canonical, row, types))
    conversion = Conversion(postgres, names)

    def converted(row: tuple[Any, ...]) -> tuple[Any, ...]:
        found = conversion.one(row)
        return tuple(map(canonical, found, types)) if found is not None else row

    return converted


def _with_types(row: tuple[Any, ...]) -> tuple[Any, ...]:
    # 1 and 1.0 are equal to Python, and -0.0 and 0.0; to a database they need not be.
    return tuple(repr(value) if isinstance(value, float) else value for value in row)


def _merged(pair: Pair, ours: Iterator[Keyed], theirs: Iterator[Keyed]) -> Iterator[Found]:
    """Walk both sides, in the order of keys, and yield a row read of ours, or a row that differs."""
    one, two = next(ours, None), next(theirs, None)
    while one is not None or two is not None:
        if two is None or (one is not None and one[0] < two[0]):
            assert one is not None
            yield 1, _differs(pair, one[0], Kind.MISSING), None
            one = next(ours, None)
        elif one is None or two[0] < one[0]:
            yield 0, _differs(pair, two[0], Kind.EXTRA), None
            two = next(theirs, None)
        else:
            difference = None if one[1] == two[1] else _differs(pair, one[0], Kind.DIFFERENT)
            yield 1, difference, one[0] if _plain(one[0]) else None
            one, two = next(ours, None), next(theirs, None)


def _plain(key: tuple[Any, ...]) -> bool:
    """Return whether a key is the same in every form that it is read in."""
    return all(isinstance(part, int) and not isinstance(part, bool) for part in key)


def _matched(
    pair: Pair, ours: dict[tuple[Any, ...], Any], theirs: dict[tuple[Any, ...], Any]
) -> Iterator[Found]:
    """Yield what differs of one chunk, which is held whole: keys as text have no order of their own."""
    for key, hashed in ours.items():
        if key not in theirs:
            yield 0, _differs(pair, key, Kind.MISSING), None
        elif theirs[key] != hashed:
            yield 0, _differs(pair, key, Kind.DIFFERENT), None
    for key in theirs.keys() - ours.keys():
        yield 0, _differs(pair, key, Kind.EXTRA), None


def _differs(pair: Pair, key: tuple[Any, ...], kind: Kind) -> Difference:
    named = ", ".join(f"{name}={value}" for name, value in zip(pair.key, key, strict=True))
    return Difference(pair.table, named, kind)


def _keyed_alike(pair: Pair) -> Shape:
    """Return the target's shape with its key in the order of the source's."""
    return replace(pair.target, key=pair.key_into)
