"""What an upstream gets and what a client gets back, byte for byte; what is refused reaches nobody."""

import json
import re
import threading
from pathlib import Path

import pytest
from case_files import case_files, read_case
from raw_client import Client, fetch, head
from recording_origin import Asked, Origin, answer, fresh, says
from running_proxy import RunningProxy

BROKEN_OFF = "/kept/" + "0" * 32  # named as the paths of other tests are: it may arrive late


@pytest.mark.parametrize("file", case_files("refused"), ids=lambda file: file.stem)
def test_an_ambiguous_request_is_refused_and_reaches_nobody(
    proxy: RunningProxy, monolith: Origin, service: Origin, file: Path
) -> None:
    before = monolith.asked_elsewhere(), service.asked_elsewhere()
    with Client(proxy.port) as client:
        client.send(read_case(file))
        refusal = client.answer()
        assert client.rest() == b""
    assert refusal.status == int(file.stem.partition("-")[0])
    assert refusal.value("Connection") == "close"
    assert json.loads(refusal.body)["request_id"] == refusal.value("X-Request-ID")
    assert (monolith.asked_elsewhere(), service.asked_elsewhere()) == before


@pytest.mark.parametrize("file", case_files("broken-off"), ids=lambda file: file.stem)
def test_a_body_that_breaks_its_framing_never_arrives_whole(
    proxy: RunningProxy, monolith: Origin, file: Path
) -> None:
    before = len(monolith.asked(BROKEN_OFF))
    with Client(proxy.port) as client:
        client.send(read_case(file))
        assert client.answer().status == 400
        assert client.rest() == b""
    assert not any(asked.whole for asked in monolith.asked(BROKEN_OFF)[before:])


@pytest.mark.parametrize("file", case_files("forwarded"), ids=lambda file: file.stem)
def test_an_upstream_gets_exactly_these_bytes(
    proxy: RunningProxy, monolith: Origin, service: Origin, file: Path
) -> None:
    def seen() -> list[Asked]:
        return [asked for origin in (monolith, service) for asked in origin.asked_with(f"case-{file.stem}")]

    before = seen()
    with Client(proxy.port) as client:
        client.send(read_case(file))
        assert client.answer().status == 200
    (asked,) = (each for each in seen() if each not in before)
    assert _without_trace(asked.head) + asked.raw_body == read_case(file.with_suffix(".upstream"))


@pytest.mark.parametrize("file", case_files("answered"), ids=lambda file: file.stem)
def test_a_client_gets_exactly_these_bytes(proxy: RunningProxy, service: Origin, file: Path) -> None:
    authority = f"127.0.0.1:{service.port}".encode()
    said, expected = (
        read_case(file.with_suffix(suffix)).replace(b"@service@", authority)
        for suffix in (".origin", ".client")
    )
    service.scripted(f"/service/answered/{file.stem}", says(said))
    with Client(proxy.port) as client:
        client.send(read_case(file))
        assert client.take(len(expected)) == expected
        if b"Connection: close\r\n" in expected:
            assert client.rest() == b""
        else:
            assert client.ask("GET", fresh("/service/")).body == b'{"from":"service"}'


def _without_trace(head: bytes) -> bytes:
    """Return a head without the one trace that begins in the proxy: it is different each time."""
    bare, number = re.subn(rb"\r\ntraceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-01(?=\r\n)", b"", head)
    assert number == 1
    return bare


def test_a_method_that_no_route_names_reaches_the_monolith_as_it_came(
    proxy: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/service/")
    assert fetch(proxy.port, path, method="PROPFIND").status == 200
    assert ([asked.method for asked in monolith.asked(path)], service.asked(path)) == (["PROPFIND"], [])


def test_a_request_id_is_the_same_on_every_side(
    proxy: RunningProxy, monolith: Origin, service: Origin
) -> None:
    path = fresh("/shadow/")
    got = fetch(proxy.port, path).value("X-Request-ID").encode()
    assert [asked.values(b"x-request-id") for asked in monolith.wait_for(path)] == [[got]]
    assert [asked.values(b"x-request-id") for asked in service.wait_for(path)] == [[got]]


@pytest.mark.parametrize("bad", ["short", "x" * 129, "has space", "semi;colon", '"quoted-id"'])
def test_a_request_id_that_is_not_well_formed_is_replaced(proxy: RunningProxy, bad: str) -> None:
    assert fetch(proxy.port, fresh("/service/"), f"X-Request-ID: {bad}").value("X-Request-ID") != bad


def test_request_ids_differ(proxy: RunningProxy) -> None:
    ids = {fetch(proxy.port, fresh("/service/")).value("X-Request-ID") for _ in range(20)}
    assert len(ids) == 20


def test_a_client_gets_the_answers_headers_in_their_order(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    sent = [
        (b"Set-Cookie", b"a=1; Expires=Wed, 01 Jan 2031 00:00:00 GMT"),
        (b"etag", b'W/"x"'),
        (b"Set-Cookie", b"b=2"),
        (b"Vary", b"Cookie"),
        (b"Content-Encoding", b"gzip"),
    ]
    service.scripted(path, says(answer(b"\x1f\x8b\x00", headers=sent)))
    got = fetch(proxy.port, path)
    expected = [(name.decode(), value.decode()) for name, value in sent]
    assert list(got.headers[: len(sent)]) == expected
    assert got.body == b"\x1f\x8b\x00"


def test_hop_by_hop_answer_headers_stay_behind(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/moved/")
    hop = [
        (b"Connection", b"keep-alive, X-Hop"),
        (b"X-Hop", b"1"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Proxy-Authenticate", b"Basic"),
        (b"Trailer", b"X-T"),
        (b"Upgrade", b"h2c"),
        (b"X-Strangler-Declined", b"1"),
        (b"X-Request-ID", b"not-the-proxys"),
    ]
    service.scripted(path, says(answer(headers=[*hop, (b"X-Kept", b"1")])))
    names = [name.lower() for name, _ in fetch(proxy.port, path).headers]
    assert sorted(names) == ["content-length", "x-kept", "x-request-id"]


def test_a_refusal_never_lets_the_request_behind_it_through(proxy: RunningProxy, monolith: Origin) -> None:
    path = fresh("/kept/")
    came = threading.Event()
    monolith.scripted(path, lambda peer, asked: came.set())
    with Client(proxy.port) as client:
        client.send(head("GET", "/%2f") + head("POST", path, "Content-Length: 1") + b"x")
        assert client.answer().status == 400
        assert client.rest() == b""
    assert not came.wait(0.3)


def test_a_request_before_a_bad_one_is_still_answered(proxy: RunningProxy, service: Origin) -> None:
    path = fresh("/service/")
    with Client(proxy.port) as client:
        client.send(head("GET", path) + b"GARBAGE\r\n\r\n")
        assert client.answer().status == 200
        assert client.answer().status == 400
        assert client.rest() == b""
    assert len(service.asked(path)) == 1


def test_errors_name_no_address(proxy: RunningProxy) -> None:
    refusal = fetch(proxy.port, "/%2f")
    assert refusal.value("Content-Type") == "application/json"
    assert json.loads(refusal.body).keys() == {"error", "detail", "request_id"}
    assert b"127.0.0.1" not in refusal.body
