"""One small file of numbers, mapped into every worker of this machine: what one puts there, all see at once.

A key has a slot by its hash. Two keys in one slot share its number, so whoever builds on this must be sound
where a number is somebody else's.
"""

import hashlib
import mmap
import os
from pathlib import Path

SLOTS = 4096
_SLOT_BYTES = 8


class SharedSlots:
    """The slots, shared by all who open the same file. A number is of 64 bits, 0 at first."""

    def __init__(self, file: Path) -> None:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(
                descriptor, 0, SLOTS * _SLOT_BYTES
            )  # a hole could not be filled on a full disk
            self._map = mmap.mmap(descriptor, SLOTS * _SLOT_BYTES)
        finally:
            os.close(descriptor)
        self._slots = memoryview(self._map).cast("Q")  # an aligned word is written whole

    def get(self, key: bytes) -> int:
        """Return the number in a key's slot."""
        return self._slots[_slot(key)]

    def put(self, key: bytes, number: int) -> None:
        """Put a number into a key's slot."""
        self._slots[_slot(key)] = number

    def close(self) -> None:
        self._slots.release()
        self._map.close()


def _slot(key: bytes) -> int:
    return int.from_bytes(hashlib.sha256(key).digest()[:4], "big") % SLOTS
