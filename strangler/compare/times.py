"""Tell whether two texts are one moment in different spellings. Pure; never forgives a moment of its own."""

import enum
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6}))?(Z|[+-]\d\d:\d\d)\Z", re.ASCII
)  # RFC 3339; more than six digits of a second are left alone: nothing here could hold them
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_HTTP_DATE = re.compile(
    r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\Z", re.ASCII
)  # RFC 9110 5.6.7


class Relation(enum.Enum):
    """How two texts that both name a time stand to each other."""

    SAME_MOMENT = enum.auto()
    PRECISION_LOST = enum.auto()
    OTHER = enum.auto()


@dataclass(frozen=True)
class _Moment:
    at: datetime
    digits: int  # of a second's fraction
    whole_day: bool = False


def relation(control: str, candidate: str) -> Relation:
    """Compare two texts as times. OTHER when they name different moments or when one names none."""
    first, second = _moment(control), _moment(candidate)
    if first is None or second is None or (first.whole_day and second.whole_day):
        return Relation.OTHER
    if _is_day_written_as_time(first, second, candidate) or _is_day_written_as_time(second, first, control):
        return Relation.SAME_MOMENT
    if first.whole_day or second.whole_day:
        return Relation.OTHER
    if first.at == second.at:
        return Relation.SAME_MOMENT
    digits = min(first.digits, second.digits)
    cut = _cut(first.at, digits) == _cut(second.at, digits) and first.digits != second.digits
    return Relation.PRECISION_LOST if cut else Relation.OTHER


def is_moment(written: str) -> bool:
    """Say whether a text names a moment, and not a whole day."""
    moment = _moment(written)
    return moment is not None and not moment.whole_day


def unix_seconds(written: str) -> float | None:
    """Return a moment's Unix seconds; None where a text names none."""
    moment = _moment(written)
    return moment.at.timestamp() if moment is not None and not moment.whole_day else None


def are_as_exact(one: str, other: str) -> bool:
    """Say whether two moments were told with the same precision: neither is cut to what the other is not."""
    first, second = _moment(one), _moment(other)
    if first is None or second is None:
        return False
    return first.digits == second.digits and (first.at.microsecond == 0) == (second.at.microsecond == 0)


def seconds_apart(control: str, candidate: str) -> float | None:
    """Return how far apart two moments are; None when a text names no moment."""
    first, second = _moment(control), _moment(candidate)
    if first is None or second is None or first.whole_day or second.whole_day:
        return None
    return abs((first.at - second.at).total_seconds())


def _is_day_written_as_time(day: _Moment, time: _Moment, written: str) -> bool:
    # Flask's JSON provider writes a date as an HTTP-date at midnight.
    return day.whole_day and not time.whole_day and day.at == time.at and written.endswith("GMT")


def _cut(at: datetime, digits: int) -> datetime:
    unit: int = 10 ** (6 - digits)
    return at.replace(microsecond=at.microsecond // unit * unit)


def _moment(written: str) -> _Moment | None:
    try:
        return _iso(written) or _day(written) or _http_date(written)
    except ValueError:
        return None


def _iso(written: str) -> _Moment | None:
    match = _ISO.match(written)
    if not match:
        return None
    fraction = match[3] or ""
    zone = "+00:00" if match[4] == "Z" else match[4]
    at = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")
    return _Moment(at.replace(microsecond=int(fraction.ljust(6, "0"))), len(fraction))


def _day(written: str) -> _Moment | None:
    if not _DATE.match(written):
        return None
    day = date.fromisoformat(written)
    return _Moment(datetime(day.year, day.month, day.day, tzinfo=UTC), 0, whole_day=True)


def _http_date(written: str) -> _Moment | None:
    return _Moment(parsedate_to_datetime(written), 0) if _HTTP_DATE.match(written) else None
