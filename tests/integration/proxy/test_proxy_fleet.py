"""What a takeover tells the proxy reaches every worker, and what was signed by the kit is believed there."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from raw_client import Client, fetch, head
from recording_origin import fresh
from running_proxy import RunningProxy, until

from proxy.claims import Purpose
from strangler.fleet import hold_writes, release_writes, tell_synced
from strangler.installation import Installation
from strangler.signing import SECRET, sign

Start = Callable[..., RunningProxy]


def test_a_hold_is_acknowledged_by_every_worker_and_its_release_says_what_went(start: Start) -> None:
    running = start()
    assert {told.writes for told in hold_writes(running.control, "writes", 30).answers} == {0}
    with Client(running.port) as client:
        client.send(head("POST", fresh("/moved/")))
        until(lambda: sum(w["groups"]["writes"]["parked"] for w in running.ask("status")) == 1, "it waits")
        told = release_writes(running.control, "writes")
        assert client.answer("POST").status == 200
    assert {each.pid for each in told.answers} == running.pids()
    assert sum(each.writes for each in told.answers) == 1
    assert {each.writes for each in release_writes(running.control, "writes").answers} == {0}


def test_every_worker_hears_how_far_a_copy_is(start: Start) -> None:
    running = start()
    assert len(tell_synced(running.control, "reads", time.time()).answers) == 2
    assert all(worker["groups"]["reads"]["lag"] < 15 for worker in running.ask("status"))


def test_a_group_that_no_worker_knows_is_said_to_be_unknown(start: Start) -> None:
    running = start()
    told = hold_writes(running.control, "nobody", 1)
    assert told.answers == ()
    assert len(told.silent) == 2


@pytest.mark.parametrize(("side", "answers"), [("service", b"service"), ("monolith", b"monolith")])
def test_a_signed_header_is_believed(proxy: RunningProxy, tmp_path: Path, side: str, answers: bytes) -> None:
    secret = {SECRET: (proxy.control / "secret").read_text()}
    place = Installation(root=tmp_path, table=tmp_path / "routes.toml", var=tmp_path / "var")
    claim = sign(place, Purpose.TARGET, side, 1, secret)
    got = fetch(proxy.port, fresh("/shadow/"), f"{claim.header}: {claim.value}")
    assert answers in got.body
    claim = sign(place, Purpose.DEBUG, "", 1, secret)
    assert fetch(proxy.port, fresh("/shadow/"), f"{claim.header}: {claim.value}").value("X-Strangler-Stage")
