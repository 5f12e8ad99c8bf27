"""Find where what two sides wrote differs: rows table by table, events, calls and mails in their order. Pure.

It forgives nothing but the ids of new rows, which each side chooses for itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from strangler.compare import lossless, structure
from strangler.compare.effects import LISTS, Effects, Object, Row
from strangler.compare.id_map import IdMap
from strangler.compare.path import Path, Place
from strangler.compare.rules import Rule
from strangler.compare.structure import Finding, path_of
from strangler.compare.verdict import Difference, Forgiven, Kind, Weight

ID_MAP = "id_map"
WHY = (
    "Each side numbers its new rows itself: an id is known by the row that it stands for, in other rows, in"
    " the answer and in URLs. One that stands for another row is a difference."
)

_PLACES = {"events": Place.EVENTS, "calls": Place.CALLS, "mails": Place.MAILS}


def rule() -> Rule:
    """Return the rule by which ids of new rows are noted. It is asked nothing: words stand for the ids."""
    return Rule(ID_MAP, Weight.NOTE, WHY, lambda _, __: False)


def differences(control: Effects, candidate: Effects, ids: IdMap) -> Iterator[Finding]:
    """Yield what differs between two sides' effects."""
    ours, theirs = _by_table(control, ids, is_control=True), _by_table(candidate, ids, is_control=False)
    for table in dict.fromkeys((*ours, *theirs)):
        yield from _in_table(table, ours.get(table, []), theirs.get(table, []), ids)
    for name in (name for name in LISTS if name in control.sent and name in candidate.sent):
        one, other = ids.trees(control.sent[name], candidate.sent[name])
        if one != other:
            yield from _placed(_PLACES[name], structure.differences(one, other))


_Keyed = list[tuple[str, Row]]  # a key's text, with words for the ids of new rows


def _by_table(effects: Effects, ids: IdMap, *, is_control: bool) -> Mapping[str, _Keyed]:
    found: dict[str, _Keyed] = {}
    for row in effects.rows:
        keys: tuple[Object, Object] = (row.key, {}) if is_control else ({}, row.key)
        key = ids.keys(row.table, *keys)[0 if is_control else 1]
        found.setdefault(row.table, []).append((lossless.text(key), row))
    return found


def _in_table(table: str, ours: _Keyed, theirs: _Keyed, ids: IdMap) -> Iterator[Finding]:
    left = list(range(len(theirs)))
    alone: list[int] = []
    for place, (key, row) in enumerate(ours):
        there = next((each for each in left if theirs[each][0] == key), None)
        if there is None:
            alone.append(place)
        else:
            left.remove(there)
            yield from _in_rows(table, place, row, theirs[there][1], ids)
    for place in alone:
        yield Difference(Kind.MISSING, _at(table, place), ours[place][1].text, None)
    for place in left:
        yield Difference(Kind.EXTRA, _at(table, place), None, theirs[place][1].text)


def _in_rows(table: str, place: int, ours: Row, theirs: Row, ids: IdMap) -> Iterator[Finding]:
    if ours.key != theirs.key:
        texts = lossless.text(ours.key), lossless.text(theirs.key)
        yield Forgiven(ID_MAP, Weight.NOTE, Difference(Kind.VALUE, _at(table, place, "@key"), *texts))
    if ours.op != theirs.op:
        yield Difference(Kind.VALUE, _at(table, place, "@op"), ours.op, theirs.op)
        return
    one, other = ids.trees(_without_key(ours), _without_key(theirs), table)
    if one != other:
        yield from _placed(Place.ROWS, structure.differences(one, other, (table, place)))


def _without_key(row: Row) -> Object:
    """Return what a row holds beside its key, by which it was found."""
    return {name: value for name, value in (row.row or {}).items() if row.key.get(name, ...) != value}


def _placed(place: Place, found: Iterator[Finding]) -> Iterator[Finding]:
    for each in found:
        if isinstance(each, Difference):
            yield replace(each, path=Path(place, each.path.steps))
        else:
            yield each


def _at(table: str, place: int, *more: str) -> Path:
    return Path(Place.ROWS, path_of((table, place, *more)).steps)
