"""Decide what a conditional GET gets, as Django's ConditionalGetMiddleware does. Pure.

Source: RFC 9110 13.2.2; django/utils/cache.py. Answers of a service carry no Last-Modified.
"""

import hashlib
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import Enum

ETAG = re.compile(r'\A((?:W/)?"[^"]*")\Z')


class Outcome(Enum):
    """What is sent in place of the answer."""

    ANSWER = "the answer"
    NOT_MODIFIED = "304"
    PRECONDITION_FAILED = "412"


def etag_of(body: bytes) -> str | None:
    """Return the strong tag of a body, None where there is no body."""
    if not body:
        return None
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def evaluate(headers: Mapping[str, str], etag: str | None) -> Outcome:
    """Evaluate a GET's preconditions against the tag of a successful answer."""
    if etag is None:
        return Outcome.ANSWER
    wanted = _tags(headers.get("If-Match", ""))
    if wanted and wanted != ["*"] and etag not in wanted:
        return Outcome.PRECONDITION_FAILED
    # Without a Last-Modified nothing is ever known to be older than the client's date.
    if not wanted and _is_date(headers.get("If-Unmodified-Since", "")):
        return Outcome.PRECONDITION_FAILED
    known = _tags(headers.get("If-None-Match", ""))
    if known == ["*"] or etag in {tag.removeprefix("W/") for tag in known}:
        return Outcome.NOT_MODIFIED
    return Outcome.ANSWER


def _tags(header: str) -> list[str]:
    if header.strip() == "*":
        return ["*"]
    return [tag for part in header.split(",") if ETAG.match(tag := part.strip())]


def _is_date(header: str) -> bool:
    try:
        parsedate_to_datetime(header)
    except ValueError:
        return False
    return True
