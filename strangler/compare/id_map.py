"""Put one word for the two ids of a new row, one on each side, wherever a name says that it stands. Pure.

Where a name tells whose id stands at a place, each side is read by itself: an id that points at another row
is a difference then, also where both sides wrote the same number. Where it does not tell, a place counts as
a new row's only if both sides hold an id of that same row there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from strangler.compare.effects import Object
from strangler.compare.lossless import Json
from strangler.compare.naming import is_of_itself, refers, tables_named

ANY = ""  # for a table: of an id that only the answers told

Words = Mapping[str, Mapping[Json, str]]  # by table and id
Both = tuple[Json, Json]

_URL = re.compile(r"(?:https?://[^/\s]+)?/\S*\Z")


@dataclass(frozen=True)
class IdMap:
    """The words of each side. `resource` is what the request's own URL is about, as its segment says."""

    control: Words = field(default_factory=dict)
    candidate: Words = field(default_factory=dict)
    resource: str = ""

    def __bool__(self) -> bool:
        return bool(self.control or self.candidate)

    def trees(self, ours: Json, theirs: Json, name: str = "", above: str = "") -> Both:
        """Return two trees with words for ids; `name` is the place's own, `above` that of the one around."""
        if isinstance(ours, dict) or isinstance(theirs, dict):
            return self._objects(ours, theirs, name)
        if isinstance(ours, list) or isinstance(theirs, list):
            return self._lists(ours, theirs, name, above)
        if _is_url(ours) or _is_url(theirs):
            return self.urls(ours, theirs)
        if is_of_itself(name):
            return self._ids(ours, theirs, above or self.resource, may_guess=True)
        return self._ids(ours, theirs, name, may_guess=refers(name))

    def keys(self, table: str, ours: Object, theirs: Object) -> tuple[Object, Object]:
        """Return the keys of two rows of a table with words; the one of either side alone beside an empty."""
        return (
            {name: self._of_row(self.control, table, name, value, ours) for name, value in ours.items()},
            {
                name: self._of_row(self.candidate, table, name, value, theirs)
                for name, value in theirs.items()
            },
        )

    def urls(self, ours: Json, theirs: Json) -> Both:
        """Return two URLs with words for ids among the segments of their paths."""
        one, other = _segments(ours), _segments(theirs)
        for place in range(1, max(len(one), len(other))):
            mine, their = _at(one, place), _at(other, place)
            before = str(_at(one, place - 1) or _at(other, place - 1) or "")
            renamed = self._ids(as_id(mine), as_id(their), before, may_guess=True)
            for side, word in zip((one, other), renamed, strict=True):
                if place < len(side) and isinstance(word, str):
                    side[place] = word
        return _joined(ours, one), _joined(theirs, other)

    def _of_row(self, words: Words, table: str, name: str, value: Json, key: Object) -> Json:
        if len(key) == 1:
            return _word(words, value, (table,))
        return _word(words, value, tables_named(name, words))

    def _objects(self, ours: Json, theirs: Json, name: str) -> Both:
        one = ours if isinstance(ours, dict) else {}
        other = theirs if isinstance(theirs, dict) else {}
        renamed = {
            key: self.trees(one.get(key), other.get(key), key, name) for key in dict.fromkeys((*one, *other))
        }
        return (
            {key: renamed[key][0] for key in one} if isinstance(ours, dict) else ours,
            {key: renamed[key][1] for key in other} if isinstance(theirs, dict) else theirs,
        )

    def _lists(self, ours: Json, theirs: Json, name: str, above: str) -> Both:
        one = ours if isinstance(ours, list) else []
        other = theirs if isinstance(theirs, list) else []
        renamed = [
            self.trees(_at(one, place), _at(other, place), name, above)
            for place in range(max(len(one), len(other)))
        ]
        return (
            [each for each, _ in renamed[: len(one)]] if isinstance(ours, list) else ours,
            [each for _, each in renamed[: len(other)]] if isinstance(theirs, list) else theirs,
        )

    def _ids(self, ours: Json, theirs: Json, whose: str, *, may_guess: bool) -> Both:
        tables = {**self.control, **self.candidate}
        if known := tables_named(whose, tables):
            return _word(self.control, ours, known), _word(self.candidate, theirs, known)
        if may_guess:
            for table in tables:
                one, other = _word(self.control, ours, (table,)), _word(self.candidate, theirs, (table,))
                if one == other and one is not ours and other is not theirs:
                    return one, other
        return ours, theirs


def _word(words: Words, value: Json, tables: tuple[str, ...]) -> Json:
    if not isinstance(value, str | bytes):
        return value
    return next((words[table][value] for table in tables if value in words.get(table, ())), value)


def _is_url(value: Json) -> bool:
    return isinstance(value, str) and "/" in value and _URL.match(value) is not None


def _segments(url: Json) -> list[str]:
    return url.partition("?")[0].split("/") if isinstance(url, str) else []


def _joined(url: Json, segments: list[str]) -> Json:
    if not isinstance(url, str):
        return url
    _, mark, query = url.partition("?")
    return "/".join(segments) + mark + query


def as_id(segment: Json) -> Json:
    """Return a segment of a path as the id that it may be: a number where it is written like one."""
    is_number = isinstance(segment, str) and segment.isdecimal() and segment.isascii()
    return str(segment).encode() if is_number else segment


def _at(values: "list[Json] | list[str]", place: int) -> Json:
    return values[place] if place < len(values) else None
