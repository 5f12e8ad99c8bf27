"""Nobody sees how the proxy decided without a signature that holds still."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.debug import believed, debug_lines, signed

SECRET = b"a secret of the installation"
NOW = 1_800_000_000.0


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
        signed(b"another secret", 1_900_000_000),
        signed(SECRET, 1_900_000_000).upper(),
        signed(SECRET, 1_900_000_000) + b"0",
        signed(SECRET, 1_900_000_000).replace(b"19", b"29", 1),
        b"+" + signed(SECRET, 1_900_000_000),
        b"\xb2" + signed(SECRET, 1_900_000_000),
        b"9" * 5000 + b"." + b"0" * 64,
    ],
)
def test_a_claim_that_was_not_signed_is_not_believed(claim: bytes) -> None:
    assert not believed(SECRET, claim, NOW)


@pytest.mark.parametrize("until", [0, int(NOW) - 1, int(NOW)])
def test_a_signature_that_ended_is_not_believed(until: int) -> None:
    assert not believed(SECRET, signed(SECRET, until), NOW)


def test_a_signature_is_believed_until_it_ends() -> None:
    assert believed(SECRET, signed(SECRET, int(NOW) + 1), NOW)


@given(st.binary(max_size=100))
def test_no_claim_makes_the_judge_stumble(claim: bytes) -> None:
    assert not believed(SECRET, claim, NOW)


def test_a_decision_is_told_in_four_lines() -> None:
    assert debug_lines("catalog.products", "canary", "catalog", "0123456789ab") == (
        b"X-Strangler-Route: catalog.products\r\nX-Strangler-Stage: canary\r\n"
        b"X-Strangler-Target: catalog\r\nX-Strangler-Version: 0123456789ab\r\n"
    )
