"""Take pairs from the proxy's workers, judge them, store them. Effects: one Unix socket and one store.

It may be slower than the proxy: with its queue full it stops reading, and the proxy drops what does not fit.
A pair that breaks the judge is counted as not comparable and never stops the others.
"""

import asyncio
import contextlib
import enum
import logging
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from proxy.pairs import BadFrame, FrameReader, Pair
from strangler.compare import socket_place
from strangler.compare.looks import Outcome
from strangler.compare.store import Judged
from strangler.compare.verdict import Comparison, Obstacle, Reason, Verdict
from strangler.compare.writing import Writer

log = logging.getLogger(__name__)

BATCH = 100  # with QUEUED the memory's bound: a pair may hold two bodies as large as the proxy captures
BATCH_SECONDS = 0.1
QUEUED = 100
READ_BYTES = 256 * 1024
LAST_READ_SECONDS = 0.1  # a worker that sends nothing for so long has nothing under way
STOP_SECONDS = 5.0
MOST_WAITING = 1000  # pairs; what differs beyond them is believed at once
LOOK_SECONDS = 0.5  # between two looks, each of a few requests


class Event(enum.StrEnum):
    """What the queue carries beside pairs."""

    CORRUPT_FRAME = "corrupt_frame"
    END = "end"


Judge = Callable[[Pair], Comparison]


class SecondLooks(Protocol):
    """Looks again at pairs that differ (`looks.Looks`)."""

    def wants(self, judged: Judged) -> bool: ...

    def look(self, number: int, judged: Judged) -> Outcome: ...


class Drain:
    """One comparer: connections fill a bounded queue, one task judges and stores it in batches."""

    def __init__(
        self,
        writer: Writer,
        judge: Judge,
        *,
        looks: SecondLooks | None = None,
        before_batch: Callable[[], None] = lambda: None,
        queued: int = QUEUED,
        batch: int = BATCH,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._writer = writer
        self._judge = judge
        self._looks = looks
        self._writing = threading.Lock()  # batches and second looks are stored by two threads
        self._before_batch = before_batch
        self._batch = batch
        self._look_seconds = look_seconds
        self._queue: asyncio.Queue[Pair | Event] = asyncio.Queue(queued)
        self._stopping = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Ask `run` to take what is under way and return."""
        self._stopping.set()

    async def run(self, path: Path) -> None:
        """Listen on the socket until `stop`; store everything that was received. Raises SocketTaken."""
        listener = socket_place.listen(path)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._store_all())
            if self._looks is not None:
                group.create_task(self._look_at_all(self._looks))
            loop = asyncio.get_running_loop()
            loop.add_reader(listener, self._accept_all, listener)
            log.info("listening on %s", path)
            await self._stopping.wait()
            loop.remove_reader(listener)
            self._accept_all(listener)  # a worker may have connected, and sent, an instant before
            listener.close()
            path.unlink(missing_ok=True)
            await self._end_connections()
            await self._queue.put(Event.END)
        log.info("stopped; everything received is stored")

    def _accept_all(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                return
            task = asyncio.create_task(self._take_from(connection))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _end_connections(self) -> None:
        """Let workers finish what they are sending; cut off one that does not stop."""
        if not self._connections:
            return
        _, endless = await asyncio.wait(self._connections, timeout=STOP_SECONDS)
        for connection in endless:
            connection.cancel()
        await asyncio.gather(*endless, return_exceptions=True)

    async def _take_from(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=READ_BYTES)
        try:
            await self._read_all(reader)
        except ConnectionError as error:
            log.info("a worker's connection broke: %s", error)
        finally:
            writer.close()

    async def _read_all(self, reader: asyncio.StreamReader) -> None:
        frames = FrameReader()
        while data := await self._read(reader):
            try:
                for pair in frames.feed(data):
                    await self._queue.put(pair)
            except BadFrame as error:
                log.warning("closing a connection after a corrupt frame: %s", error)
                await self._queue.put(Event.CORRUPT_FRAME)
                return

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        """Return what arrived; nothing at the end of the stream, or when stopping and the stream is quiet."""
        reading = asyncio.ensure_future(reader.read(READ_BYTES))
        stopping = asyncio.ensure_future(self._stopping.wait())
        await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        # Not wait_for: its timeout could throw away data that arrived with it.
        done, _ = await asyncio.wait({reading}, timeout=LAST_READ_SECONDS)
        if done:
            return await reading
        reading.cancel()
        return b""

    async def _store_all(self) -> None:
        ended = False
        while not ended:
            batch = await self._next_batch()
            ended = Event.END in batch
            await asyncio.to_thread(self._store, batch)

    async def _next_batch(self) -> list[Pair | Event]:
        """Wait for something; return it with what follows within BATCH_SECONDS."""
        batch = [await self._queue.get()]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + BATCH_SECONDS
        while len(batch) < self._batch and batch[-1] is not Event.END:
            try:
                batch.append(await self._next_until(deadline - loop.time()))
            except TimeoutError:
                break
        return batch

    async def _next_until(self, seconds: float) -> Pair | Event:
        if not self._queue.empty():
            return self._queue.get_nowait()
        return await asyncio.wait_for(self._queue.get(), max(seconds, 0.0))

    def _store(self, batch: Sequence[Pair | Event]) -> None:
        self._before_batch()
        judged = [Judged(item, self._verdict(item)) for item in batch if isinstance(item, Pair)]
        faults = Counter(item.value for item in batch if item is Event.CORRUPT_FRAME)
        try:
            with self._writing:
                counted, waiting = self._parted(judged)
                self._writer.record(counted, faults, waiting)
        except Exception:  # a full disk or a defect: the comparisons to come are worth more than these
            log.exception("%d comparisons could not be stored and are lost", len(judged))

    def _parted(self, judged: list[Judged]) -> tuple[list[Judged], list[Judged]]:
        """Return what is counted now, and what waits for a second look."""
        if self._looks is None or not any(each.comparison.verdict is Verdict.DIFF for each in judged):
            return judged, []
        room = MOST_WAITING - self._writer.waiting()
        counted: list[Judged] = []
        waiting: list[Judged] = []
        for each in judged:
            wanted = len(waiting) < room and self._looks.wants(each)
            (waiting if wanted else counted).append(each)
        return counted, waiting

    async def _look_at_all(self, looks: SecondLooks) -> None:
        """Look at what waits, one after the other, until stopping; what is left waits for the next start."""
        after = 0
        while not self._stopping.is_set():
            after, asked = await asyncio.to_thread(self._look_at_next, looks, after)
            if asked or not after:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._look_seconds)

    def _look_at_next(self, looks: SecondLooks, after: int) -> tuple[int, bool]:
        """Return the number of the pair looked at, 0 behind the last, and whether sides were asked."""
        with self._writing:
            found = self._writer.next_waiting(after)
        if found is None:
            return 0, False
        number, judged = found
        try:
            outcome = looks.look(number, judged)
        except Exception:  # a defect: the difference stands
            log.exception("request %s could not be looked at again", judged.pair.id)
            outcome = Outcome(judged.comparison, asked=True)
        if outcome.comparison is not None:
            with self._writing:
                self._writer.decide(number, Judged(judged.pair, outcome.comparison))
        return number, outcome.asked

    def _verdict(self, pair: Pair) -> Comparison:
        try:
            return self._judge(pair)
        except Exception as fault:
            log.exception("request %s broke the judge", pair.id)
            obstacle = Obstacle(Reason.COMPARER_FAULT, detail=repr(fault))
            return Comparison(Verdict.NOT_COMPARABLE, obstacle=obstacle)
