"""Name the place of a difference inside an answer. Pure."""

import enum
import json
import re
from dataclasses import dataclass

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


class Place(enum.StrEnum):
    """The part of an answer."""

    STATUS = "status"
    HEADER = "header"
    COOKIE = "cookie"
    JSON = "json"
    BODY = "body"


@dataclass(frozen=True)
class Path:
    """Where in an answer: `status`, `header.vary`, `cookie.sessionid.httponly`, `$.results[3].price`."""

    place: Place
    steps: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        start = "$" if self.place is Place.JSON else self.place.value
        return start + "".join(_step(step) for step in self.steps)

    @property
    def pattern(self) -> str:
        """The path with each index and each all-digit key as `*`: the rows of one list fall together."""
        return str(Path(self.place, tuple("*" if _counts(step) else step for step in self.steps))).replace(
            '["*"]', "[*]"
        )

    @property
    def name(self) -> str:
        """The last key on the way, or nothing when there is none."""
        return next((step for step in reversed(self.steps) if isinstance(step, str)), "")


def _counts(step: str | int) -> bool:
    return isinstance(step, int) or step.isdecimal()


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if _PLAIN_KEY.match(step):
        return f".{step}"
    return f"[{json.dumps(step, ensure_ascii=False)}]"
