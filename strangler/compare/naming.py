"""Guess from the name of a column, a member of JSON or a segment of a URL whose ids stand there. Pure.

A name that fits a table binds: a row of that table is meant there. Of any other name nothing is known.
"""

from collections.abc import Iterable

_SUFFIXES = ("_ids", "_id", "_pk")
_OF_ITSELF = frozenset({"id", "pk"})
_LONG_ENOUGH = 4  # for a name to be the end of another


def is_of_itself(name: str) -> bool:
    """Say whether a name says only that an id stands there, not whose."""
    return name.lower() in _OF_ITSELF


def refers(name: str) -> bool:
    """Say whether a name says that the id of another row stands there."""
    return name.lower().endswith(_SUFFIXES) and not is_of_itself(name)


def tables_named(name: str, tables: Iterable[str]) -> tuple[str, ...]:
    """Return the tables that a name fits: `product`, `products`, `product_id` fit `catalog_product`.

    Where it fits none whole, those of which it is the end: `images` fits `catalog_productimage`.
    """
    words = _words(name)
    known = {table: _spellings(table) for table in tables}
    whole = tuple(table for table, spelled in known.items() if words & spelled)
    if whole:
        return whole
    long = tuple(word for word in words if len(word) >= _LONG_ENOUGH)
    return tuple(table for table, spelled in known.items() if any(each.endswith(long) for each in spelled))


def _words(name: str) -> frozenset[str]:
    lower = name.lower()
    for suffix in _SUFFIXES:
        lower = lower.removesuffix(suffix)
    word = _plain(lower)
    found = {word}
    if word.endswith("ies"):
        found.add(word[:-3] + "y")
    if word.endswith("es"):
        found.add(word[:-2])
    if word.endswith("s"):
        found.add(word[:-1])
    return frozenset(found - {""})


def _spellings(table: str) -> frozenset[str]:
    lower = table.lower()
    return frozenset({_plain(lower), _plain(lower.partition("_")[2])} - {""})


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "")
