"""Lay an answer out in lines, each with the path that a difference in it would have, secrets masked. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from proxy.pairs import Failure, Headers, Response
from strangler.compare import coding, dom, headers, html, lossless, masking, media
from strangler.compare.bodies import digest
from strangler.compare.effects import NOTHING, Absent, read_effects
from strangler.compare.lossless import Json
from strangler.compare.media import Shape
from strangler.compare.path import Path, Place, Steps
from strangler.compare.structure import path_of

MAX_LINES = 2000
_INDENT = "  "


@dataclass(frozen=True)
class Line:
    """One line of a laid-out answer."""

    path: str
    text: str


def of_answer(answer: Response | Failure) -> list[Line]:
    """Return status, header fields and body in lines; at most MAX_LINES of them."""
    if isinstance(answer, Failure):
        return [Line(str(Path(Place.STATUS)), f"no answer: {answer.error}")]
    start = [Line(str(Path(Place.STATUS)), f"HTTP {answer.status}"), *_headers(answer.headers)]
    lines = [*start, *_body(headers.fields(answer.headers), answer.body)]
    if answer.truncated:
        lines.append(Line(str(Path(Place.BODY)), "… captured up to here"))
    return [*lines, *islice(_written(answer), MAX_LINES)]


def _written(answer: Response) -> Iterator[Line]:
    """Yield what a rehearsed write did, table by table, each row at the place that a difference names."""
    told = read_effects(answer.headers)
    if isinstance(told, Absent):
        if told is not NOTHING:
            yield Line(str(Path(Place.ROWS)), f"rows: {told.reason.value} {told.detail}".rstrip())
        return
    places: Counter[str] = Counter()
    for row in told.rows:
        at = Path(Place.ROWS, (row.table, places[row.table]))
        places[row.table] += 1
        key = lossless.text(masking.tree(row.key))
        yield Line(str(at), f"{row.op} {row.table} {key}")
        for name, value in sorted((row.row or {}).items()):
            shown = masking.tree({name: value})
            assert isinstance(shown, dict)
            path = Path(at.place, (*at.steps, *path_of((name,)).steps))
            yield Line(str(path), f"{_INDENT}{name}: {lossless.text(shown[name])}")
    for name, values in told.sent.items():
        for number, value in enumerate(values):
            where = Path(Place(name), (number,))
            yield Line(str(where), f"{name}: {lossless.text(masking.tree(value))}")


def of_body(content_type: str, body: bytes) -> list[Line]:
    """Return a body without coding in lines."""
    return list(_body({"content-type": content_type}, body))


def _headers(fields: Headers) -> Iterator[Line]:
    for raw_name, raw_value in sorted(fields, key=lambda field: field[0].lower()):
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if name.lower() == headers.EFFECTS:
            continue
        place, step = (Place.HEADER, name.lower())
        if step == "set-cookie":
            place, step = Place.COOKIE, value.partition("=")[0].strip()
        yield Line(str(Path(place, (step,))), f"{name}: {masking.header(name, value)}")


def _body(fields: headers.Fields, body: bytes) -> Iterator[Line]:
    if not body:
        return
    try:
        decoded = coding.decode(body, fields.get("content-encoding", ""))
    except (coding.BadCoding, coding.TooLarge) as error:
        yield Line(str(Path(Place.BODY)), f"({digest(body)}; {error})")
        return
    lines = _laid_out(decoded, media.parse(fields.get("content-type", "")))
    yield from islice(lines, MAX_LINES)
    if next(lines, None) is not None:
        yield Line(str(Path(Place.BODY)), f"… more than {MAX_LINES} lines")


def _laid_out(body: bytes, media_type: media.MediaType) -> Iterator[Line]:
    if media_type.shape in (Shape.JSON, Shape.NONE):
        try:
            return _json((), "", masking.tree(lossless.parse(body)), "")
        except (lossless.NotJson, lossless.TooDeep):
            pass
    if media_type.shape is Shape.HTML:
        try:
            return _html(dom.parse(body))
        except dom.TooDeep:
            pass
    try:
        written = body.decode()
    except UnicodeDecodeError:
        return iter([Line(str(Path(Place.BODY)), f"({digest(body)})")])
    is_form = media_type.essence == "application/x-www-form-urlencoded"
    return _text(masking.form(written) if is_form else masking.text(written))


def _text(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):
        yield Line(str(Path(Place.BODY, ("line", number))), line)


def _html(document: dom.Element) -> Iterator[Line]:
    for steps, depth, written in html.laid_out(document):
        yield Line(str(Path(Place.HTML, steps)), f"{_INDENT * depth}{masking.text(written)}")


def _json(steps: Steps, label: str, tree: Json, comma: str) -> Iterator[Line]:
    """Yield a tree with one scalar a line, keys sorted, so that both sides line up."""
    indent = _INDENT * len(steps)
    members = lossless.children(tree)
    if not members:
        yield Line(str(path_of(steps)), f"{indent}{label}{lossless.text(tree)}{comma}")
        return
    is_list = isinstance(tree, list)
    yield Line(str(path_of(steps)), f"{indent}{label}{'[' if is_list else '{'}")
    if isinstance(tree, dict):
        members.sort(key=lambda member: str(member[0]))
    for position, (step, child) in enumerate(members, 1):
        name = "" if isinstance(step, int) else f"{lossless.text(step)}: "
        yield from _json((*steps, step), name, child, "," if position < len(members) else "")
    yield Line(str(path_of(steps)), f"{indent}{']' if is_list else '}'}{comma}")
