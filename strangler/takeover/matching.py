"""Say everything about the columns of a table's two sides, and about what is declared of them, that does not
fit. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

from strangler.takeover.engines import Engine
from strangler.takeover.mapping import PartMapping, TableMapping, Value
from strangler.takeover.shape import Shape
from strangler.takeover.values import Unfit, converter

LONGEST_NAME = 63  # PostgreSQL cuts what is longer
TEXTS, NUMBERS = ("CHAR", "CLOB", "TEXT"), ("INT", "REAL", "FLOA", "DOUB")


class Misfit(NamedTuple):
    """One thing that does not fit, and what is wanted."""

    found: str
    wanted: str


def misfits(
    monolith: Shape,
    service: Shape,
    mapping: TableMapping,
    engines: tuple[Engine, Engine],
    parts: Mapping[str, Shape] | None = None,
) -> list[Misfit]:
    """Return all that does not fit. `engines` are the monolith's and the service's, `parts` the tables that
    the monolith's is split to.
    """
    shapes = parts or {}
    declared = [
        *_declared(monolith, service, mapping),
        *_split(monolith, mapping),
        *(
            each
            for name, part in mapping.split.items()
            for each in _of_part(name, _said_wrongly(monolith, shapes[name], part))
        ),
    ]
    parent, *others = mapping.shares(monolith)
    return declared or [
        *_taken(monolith, service, parent, engines),
        *_dropped(monolith, mapping),
        *_clashing(mapping.default, monolith, engines[0], "monolith"),
        *(
            each
            for share in others
            for each in _of_part(
                share.table,
                _taken(monolith, shapes[share.table], share, engines),
                _sorted_alike(monolith, (service, parent), (shapes[share.table], share)),
                _missing(monolith, shapes[share.table], mapping.split[share.table], engines),
            )
        ),
    ]


def _of_part(name: str, *found: Iterable[Misfit]) -> Iterator[Misfit]:
    return (Misfit(f"{name}: {each.found}", each.wanted) for each in chain(*found))


def _taken(
    monolith: Shape, service: Shape, mapping: TableMapping, engines: tuple[Engine, Engine]
) -> Iterator[Misfit]:
    """What of the columns that one table of the service's takes does not fit."""
    yield from _unmatched(monolith, service, mapping)
    yield from _keyed(monolith, service, mapping)
    yield from _clashing(mapping.constant, service, engines[1], "service")


def _declared(monolith: Shape, service: Shape, mapping: TableMapping) -> Iterator[Misfit]:
    """What is said of columns that are not there, or said twice."""
    for word, names, shape, whose in (
        ("rename", mapping.rename, monolith, "monolith"),
        ("drop", mapping.drop, monolith, "monolith"),
        ("constant", mapping.constant, service, "service"),
    ):
        for name in sorted(set(names) - shape.columns.keys()):
            yield Misfit(f"{word} of {name}, which the {whose} does not have", _one_of(shape.names))
    for name in sorted(set(mapping.default) - set(mapping.drop)):
        yield Misfit(f"default of {name}, which is not dropped", "a default only for what is dropped")
    for name in sorted(set(mapping.drop) & mapping.rename.keys()):
        yield Misfit(f"{name} is dropped and renamed", "one of both")


def _split(monolith: Shape, mapping: TableMapping) -> Iterator[Misfit]:
    """What is said of columns that go to another table, and cannot be."""
    parts = {
        name: [part for part, each in mapping.split.items() if name in each.columns]
        for name in sorted(set(mapping.split_off))
    }
    for name, into in parts.items():
        if name not in monolith.columns:
            yield Misfit(f"split of {name}, which the monolith does not have", _one_of(monolith.names))
        if mapping.split_off.count(name) > 1:
            yield Misfit(
                f"{name} is split off {mapping.split_off.count(name)} times, to {', '.join(into)}",
                "one table for it",
            )
        if name in monolith.key:
            yield Misfit(
                f"{name} is split off, and part of the key", "no word of it: the key goes to every part"
            )
        if name in mapping.drop:
            yield Misfit(f"{name} is dropped and split off", "one of both")
        if name in mapping.rename:
            yield Misfit(f"{name} is renamed, and split off", f"its other name in split.{into[0]}.rename")


def _said_wrongly(monolith: Shape, shape: Shape, part: PartMapping) -> Iterator[Misfit]:
    """What is said in a part of columns that it does not take or have."""
    for word, names, there in (
        ("rename", part.rename, (*monolith.key, *part.columns)),
        ("default", part.default, part.columns),
    ):
        for column in sorted(set(names) - set(there)):
            yield Misfit(f"{word} of {column}, which it does not take", _one_of(there))
    for column in sorted(part.constant.keys() - shape.columns.keys()):
        yield Misfit(f"constant of {column}, which it does not have", _one_of(shape.names))
    for column in shape.names:
        if (size := len(f"{shape.table}.{column}".encode())) > LONGEST_NAME:
            yield Misfit(f"{column} and its table's name have {size} bytes", f"{LONGEST_NAME} at most")


def _missing(
    monolith: Shape, shape: Shape, part: PartMapping, engines: tuple[Engine, Engine]
) -> Iterator[Misfit]:
    """What does not fit where the service has a row of the parent and none of the part."""
    for name in part.columns:
        never_null = [
            whose
            for whose, there in (
                ("monolith", name in monolith.never_null),
                ("service", part.called(name) in shape.never_null),
            )
            if there
        ]
        if never_null and name not in part.default:
            yield Misfit(
                f"{name} is NOT NULL in the {never_null[0]}'s database, and has no default",
                f"default = {{ {name} = VALUE }}, for rows of its parent that it has none of",
            )
        elif (name,) in monolith.uniques or (part.called(name),) in shape.uniques:
            yield Misfit(
                f"{name} is unique and never NULL",
                "a column that rows of its parent that it has none of may share a value of",
            )
    renamed = {part.called(name): value for name, value in part.default.items()}
    yield from _clashing(part.default, monolith, engines[0], "monolith")
    yield from _clashing(renamed, shape, engines[1], "service")


def _sorted_alike(
    monolith: Shape, parent: tuple[Shape, TableMapping], part: tuple[Shape, TableMapping]
) -> Iterator[Misfit]:
    for name in monolith.key:
        wanted, found = (
            shape.collations.get(mapping.rename.get(name, name), "the usual one")
            for shape, mapping in (parent, part)
        )
        if wanted != found:
            yield Misfit(f"the key's {name} has the collation {found}", f"{wanted}, as in {parent[0].table}")


def _unmatched(monolith: Shape, service: Shape, mapping: TableMapping) -> Iterator[Misfit]:
    into = Counter(mapping.rename.get(name, name) for name in monolith.names if name not in mapping.drop)
    into.update(mapping.constant.keys())
    for name, times in sorted(into.items()):
        if times > 1:
            yield Misfit(f"the service's {name} is doubly mapped, by {times} things", "one thing for it")
    where = [f"no {name} in the service" for name in sorted(into.keys() - service.columns.keys())]
    where += [f"nothing for the service's {name}" for name in sorted(service.columns.keys() - into.keys())]
    if where:
        lists = f"monolith has {', '.join(monolith.names)}; service has {', '.join(service.names)}"
        yield Misfit(
            f"other columns in each database ({', '.join(where)}): {lists}", "the same schema, or a mapping"
        )


def _dropped(monolith: Shape, mapping: TableMapping) -> Iterator[Misfit]:
    for name in mapping.drop:
        if name in monolith.key:
            yield Misfit(f"{name} is dropped, and part of the key", "every column of the key kept")
        elif name in monolith.required and name not in mapping.default:
            yield Misfit(
                f"{name} is dropped, and NOT NULL without a default in the monolith's database",
                f"default = {{ {name} = VALUE }}, for rows that the service makes",
            )
        elif (name,) in monolith.uniques:
            yield Misfit(
                f"{name} is dropped, and unique in the monolith's database",
                "a column that rows made by the service may share a value of",
            )


def _keyed(monolith: Shape, service: Shape, mapping: TableMapping) -> Iterator[Misfit]:
    into = {mapping.rename.get(name, name) for name in monolith.key}
    if not any(into == set(key) for key in (service.key, *service.uniques)):
        yield Misfit(
            f"the key is ({', '.join(monolith.key)}) in the monolith, ({', '.join(service.key)}) in the"
            " service",
            "the same key",
        )


def _clashing(values: Mapping[str, Value], shape: Shape, engine: Engine, whose: str) -> Iterator[Misfit]:
    for name, value in values.items():
        kind = shape.columns.get(name, "")
        fits = _fits_sqlite if engine is Engine.SQLITE else _fits_postgres
        if not fits(value, kind):
            yield Misfit(f"{value!r} for the {whose}'s {name}, which is {kind}", f"a value of type {kind}")


def _fits_postgres(value: Value, kind: str) -> bool:
    convert = converter(kind)
    with suppress(Unfit):
        return convert is None or convert(value) is not None
    return False


def _fits_sqlite(value: Value, kind: str) -> bool:
    """Return whether SQLite stores the value as it is: a column converts what looks like its type."""
    upper = kind.upper()
    if any(part in upper for part in TEXTS):
        return isinstance(value, str)
    if isinstance(value, str):
        return not any(part in upper for part in NUMBERS) and not _looks_like_a_number(value)
    if any(part in upper for part in ("REAL", "FLOA", "DOUB")):
        return isinstance(value, float)
    return isinstance(value, int) or ("INT" not in upper and not value.is_integer())


def _looks_like_a_number(text: str) -> bool:
    with suppress(ValueError):
        float(text)
        return True
    return False


def _one_of(names: tuple[str, ...]) -> str:
    return f"one of {', '.join(names)}"
