"""Learn from real answers which values are worth asking for. Pure.

A filter is only tried where it can hit: with the names, prices and ids that the data has.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

MOST = 40  # values kept under one name

_WORD = re.compile(r"\w{3,}")


def observe(bodies: Iterable[bytes]) -> Mapping[str, tuple[str, ...]]:
    """Return the scalars of JSON bodies by the name of their member, in the order of their appearance."""
    found: dict[str, dict[str, None]] = {}
    for body in bodies:
        try:
            _collect(json.loads(body, parse_float=str, parse_int=str), "", found)
        except (ValueError, RecursionError):
            continue
    return {name: tuple(values) for name, values in found.items()}


def last_pages(bodies: Iterable[bytes]) -> tuple[int, ...]:
    """Return the numbers of the last pages that paginated answers tell of."""
    pages: dict[int, None] = {}
    for body in bodies:
        try:
            page = json.loads(body)
            rows, count = len(page["results"]), int(page["count"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if rows:
            pages[-(-count // rows)] = None
    return tuple(pages)


def values_for(parameter: str, observed: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return what to try for a parameter: the values of the member it is named after, else words of texts."""
    stems = [part for part in parameter.lower().split("_") if part not in ("min", "max", "after", "before")]
    for name in (parameter.lower(), "_".join(stems), *stems, "id" if parameter in ("pk", "id") else ""):
        if name in observed:
            return observed[name]
    return ()


def words(observed: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return words of the texts that were seen, for a free search."""
    found: dict[str, None] = {}
    for values in observed.values():
        for value in values:
            if "/" not in value and not value[:1].isdigit():
                found.update(dict.fromkeys(_WORD.findall(value)))
    return tuple(found)[:MOST]


def _collect(tree: Any, name: str, found: dict[str, dict[str, None]]) -> None:
    if isinstance(tree, dict):
        for key, value in tree.items():
            # `category: {id, slug}` is asked for as `category=slug` as often as by its members' own names.
            _collect(value, key, found)
            if name and not isinstance(value, dict | list):
                _collect(value, name, found)
    elif isinstance(tree, list):
        for value in tree:
            _collect(value, name, found)
    elif tree is not None and len(values := found.setdefault(name.lower(), {})) < MOST:
        values[json.dumps(tree) if isinstance(tree, bool) else str(tree)] = None
