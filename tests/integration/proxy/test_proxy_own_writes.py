"""Read your own writes: whoever wrote reads from the owner until the copy has it; nobody else notices."""

import time
from collections.abc import Callable, Iterator

import pytest
from raw_client import Answer, fetch
from recording_origin import Origin, answer, fresh, says, says_and_closes
from running_proxy import ALL, ALONE, STEADY, RunningProxy, route, table

Start = Callable[..., RunningProxy]

PIN = "pin = { seconds = 3600 }"
WRITES = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def pinning(
    tmp_path_factory: pytest.TempPathFactory, monolith: Origin, service: Origin
) -> Iterator[RunningProxy]:
    """A proxy whose group `reads` is owned by the monolith and `writes` by the service."""
    text = table(
        monolith.url,
        service.url,
        route("read", "service", STEADY, PIN),
        route("share", "canary", "percent = 100", STEADY, PIN),
        route("shadowed", "shadow", STEADY, PIN),
        route("unpinned", "service", STEADY, "pin = { enabled = false }"),
        route("short", "service", STEADY, "pin = { seconds = 1 }"),
        route("write", "monolith", PIN, methods=WRITES),
        route("write-unpinned", "monolith", "pin = { enabled = false }", methods=WRITES),
        route("mirror", "monolith", STEADY, PIN, group="writes"),
        route("moved", "service", STEADY, PIN, ALONE, methods=ALL, group="writes"),
    )
    running = RunningProxy(tmp_path_factory.mktemp("pins"), text)
    yield running
    running.stop()


def _who(got: Answer) -> str:
    return got.body.decode().removeprefix('{"from":"').removesuffix('"}')


def _pin(got: Answer) -> str:
    """Return the Cookie line of the pin that came with an answer, empty where none did."""
    cookies = [each.partition(";")[0] for each in got.values("Set-Cookie") if "strangler_pin_" in each]
    return "Cookie: a=1; " + "; ".join(cookies) if cookies else ""


def _wrote(running: RunningProxy, *lines: str, prefix: str = "/write/") -> Answer:
    return fetch(running.port, fresh(prefix), *lines, method="POST", body=b"x")


def test_whoever_wrote_reads_where_it_wrote(pinning: RunningProxy) -> None:
    pin = _pin(_wrote(pinning))
    for prefix in ("/read/", "/share/"):
        assert _who(fetch(pinning.port, fresh(prefix))) == "service"
        assert _who(fetch(pinning.port, fresh(prefix), pin)) == "monolith"


def test_a_service_that_owns_is_read_by_whoever_wrote_to_it(pinning: RunningProxy) -> None:
    pin = _pin(_wrote(pinning, prefix="/moved/"))
    assert _who(fetch(pinning.port, fresh("/mirror/"))) == "monolith"
    assert _who(fetch(pinning.port, fresh("/mirror/"), pin)) == "service"


def test_a_client_without_cookies_is_known_by_what_it_signs_with_in_every_worker(
    pinning: RunningProxy,
) -> None:
    token = f"Authorization: Token {fresh('')}"
    _wrote(pinning, token)
    assert {_who(fetch(pinning.port, fresh("/read/"), token)) for _ in range(16)} == {"monolith"}
    assert _who(fetch(pinning.port, fresh("/read/"), "Authorization: Token another")) == "service"


def test_a_pinned_read_is_not_compared_with_a_copy_that_may_lag(
    pinning: RunningProxy, service: Origin
) -> None:
    pin = _pin(_wrote(pinning))
    pinned, plain = fresh("/shadowed/"), fresh("/shadowed/")
    assert _who(fetch(pinning.port, pinned, pin)) == "monolith"
    fetch(pinning.port, plain)
    service.wait_for(plain)  # which was asked after the other would have been
    assert service.asked(pinned) == []


@pytest.mark.parametrize("prefix", ["/read/", "/mirror/"])
def test_no_upstream_sees_a_pin(
    pinning: RunningProxy, monolith: Origin, service: Origin, prefix: str
) -> None:
    pin = _pin(_wrote(pinning, prefix="/write/" if prefix == "/read/" else "/moved/"))
    path = fresh(prefix)
    fetch(pinning.port, path, pin)
    (asked,) = monolith.asked(path) + service.asked(path)
    assert asked.values(b"Cookie") == [b"a=1"]


def test_a_write_whose_outcome_is_unknown_pins(pinning: RunningProxy, monolith: Origin) -> None:
    path = fresh("/write/")
    monolith.scripted(path, says_and_closes(b""))
    lost = fetch(pinning.port, path, method="POST", body=b"x")
    assert lost.status == 502
    assert _who(fetch(pinning.port, fresh("/read/"), _pin(lost))) == "monolith"


def test_a_refused_write_pins_nobody(pinning: RunningProxy, monolith: Origin) -> None:
    path = fresh("/write/")
    monolith.scripted(path, says(answer(b"no", "400 Bad Request")))
    assert _pin(fetch(pinning.port, path, method="POST", body=b"x")) == ""


def test_a_read_pins_nobody(pinning: RunningProxy) -> None:
    assert _pin(fetch(pinning.port, fresh("/read/"))) == ""


def test_routes_that_say_so_neither_pin_nor_heed_a_pin(pinning: RunningProxy) -> None:
    assert _pin(_wrote(pinning, prefix="/write-unpinned/")) == ""
    pin = _pin(_wrote(pinning))
    assert _who(fetch(pinning.port, fresh("/unpinned/"), pin)) == "service"


def test_a_pins_cookie_is_guarded_and_ends(pinning: RunningProxy) -> None:
    (cookie,) = (each for each in _wrote(pinning).values("Set-Cookie") if "strangler_pin_" in each)
    attributes = cookie.split("; ")[1:]
    assert attributes == ["Path=/", "Max-Age=3600", "HttpOnly", "SameSite=Lax"]


def test_a_copy_that_has_the_write_is_read_again(start: Start) -> None:
    running = start(route("read", "service", STEADY, PIN), route("write", "monolith", methods=WRITES))
    pin = _pin(_wrote(running))
    assert _who(fetch(running.port, fresh("/read/"), pin)) == "monolith"
    assert len(running.ask("synced", group="reads", until=time.time() + 0.5)) == 2
    assert {_who(fetch(running.port, fresh("/read/"), pin)) for _ in range(16)} == {"service"}


def test_a_copy_too_far_behind_is_read_by_nobody_and_that_is_shown(start: Start) -> None:
    running = start(route("read", "service", STEADY, PIN), workers=1)
    assert _who(fetch(running.port, fresh("/read/"))) == "service"
    running.ask("synced", group="reads", until=time.time() - 4000)
    assert _who(fetch(running.port, fresh("/read/"))) == "monolith"
    assert running.ask("status")[0]["groups"]["reads"]["suspended"]
    running.ask("synced", group="reads", until=time.time() - 1, changed=time.time() - 2)
    assert _who(fetch(running.port, fresh("/read/"))) == "service"
    group = running.ask("status")[0]["groups"]["reads"]
    assert not group["suspended"]
    until, changed = group["copied"]
    assert 0 < changed < until
