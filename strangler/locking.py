"""Hold a file's lock while one thing is done, and say who holds it otherwise. It ends with its process."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LockHeld(Exception):
    """Another process holds the lock; `holder` is what it wrote of itself."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextmanager
def exclusive(lock: Path, who: str) -> Iterator[None]:
    """Hold the lock, made if it is not there. Raises LockHeld at once, or OSError."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise LockHeld(handle.read() or "someone") from None
        handle.truncate(0)
        handle.write(f"{who} (pid {os.getpid()})")
        handle.flush()
        yield
