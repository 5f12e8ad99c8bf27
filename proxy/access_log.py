"""One line of JSON for each request, written off the request path.

A request costs one string here. A few times a second a thread appends what came to the file; where it falls
behind, lines are dropped and counted, and no request ever waits for a disk.
"""

import logging
import os
import select
import stat
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

MAX_WAITING = 32_768  # lines that are not written yet
STDOUT = "-"
# a pipe that nobody reads must neither hold up the start nor the thread: what it does not take is dropped
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE_BYTES = 32 * 1024  # of whole lines at once: the thread lets the loop run between two writes


class AccessLogRefused(ValueError):
    """The access log cannot be written there; the message says what was found and what is wanted."""


def check_place(place: str) -> None:
    """Refuse a place where no access log can be written. Raises AccessLogRefused."""
    try:
        _close(place, _open(place))
    except OSError as error:
        reason = error.strerror
        raise AccessLogRefused(f"--access-log {place}: {reason}; wanted a file to append to, or -") from None


class AccessLog:
    """The lines that wait, and the file they go to (`-` is standard output). Raises OSError at once where
    that cannot be opened.
    """

    def __init__(self, place: str, log: logging.Logger) -> None:
        self._place = place
        self._log = log
        self._waiting: deque[str] = deque()
        self._file = _open(place)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="access-log")
        self._writing: Future[None] | None = None
        self._not_kept = 0
        self._not_written = 0  # counted by the thread

    @property
    def dropped(self) -> int:
        """How many lines were lost since the start."""
        return self._not_kept + self._not_written

    def note(self, line: str) -> None:
        """Keep a line, or drop and count it where too many wait."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(line)
        else:
            self._not_kept += 1

    def flush(self) -> None:
        """Have what waits written, unless the thread is still at it. Returns at once."""
        if self._waiting and (self._writing is None or self._writing.done()):
            self._writing = self._thread.submit(self._write)

    def reopen(self) -> None:
        """Go on in a new file of the same name: the old one was moved away. Returns at once."""
        self._thread.submit(self._reopen)

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._thread.submit(self._write)
        self._thread.shutdown()
        _close(self._place, self._file)

    def _reopen(self) -> None:
        try:
            new = _open(self._place)
        except OSError as error:
            self._log.error("the access log goes on in its old file: %s", error)
            return
        old, self._file = self._file, new
        _close(self._place, old)

    def _write(self) -> None:
        for number, text in self._texts():
            try:
                _write_all(self._file, text)
            except OSError as error:
                self._not_written += number
                self._log.error("%d lines of the access log are lost: %s", number, error)

    def _texts(self) -> Iterator[tuple[int, bytes]]:
        """Yield whole lines, as many as go into one write, with their number."""
        most = _at_once(self._file)
        lines: list[str] = []
        size = 0
        for _ in range(len(self._waiting)):
            line = self._waiting.popleft()  # of ASCII alone
            if lines and size + len(line) > most:
                yield len(lines), "".join(lines).encode()
                lines, size = [], 0
            lines.append(line)
            size += len(line)
        if lines:
            yield len(lines), "".join(lines).encode()


def _open(place: str) -> int:
    if place == STDOUT:
        return 1
    return os.open(place, _FLAGS, 0o640)


def _close(place: str, file: int) -> None:
    if place != STDOUT:
        os.close(file)


def _at_once(file: int) -> int:
    """Return how many bytes one write may have so that lines of several workers never mix."""
    # POSIX write(2): appends to a file are atomic at any size, to a pipe up to PIPE_BUF bytes
    return _WRITE_BYTES if stat.S_ISREG(os.fstat(file).st_mode) else select.PIPE_BUF


def _write_all(file: int, text: bytes) -> None:
    while text:
        text = text[os.write(file, text) :]
