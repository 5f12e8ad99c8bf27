"""Tell every worker of this machine, at once, that a session is not what it was.

One small file, mapped into every worker: a session has a slot in it by its hash, and whoever sees the
session end puts another number there. What was remembered under an older number is not believed. Two
sessions in one slot cost a question too many, never one too few.
"""

import hashlib
import mmap
import os
import random
from pathlib import Path

SLOTS = 4096
_SLOT_BYTES = 8


class Forgotten:
    """The slots, shared by all who open the same file."""

    def __init__(self, file: Path) -> None:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, SLOTS * _SLOT_BYTES)
            self._map = mmap.mmap(descriptor, SLOTS * _SLOT_BYTES)
        finally:
            os.close(descriptor)
        self._slots = memoryview(self._map).cast("Q")  # an aligned word is written whole
        self._random = random.SystemRandom()

    def mark(self, session: str) -> int:
        """Return the number that stands for a session now."""
        return self._slots[_slot(session)]

    def forget(self, session: str) -> None:
        """Let nobody believe what was remembered of a session before."""
        self._slots[_slot(session)] = self._random.getrandbits(64)

    def close(self) -> None:
        self._slots.release()
        self._map.close()


def _slot(session: str) -> int:
    return int.from_bytes(hashlib.sha256(session.encode()).digest()[:4], "big") % SLOTS
