"""SQL that both engines read alike: quoted names, and a table together with its parts. Pure."""

from collections.abc import Callable, Iterator

from strangler.takeover.shape import Constant, Part, Shape

Literal = Callable[[Constant], str]  # how an engine writes a value


def identifier(name: str) -> str:
    """Quote a name of the schema."""
    return '"' + name.replace('"', '""') + '"'


def rows_of(shape: Shape, literal: Literal) -> str:
    """Return what stands behind FROM for the rows of a table, or of one and its parts together."""
    if not shape.parts:
        return identifier(shape.table)
    queries = [_joined(shape, literal), *(_strays(shape, part) for part in shape.parts if shape.strays)]
    return f"({' UNION ALL '.join(queries)})"


def filling_gaps(shape: Shape, literal: Literal) -> Iterator[str]:
    """Yield the statements that give every row the rows that its parts lack."""
    parent = shape.tables[0]
    for part in shape.parts:
        values = {name: _column(parent, own) for own, name in part.key.items()}
        values |= {name: literal(value) for name, value in part.missing.items()}
        yield (
            f"INSERT INTO {identifier(part.shape.table)} ({', '.join(map(identifier, values))})"
            f" SELECT {', '.join(values.values())} FROM {identifier(parent.table)}"
            f" WHERE NOT EXISTS (SELECT 1 FROM {identifier(part.shape.table)} WHERE {_same(parent, part)})"
        )


def _joined(shape: Shape, literal: Literal) -> str:
    parent = shape.tables[0]
    values = {name: _column(parent, name) for name in parent.names}
    for part in shape.parts:
        values |= {name: _read(part, own, literal, shape.filled) for name, own in part.columns.items()}
    joins = "".join(
        f" LEFT JOIN {identifier(part.shape.table)} ON {_same(parent, part)}" for part in shape.parts
    )
    return f"SELECT {_named(values)} FROM {identifier(parent.table)}{joins}"


def _strays(shape: Shape, part: Part) -> str:
    """Return the query for rows of a part that belong to no row."""
    parent = shape.tables[0]
    values = dict.fromkeys((*parent.names, *(name for each in shape.parts for name in each.columns)), "NULL")
    values |= {name: _column(part.shape, own) for name, own in (*part.key.items(), *part.columns.items())}
    return (
        f"SELECT {_named(values)} FROM {identifier(part.shape.table)}"
        f" WHERE NOT EXISTS (SELECT 1 FROM {identifier(parent.table)} WHERE {_same(parent, part)})"
    )


def _read(part: Part, own: str, literal: Literal, filled: bool) -> str:
    value = _column(part.shape, own)
    if not filled or own not in part.missing:
        return value
    key = _column(part.shape, part.shape.key[0])
    return f"CASE WHEN {key} IS NULL THEN {literal(part.missing[own])} ELSE {value} END"


def _named(values: dict[str, str]) -> str:
    return ", ".join(f"{value} AS {identifier(name)}" for name, value in values.items())


def _same(parent: Shape, part: Part) -> str:
    return " AND ".join(
        f"{_column(part.shape, own)} = {_column(parent, name)}" for name, own in part.key.items()
    )


def _column(shape: Shape, name: str) -> str:
    return f"{identifier(shape.table)}.{identifier(name)}"
