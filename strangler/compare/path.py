"""Name the place of a difference inside an answer. Pure."""

import enum
import json
import re
from dataclasses import dataclass
from functools import lru_cache

WILD = "*"  # in a pattern: any index, any all-digit key

_PLAIN_KEY = re.compile(r"[@#]?[A-Za-z_][A-Za-z0-9_-]*\Z")
_STEP = re.compile(r"""\.([@#]?[A-Za-z_][A-Za-z0-9_-]*)|\[(\*)\]|\[("(?:[^"\\]|\\.)*")\]""")
_START = re.compile(r"\$|[a-z]+")


class Place(enum.StrEnum):
    """The part of an answer."""

    STATUS = "status"
    HEADER = "header"
    COOKIE = "cookie"
    JSON = "json"
    HTML = "html"
    BODY = "body"
    ROWS = "rows"
    EVENTS = "events"
    CALLS = "calls"
    MAILS = "mails"


TREES = frozenset({Place.JSON, Place.ROWS, Place.EVENTS, Place.CALLS, Place.MAILS})  # of keys and indices

Steps = tuple[str | int, ...]


class BadPattern(ValueError):
    """The text is no pattern of paths; the message says where it breaks off."""


@dataclass(frozen=True)
class Path:
    """Where in an answer: `status`, `header.vary`, `cookie.sessionid.httponly`, `$.results[3].price`.

    Or in what a rehearsed write did: `rows.catalog_product[0].price`, `events[0].payload.id`.
    """

    place: Place
    steps: Steps = ()

    def __str__(self) -> str:
        return _start(self.place) + "".join(map(_step, self.steps))

    @property
    def pattern(self) -> str:
        """The path with each index and each all-digit key as `*`: the rows of one list fall together."""
        return _pattern(self.place, self.steps)

    @property
    def name(self) -> str:
        """The last key on the way, or nothing when there is none."""
        return next((step for step in reversed(self.steps) if isinstance(step, str)), "")


@dataclass(frozen=True)
class Pattern:
    """Paths that differ in nothing but the row: `$.results[*].price`, `header.vary`."""

    place: Place
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return _start(self.place) + "".join("[*]" if step == WILD else _step(step) for step in self.steps)

    def matches(self, path: Path) -> bool:
        """Say whether a path is one of these."""
        return self.place is path.place and self.steps == generalised(path.steps)


@lru_cache(maxsize=4096)
def _pattern(place: Place, steps: Steps) -> str:
    return str(Pattern(place, generalised(steps)))


def generalised(steps: Steps) -> tuple[str, ...]:
    """Return the steps with each index and each all-digit key as `*`."""
    return tuple(WILD if isinstance(step, int) or step.isdecimal() else step for step in steps)


def parse_pattern(text: str) -> Pattern:
    """Return the pattern that `text` spells, as reports print it. Raises BadPattern."""
    start = _START.match(text)
    name = start[0] if start else ""
    if name != "$" and name not in set(Place) - {Place.JSON}:
        raise BadPattern("it begins with none of $, rows, header, cookie, html, body, status")
    place = Place.JSON if name == "$" else Place(name)
    steps: list[str] = []
    at = len(name)
    while at < len(text):
        step = _STEP.match(text, at)
        if not step:
            raise BadPattern(f'{text[at:]!r} is no step; .key, [*] and ["any key"] are')
        steps.append(step[1] or step[2] or json.loads(step[3]))
        at = step.end()
    return Pattern(place, generalised(tuple(steps)))


def _start(place: Place) -> str:
    return "$" if place is Place.JSON else place.value


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _PLAIN_KEY.match(step):
        return f".{step}"
    return f"[{json.dumps(step, ensure_ascii=False)}]"
