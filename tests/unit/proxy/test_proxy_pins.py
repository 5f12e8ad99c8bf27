"""A client that wrote reads from the owner until the copy has it, and nobody else does."""

import pytest

from proxy.own_cookies import PIN
from proxy.pins import Pins
from proxy.request_head import RequestFields

SECRET = b"a secret of the installation"
SECONDS = 10.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Slots:
    """Numbers by key, as `shared_slots.SharedSlots` keeps them."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def get(self, key: bytes) -> int:
        return self._numbers.get(key, 0)

    def put(self, key: bytes, number: int) -> None:
        self._numbers[key] = number


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pins(clock: Clock) -> Pins:
    return Pins(SECRET, b"sessionid", Slots(), clock)


def _fields(cookies: bytes = b"", authorization: tuple[bytes, ...] = ()) -> RequestFields:
    fields = RequestFields()
    fields.cookies, fields.authorization = cookies, authorization
    fields.pinned = PIN in cookies
    return fields


def _wrote(pins: Pins, fields: RequestFields) -> bytes:
    """Let a client write; return the cookie that it keeps."""
    line = pins.wrote("catalog", fields, SECONDS, secure=False)
    return line.removeprefix(b"Set-Cookie: ").partition(b";")[0]


def test_a_cookie_pins_its_client_for_the_routes_seconds(pins: Pins, clock: Clock) -> None:
    kept = _fields(b"a=1; " + _wrote(pins, _fields()))
    assert pins.hold("catalog", kept, SECONDS)
    clock.now += 9.9
    assert pins.hold("catalog", kept, SECONDS)
    clock.now += 0.2
    assert not pins.hold("catalog", kept, SECONDS)


@pytest.mark.parametrize(
    "signing", [_fields(authorization=(b"Token t",)), _fields(b"sessionid=s")], ids=["header", "session"]
)
def test_a_client_that_signs_its_requests_needs_no_cookie(
    pins: Pins, clock: Clock, signing: RequestFields
) -> None:
    _wrote(pins, signing)
    assert pins.hold("catalog", signing, SECONDS)
    assert not pins.hold("orders", signing, SECONDS)
    assert not pins.hold("catalog", _fields(authorization=(b"Token u",)), SECONDS)
    clock.now += 10
    assert not pins.hold("catalog", signing, SECONDS)


def test_nobody_is_pinned_by_what_another_wrote(pins: Pins) -> None:
    _wrote(pins, _fields())
    assert not pins.hold("catalog", _fields(), SECONDS)
    assert not pins.hold("catalog", _fields(b"sessionid=s"), SECONDS)


def test_a_pin_is_of_one_group(pins: Pins) -> None:
    cookie = _wrote(pins, _fields())
    assert not pins.hold("orders", _fields(cookie), SECONDS)
    assert not pins.hold("orders", _fields(cookie.replace(b"catalog", b"orders")), SECONDS)


def test_a_forged_or_future_moment_pins_nobody(pins: Pins, clock: Clock) -> None:
    cookie = _wrote(pins, _fields())
    name, _, value = cookie.partition(b"=")
    moment, _, signature = value.partition(b".")
    for forged in (b"", b".", moment, moment + b".", b"%d.%b" % (int(moment) + 1, signature), b"9" * 99):
        assert not pins.hold("catalog", _fields(name + b"=" + forged), SECONDS)
    clock.now -= 60
    assert not pins.hold("catalog", _fields(cookie), SECONDS)


def test_a_pin_ends_when_the_copy_has_passed_it(pins: Pins, clock: Clock) -> None:
    kept = _fields(_wrote(pins, _fields()))
    pins.synced("catalog", clock.now - 1)
    assert pins.hold("catalog", kept, SECONDS)
    pins.synced("catalog", clock.now)
    assert not pins.hold("catalog", kept, SECONDS)
    pins.synced("catalog", clock.now - 1)  # what was said before is true still
    assert not pins.hold("catalog", kept, SECONDS)


def test_what_is_told_of_a_copy_never_goes_back(pins: Pins, clock: Clock) -> None:
    assert pins.copied("catalog") is None
    pins.synced("catalog", clock.now)
    assert pins.copied("catalog") == (clock.now, 0.0)
    pins.synced("catalog", clock.now + 1, clock.now + 0.5)
    pins.synced("catalog", clock.now, 0.0)  # another follower, which saw no change yet
    assert pins.copied("catalog") == (clock.now + 1, clock.now + 0.5)


def test_a_copy_too_far_behind_is_not_read(pins: Pins, clock: Clock) -> None:
    assert not pins.suspended("catalog", SECONDS)
    assert pins.lag("catalog") is None
    pins.synced("catalog", clock.now)
    clock.now += 10
    assert not pins.suspended("catalog", SECONDS)
    clock.now += 1
    assert pins.suspended("catalog", SECONDS)
    assert pins.lag("catalog") == 11
    pins.synced("catalog", clock.now)
    assert not pins.suspended("catalog", SECONDS)
