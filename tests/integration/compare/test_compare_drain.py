"""The comparer loses nothing it received, and one bad worker or pair never stops it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from proxy.pairs import LENGTH_BYTES, MAX_FRAME, encode
from strangler.compare.drain import Drain
from strangler.compare.judge import compare
from strangler.compare.looks import Outcome
from strangler.compare.reading import Reader
from strangler.compare.store import Judged
from strangler.compare.verdict import Comparison, Verdict
from strangler.compare.writing import Writer
from tests.cases.compare.answers import answer, pair

DEADLINE = 20.0
CORRUPT = (5).to_bytes(LENGTH_BYTES, "big") + b"\xc1\xc1\xc1\xc1\xc1"


@pytest.fixture
def places(tmp_path):
    return tmp_path / "compare.sock", tmp_path / "compare.sqlite3"


def _pair(number: int):
    return pair(answer('{"id":1}'), answer('{"id":1}'), id=f"req-{number}")


def _frames(count: int) -> bytes:
    return b"".join(encode(_pair(number)) for number in range(count))


def _counts(store: Path):
    with Reader(store) as reader:
        return {each.verdict: each.n for each in reader.counts()}


def _faults(store: Path):
    with Reader(store) as reader:
        return dict(reader.faults())


class Comparer:
    """A drain in this process, with its writer. `stop` drains it and waits."""

    def __init__(self, places, judge=compare, **more) -> None:
        self.socket, store = places
        self._writer = Writer(store)
        self.drain = Drain(self._writer, judge, **more)

    async def __aenter__(self):
        self._running = asyncio.create_task(self.drain.run(self.socket))
        while not self.socket.exists():
            assert not self._running.done(), self._running.exception()
            await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_):
        self.drain.stop()
        try:
            await asyncio.wait_for(self._running, DEADLINE)
        finally:
            self._writer.close()

    async def connect(self):
        _, writer = await asyncio.open_unix_connection(self.socket)
        return writer


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _hang_up(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        await writer.wait_closed()


def _run(promise) -> None:
    asyncio.run(asyncio.wait_for(promise, DEADLINE))


def test_everything_sent_before_stop_is_stored(places):
    async def promise():
        async with Comparer(places) as comparer:
            workers = [await comparer.connect() for _ in range(3)]
            for worker in workers:
                await _send(worker, _frames(100))
            comparer.drain.stop()  # the workers stay connected, as the proxy's do
        await _hang_up(*workers)

    _run(promise())
    assert _counts(places[1]) == {Verdict.MATCH: 300}


def test_a_worker_that_connected_an_instant_before_stop_is_heard(places):
    async def promise():
        async with Comparer(places) as comparer:
            with closing(_send_all(comparer.socket, _frames(3))):
                comparer.drain.stop()  # the loop had no turn to accept in between
                await asyncio.sleep(0)

    _run(promise())
    assert _counts(places[1]) == {Verdict.MATCH: 3}


def test_a_frame_in_many_pieces_is_one_pair(places):
    async def promise():
        async with Comparer(places) as comparer:
            worker = await comparer.connect()
            for byte in _frames(1):
                await _send(worker, bytes([byte]))
            await _hang_up(worker)

    _run(promise())
    assert _counts(places[1]) == {Verdict.MATCH: 1}


def test_a_corrupt_frame_ends_its_connection_alone(places):
    async def promise():
        async with Comparer(places) as comparer:
            reader, bad = await asyncio.open_unix_connection(comparer.socket)
            good = await comparer.connect()
            await _send(bad, _frames(1) + CORRUPT + _frames(1))
            assert await reader.read() == b""
            await _send(good, _frames(2))
            await _hang_up(bad, good)

    _run(promise())
    assert _counts(places[1]) == {Verdict.MATCH: 3}
    assert _faults(places[1]) == {"corrupt_frame": 1}


def test_an_oversized_frame_is_corrupt(places):
    async def promise():
        async with Comparer(places) as comparer:
            reader, bad = await asyncio.open_unix_connection(comparer.socket)
            await _send(bad, (MAX_FRAME + 1).to_bytes(LENGTH_BYTES, "big"))
            assert await reader.read() == b""
            await _hang_up(bad)

    _run(promise())
    assert _faults(places[1]) == {"corrupt_frame": 1}


def test_a_connection_killed_in_a_frame_loses_that_frame_alone(places):
    async def promise():
        async with Comparer(places) as comparer:
            killed, good = await comparer.connect(), await comparer.connect()
            await _send(killed, _frames(2) + encode(_pair(3))[:-5])
            await _hang_up(killed)
            await _send(good, _frames(2))
            await _hang_up(good)

    _run(promise())
    assert _counts(places[1]) == {Verdict.MATCH: 4}
    assert _faults(places[1]) == {}


def test_a_full_queue_makes_the_worker_wait_and_loses_nothing(places):
    go_on = threading.Event()

    def slow(made) -> Comparison:
        assert go_on.wait(DEADLINE)
        return compare(made)

    async def promise():
        async with Comparer(places, slow, queued=5, batch=5) as comparer:
            worker = await comparer.connect()
            worker.write(encode(pair(answer(b'"' + b"x" * 20_000 + b'"'), answer('{"id":1}'))) * 300)
            try:  # 6 MB do not fit queue, batch and socket
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(worker.drain(), 0.5)
            finally:
                go_on.set()
            await worker.drain()
            await _hang_up(worker)

    _run(promise())
    assert _counts(places[1]) == {Verdict.DIFF: 300}


def test_a_pair_that_breaks_the_judge_is_not_comparable(places):
    def fragile(made) -> Comparison:
        if made.id == "req-1":
            raise RuntimeError("a defect")
        return compare(made)

    async def promise():
        async with Comparer(places, fragile) as comparer:
            worker = await comparer.connect()
            await _send(worker, _frames(3))
            await _hang_up(worker)

    _run(promise())
    assert _counts(places[1]) == {Verdict.MATCH: 2, Verdict.NOT_COMPARABLE: 1}


# --- as a process -------------------------------------------------------------------------------------


def _start(places) -> subprocess.Popen[str]:
    path, store = places
    command = [sys.executable, "-m", "strangler.compare", "--socket", str(path), "--store", str(store)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def _listening(process: subprocess.Popen[str]) -> None:
    for line in process.stderr:
        if "listening on" in line:
            return
    pytest.fail("the comparer did not start")


def _send_all(path: Path, data: bytes) -> socket.socket:
    worker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    worker.connect(str(path))
    worker.sendall(data)
    return worker


def _end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> int:
    os.kill(process.pid, number)
    process.communicate(timeout=DEADLINE)
    return process.returncode


def test_sigterm_stores_what_is_under_way_and_removes_the_socket(places):
    process = _start(places)
    _listening(process)
    with closing(_send_all(places[0], _frames(700))):
        assert _end(process) == 0
    assert _counts(places[1]) == {Verdict.MATCH: 700}
    assert not places[0].exists()


def test_a_socket_left_by_a_killed_process_is_replaced(places):
    process = _start(places)
    _listening(process)
    _end(process, signal.SIGKILL)
    assert places[0].exists()
    process = _start(places)
    _listening(process)
    with closing(_send_all(places[0], _frames(1))):
        assert _end(process) == 0
    assert _counts(places[1]) == {Verdict.MATCH: 1}


def test_a_second_comparer_on_a_live_socket_is_refused(places):
    first = _start(places)
    _listening(first)
    second = _start(places)
    _, said = second.communicate(timeout=DEADLINE)
    assert second.returncode == 2
    assert said.startswith("S305 another comparer listens on")
    assert "Traceback" not in said
    with closing(_send_all(places[0], _frames(1))):
        assert _end(first) == 0
    assert _counts(places[1]) == {Verdict.MATCH: 1}


def test_a_file_in_the_sockets_place_is_refused_and_left_alone(places):
    places[0].write_text("precious")
    process = _start(places)
    _, said = process.communicate(timeout=DEADLINE)
    assert (process.returncode, said[:4]) == (2, "S305")
    assert places[0].read_text() == "precious"


def test_socket_and_store_are_the_owners_alone(places):
    process = _start(places)
    _listening(process)
    modes = [path.stat().st_mode & 0o777 for path in places]
    assert _end(process) == 0
    assert all(mode & 0o077 == 0 for mode in modes)


# --- second looks -------------------------------------------------------------------------------------


class Looker:
    """Wants every pair that differs; says of each what the test wants, once it may."""

    def __init__(self, verdict: Verdict | None) -> None:
        self.verdict = verdict
        self.seen: list[str] = []

    def wants(self, judged) -> bool:
        return judged.comparison.verdict is Verdict.DIFF

    def look(self, number, judged) -> Outcome:
        self.seen.append(judged.pair.id)
        return Outcome(Comparison(self.verdict) if self.verdict else None, asked=True)


class Broken(Looker):
    def look(self, number, judged) -> Outcome:
        raise ValueError(number)


def _other(number: int):
    return pair(answer('{"id":1}'), answer('{"id":2}'), id=f"req-{number}", route="r")


def _looked_at(places, looker, until, *numbers):
    async def scenario():
        async with Comparer(places, looks=looker, look_seconds=0.001) as comparer:
            worker = await comparer.connect()
            await _send(worker, b"".join(encode(_other(number)) for number in numbers) + _frames(1))
            await _hang_up(worker)
            while not places[1].exists() or not until():
                await asyncio.sleep(0.01)

    _run(scenario())


def _waiting(store) -> int:
    with Reader(store) as reader:
        return reader.waiting("r")


def test_a_pair_that_differs_is_counted_by_what_the_second_look_says(places):
    looker = Looker(Verdict.NOT_COMPARABLE)
    _looked_at(places, looker, lambda: len(looker.seen) == 2, 1, 2)
    assert looker.seen == ["req-1", "req-2"]
    assert _counts(places[1]) == {Verdict.MATCH: 1, Verdict.NOT_COMPARABLE: 2}
    assert _waiting(places[1]) == 0


def test_a_pair_that_nobody_could_look_at_yet_waits_over_a_restart(places):
    waits = Looker(None)
    _looked_at(places, waits, lambda: len(waits.seen) > 3, 1, 2)
    assert _counts(places[1]) == {Verdict.MATCH: 1}
    assert _waiting(places[1]) == 2
    looker = Looker(Verdict.DIFF)
    _looked_at(places, looker, lambda: len(looker.seen) == 2)
    assert _counts(places[1]) == {Verdict.MATCH: 2, Verdict.DIFF: 2}


def test_a_look_that_breaks_leaves_the_difference_standing(places):
    def decided() -> bool:
        return _counts(places[1]).get(Verdict.DIFF) == 1

    _looked_at(places, Broken(None), decided, 1)
    assert _waiting(places[1]) == 0


def test_a_comparer_that_looks_at_nothing_again_takes_what_waits_as_it_stands(places):
    with closing(Writer(places[1])) as writer:
        made = _other(1)
        writer.record([], waiting=[Judged(made, compare(made))])
        assert writer.waiting() == 1
        writer.decide_all()
    assert _counts(places[1]) == {Verdict.DIFF: 1}


def test_what_is_settled_waits_no_more_and_counts_for_what_was_before(places):
    made = _other(1)
    with closing(Writer(places[1])) as writer:
        writer.record([], waiting=[Judged(made, compare(made))])
        writer.settle("r", made.at + 1, "ann", "mended")
        (number, judged) = (1, Judged(made, compare(made)))
        writer.decide(number, judged)
    assert _counts(places[1]) == {Verdict.DIFF: 1}
    with Reader(places[1]) as reader:
        assert reader.evidence("r", 0.0) == ()
