"""Say whether the candidate's copy had a write already when it rehearsed it. Pure.

The control tells where its own entries begin in its log of changes, the candidate up to where its copy had
followed that log, each as its engine counts: numbers by table, or a transaction and a snapshot.
"""

import json

from strangler.compare.lossless import Json, Number


def already_copied(own: Json, copied: str | None) -> bool:
    """Return whether any entry of the write's own had been followed. False where a side did not tell."""
    if copied is None:
        return False
    if isinstance(own, dict):
        return _is_numbered(own, copied)
    return isinstance(own, Number) and own.isdigit() and _is_visible(int(own), copied)


def _is_numbered(own: dict[str, Json], copied: str) -> bool:
    try:
        followed = json.loads(copied)
    except ValueError:
        return False
    if not isinstance(followed, dict):
        return False
    return any(
        isinstance(first, Number)
        and first.isdigit()
        and isinstance(followed.get(table), int)
        and followed[table] >= int(first)
        for table, first in own.items()
    )


def _is_visible(transaction: int, snapshot: str) -> bool:
    """Say whether a PostgreSQL snapshot (`xmin:xmax:xip,xip`) sees a transaction."""
    parts = snapshot.split(":")
    if len(parts) != 3 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        return False
    running = {each for each in parts[2].split(",") if each}
    if transaction < int(parts[0]):
        return True
    return transaction < int(parts[1]) and str(transaction) not in running
