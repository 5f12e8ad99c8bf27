"""Tell every proxy worker what a takeover does to a group: hold its writes, let them go, how far its copy is.

Nothing hangs on a worker having heard: the fence in the database refuses what a hold would have parked.
"""

import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from strangler.machines import NO_MACHINES, Machines
from strangler.workers import Replies, ask_all

LOOK_AGAIN_SECONDS = 0.01


class GroupTold(msgspec.Struct, frozen=True):
    """A worker's answer: the version it serves, and how many of the group's writes wait there, went, or
    are rehearsed there.
    """

    pid: int
    version: str
    writes: int


def hold_writes(
    control: Path, group: str, seconds: float, patience: float = 2.0, machines: Machines = NO_MACHINES
) -> Replies[GroupTold]:
    """Park a group's writes for so many seconds at most (60), on other `machines` too; again: anew."""
    question = {"verb": "hold", "group": group, "seconds": seconds}
    _tell(machines, question, patience)
    return ask_all(control, question, GroupTold, patience)


def quiet_rehearsals(
    control: Path, group: str, seconds: float, patience: float = 2.0, machines: Machines = NO_MACHINES
) -> None:
    """Have none of a group's writes rehearsed for so long; return once those under way here have ended.

    Or once `patience` has passed: a rehearsal ends by itself, and only takes time.
    """
    question = {"verb": "quiet", "group": group, "seconds": seconds}
    _tell(machines, question, patience)
    deadline = time.monotonic() + patience
    while any(each.writes for each in ask_all(control, question, GroupTold, patience).answers):
        if time.monotonic() > deadline:
            return
        time.sleep(LOOK_AGAIN_SECONDS)


def release_writes(
    control: Path, group: str, patience: float = 2.0, machines: Machines = NO_MACHINES
) -> Replies[GroupTold]:
    """Let a group's writes go where the table in force says, on other `machines` too. Safe to repeat."""
    question = {"verb": "release", "group": group}
    _tell(machines, question, patience)
    return ask_all(control, question, GroupTold, patience)


def tell_synced(
    control: Path, group: str, until: float, changed: float = 0.0, patience: float = 2.0
) -> Replies[GroupTold]:
    """Say that a group's copy has what was committed before `until`: readers pinned before are free.

    `changed` is when the copy last changed, 0 where nobody saw it; what is compared may hang on it.

    `until` must be taken from this machine's clock before the snapshot that was copied. Other machines have
    other clocks: there a pin ends with its seconds.
    """
    question = {"verb": "synced", "group": group, "until": until, "changed": changed}
    return ask_all(control, question, GroupTold, patience)


def _tell(machines: Machines, question: Mapping[str, object], patience: float) -> None:
    if machines.all:
        from strangler.asking import ask_machines  # loads an HTTP client, and one machine needs none

        ask_machines(machines, question, GroupTold, patience)
