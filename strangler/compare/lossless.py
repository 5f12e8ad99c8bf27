"""Parse JSON without losing anything that two answers can differ in. Pure.

A number stays its own text, as bytes, so that 2^53+1, `1.0`, `NaN` and 5,000 digits survive and never equal a
string or a boolean. An object that repeats a key stays a list of pairs.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import TypeAlias

MAX_DEPTH = 200
NOT_NUMBERS = frozenset({b"NaN", b"Infinity", b"-Infinity"})  # RFC 8259 section 6: not permitted


Number = bytes


@dataclass(frozen=True)
class Repeated:
    """An object in which a key occurs more than once: what a reader sees depends on the reader."""

    pairs: tuple[tuple[str, "Json"], ...]


Json: TypeAlias = bool | str | Number | list["Json"] | dict[str, "Json"] | Repeated | None


class NotJson(ValueError):
    """The bytes are not JSON in UTF-8."""


class TooDeep(ValueError):
    """The nesting passes MAX_DEPTH."""


def parse(body: bytes) -> Json:
    """Return the tree of `body`. Raises NotJson or TooDeep."""
    try:
        tree: Json = _decoder.decode(body.decode("utf-8"))
    except RecursionError as error:
        raise TooDeep(f"nested deeper than {MAX_DEPTH}") from error
    except ValueError as error:
        raise NotJson(str(error)) from error
    # Each level opens a bracket: fewer brackets than levels allowed needs no closer look.
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(tree) > MAX_DEPTH:
        raise TooDeep(f"nested deeper than {MAX_DEPTH}")
    return tree


def children(tree: Json) -> list[tuple[str | int, Json]]:
    """Return the members of an object or a list with their keys; nothing for a scalar."""
    if isinstance(tree, dict):
        return list(tree.items())
    if isinstance(tree, list):
        return list(enumerate(tree))
    if isinstance(tree, Repeated):
        return list(tree.pairs)
    return []


def text(tree: Json) -> str:
    """Return the JSON text of a tree: compact, keys sorted, numbers as they were written."""
    if isinstance(tree, Number):
        return tree.decode()
    if isinstance(tree, str):
        return _string_text(tree)
    if isinstance(tree, list):
        return "[" + ",".join(map(text, tree)) + "]"
    if isinstance(tree, dict):
        return _object_text(sorted(tree.items()))
    if isinstance(tree, Repeated):
        return _object_text(tree.pairs)
    return json.dumps(tree)


def may_hold_not_numbers(body: bytes) -> bool:
    """Say whether a parse could find NaN or Infinity: cheap, true too often, never false wrongly."""
    return b"NaN" in body or b"Infinity" in body


def _object_text(pairs: Iterable[tuple[str, Json]]) -> str:
    return "{" + ",".join(f"{_string_text(key)}:{text(value)}" for key, value in pairs) + "}"


def _string_text(string: str) -> str:
    # An escaped lone surrogate parses to a string that no encoding can hold: it stays escaped.
    return encode_basestring(string) if string.isascii() or is_unicode(string) else json.dumps(string)


def is_unicode(string: str) -> bool:
    """Say whether a string has a UTF-8 form; one with a lone surrogate has none."""
    try:
        string.encode()
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, Json]]) -> Json:
    members = dict(pairs)
    return members if len(members) == len(pairs) else Repeated(tuple(pairs))


def _depth(tree: Json) -> int:
    level, depth = [tree], 0
    while level := [node for node in level if isinstance(node, dict | list | Repeated)]:
        level = [child for node in level for _, child in children(node)]
        depth += 1
    return depth


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=str.encode, parse_float=str.encode, parse_constant=str.encode
)
