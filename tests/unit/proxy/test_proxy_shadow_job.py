"""What the candidate is asked is what the control was asked; a pair is there once both have answered."""

import pytest
from spelling import spelled

from proxy.pairs import Failure, Response
from proxy.request_head import read_head, upstream_head
from proxy.routes import Route, Stage, Upstream
from proxy.shadow_job import ShadowJob

MONOLITH = Upstream("monolith", "http://m:1", "m", 1)
SERVICE = Upstream("catalog", "http://c:2", "c", 2)
ANSWER = Response(200, (), b"control", truncated=False, seconds=0.1)


def _job(method: bytes = b"GET", *more: tuple[bytes, bytes], body: bytes = b"") -> ShadowJob:
    headers = [(b"Host", b"shop.example"), (b"SCRIPT_NAME", b"/x"), (b"Accept", b"a: b"), (b"X-Empty", b"")]
    head = read_head(spelled(method, b"/%61?q=%2F", *headers, *more))
    return ShadowJob(
        head=head,
        body=body,
        forwarded=upstream_head(head, b"id", b"X-Forwarded-For: 1.2.3.4"),
        request_id=b"id",
        route=Route("r", "g", "/a", ("GET",), Stage.SHADOW),
        version="v",
        control=MONOLITH,
        candidate=SERVICE,
        question=None,
        rehearsed=method != b"GET",
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


@pytest.mark.parametrize(
    ("framing", "body", "upload"),
    [
        ((b"Content-Length", b"3"), b"abc", b"abc"),
        ((b"Transfer-Encoding", b"chunked"), b"abc", b"3\r\nabc\r\n0\r\n\r\n"),
        ((b"Transfer-Encoding", b"chunked"), b"", b"0\r\n\r\n"),
    ],
)
def test_a_body_is_framed_as_the_head_says(framing: tuple[bytes, bytes], body: bytes, upload: bytes) -> None:
    job = _job(b"POST", framing, body=body)
    assert (job.upload, job.request.body) == (upload, body)


def test_there_is_no_pair_before_both_have_answered() -> None:
    job = _job()
    job.control_answer = ANSWER
    assert job.pair(1.0) is None
    job.candidate_answer = Failure("upstream_reset", 0.2)
    pair = job.pair(2.0)
    assert pair is not None
    assert (pair.id, pair.at, pair.control, pair.candidate) == ("id", 2.0, "monolith", "catalog")
    assert (pair.control_answer, pair.candidate_answer) == (ANSWER, job.candidate_answer)


def test_a_job_weighs_the_same_before_and_after_its_control_answered() -> None:
    job = _job(b"POST", (b"Content-Length", b"3"), body=b"abc")
    before = job.size
    job.control_answer = ANSWER
    assert before == job.size == 3
