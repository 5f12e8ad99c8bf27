"""Put one kept comparison side by side, secrets masked. Pure but for `find`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import SequenceMatcher, get_close_matches
from itertools import zip_longest
from pathlib import Path as File

from proxy.pairs import Pair
from strangler.compare import lines, masking, rerun
from strangler.compare.lines import Line
from strangler.compare.reading import Reader
from strangler.compare.store import Kept
from strangler.compare.verdict import Comparison, Difference, Kind
from strangler.errors import UnknownComparison

NEAR = 5
CONTEXT = 3  # lines alike that are shown around each difference


@dataclass(frozen=True)
class Row:
    """A line of each side; `mark` is `≠` for a difference, `~` for a forgiven one, or empty."""

    mark: str
    control: str
    candidate: str


@dataclass(frozen=True)
class Sheet:
    """Everything that `show` says about one comparison."""

    id: int
    request_id: str
    at: str
    route: str
    stage: str
    version: str
    control: str
    candidate: str
    request: tuple[str, ...]
    comparison: Comparison
    rows: tuple[Row, ...]
    rerun: tuple[str, ...]


def find(path: File, wanted: str) -> Kept:
    """Return a kept comparison by number or request id. Raises NoStore, ForeignStore or UnknownComparison."""
    with Reader(path) as reader:
        kept = reader.find(wanted)
        if kept is not None:
            return kept
        newest = reader.newest(1000)
    near = get_close_matches(wanted, newest, NEAR, 0.5) or list(newest[:NEAR])
    kept_ones = f"some that are: {', '.join(near)}" if near else "none is"
    raise UnknownComparison(
        f"comparison {wanted!r} is not kept; {kept_ones}",
        next=f"strangler compare show {near[0]}" if near else "strangler compare report",
    )


def sheet(kept: Kept, upstreams: Mapping[str, str]) -> Sheet:
    """Return the sheet of a kept comparison. `upstreams` are base URLs by name."""
    pair, comparison = kept.judged.pair, kept.judged.comparison
    return Sheet(
        id=kept.id,
        request_id=pair.id,
        at=datetime.fromtimestamp(pair.at, UTC).isoformat(timespec="milliseconds"),
        route=pair.route,
        stage=pair.stage,
        version=pair.version,
        control=pair.control,
        candidate=pair.candidate,
        request=tuple(_request(pair)),
        comparison=masking.comparison(comparison),
        rows=rows(lines.of_answer(pair.control_answer), lines.of_answer(pair.candidate_answer), comparison),
        rerun=_rehearse_again(kept) if pair.rehearsed else rerun.commands(pair, upstreams),
    )


def _rehearse_again(kept: Kept) -> tuple[str, ...]:
    return (
        f"strangler compare rerun {kept.id}        (the service rehearses it; the monolith is not asked)",
    )


def sheets(path: File, numbers: Iterable[int], upstreams: Mapping[str, str]) -> dict[int, Sheet]:
    """Return the sheets of those comparisons that are kept. Raises NoStore or ForeignStore."""
    with Reader(path) as reader:
        kept = (reader.find(str(number)) for number in numbers)
        return {each.id: sheet(each, upstreams) for each in kept if each is not None}


def rows(control: list[Line], candidate: list[Line], comparison: Comparison) -> tuple[Row, ...]:
    """Align two laid-out answers and mark the lines in which they differ."""
    unforgiven = [_reach(difference) for difference in comparison.differences]
    forgiven = [_reach(each.difference) for each in comparison.forgiven]
    matcher = SequenceMatcher(
        None, [_key(line) for line in control], [_key(line) for line in candidate], False
    )
    aligned: list[Row] = []
    for _, start, end, other_start, other_end in matcher.get_opcodes():
        for one, other in zip_longest(control[start:end], candidate[other_start:other_end]):
            sides = [line for line in (one, other) if line]
            mark = "≠" if _touches(sides, unforgiven) else "~" if _touches(sides, forgiven) else ""
            aligned.append(Row(mark, one.text if one else "", other.text if other else ""))
    return tuple(aligned)


def _key(line: Line) -> tuple[str, str]:
    return line.path, line.text


@dataclass(frozen=True)
class _Reach:
    """The lines a difference is in: its own, those below it, and for an attribute the line that has it."""

    path: str
    has_below: bool
    above: str

    def holds(self, path: str) -> bool:
        below = self.has_below and path.startswith((f"{self.path}.", f"{self.path}["))
        return path in (self.path, self.above) or below


def _reach(difference: Difference) -> _Reach:
    path = str(difference.path)
    is_attribute = difference.kind is Kind.COOKIE_ATTRIBUTE or difference.path.name.startswith("@")
    above = str(replace(difference.path, steps=difference.path.steps[:-1])) if is_attribute else path
    return _Reach(path, difference.kind is not Kind.LENGTH, above)


def _touches(sides: list[Line], reaches: list[_Reach]) -> bool:
    return any(reach.holds(line.path) for line in sides for reach in reaches)


def _request(pair: Pair) -> list[str]:
    request = pair.request
    named = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
    content_type = next((value for name, value in named if name.lower() == "content-type"), "")
    return [
        f"{request.method} {masking.target(request.target)}",
        *(f"{name}: {masking.header(name, value)}" for name, value in named),
        *(line.text for line in lines.of_body(content_type, request.body)),
    ]


def near_marks(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the marked rows with some around them, and one row for each stretch left out."""
    marked = [index for index, row in enumerate(rows) if row.mark] or [0]
    shown = sorted(
        {
            near
            for index in marked
            for near in range(index - CONTEXT, index + CONTEXT + 1)
            if 0 <= near < len(rows)
        }
    )
    following = 0
    for index in shown:
        if index > following:
            yield _left_out(index - following)
        yield rows[index]
        following = index + 1
    if following < len(rows):
        yield _left_out(len(rows) - following)


def _left_out(count: int) -> Row:
    text = f"⋯ {count} more {'line' if count == 1 else 'lines'}"
    return Row("", text, text)
