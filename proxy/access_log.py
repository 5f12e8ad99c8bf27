"""One line of JSON for each request, written off the request path.

A request costs one tuple here. A few times a second a thread turns what came into lines and appends them to
the file; where it falls behind, lines are dropped and counted, and no request ever waits for a disk.
"""

import logging
import os
import select
import stat
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec

from proxy.errors import ForwardError
from proxy.routes import Route, Stage
from proxy.templates import template_of
from proxy.trace import trace_id

MAX_WAITING = 32_768  # entries that are not written yet
STDOUT = "-"
_CLIENT_LEFT = "client_left"  # said where a ForwardError would be: nobody was there to be answered
# a pipe that nobody reads must neither hold up the start nor the thread: what it does not take is dropped
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
_WRITE_BYTES = 32 * 1024  # of whole lines at once: the thread lets the loop run between two writes


class AccessLogRefused(ValueError):
    """The access log cannot be written there; the message says what was found and what is wanted."""


class Entry(msgspec.Struct, gc=False):
    """What a request leaves for its line. Moments are of the monotonic clock, 0 for what never came."""

    request_id: bytes
    client: str
    version: str
    status: int
    sent: int  # bytes of the answer's body
    started: float
    ended: float
    connected: float = 0.0
    first_byte: float = 0.0
    method: bytes = b""  # empty where the head was refused
    path: bytes = b""  # at most MAX_BYTES of it, and only where no route names it
    traceparent: bytes = b""
    route: Route | None = None
    target: str = "proxy"
    bucket: int | None = None
    error: ForwardError | None = None
    left: bool = False  # the client did not wait for the end
    fallback: str | None = None  # why the monolith answered for a service


class AccessLine(msgspec.Struct, omit_defaults=True, gc=False):
    """One line. Seconds count from the request's head; `path` is a template, never what the client wrote."""

    time: datetime
    request_id: str
    client: str
    status: int
    bytes: int
    total: float
    target: str
    trace_id: str | None = None
    method: str | None = None
    path: str | None = None
    route: str | None = None
    stage: Stage | None = None
    bucket: int | None = None
    version: str | None = None
    connect: float | None = None
    first_byte: float | None = None
    fallback: str | None = None
    error: str | None = None


def line_of(entry: Entry, clock_offset: float) -> AccessLine:
    """Return the line of an entry. `clock_offset`: what makes a monotonic moment a Unix time. Pure."""
    route, error, started = entry.route, entry.error, entry.started
    judged = entry.method != b""
    return AccessLine(
        datetime.fromtimestamp(started + clock_offset, UTC),
        entry.request_id.decode(),
        entry.client,
        entry.status,
        entry.sent,
        _seconds(started, entry.ended),
        entry.target,
        trace_id(entry.traceparent).decode() if judged else None,
        entry.method.decode() if judged else None,
        route.path if route is not None else template_of(entry.path) if judged else None,
        route.name if route is not None else None,
        route.stage if route is not None else None,
        entry.bucket,
        entry.version or None,
        _seconds(started, entry.connected) if entry.connected else None,
        _seconds(started, entry.first_byte) if entry.first_byte else None,
        entry.fallback,
        _CLIENT_LEFT if entry.left else error.id if error is not None else None,
    )


def _seconds(start: float, end: float) -> float:
    return int((end - start) * 1e6 + 0.5) / 1e6  # round() to six places takes four times as long


def check_place(place: str) -> None:
    """Refuse a place where no access log can be written. Raises AccessLogRefused."""
    try:
        _close(place, _open(place))
    except OSError as error:
        reason = error.strerror
        raise AccessLogRefused(f"--access-log {place}: {reason}; wanted a file to append to, or -") from None


class AccessLog:
    """The entries that wait, and the file they go to (`-` is standard output). Raises OSError at once where
    that cannot be opened.
    """

    def __init__(self, place: str, log: logging.Logger) -> None:
        self._place = place
        self._log = log
        self._entries: deque[Entry] = deque()
        self._file = _open(place)
        self._encoder = msgspec.json.Encoder()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="access-log")
        self._writing: Future[None] | None = None
        self._not_kept = 0
        self._not_written = 0  # counted by the thread

    @property
    def dropped(self) -> int:
        """How many lines were lost since the start."""
        return self._not_kept + self._not_written

    def note(self, entry: Entry) -> None:
        """Keep an entry for its line, or drop and count it where too many wait."""
        if len(self._entries) < MAX_WAITING:
            self._entries.append(entry)
        else:
            self._not_kept += 1

    def flush(self) -> None:
        """Have what waits written, unless the thread is still at it. Returns at once."""
        if self._entries and (self._writing is None or self._writing.done()):
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
        offset = time.time() - time.monotonic()
        for number, text in self._texts(offset):
            try:
                _write_all(self._file, text)
            except OSError as error:
                self._not_written += number
                self._log.error("%d lines of the access log are lost: %s", number, error)

    def _texts(self, offset: float) -> Iterator[tuple[int, bytes]]:
        """Yield whole lines, as many as go into one write, with their number."""
        most = _at_once(self._file)
        lines: list[bytes] = []
        size = 0
        for entry in self._taken():
            line = self._encoder.encode(line_of(entry, offset)) + b"\n"
            if lines and size + len(line) > most:
                yield len(lines), b"".join(lines)
                lines, size = [], 0
            lines.append(line)
            size += len(line)
        if lines:
            yield len(lines), b"".join(lines)

    def _taken(self) -> Iterable[Entry]:
        for _ in range(len(self._entries)):
            yield self._entries.popleft()


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
