"""Find where two JSON trees differ. Pure, in one walk.

What may be forgiven is decided elsewhere; only how lists and keys line up is a matter of the arrangement.
"""

from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

from strangler.compare import pairing
from strangler.compare.lossless import NOT_NUMBERS, Json, Number, Repeated, children, is_unicode, text
from strangler.compare.pairing import Pairing
from strangler.compare.path import Path, Place, Steps, generalised
from strangler.compare.scalars import kind_of
from strangler.compare.terms import STRICT, Arrangement, ListRule, RenameRule
from strangler.compare.verdict import Difference, Forgiven, Kind, Obstacle, Reason, Weight

MAX_DIGITS = 4300  # CPython's own limit for text to int; a longer number is an attack or an accident

Finding: TypeAlias = Difference | Forgiven | Obstacle
Object: TypeAlias = dict[str, Json]


def differences(
    control: Json, candidate: Json, steps: Steps = (), by: Arrangement = STRICT
) -> Iterator[Finding]:
    """Yield every difference in the control's order, and an obstacle for a number too long."""
    if isinstance(control, dict) and isinstance(candidate, dict):
        yield from _in_objects(control, candidate, steps, by)
    elif isinstance(control, list) and isinstance(candidate, list):
        if control != candidate:
            yield from _in_lists(control, candidate, steps, by)
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


def _in_objects(control: Object, candidate: Object, steps: Steps, by: Arrangement) -> Iterator[Finding]:
    renamed: set[str] = set()
    for key, value in control.items():
        if key in candidate:
            yield from differences(value, candidate[key], (*steps, key), by)
        elif rename := _rename(key, control, candidate, steps, by):
            renamed.add(rename.to)
            names = Difference(Kind.MISSING, path_of((*steps, key)), text(key), text(rename.to))
            yield Forgiven(rename.name, Weight.EXPECTED, names)
            yield from differences(value, candidate[rename.to], (*steps, key), by)
        else:
            kind = Kind.NULL_VS_MISSING if value is None else Kind.MISSING
            yield Difference(kind, path_of((*steps, key)), text(value), None)
    for key, value in candidate.items():
        if key not in control and key not in renamed:
            kind = Kind.NULL_VS_MISSING if value is None else Kind.EXTRA
            yield Difference(kind, path_of((*steps, key)), None, text(value))


def _rename(key: str, control: Object, candidate: Object, steps: Steps, by: Arrangement) -> RenameRule | None:
    if not by.renames:
        return None
    rename = by.renames.get(generalised((*steps, key)))
    return rename if rename and rename.to in candidate and rename.to not in control else None


def _in_lists(control: list[Json], candidate: list[Json], steps: Steps, by: Arrangement) -> Iterator[Finding]:
    if by.lists and (rule := by.lists.get(generalised(steps))):
        yield from _in_unordered(control, candidate, steps, by, rule)
    elif len(control) != len(candidate):
        yield from _in_lengths(control, candidate, steps, by)
    elif _is_reordered(control, candidate):
        yield Difference(Kind.ORDER, path_of(steps), text(control), text(candidate))
    else:
        for index, (one, other) in enumerate(zip(control, candidate, strict=True)):
            yield from differences(one, other, (*steps, index), by)


def _in_unordered(
    control: list[Json], candidate: list[Json], steps: Steps, by: Arrangement, rule: ListRule
) -> Iterator[Finding]:
    alike = partial(_are_alike, steps=steps, by=by)
    paired = pairing.in_place(control, candidate, alike)
    keyed = pairing.by_key(control, candidate, rule.key) if rule.key else None
    paired = paired or keyed or pairing.as_multisets(control, candidate, alike)
    if rule.key and keyed is None:
        why = f"{rule.key!r} is missing or repeats: compared as a multiset"
        yield _note(rule, Difference(Kind.ORDER, path_of(steps), why, why))
    elif any(here != there for here, there in paired.pairs):
        yield _note(rule, Difference(Kind.ORDER, path_of(steps), text(control), text(candidate)))
    yield from _in_pairs(control, candidate, steps, by, paired)


def _note(rule: ListRule, difference: Difference) -> Forgiven:
    return Forgiven(rule.name, Weight.NOTE, difference)


def _are_alike(one: Json, other: Json, steps: Steps, by: Arrangement) -> bool:
    for finding in differences(one, other, (*steps, 0), by):
        if isinstance(finding, Obstacle) or (isinstance(finding, Difference) and not by.forgives(finding)):
            return False
    return True


def _in_lengths(
    control: list[Json], candidate: list[Json], steps: Steps, by: Arrangement
) -> Iterator[Finding]:
    """Name the rows one side lacks instead of comparing each row with its wrong neighbour."""
    paired = pairing.as_multisets(control, candidate, partial(_are_alike, steps=steps, by=by))
    yield from _in_pairs(control, candidate, steps, by, paired)


def _in_pairs(
    control: list[Json], candidate: list[Json], steps: Steps, by: Arrangement, paired: Pairing
) -> Iterator[Finding]:
    if len(control) != len(candidate):
        yield Difference(Kind.LENGTH, path_of(steps), str(len(control)), str(len(candidate)))
    for here, there in sorted(paired.pairs):
        yield from differences(control[here], candidate[there], (*steps, here), by)
    if not paired.by_key and len(paired.only_control) == len(paired.only_candidate) == 1:
        here, there = paired.only_control[0], paired.only_candidate[0]
        yield from differences(control[here], candidate[there], (*steps, here), by)
        return
    for here in sorted(paired.only_control):
        yield Difference(Kind.MISSING, path_of((*steps, here)), text(control[here]), None)
    for there in sorted(paired.only_candidate):
        yield Difference(Kind.EXTRA, path_of((*steps, there)), None, text(candidate[there]))


def _is_reordered(control: list[Json], candidate: list[Json]) -> bool:
    moved = next(one for one, other in zip(control, candidate, strict=True) if one != other)
    return moved in candidate and sorted(map(text, control)) == sorted(map(text, candidate))


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
