"""An answer is kept for comparison up to a bound."""

import pytest
from spelling import block

from proxy.answer_head import AnswerHead
from proxy.capture import MAX_BODY, Capture


def _captured(*parts: bytes) -> Capture:
    capture = Capture()
    capture.head(AnswerHead(201, block((b"X-A", b"1"), (b"Connection", b"close"))), 0.25)
    for part in parts:
        capture.body(part)
    return capture


@pytest.mark.parametrize("parts", [(b"x" * (MAX_BODY + 1),), (b"x" * MAX_BODY, b"y"), (b"x" * 600_000,) * 3])
def test_a_body_past_the_bound_is_truncated_and_says_so(parts: tuple[bytes, ...]) -> None:
    kept = _captured(*parts).response()
    assert kept.truncated
    assert len(kept.body) <= MAX_BODY


@pytest.mark.parametrize("parts", [(), (b"",), (b"one", b"two"), (b"x" * MAX_BODY,)])
def test_a_body_within_the_bound_is_kept_whole(parts: tuple[bytes, ...]) -> None:
    kept = _captured(*parts).response()
    assert not kept.truncated
    assert kept.body == b"".join(parts)


def test_a_head_is_kept_as_its_upstream_gave_it() -> None:
    kept = _captured().response()
    assert (kept.status, kept.seconds) == (201, 0.25)
    assert kept.headers == ((b"X-A", b"1"), (b"Connection", b"close"))
