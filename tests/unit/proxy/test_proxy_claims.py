"""Nobody is believed without a signature for that very purpose that holds still."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.claims import Purpose, believed, signed

SECRET = b"a secret of the installation"
NOW = 1_800_000_000.0
LATER = 1_900_000_000


def _signed(
    purpose: Purpose = Purpose.DEBUG, until: int = LATER, said: str = "", key: bytes = SECRET
) -> bytes:
    return signed(key, purpose, until, said).encode()


@pytest.mark.parametrize(
    "claim",
    [
        b"",
        b".",
        b"1",
        b"true",
        b"1900000000",
        b"1900000000.",
        b"1900000000." + b"0" * 64,
        _signed(key=b"another secret"),
        _signed().upper(),
        _signed() + b"0",
        _signed().replace(b"19", b"29", 1),
        b"+" + _signed(),
        b"\xb2" + _signed(),
        b"9" * 5000 + b"." + b"0" * 64,
        b"service." + _signed(),
    ],
)
def test_a_claim_that_was_not_signed_is_not_believed(claim: bytes) -> None:
    assert believed(SECRET, Purpose.DEBUG, claim, NOW) is None


@pytest.mark.parametrize("until", [0, int(NOW) - 1, int(NOW)])
def test_a_signature_that_ended_is_not_believed(until: int) -> None:
    assert believed(SECRET, Purpose.DEBUG, _signed(until=until), NOW) is None


def test_a_signature_is_believed_until_it_ends() -> None:
    assert believed(SECRET, Purpose.DEBUG, _signed(until=int(NOW) + 1), NOW) == ""


@given(st.binary(max_size=100))
def test_no_claim_makes_the_judge_stumble(claim: bytes) -> None:
    assert believed(SECRET, Purpose.DEBUG, claim, NOW) is None


def test_a_claim_says_what_was_signed_and_serves_its_purpose_alone() -> None:
    claim = _signed(Purpose.TARGET, said="service")
    assert believed(SECRET, Purpose.TARGET, claim, NOW) == "service"
    assert believed(SECRET, Purpose.DEBUG, claim, NOW) is None
    assert believed(SECRET, Purpose.TARGET, claim.replace(b"service", b"monolith"), NOW) is None
