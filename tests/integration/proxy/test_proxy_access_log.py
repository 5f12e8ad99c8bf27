"""The access log: one line a request, off the request path, through moves and faults of its file."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from raw_client import Client, fetch, head
from recording_origin import Asked, Origin, Peer, fresh
from running_proxy import ROOT, RunningProxy, until

from proxy.access_log import MAX_WAITING, AccessLog

Start = Callable[..., RunningProxy]


def _lines(file: Path) -> list[dict[str, Any]]:
    whole, _, _ = (file.read_text() if file.exists() else "").rpartition("\n")  # the last may be on its way
    return [json.loads(line) for line in whole.splitlines()]


def _metric(running: RunningProxy, name: str) -> float:
    with urlopen(f"http://127.0.0.1:{running.admin_port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@pytest.mark.parametrize("place", ["", "missing/access.jsonl"])
def test_a_place_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path, place: str) -> None:
    table = ROOT / "proxy" / "routes.toml"
    command = [sys.executable, "-m", "proxy", "--table", str(table), "--control", str(tmp_path / "control")]
    command += ["--access-log", str(tmp_path / place)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "wanted a file to append to" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_request_leaves_exactly_one_line(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "access.jsonl"
    running = start(options=("--access-log", str(file)))
    ids = []
    for _ in range(10):
        with Client(running.port) as client:
            ids += [client.ask("GET", fresh("/service/")).value("X-Request-ID") for _ in range(10)]
    running.stop()
    assert sorted(line["request_id"] for line in _lines(file)) == sorted(ids)


def test_a_line_says_what_client_and_upstream_saw(start: Start, tmp_path: Path, service: Origin) -> None:
    file, path = tmp_path / "access.jsonl", fresh("/service/")
    running = start(options=("--access-log", str(file)), workers=1)
    got = fetch(running.port, path + "?secret=1")
    running.stop()
    (line,) = _lines(file)
    (traceparent,) = service.asked(path)[0].values(b"traceparent")
    assert line["request_id"] == got.value("X-Request-ID")
    assert line["trace_id"].encode() == traceparent.split(b"-")[1]
    told = [line[key] for key in ("client", "method", "path", "route", "stage", "target", "status", "bytes")]
    assert told == ["127.0.0.1", "GET", "/service/{rest...}", "service", "service", "service", 200, 18]
    assert 0 < line["connect_us"] <= line["first_byte_us"] <= line["total_us"]
    assert "secret" not in file.read_text()


def test_a_canary_line_names_its_bucket(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "access.jsonl"
    running = start(options=("--access-log", str(file)), workers=1)
    fetch(running.port, fresh("/canary30/"))
    running.stop()
    (line,) = _lines(file)
    assert line["target"] == ("service" if line["bucket"] < 3000 else "monolith")


def test_a_client_that_left_leaves_a_line_too(start: Start, tmp_path: Path, service: Origin) -> None:
    file, path = tmp_path / "access.jsonl", fresh("/service/")
    running = start(options=("--access-log", str(file)), workers=1)
    gone = threading.Event()

    def silent(peer: Peer, asked: Asked) -> None:
        if peer.sees_the_end():
            gone.set()
        peer.close()

    service.scripted(path, silent)
    with Client(running.port) as client:
        client.send(head("GET", path))
        service.wait_for(path)
    assert gone.wait(10)
    until(lambda: len(_lines(file)) == 1, "the line is written")
    assert (_lines(file)[0]["error"], _lines(file)[0]["status"]) == ("client_left", 0)


def test_a_log_moved_away_goes_on_in_a_new_file(start: Start, tmp_path: Path) -> None:
    file, moved = tmp_path / "access.jsonl", tmp_path / "access.jsonl.1"
    running = start(options=("--access-log", str(file)))
    fetch(running.port, fresh("/service/"))
    until(lambda: len(_lines(file)) == 1, "the first line is written")
    file.rename(moved)
    running.process.send_signal(signal.SIGUSR1)
    until(file.exists, "a new file is there")

    def told_anew() -> bool:
        fetch(running.port, fresh("/service/"))
        return len({line["request_id"] for line in _lines(file)}) >= 20

    until(told_anew, "lines go to the new file")
    before = len(_lines(moved))
    fetch(running.port, fresh("/service/"))
    running.stop()
    assert len(_lines(moved)) == before


def test_a_full_disk_costs_lines_and_no_request(start: Start) -> None:
    running = start(options=("--access-log", "/dev/full"), workers=1)
    for _ in range(5):
        assert fetch(running.port, fresh("/service/")).status == 200
    name = "strangler_access_lines_dropped_total"
    until(lambda: _metric(running, name) == 5, "the lost lines are counted")


def test_a_pipe_that_nobody_reads_holds_nothing_up(start: Start, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        running = start(options=("--access-log", str(pipe)), workers=1)
        with Client(running.port) as client:
            for _ in range(400):  # some 300 bytes each: more than the pipe's 64 KiB
                assert client.ask("GET", fresh("/service/")).status == 200
        until(lambda: _metric(running, "strangler_access_lines_dropped_total") > 0, "lines are dropped")
        running.stop()
        text = os.read(reader, 1024 * 1024)
        assert all(json.loads(line)["status"] == 200 for line in text.splitlines())
    finally:
        os.close(reader)


def _line(number: int) -> str:
    return json.dumps({"request_id": f"id-{number}"}) + "\n"


def test_what_cannot_be_kept_is_dropped_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "access.jsonl"
    log = AccessLog(str(file), logging.getLogger("access-test"))
    for number in range(MAX_WAITING + 5):
        log.note(_line(number))
    log.close()
    assert log.dropped == 5
    assert [line["request_id"] for line in _lines(file)] == [f"id-{n}" for n in range(MAX_WAITING)]


def test_a_file_that_cannot_be_reopened_is_written_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    log = AccessLog(str(folder / "access.jsonl"), logging.getLogger("access-test"))
    folder.rename(tmp_path / "moved")
    log.reopen()
    log.note(_line(1))
    log.close()
    assert "goes on in its old file" in caplog.text
    assert len(_lines(tmp_path / "moved" / "access.jsonl")) == 1
