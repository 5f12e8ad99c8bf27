"""The control of the admin address: nothing without the key, any question with it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from raw_client import Client, fetch
from recording_origin import Origin
from running_proxy import EVERY_STAGE, RunningProxy, table

from proxy.admin_control import MAX_BODY
from proxy.routes import version_of

KEY = "k" * 32


@pytest.fixture(scope="module")
def opened(
    tmp_path_factory: pytest.TempPathFactory, monolith: Origin, service: Origin
) -> Iterator[RunningProxy]:
    text = table(monolith.url, service.url, *EVERY_STAGE)
    running = RunningProxy(tmp_path_factory.mktemp("opened"), text, STRANGLER_ADMIN_KEY=KEY)
    yield running
    running.stop()


def _post(running: RunningProxy, body: bytes, *lines: str, key: str = KEY) -> tuple[int, dict[str, Any]]:
    got = fetch(
        running.admin_port, "/control", f"Authorization: Bearer {key}", *lines, method="POST", body=body
    )
    return got.status, json.loads(got.body)


def _ask(running: RunningProxy, verb: str, **more: Any) -> tuple[int, dict[str, Any]]:
    return _post(running, json.dumps({"verb": verb} | more).encode())


STATUS = b'{"verb": "status"}'


@pytest.mark.parametrize("key", ["", "k", KEY + "k", KEY[1:], KEY.upper(), "ü" * 32])
def test_a_wrong_key_opens_nothing_and_is_told_nothing(opened: RunningProxy, key: str) -> None:
    status, said = _post(opened, STATUS, key=key)
    assert (status, list(said)) == (401, ["error"])
    assert version_of(opened.table.read_text()) not in said["error"]
    assert KEY not in said["error"]


@pytest.mark.parametrize("lines", [(), (f"Authorization: Basic {KEY}",), (f"X-Key: {KEY}",)])
def test_no_key_opens_nothing(opened: RunningProxy, lines: tuple[str, ...]) -> None:
    assert fetch(opened.admin_port, "/control", *lines, method="POST", body=STATUS).status == 401


def test_two_keys_are_as_good_as_none(opened: RunningProxy) -> None:
    assert _post(opened, STATUS, f"Authorization: Bearer {KEY}")[0] == 401


def test_where_no_key_is_set_nothing_is_there(proxy: RunningProxy) -> None:
    for key in ("", KEY):
        got = fetch(proxy.admin_port, "/control", f"Authorization: Bearer {key}", method="POST", body=STATUS)
        assert got.status == 404


def test_clients_cannot_reach_it(opened: RunningProxy, monolith: Origin) -> None:
    lines = (f"Authorization: Bearer {KEY}",)
    assert fetch(opened.port, "/control", *lines, method="POST", body=STATUS).body == b'{"from":"monolith"}'


def test_a_body_over_the_limit_is_refused_unread(opened: RunningProxy) -> None:
    with Client(opened.admin_port) as client:
        lines = (f"Authorization: Bearer {KEY}", f"Content-Length: {MAX_BODY + 1}")
        client.send("\r\n".join(("POST /control HTTP/1.1", "Host: a", *lines, "", "")).encode())
        assert client.answer("POST").status == 413


@pytest.mark.parametrize("lines", [(), ("Transfer-Encoding: chunked",), ("Content-Length: +5",)])
def test_a_body_without_a_plain_length_is_refused(opened: RunningProxy, lines: tuple[str, ...]) -> None:
    with Client(opened.admin_port) as client:
        words = ("POST /control HTTP/1.1", "Host: a", f"Authorization: Bearer {KEY}", *lines, "", "")
        client.send("\r\n".join(words).encode())
        assert client.answer("POST").status == 411


def test_another_method_is_refused(opened: RunningProxy) -> None:
    assert fetch(opened.admin_port, "/control", f"Authorization: Bearer {KEY}").status == 405


@pytest.mark.parametrize("body", [b" ", b"{", b"[]", b"{}", b'"verb"', b"\xff"])
def test_what_is_no_question_is_refused(opened: RunningProxy, body: bytes) -> None:
    assert _post(opened, body)[0] == 400


def test_an_unknown_verb_is_refused_as_the_workers_refuse_it(opened: RunningProxy) -> None:
    status, said = _ask(opened, "dance")
    assert status == 400
    assert "unknown verb 'dance'" in said["error"]


def test_a_question_reaches_every_worker(opened: RunningProxy) -> None:
    status, said = _ask(opened, "version")
    assert status == 200
    assert {worker["pid"] for worker in said["workers"]} == opened.pids()
    version = version_of(opened.table.read_text())
    assert {worker["answer"]["version"] for worker in said["workers"]} == {version}


def test_any_verb_is_carried(opened: RunningProxy) -> None:
    status, said = _ask(opened, "hold", group="writes", seconds=30)
    assert status == 200
    assert [worker["answer"]["writes"] for worker in said["workers"]] == [0, 0]
    assert all(worker["groups"]["writes"]["held"] for worker in opened.ask("status"))
    assert _ask(opened, "release", group="writes")[0] == 200


def _moved(text: str) -> str:
    return text.replace('stage = "monolith"', 'stage = "shadow"', 1)


def test_a_table_is_replaced_and_served_by_every_worker(opened: RunningProxy) -> None:
    before = opened.table.read_text()
    after = _moved(before)
    assert after != before
    for _ in range(2):  # again: the answer to the first may have been lost
        status, said = _ask(opened, "replace", text=after, expected=version_of(before))
        assert status == 200
        assert {worker["answer"]["version"] for worker in said["workers"]} == {version_of(after)}
    assert opened.table.read_text() == after
    assert _ask(opened, "replace", text=before, expected=version_of(after))[0] == 200


def test_a_table_that_is_another_by_now_is_left_alone(opened: RunningProxy) -> None:
    before = opened.table.read_text()
    status, said = _ask(opened, "replace", text=_moved(before), expected="0" * 12)
    assert status == 409
    assert version_of(before) in said["error"]
    assert opened.table.read_text() == before


def test_a_table_that_is_not_sound_is_left_out(opened: RunningProxy) -> None:
    before = opened.table.read_text()
    status, said = _ask(opened, "replace", text="version = 2", expected=version_of(before))
    assert (status, opened.table.read_text()) == (409, before)
    assert "version" in said["error"]


@pytest.mark.parametrize("more", [{}, {"text": 1, "expected": "a"}, {"text": "a"}])
def test_a_replacement_needs_its_text_and_what_is_expected(
    opened: RunningProxy, more: dict[str, object]
) -> None:
    assert _ask(opened, "replace", **more)[0] == 400


def test_a_slow_question_holds_nobody_up(opened: RunningProxy) -> None:
    with Client(opened.admin_port) as slow:
        lines = (f"Authorization: Bearer {KEY}", "Content-Length: 100")
        slow.send("\r\n".join(("POST /control HTTP/1.1", "Host: a", *lines, "", "{")).encode())
        assert fetch(opened.admin_port, "/healthz").status == 200


def test_a_key_that_is_easy_to_guess_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="found 5 characters; wanted 32"):
        RunningProxy(tmp_path, table("http://m:1", "http://s:1"), STRANGLER_ADMIN_KEY="short")
