"""What the monolith's tables are called once they are an archive, and what stands in the way of that. Pure.

The names are decided once, before anything is renamed: whoever finishes what was interrupted uses the same.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date

import msgspec

from strangler.takeover.engines import Reference
from strangler.takeover.state import decode

LONGEST_NAME = 63  # PostgreSQL cuts what is longer, in bytes


class Retirement(msgspec.Struct, frozen=True):
    """Kept in the service's database: nobody follows any more. `names`: what each table is to be called."""

    names: Mapping[str, str]


class Archive(msgspec.Struct, frozen=True, omit_defaults=True):
    """Kept in the monolith's database: which of its tables have their new name, changed hands, are gone."""

    renamed: tuple[str, ...] = ()
    given_away: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


def retirement_of(note: str | None) -> Retirement | None:
    """Return what the service's note says, None where the group is not retired."""
    return decode(note, Retirement) if note is not None else None


def archive_of(note: str | None) -> Archive:
    """Return what the monolith's note says."""
    return decode(note, Archive) if note is not None else Archive()


def archive_names(tables: Iterable[str], today: date, taken: Callable[[str], bool]) -> dict[str, str]:
    """Return a name for each table's archive that no table has: `<table>_retired_<date>`."""
    names: dict[str, str] = {}
    for table in tables:
        number = 1
        while (name := _named(table, today, number)) in names.values() or taken(name):
            number += 1
        names[table] = name
    return names


def referring(
    references: Sequence[Reference], tables: Collection[str], among: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Return those of `tables` to which others than `among` refer, each with their columns."""
    found: dict[str, list[str]] = {}
    for reference in references:
        if reference.to in tables and reference.table not in among:
            found.setdefault(reference.to, []).append(f"{reference.table}.{', '.join(reference.columns)}")
    return {table: tuple(columns) for table, columns in sorted(found.items())}


def confirms(said: str, tables: Iterable[str]) -> bool:
    """Return whether all the tables were named, with commas, in any order."""
    return sorted(said.split(",")) == sorted(",".join(tables).split(","))


def _named(table: str, today: date, number: int) -> str:
    ending = f"_retired_{today:%Y%m%d}" + (f"_{number}" if number > 1 else "")
    return table.encode()[: LONGEST_NAME - len(ending)].decode(errors="ignore") + ending
