"""Tell what varies in a path from what names a thing: ids become `{id}`. Pure.

What stands for a person or a secret is long or has digits, and is never kept.
"""

import re
from functools import lru_cache

MAX_SEGMENTS = 8
MAX_BYTES = 512  # of a path; what comes after them is not looked at
_MAX_WORD = 40  # a longer segment is an id, a title or a token
# a number; hexadecimal of 8 digits and more (UUIDs too); letters mixed with digits, as tokens and codes are;
# but not `v2` or `2024-report.css`, which name things
_ID = re.compile(
    rb"[0-9]+|[0-9A-Fa-f]{8,}(?:-[0-9A-Fa-f]+)*|(?=[^.]*[0-9])(?=[^.]*[A-Za-z])[A-Za-z0-9_=~-]{12,}"
).fullmatch
_UNSAFE = re.compile(rb"[^!-~]|%|@")  # an escape or an address is somebody's data


def template_of(path: bytes) -> str:
    """Return a canonical path with its ids as `{id}`, and past MAX_SEGMENTS segments `{rest...}`."""
    return _template_of(path[:MAX_BYTES])


@lru_cache(maxsize=4096)
def _template_of(path: bytes) -> str:
    first, *segments = path.split(b"/")
    shown = [_shown(segment) for segment in segments[:MAX_SEGMENTS]]
    rest = ["{rest...}"] if len(segments) > MAX_SEGMENTS else []
    return "/".join([first.decode("latin-1"), *shown, *rest])


def _shown(segment: bytes) -> str:
    if len(segment) > _MAX_WORD or _ID(segment) or _UNSAFE.search(segment):
        return "{id}"
    return segment.decode("ascii")
