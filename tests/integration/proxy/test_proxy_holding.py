"""While a group's owner changes its writes wait, in order and bounded; a refused one follows the owner."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from raw_client import Answer, Client, fetch, head
from recording_origin import Origin, answer, fresh, says
from running_proxy import ALL, STEADY, RunningProxy, route, table, until

Start = Callable[..., RunningProxy]

WRITES = ("POST", "PUT", "PATCH", "DELETE")
BEFORE, AFTER = "monolith", "service"


def _owned(monolith: Origin, service: Origin, owner: str) -> str:
    """Return a table with reads and writes of one group at its owner."""
    text = table(monolith.url, service.url, route("data", owner, STEADY, methods=ALL))
    return text.replace('owner = "monolith"', f'owner = "{owner}"')


def _refusal(effect: str = "none", group: str = "reads") -> bytes:
    said = f"{group}; epoch=2; effect={effect}".encode()
    return answer(b"moved", "409 Conflict", [(b"X-Strangler-Moved", said)])


@pytest.fixture
def moving(start: Start, monolith: Origin, service: Origin) -> RunningProxy:
    """A proxy with one worker whose group is owned by the monolith, and may move."""
    running = start(workers=1)
    running.apply(_owned(monolith, service, BEFORE))
    return running


@pytest.fixture
def held(moving: RunningProxy) -> RunningProxy:
    (answered,) = moving.ask("hold", group="reads", seconds=30)
    assert answered["writes"] == 0
    return moving


def _parked(running: RunningProxy) -> int:
    return sum(worker["groups"]["reads"]["parked"] for worker in running.ask("status"))


def _answers(client: Client) -> Iterator[Answer]:
    while True:
        yield client.answer("POST")


def test_writes_wait_and_go_to_the_new_owner_in_their_order(
    held: RunningProxy, monolith: Origin, service: Origin
) -> None:
    paths = [fresh("/data/") for _ in range(50)]
    with ExitStack() as stack:
        clients = [stack.enter_context(Client(held.port)) for _ in paths]
        for number, (client, path) in enumerate(zip(clients, paths, strict=True)):
            client.send(head("POST", path, "Content-Length: 1") + b"x")
            until(lambda number=number: _parked(held) == number + 1, "it is parked")  # type: ignore[misc]
        held.apply(_owned(monolith, service, AFTER))
        assert not any(client.heard() for client in clients)
        assert held.ask("release", group="reads")[0]["writes"] == 50
        assert {client.answer("POST").body for client in clients} == {b'{"from":"service"}'}
    assert [len(monolith.asked(path)) for path in paths] == [0] * 50
    assert [asked.raw_body for path in paths for asked in service.asked(path)] == [b"x"] * 50


def test_an_abandoned_move_lets_the_writes_go_to_the_old_owner(held: RunningProxy, monolith: Origin) -> None:
    path = fresh("/data/")
    with Client(held.port) as client:
        client.send(head("DELETE", path))
        until(lambda: _parked(held) == 1, "it is parked")
        held.ask("release", group="reads")
        assert client.answer("DELETE").body == b'{"from":"monolith"}'
    assert len(monolith.asked(path)) == 1


def test_reads_and_other_groups_do_not_wait(held: RunningProxy) -> None:
    assert fetch(held.port, fresh("/data/")).status == 200
    assert fetch(held.port, fresh("/elsewhere/"), method="POST", body=b"x").status == 200


def test_a_hold_ends_by_itself(moving: RunningProxy) -> None:
    moving.ask("hold", group="reads", seconds=0.1)
    assert fetch(moving.port, fresh("/data/"), method="POST", body=b"x").status == 200
    assert not moving.ask("status")[0]["groups"]["reads"]["held"]


def test_a_client_that_leaves_is_never_sent(held: RunningProxy, monolith: Origin, service: Origin) -> None:
    path, after = fresh("/data/"), fresh("/data/")
    with Client(held.port) as client:
        client.send(head("POST", path, "Content-Length: 1") + b"x")
        until(lambda: _parked(held) == 1, "it is parked")
    until(lambda: _parked(held) == 0, "it left")
    held.ask("release", group="reads")
    fetch(held.port, after, method="POST", body=b"x")
    assert monolith.asked(path) == service.asked(path) == []


def test_a_large_body_waits_at_its_client(held: RunningProxy, monolith: Origin) -> None:
    path, body = fresh("/data/"), b"x" * 8_000_000
    before = held.resident_bytes()
    with Client(held.port) as client:
        sending = threading.Thread(
            target=client.send, args=(head("POST", path, f"Content-Length: {len(body)}") + body,)
        )
        sending.start()
        until(lambda: _parked(held) == 1, "it is parked")
        assert held.resident_bytes() - before < 4_000_000
        held.ask("release", group="reads")
        assert client.answer("POST").status == 200
        sending.join()
    assert monolith.asked(path)[0].raw_body == body


def test_requests_behind_a_held_one_keep_their_order(held: RunningProxy, monolith: Origin) -> None:
    first, second = fresh("/data/"), fresh("/data/")
    with Client(held.port) as client:
        client.send(head("POST", first, "Content-Length: 1") + b"x" + head("GET", second))
        until(lambda: _parked(held) == 1, "it is parked")
        assert monolith.asked(second) == []
        held.ask("release", group="reads")
        assert client.answer("POST").status == client.answer().status == 200


@pytest.mark.parametrize(
    ("verb", "more", "wanted"),
    [
        ("hold", {"group": "nobody", "seconds": 1}, "reads, writes"),
        ("release", {}, "reads, writes"),
        ("hold", {"group": "reads"}, "at most 60"),
        ("hold", {"group": "reads", "seconds": 61}, "at most 60"),
        ("hold", {"group": "reads", "seconds": 0}, "above 0"),
        ("hold", {"group": "reads", "seconds": True}, "a number"),
        ("synced", {"group": "reads", "until": "now"}, "a number"),
        ("synced", {"group": "reads", "until": 1e12}, "at most"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    moving: RunningProxy, verb: str, more: dict[str, object], wanted: str
) -> None:
    (refused,) = moving.ask(verb, **more)
    assert wanted in refused["error"]
    assert not moving.ask("status")[0]["groups"]["reads"]["held"]


# --- what a fence refuses ----------------------------------------------------------------------------


def test_a_write_that_met_the_fence_waits_for_the_new_owner_and_is_done_there_once(
    moving: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/data/")
    monolith.scripted(path, says(_refusal()))
    with Client(moving.port) as client:
        client.send(head("POST", path, "Content-Length: 3") + b"one")
        until(lambda: _parked(moving) == 1, "it waits for the owner")
        moving.apply(_owned(monolith, service, AFTER))
        got = client.answer("POST")
    assert (got.status, got.body) == (200, b'{"from":"service"}')
    assert got.values("X-Strangler-Moved") == []
    assert [asked.raw_body for asked in monolith.asked(path) + service.asked(path)] == [b"one", b"one"]


def test_a_write_on_an_old_table_follows_at_once(
    moving: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/data/")
    arrived, flipped = threading.Event(), threading.Event()

    def slow(peer, asked) -> None:  # type: ignore[no-untyped-def]
        peer.body(asked)
        arrived.set()
        flipped.wait(10)
        peer.send(_refusal())

    monolith.scripted(path, slow)
    with Client(moving.port) as client:
        client.send(head("PUT", path, "Content-Length: 3") + b"one")
        assert arrived.wait(10)
        moving.apply(_owned(monolith, service, AFTER))
        flipped.set()
        assert client.answer("PUT").body == b'{"from":"service"}'
    assert len(service.asked(path)) == 1


def test_a_write_is_sent_to_each_side_at_most_once(
    moving: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/data/")
    monolith.scripted(path, says(_refusal()))
    service.scripted(path, says(_refusal()))
    with Client(moving.port) as client:
        client.send(head("POST", path, "Content-Length: 3") + b"one")
        until(lambda: _parked(moving) == 1, "it waits for the owner")
        moving.apply(_owned(monolith, service, AFTER))
        got = client.answer("POST")
    assert got.status == 503
    assert got.value("Retry-After") == "1"
    assert len(monolith.asked(path)) == len(service.asked(path)) == 1


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("POST", _refusal("unknown")),
        ("POST", _refusal(group="writes")),
        ("POST", answer(b"moved", "409 Conflict", [(b"X-Strangler-Moved", b"gone")])),
        ("GET", _refusal()),
    ],
    ids=["effect unknown", "another group", "no such words", "a read"],
)
def test_what_may_have_been_done_or_is_not_understood_is_passed_on(
    moving: RunningProxy, monolith: Origin, service: Origin, method: str, said: bytes
) -> None:
    path = fresh("/data/")
    monolith.scripted(path, says(said))
    got = fetch(moving.port, path, method=method)
    assert (got.status, got.body) == (409, b"moved")
    assert got.values("X-Strangler-Moved") == []
    assert service.asked(path) == []


def test_a_write_too_large_to_be_kept_is_not_sent_twice(
    moving: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/data/")
    monolith.scripted(path, says(_refusal()))
    got = fetch(moving.port, path, method="POST", body=b"x" * 70_000)
    assert got.status == 503
    assert b"owner_moving" in got.body
    assert service.asked(path) == []
