"""What comparing one request on both sides gave. Five verdicts, never merged; only data.

MATCH           the same answer, perhaps after notes and warnings, which are kept
EXPECTED        differences, each forgiven by a named rule
DIFF            at least one difference that no rule forgives
NOT_COMPARABLE  no difference was seen and not everything could be looked at; never evidence of sameness
INFRA           a side gave no answer at all
"""

import enum
from dataclasses import dataclass

from strangler.compare.path import Path


class Verdict(enum.StrEnum):
    """The five outcomes."""

    MATCH = "MATCH"
    EXPECTED = "EXPECTED"
    DIFF = "DIFF"
    NOT_COMPARABLE = "NOT_COMPARABLE"
    INFRA = "INFRA"


class Kind(enum.StrEnum):
    """What sort of difference; a closed set."""

    STATUS = "status"
    HEADER = "header"
    TYPE = "type"
    VALUE = "value"
    MISSING = "missing"
    EXTRA = "extra"
    ORDER = "order"
    LENGTH = "length"
    NULL_VS_MISSING = "null_vs_missing"
    DUPLICATE_KEY = "duplicate_key"
    NUMBER_FORM = "number_form"
    TIME_FORMAT = "time_format"
    PRECISION_LOST = "precision_lost"
    UNICODE_FORM = "unicode_form"
    INVALID_JSON = "invalid_json"
    ERROR_SHAPE = "error_shape"
    COOKIE_ATTRIBUTE = "cookie_attribute"
    REDIRECT = "redirect"


class Side(enum.StrEnum):
    """The answer returned and the answer tried."""

    CONTROL = "control"
    CANDIDATE = "candidate"


class Reason(enum.StrEnum):
    """Why an answer could not be looked at to the end."""

    TRUNCATED = "truncated"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    NUMBER_TOO_LONG = "number_too_long"
    DECODE_ERROR = "decode_error"
    MALFORMED_FRAMING = "malformed_framing"
    COMPARER_FAULT = "comparer_fault"
    REPLICATION_LAG = "replication_lag"
    NOT_REHEARSED = "not_rehearsed"
    REHEARSAL_BUSY = "rehearsal_busy"
    ALREADY_COPIED = "already_copied"
    COPY_BEHIND = "copy_behind"
    EFFECTS_MISSING = "effects_missing"
    EFFECTS_NOT_CAPTURED = "effects_not_captured"
    EFFECTS_NOT_ATOMIC = "effects_not_atomic"
    EFFECTS_TOO_LARGE = "effects_too_large"
    EFFECTS_FAILED = "effects_failed"
    EFFECTS_UNREADABLE = "effects_unreadable"


class Weight(enum.StrEnum):
    """What a forgiven difference makes of a MATCH: a note or a warning leaves it, an expected one ends it."""

    NOTE = "note"
    WARNING = "warning"
    EXPECTED = "expected"


@dataclass(frozen=True)
class Difference:
    """One place where the answers differ. The two texts are JSON for JSON places; None says: not there."""

    kind: Kind
    path: Path
    control: str | None
    candidate: str | None


@dataclass(frozen=True)
class Forgiven:
    """A difference and the name of the rule that forgave it."""

    rule: str
    weight: Weight
    difference: Difference


@dataclass(frozen=True)
class Obstacle:
    """What stood in the way of looking at one side, or at both when `side` is None."""

    reason: Reason
    side: Side | None = None
    detail: str = ""


@dataclass(frozen=True)
class Outage:
    """A side that gave no answer; `error` is the id of the proxy's ForwardError."""

    side: Side
    error: str


@dataclass(frozen=True)
class Comparison:
    """One verdict with everything it rests on. `forgiven` and `obstacle` are kept whatever the verdict."""

    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    forgiven: tuple[Forgiven, ...] = ()
    obstacle: Obstacle | None = None
    outages: tuple[Outage, ...] = ()

    def forgiven_as(self, weight: Weight) -> tuple[Forgiven, ...]:
        """Return what was forgiven with this weight."""
        return tuple(forgiven for forgiven in self.forgiven if forgiven.weight is weight)
