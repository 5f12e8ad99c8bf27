"""Say everything about the columns of a table's two sides, and about what is declared of them, that does not
fit. Pure.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import NamedTuple

from strangler.takeover.engines import Engine
from strangler.takeover.mapping import TableMapping, Value
from strangler.takeover.shape import Shape
from strangler.takeover.values import Unfit, converter

TEXTS, NUMBERS = ("CHAR", "CLOB", "TEXT"), ("INT", "REAL", "FLOA", "DOUB")


class Misfit(NamedTuple):
    """One thing that does not fit, and what is wanted."""

    found: str
    wanted: str


def misfits(
    monolith: Shape, service: Shape, mapping: TableMapping, engines: tuple[Engine, Engine]
) -> list[Misfit]:
    """Return all that does not fit. `engines` are the monolith's and the service's."""
    declared = list(_declared(monolith, service, mapping))
    return declared or [
        *_unmatched(monolith, service, mapping),
        *_dropped(monolith, mapping),
        *_keyed(monolith, service, mapping),
        *_clashing(mapping.constant, service, engines[1], "service"),
        *_clashing(mapping.default, monolith, engines[0], "monolith"),
    ]


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
