"""Find where two JSON trees differ. Pure, in one walk; never decides what may be forgiven."""

from collections import Counter
from collections.abc import Iterator

from strangler.compare.lossless import NOT_NUMBERS, Json, Number, Repeated, children, is_unicode, text
from strangler.compare.path import Path, Place
from strangler.compare.scalars import kind_of
from strangler.compare.verdict import Difference, Kind, Obstacle, Reason

MAX_DIGITS = 4300  # CPython's own limit for text to int; a longer number is an attack or an accident

Steps = tuple[str | int, ...]
Finding = Difference | Obstacle


def differences(control: Json, candidate: Json, steps: Steps = ()) -> Iterator[Finding]:
    """Yield every difference in the control's order, and an obstacle for a number too long."""
    if isinstance(control, dict) and isinstance(candidate, dict):
        yield from _in_objects(control, candidate, steps)
    elif isinstance(control, list) and isinstance(candidate, list):
        yield from _in_lists(control, candidate, steps)
    elif isinstance(control, Repeated) or isinstance(candidate, Repeated):
        yield from _in_repeated(control, candidate, steps)
    elif control != candidate:
        yield _in_scalars(control, candidate, steps)


def not_numbers(tree: Json, steps: Steps = ()) -> Iterator[tuple[Steps, Number]]:
    """Yield each NaN and Infinity with the steps that lead to it."""
    if isinstance(tree, Number) and tree in NOT_NUMBERS:
        yield steps, tree
    for step, child in children(tree):
        yield from not_numbers(child, (*steps, step))


def _in_objects(control: dict[str, Json], candidate: dict[str, Json], steps: Steps) -> Iterator[Finding]:
    for key, value in control.items():
        if key in candidate:
            yield from differences(value, candidate[key], (*steps, key))
        else:
            kind = Kind.NULL_VS_MISSING if value is None else Kind.MISSING
            yield Difference(kind, path_of((*steps, key)), text(value), None)
    for key, value in candidate.items():
        if key not in control:
            kind = Kind.NULL_VS_MISSING if value is None else Kind.EXTRA
            yield Difference(kind, path_of((*steps, key)), None, text(value))


def _in_lists(control: list[Json], candidate: list[Json], steps: Steps) -> Iterator[Finding]:
    if control == candidate:
        return
    if len(control) != len(candidate):
        yield from _in_lengths(control, candidate, steps)
    elif _is_reordered(control, candidate):
        yield Difference(Kind.ORDER, path_of(steps), text(control), text(candidate))
    else:
        for index, (one, other) in enumerate(zip(control, candidate, strict=True)):
            yield from differences(one, other, (*steps, index))


def _is_reordered(control: list[Json], candidate: list[Json]) -> bool:
    moved = next(one for one, other in zip(control, candidate, strict=True) if one != other)
    return moved in candidate and Counter(map(text, control)) == Counter(map(text, candidate))


def _in_lengths(control: list[Json], candidate: list[Json], steps: Steps) -> Iterator[Finding]:
    """Name the rows one side lacks instead of comparing each row with its wrong neighbour."""
    yield Difference(Kind.LENGTH, path_of(steps), str(len(control)), str(len(candidate)))
    for index, row in _rows_not_in(control, candidate):
        yield Difference(Kind.MISSING, path_of((*steps, index)), row, None)
    for index, row in _rows_not_in(candidate, control):
        yield Difference(Kind.EXTRA, path_of((*steps, index)), None, row)


def _rows_not_in(rows: list[Json], others: list[Json]) -> Iterator[tuple[int, str]]:
    left = Counter(map(text, others))
    for index, row in enumerate(map(text, rows)):
        if left[row]:
            left[row] -= 1
        else:
            yield index, row


def _in_repeated(control: Json, candidate: Json, steps: Steps) -> Iterator[Finding]:
    # Which of two values a reader takes depends on the reader, so repeated keys are compared as written.
    if text(control) != text(candidate):
        yield Difference(Kind.DUPLICATE_KEY, path_of(steps), text(control), text(candidate))


def _in_scalars(control: Json, candidate: Json, steps: Steps) -> Finding:
    if _is_too_long(control) or _is_too_long(candidate):
        return Obstacle(Reason.NUMBER_TOO_LONG, detail=f"{path_of(steps)} has more than {MAX_DIGITS} digits")
    return Difference(kind_of(control, candidate), path_of(steps), text(control), text(candidate))


def _is_too_long(tree: Json) -> bool:
    return isinstance(tree, Number) and len(tree) > MAX_DIGITS


def path_of(steps: Steps) -> Path:
    """Return the path of the place that these keys and indices lead to."""
    return Path(Place.JSON, tuple(map(_storable, steps)))


def _storable(step: str | int) -> str | int:
    if isinstance(step, int) or is_unicode(step):
        return step
    return step.encode("utf-8", "backslashreplace").decode()
