"""Compare two bodies of the same shape: byte-equal, then parsed-equal, then structural. Pure.

JSON is compared as data and HTML as the tree that a browser builds. Other text is compared byte by byte, and
only the first differing line is shown.
"""

import hashlib
from collections.abc import Iterator
from itertools import zip_longest

from proxy.pairs import Response
from strangler.compare import coding, dom, html, lossless, spelling, structure
from strangler.compare.lossless import Json, NotJson, TooDeep
from strangler.compare.media import Shape
from strangler.compare.path import Path, Place
from strangler.compare.structure import Finding
from strangler.compare.terms import STRICT, Arrangement
from strangler.compare.verdict import Difference, Kind, Obstacle, Reason, Side


def findings(
    control: Response, candidate: Response, codings: tuple[str, str], shape: Shape, by: Arrangement = STRICT
) -> Iterator[Finding]:
    """Yield what differs, or the obstacles. `codings` are the two Content-Encoding values."""
    truncated = _truncated(control, candidate)
    if truncated:
        yield truncated
        return
    ours = _decoded(control.body, codings[0], Side.CONTROL)
    theirs = _decoded(candidate.body, codings[1], Side.CANDIDATE)
    if isinstance(ours, bytes) and isinstance(theirs, bytes):
        yield from _in_decoded(ours, theirs, shape, by)
    else:
        yield from (each for each in (ours, theirs) if isinstance(each, Obstacle))


def digest(body: bytes) -> str:
    """Return a line that stands for bytes nobody wants to read."""
    return f"{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()[:16]}"


def _size(body: bytes) -> str:
    return f"{len(body)} bytes"


def _truncated(control: Response, candidate: Response) -> Obstacle | None:
    if control.truncated and candidate.truncated:
        return Obstacle(Reason.TRUNCATED)
    if control.truncated or candidate.truncated:
        return Obstacle(Reason.TRUNCATED, Side.CONTROL if control.truncated else Side.CANDIDATE)
    return None


def _decoded(body: bytes, content_encoding: str, side: Side) -> bytes | Obstacle:
    if not body:  # an answer to HEAD and a 304 name the coding of the body they leave out
        return body
    try:
        return coding.decode(body, content_encoding)
    except coding.BadCoding as error:
        return Obstacle(Reason.DECODE_ERROR, side, str(error))
    except coding.TooLarge as error:
        return Obstacle(Reason.TOO_LARGE, side, str(error))


def _in_decoded(control: bytes, candidate: bytes, shape: Shape, by: Arrangement) -> Iterator[Finding]:
    if control == candidate:
        if shape is Shape.JSON and lossless.may_hold_not_numbers(control):
            yield from _in_json(control, candidate, by)
    elif not control:
        yield Difference(Kind.EXTRA, Path(Place.BODY), None, digest(candidate))
    elif not candidate:
        yield Difference(Kind.MISSING, Path(Place.BODY), digest(control), None)
    else:
        yield from _COMPARERS[shape](control, candidate, by)


def _in_json(control: bytes, candidate: bytes, by: Arrangement) -> Iterator[Finding]:
    if control != candidate and spelling.is_one_document(control, candidate):
        yield Difference(Kind.VALUE, Path(Place.BODY, ("spelling",)), _size(control), _size(candidate))
    else:
        yield from _in_trees(control, candidate, by)


def _in_trees(control: bytes, candidate: bytes, by: Arrangement) -> Iterator[Finding]:
    ours, theirs = _read(control), _read(candidate)
    if isinstance(ours, TooDeep) or isinstance(theirs, TooDeep):
        yield Obstacle(Reason.TOO_DEEP, detail=f"nested deeper than {lossless.MAX_DEPTH}")
    elif isinstance(ours, NotJson) and isinstance(theirs, NotJson):
        yield _first_line(control, candidate, Kind.INVALID_JSON)
    elif isinstance(ours, NotJson) or isinstance(theirs, NotJson):
        yield Difference(Kind.INVALID_JSON, Path(Place.BODY), _validity(ours), _validity(theirs))
    else:
        if ours != theirs:
            yield from structure.differences(ours, theirs, by=by)
        elif control != candidate:
            yield Difference(Kind.VALUE, Path(Place.BODY, ("spelling",)), _size(control), _size(candidate))
        if lossless.may_hold_not_numbers(control):
            yield from _not_numbers_on_both(ours, theirs)


def _not_numbers_on_both(control: Json, candidate: Json) -> Iterator[Finding]:
    theirs = dict(structure.not_numbers(candidate))
    for steps, token in structure.not_numbers(control):
        if theirs.get(steps) == token:
            yield Difference(Kind.INVALID_JSON, structure.path_of(steps), token.decode(), token.decode())


def _read(body: bytes) -> Json | NotJson | TooDeep:
    try:
        return lossless.parse(body)
    except (NotJson, TooDeep) as error:
        return error


def _validity(read: object) -> str:
    return f"not JSON: {read}" if isinstance(read, NotJson) else "JSON"


def _in_unlabelled(control: bytes, candidate: bytes, by: Arrangement) -> Iterator[Finding]:
    """Compare bodies without a Content-Type: as JSON when both can be read so (RFC 9110 8.3)."""
    is_json = not any(isinstance(_read(body), NotJson) for body in (control, candidate))
    yield from (_in_json if is_json else _in_lines)(control, candidate, by)


def _in_lines(control: bytes, candidate: bytes, by: Arrangement) -> Iterator[Finding]:
    yield _first_line(control, candidate, Kind.VALUE)


def _first_line(control: bytes, candidate: bytes, kind: Kind) -> Difference:
    lines = zip_longest(control.split(b"\n"), candidate.split(b"\n"))
    number, (one, other) = next((n, pair) for n, pair in enumerate(lines, 1) if pair[0] != pair[1])
    return Difference(kind, Path(Place.BODY, ("line", number)), _line(one), _line(other))


def _line(line: bytes | None) -> str | None:
    return None if line is None else line.decode("utf-8", "backslashreplace")


def _in_html(control: bytes, candidate: bytes, by: Arrangement) -> Iterator[Finding]:
    try:
        ours, theirs = dom.parse(control), dom.parse(candidate)
    except dom.TooDeep:
        yield Obstacle(Reason.TOO_DEEP, detail=f"nested deeper than {dom.MAX_DEPTH}")
        return
    if ours == theirs:
        yield Difference(Kind.VALUE, Path(Place.BODY, ("markup",)), digest(control), digest(candidate))
    yield from html.differences(ours, theirs)


def _in_bytes(control: bytes, candidate: bytes, by: Arrangement) -> Iterator[Finding]:
    yield Difference(Kind.VALUE, Path(Place.BODY), digest(control), digest(candidate))


_COMPARERS = {
    Shape.NONE: _in_unlabelled,
    Shape.JSON: _in_json,
    Shape.HTML: _in_html,
    Shape.TEXT: _in_lines,
    Shape.BINARY: _in_bytes,
}
