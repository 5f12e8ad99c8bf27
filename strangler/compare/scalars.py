"""Name the sort of difference between two JSON scalars that are not identical. Pure."""

import unicodedata
from decimal import Decimal, InvalidOperation

from strangler.compare import times
from strangler.compare.lossless import NOT_NUMBERS, Json, Number
from strangler.compare.verdict import Kind

_TIME_KINDS = {
    times.Relation.SAME_MOMENT: Kind.TIME_FORMAT,
    times.Relation.PRECISION_LOST: Kind.PRECISION_LOST,
    times.Relation.OTHER: Kind.VALUE,
}


def kind_of(control: Json, candidate: Json) -> Kind:
    """Return the kind for two unequal scalars."""
    if isinstance(control, Number) and isinstance(candidate, Number):
        return _number_kind(control, candidate)
    if isinstance(control, str) and isinstance(candidate, str):
        return _string_kind(control, candidate)
    return Kind.VALUE if type(control) is type(candidate) else Kind.TYPE


def _number_kind(control: Number, candidate: Number) -> Kind:
    if control in NOT_NUMBERS or candidate in NOT_NUMBERS:
        return Kind.INVALID_JSON
    try:
        if Decimal(control.decode()) == Decimal(candidate.decode()):
            return Kind.NUMBER_FORM
    except InvalidOperation:  # an exponent beyond what Decimal holds
        return Kind.VALUE
    # What JavaScript reads is a double: two numbers that it cannot tell apart differ in precision alone.
    return Kind.PRECISION_LOST if float(control) == float(candidate) else Kind.VALUE


def _string_kind(control: str, candidate: str) -> Kind:
    if unicodedata.normalize("NFC", control) == unicodedata.normalize("NFC", candidate):
        return Kind.UNICODE_FORM
    return _TIME_KINDS[times.relation(control, candidate)]
