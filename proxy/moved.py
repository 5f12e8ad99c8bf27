"""Understand an origin that refuses a write because another database owns the tables now. Pure.

The header is `X-Strangler-Moved: GROUP; epoch=N; effect=none|unknown`. Only where nothing was kept of the
request may it be sent again, to the new owner.
"""

import re
from dataclasses import dataclass

_MOVED = re.compile(rb"([a-z0-9][a-z0-9._-]{0,63}); epoch=([0-9]{1,12}); effect=(none|unknown)").fullmatch


@dataclass(frozen=True, slots=True)
class Moved:
    """Which group moved, at which change of its owner, and whether the request had no effect."""

    group: str
    epoch: int
    without_effect: bool


def read_moved(value: bytes) -> Moved | None:
    """Return what a header's value says, None where it is not one of these."""
    found = _MOVED(value)
    return found and Moved(found[1].decode(), int(found[2]), found[3] == b"none")
