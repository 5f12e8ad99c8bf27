"""Read what a rehearsed write did, or would have done, as a side tells it in its answer. Pure.

What a side tells is not trusted: how long it is, what it unpacks to and how deep it goes are bounded.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from proxy.pairs import Headers
from strangler.compare import lossless
from strangler.compare.lossless import Json, Number
from strangler.compare.verdict import Reason

HEADER = "x-strangler-effects"
MAX_HEADER = 16_000  # characters; a side packs at most 8,000
MAX_UNPACKED = 1024 * 1024  # bytes

Object: TypeAlias = dict[str, Json]
LISTS = ("events", "calls", "mails")

_ABSENT = {
    "too_large": Reason.EFFECTS_TOO_LARGE,
    "not_captured": Reason.EFFECTS_NOT_CAPTURED,
    "not_atomic": Reason.EFFECTS_NOT_ATOMIC,
    "failed": Reason.EFFECTS_FAILED,
    "busy": Reason.REHEARSAL_BUSY,
}


class BadEffects(ValueError):
    """The header is not what a side tells its effects in; the message says why."""


@dataclass(frozen=True)
class Row:
    """One row that was written: its key, and all of it afterwards; None where it was deleted."""

    table: str
    op: str
    key: Object
    row: Object | None

    @property
    def text(self) -> str:
        """The row as JSON text."""
        return lossless.text({"op": self.op, "key": self.key, "row": self.row})


@dataclass(frozen=True)
class Effects:
    """Everything that one side told. `sent` are its events, calls and mails, by those names; a side need not
    know of them, and then the name is not there.

    `own` is where the control's own entries begin in its log of changes, and `pending` how many others are
    in it; `copied` is up to where the candidate's copy had followed that log, as a position.
    """

    rows: tuple[Row, ...]
    sent: Mapping[str, list[Json]]
    own: Json = None
    pending: int = 0
    copied: str | None = None


@dataclass(frozen=True)
class Absent:
    """Why there are none."""

    reason: Reason
    detail: str = ""


NOTHING = Absent(Reason.EFFECTS_MISSING, "the answer tells none")


def read_effects(headers: Headers) -> Effects | Absent:
    """Return what an answer tells of its effects."""
    told = [value for name, value in headers if name.lower() == HEADER.encode()]
    if not told:
        return NOTHING
    version, _, rest = told[0].partition(b";")
    if len(told) == 1 and version == b"none":
        word = rest.removeprefix(b"reason=").decode("latin-1")
        return Absent(_ABSENT.get(word, Reason.EFFECTS_UNREADABLE), word)
    if len(told) > 1 or version != b"v1":
        return Absent(Reason.EFFECTS_UNREADABLE, "neither v1 nor none, or told twice")
    try:
        return _effects(unpacked(rest))
    except ValueError as error:
        return Absent(Reason.EFFECTS_UNREADABLE, str(error))


def unpacked(packed: bytes) -> Json:
    """Return the JSON of a header's packed part. Raises BadEffects for what no side packs, or NotJson."""
    if len(packed) > MAX_HEADER:
        raise BadEffects(f"{len(packed)} characters, at most {MAX_HEADER} are read")
    inflater = zlib.decompressobj()
    try:
        coded = base64.b64decode(packed + b"=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        body = inflater.decompress(coded, MAX_UNPACKED + 1)
    except (binascii.Error, zlib.error) as error:
        raise BadEffects(str(error)) from None
    if len(body) > MAX_UNPACKED:
        raise BadEffects(f"more than {MAX_UNPACKED} bytes")
    if not inflater.eof or inflater.unused_data:
        raise BadEffects("it breaks off, or goes on after its end")
    return lossless.parse(body)


def packed(tree: Json) -> bytes:
    """Return the header's value for a tree of effects."""
    body = lossless.text(tree).encode("utf-8", "surrogatepass")
    return b"v1;" + base64.urlsafe_b64encode(zlib.compress(body, 9)).rstrip(b"=")


def _effects(tree: Json) -> Effects:
    if not isinstance(tree, dict):
        raise BadEffects("no object")
    log = tree.get("log")
    own, pending = (log.get("first"), log.get("pending")) if isinstance(log, dict) else (None, None)
    copied = tree.get("copied")
    return Effects(
        tuple(map(_row, _list(tree, "rows"))),
        {name: _list(tree, name) for name in LISTS if name in tree},
        own,
        int(pending) if isinstance(pending, Number) and pending.isdigit() and len(pending) < 19 else 0,
        copied if isinstance(copied, str) else None,
    )


def _list(tree: Object, name: str) -> list[Json]:
    found = tree.get(name, [])
    if not isinstance(found, list):
        raise BadEffects(f"{name} is no list")
    return found


def _row(tree: Json) -> Row:
    match tree:
        case {"table": str(table), "op": "insert" | "update" | "delete" as op, "key": dict(key), "row": row}:
            pass
        case _:
            raise BadEffects("a row without table, op, key and row")
    if (row is None) is not (op == "delete") or not key:
        raise BadEffects(f"a row of {table}: {op} with another sort of row")
    if row is not None and not isinstance(row, dict):
        raise BadEffects(f"a row of {table} that is no object")
    values = (*key.values(), *(row or {}).values())
    if any(isinstance(value, list | dict | lossless.Repeated) for value in values):
        raise BadEffects(f"a row of {table} with a value that is no scalar")
    return Row(table, op, key, row)
