"""Tell every proxy worker what a takeover does to a group: hold its writes, let them go, how far its copy is.

Nothing hangs on a worker having heard: the fence in the database refuses what a hold would have parked.
"""

from pathlib import Path

import msgspec

from strangler.workers import Replies, ask_all


class GroupTold(msgspec.Struct, frozen=True):
    """A worker's answer: the version it serves, and how many of the group's writes wait there, or went."""

    pid: int
    version: str
    writes: int


def hold_writes(control: Path, group: str, seconds: float, patience: float = 2.0) -> Replies[GroupTold]:
    """Park a group's writes for so many seconds at most (60); again: from now on anew."""
    return ask_all(control, {"verb": "hold", "group": group, "seconds": seconds}, GroupTold, patience)


def release_writes(control: Path, group: str, patience: float = 2.0) -> Replies[GroupTold]:
    """Let a group's writes go where the table in force says. Safe to repeat."""
    return ask_all(control, {"verb": "release", "group": group}, GroupTold, patience)


def tell_synced(control: Path, group: str, until: float, patience: float = 2.0) -> Replies[GroupTold]:
    """Say that a group's copy has what was committed before a Unix second: readers pinned before are free.

    `until` must be taken from this machine's clock before the snapshot that was copied.
    """
    return ask_all(control, {"verb": "synced", "group": group, "until": until}, GroupTold, patience)
