"""An answer is kept for comparison up to a bound, and handed on with the request as it was forwarded."""

import pytest
from spelling import block, spelled

from proxy.answer_head import AnswerHead
from proxy.capture import MAX_BODY, Capture, ShadowJob
from proxy.request_head import read_head, upstream_head
from proxy.routes import Route, Stage, Upstream

MONOLITH = Upstream("monolith", "http://m:1", "m", 1)
SERVICE = Upstream("catalog", "http://c:2", "c", 2)


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


def _job() -> ShadowJob:
    headers = [(b"Host", b"shop.example"), (b"SCRIPT_NAME", b"/x"), (b"Accept", b"a: b"), (b"X-Empty", b"")]
    head = read_head(spelled(b"GET", b"/%61?q=%2F", *headers))
    return _captured(b"control").job(
        request=head,
        forwarded=upstream_head(head, b"id", b"X-Forwarded-For: 1.2.3.4"),
        request_id=b"id",
        route=Route("r", "g", "/a", ("GET",), Stage.SHADOW),
        version="v",
        control=MONOLITH,
        candidate=SERVICE,
        question=None,
    )


def test_a_job_asks_what_the_control_was_asked() -> None:
    job = _job()
    assert (job.request.method, job.request.target) == ("GET", "/a?q=%2F")
    assert job.request.headers == (
        (b"Host", b"shop.example"),
        (b"Accept", b"a: b"),
        (b"X-Empty", b""),
        (b"X-Forwarded-For", b"1.2.3.4"),
        (b"X-Forwarded-Host", b"shop.example"),
        (b"X-Request-ID", b"id"),
    )


def test_a_job_carries_the_controls_answer() -> None:
    job = _job()
    assert (job.control, job.candidate, job.request_id) == (MONOLITH, SERVICE, "id")
    assert job.control_answer.body == b"control"
