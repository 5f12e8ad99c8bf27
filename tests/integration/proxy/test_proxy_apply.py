"""A new table lives in every worker at once; a bad one in none, and nobody loses a request over it."""

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from raw_client import Client, fetch, head
from recording_origin import Asked, Origin, Peer, answer, fresh
from running_proxy import RunningProxy, route, table, until

from proxy.change import change_between
from proxy.routes import version_of
from proxy.table import parse_table

FLIPS = 40


@pytest.fixture(scope="module")
def flipping(
    tmp_path_factory: pytest.TempPathFactory, monolith: Origin, service: Origin
) -> Iterator[RunningProxy]:
    """A proxy whose table the tests of this module change."""
    text = table(monolith.url, service.url, route("r", "monolith"))
    running = RunningProxy(tmp_path_factory.mktemp("flipping"), text)
    yield running
    running.stop()


@pytest.fixture
def at_monolith(flipping: RunningProxy, monolith: Origin, service: Origin) -> str:
    """The text with the route at the monolith, in force in every worker."""
    text = table(monolith.url, service.url, route("r", "monolith"))
    assert len(flipping.apply(text)) == 2
    return text


@pytest.fixture
def at_service(monolith: Origin, service: Origin) -> str:
    return table(monolith.url, service.url, route("r", "service"))


def _versions(running: RunningProxy) -> set[str]:
    return {worker["version"] for worker in running.ask("status")}


def _answers(running: RunningProxy) -> set[bytes]:
    """Who answers on enough connections to meet every worker."""
    return {fetch(running.port, fresh("/r/")).body for _ in range(24)}


def test_apply_makes_a_table_live_in_every_worker(
    flipping: RunningProxy, at_monolith: str, at_service: str
) -> None:
    assert _answers(flipping) == {b'{"from":"monolith"}'}
    acknowledged = flipping.apply(at_service)
    assert len({worker["pid"] for worker in acknowledged}) == 2
    assert {worker["version"] for worker in acknowledged} == {version_of(at_service)}
    assert _answers(flipping) == {b'{"from":"service"}'}


def _told(before: str, after: str) -> dict[str, Any]:
    """Return what `strangler flip` tells the workers."""
    change = change_between(parse_table(before, "before"), parse_table(after, "after"))
    told: dict[str, Any] = msgspec.to_builtins(change)
    return told


def test_a_change_is_served_by_every_worker_that_has_its_base(
    flipping: RunningProxy, at_monolith: str, at_service: str
) -> None:
    acknowledged = flipping.ask("apply", change=_told(at_monolith, at_service))  # the file is not looked at
    assert {worker["version"] for worker in acknowledged} == {version_of(at_service)}
    assert _answers(flipping) == {b'{"from":"service"}'}


def test_what_the_file_holds_wins_in_the_end(
    flipping: RunningProxy, at_monolith: str, at_service: str
) -> None:
    flipping.ask("apply", change=_told(at_monolith, at_service))
    flipping.write(at_monolith + "# touched\n")
    until(lambda: _versions(flipping) == {version_of(at_monolith + "# touched\n")}, "the file is read")
    assert _answers(flipping) == {b'{"from":"monolith"}'}


@pytest.mark.parametrize("spoiled", ["another base", "an unknown option", "no change"])
def test_a_change_that_does_not_fit_is_read_from_the_file(
    flipping: RunningProxy, at_monolith: str, at_service: str, spoiled: str
) -> None:
    told: Any = _told(at_monolith, at_service)
    told["routes"][0]["stage"] = "shadow"  # not what the file says
    if spoiled == "another base":
        told["base"] = version_of("another")
    elif spoiled == "an unknown option":
        told["routes"][0]["from_a_newer_kit"] = True
    else:
        told = "nonsense"
    flipping.write(at_service)
    acknowledged = flipping.ask("apply", change=told)
    assert {worker["version"] for worker in acknowledged} == {version_of(at_service)}
    assert _answers(flipping) == {b'{"from":"service"}'}


def test_a_worker_is_born_with_what_its_siblings_were_told(
    flipping: RunningProxy, at_monolith: str, at_service: str
) -> None:
    flipping.write(at_service)
    flipping.ask("apply", change=_told(at_monolith, at_service))
    kept = flipping.control / "last-good.toml"
    until(lambda: kept.read_text() == at_service, "the text is kept")
    flipping.write("nonsense")
    before = flipping.pids()
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(flipping.pids() - before) == 1 and flipping.complete(), "a new worker is born")
    assert _versions(flipping) == {version_of(at_service)}


def test_a_kept_connection_follows_the_new_table(
    flipping: RunningProxy, at_monolith: str, at_service: str
) -> None:
    with Client(flipping.port) as client:
        assert client.ask("GET", fresh("/r/")).body == b'{"from":"monolith"}'
        flipping.apply(at_service)
        assert client.ask("GET", fresh("/r/")).body == b'{"from":"service"}'


def test_an_edit_by_hand_is_picked_up(flipping: RunningProxy, at_monolith: str, at_service: str) -> None:
    flipping.table.write_text(at_service)
    until(lambda: _versions(flipping) == {version_of(at_service)}, "both workers saw the edit")
    assert _answers(flipping) == {b'{"from":"service"}'}


BAD = {
    "broken TOML": ("version = ", "TOML"),
    "nested without end": ("a = " + "[" * 5000, "TOML"),
    "unknown key": ('colour = "red"\n', "colour"),
    "no monolith": ("version = 1\n", "upstreams.monolith"),
    "an empty file": ("", "version"),
    "bad stage": ('stage = "sevice"', "routes[0].stage"),
    "empty stage": ('stage = ""', "routes[0].stage"),
    "writes at the service": ('stage = "service"\nmethods = ["POST"]', "owned by the monolith"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_table_is_rejected_and_the_last_good_one_serves_on(
    flipping: RunningProxy, at_monolith: str, kind: str
) -> None:
    text, named = BAD[kind]
    if text.startswith("stage"):
        lines = at_monolith.replace('stage = "monolith"\n', "")
        lines = lines.replace(
            'methods = ["GET", "HEAD"]\n', "" if "methods" in text else 'methods = ["GET"]\n'
        )
        text = lines + text + "\n"
    elif text.startswith("colour"):
        text += at_monolith
    for worker in (*flipping.apply(text), *flipping.ask("status")):
        assert worker["version"] == version_of(at_monolith)
        assert worker["rejected"]["version"] == version_of(text)
        assert str(flipping.table) in worker["rejected"]["reason"]
        assert named in worker["rejected"]["reason"]
    assert _answers(flipping) == {b'{"from":"monolith"}'}


def test_a_rejected_table_shows_in_log_and_metrics(flipping: RunningProxy, at_monolith: str) -> None:
    def counted() -> float:
        text = fetch(flipping.admin_port, "/metrics").body.decode()
        return float(text.partition("\nstrangler_tables_rejected_total ")[2].partition("\n")[0])

    before = counted()
    flipping.apply('colour = "green"\n' + at_monolith)
    until(lambda: counted() >= before + 2, "both workers count the refusal")
    assert f"version {version_of(at_monolith)} serves on: {flipping.table}: colour:" in flipping.log()


def test_a_table_that_vanishes_is_rejected_too(flipping: RunningProxy, at_monolith: str) -> None:
    flipping.table.unlink()
    assert all(worker["rejected"] for worker in flipping.ask("apply"))
    assert _answers(flipping) == {b'{"from":"monolith"}'}


def test_bytes_that_are_no_text_are_rejected_too(flipping: RunningProxy, at_monolith: str) -> None:
    flipping.table.write_bytes(b"\xff\xfe")
    assert all(worker["rejected"] for worker in flipping.ask("apply"))
    assert _versions(flipping) == {version_of(at_monolith)}


def test_a_good_table_after_a_bad_one_recovers(
    flipping: RunningProxy, at_monolith: str, at_service: str
) -> None:
    flipping.apply("nonsense")
    assert [worker["rejected"] for worker in flipping.apply(at_service)] == [None, None]
    assert _answers(flipping) == {b'{"from":"service"}'}


def test_a_worker_born_under_a_bad_table_serves_the_last_good_one(
    flipping: RunningProxy, at_monolith: str, at_service: str
) -> None:
    flipping.apply(at_service)
    flipping.apply("nonsense")
    before = flipping.pids()
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(flipping.pids() - before) == 1 and flipping.complete(), "a new worker is born")
    assert _versions(flipping) == {version_of(at_service)}
    assert all(worker["rejected"] for worker in flipping.ask("status"))
    assert _answers(flipping) == {b'{"from":"service"}'}


def test_a_request_ends_on_the_table_it_began_with(
    flipping: RunningProxy, at_monolith: str, at_service: str, monolith: Origin, service: Origin
) -> None:
    path = fresh("/r/")
    flipped = threading.Event()

    def slow(peer: Peer, asked: Asked) -> None:
        assert flipped.wait(10)
        peer.send(answer(b"the old one"))

    monolith.scripted(path, slow)
    with Client(flipping.port) as client:
        client.send(head("GET", path))
        monolith.wait_for(path)
        flipping.apply(at_service)
        flipped.set()
        assert client.answer().body == b"the old one"
    assert service.asked(path) == []


@pytest.mark.parametrize("question", [b"nonsense\n", b"[]\n", b'{"verb": "stop"}\n', b"{}\n"])
def test_a_worker_says_what_it_can_be_asked(flipping: RunningProxy, question: bytes) -> None:
    for line in flipping.lines(question):
        assert b"error" in line
        assert b"apply" in line
        assert b"status" in line


def test_flips_under_load_cost_no_request(flipping: RunningProxy, at_monolith: str, at_service: str) -> None:
    stop = threading.Event()
    bad: list[object] = []
    answered = [0] * 4

    def asking(number: int) -> None:
        with Client(flipping.port) as client:
            while not stop.is_set():
                got = client.ask("GET", f"/r/load-{number}")
                answered[number] += 1
                if got.status != 200 or got.values("Connection"):
                    bad.append(got)

    threads = [threading.Thread(target=asking, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(FLIPS):
            text = (at_service, at_monolith)[number % 2]
            seen = sum(answered)
            until(lambda seen=seen: sum(answered) > seen + 10, "requests go on")  # type: ignore[misc]
            flipping.write(text)
            acknowledged = flipping.ask("apply", change=_told((at_monolith, at_service)[number % 2], text))
            assert {worker["version"] for worker in acknowledged} == {version_of(text)}
            assert len(acknowledged) == 2
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert bad == []
