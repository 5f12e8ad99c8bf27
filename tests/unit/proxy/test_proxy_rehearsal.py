"""A rehearsal can be told from a write by its path, and proved to be the proxy's own by its mark."""

import base64
import hashlib
import hmac
import json
import zlib

import pytest

from proxy.answer_head import AnswerHead
from proxy.rehearsal import RECORD, REHEARSE, as_recorded, as_rehearsal, mark, without_effects

KEY = b"key"
HEAD = b"POST /api/products/?q=%2F HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\n"


def _signature(words: bytes) -> bytes:
    return hmac.new(KEY, words, hashlib.sha256).hexdigest().encode()


def test_a_rehearsal_goes_to_a_path_where_a_service_without_rehearsals_has_nothing() -> None:
    lines = as_rehearsal(HEAD, KEY, 1030).split(b"\r\n")
    assert lines[0] == b"POST /__strangler__/rehearse/api/products/?q=%2F HTTP/1.1"
    assert lines[1:3] == HEAD.split(b"\r\n")[1:3]
    signed = b"rehearse\nPOST\n/__strangler__/rehearse/api/products/?q=%2F\n1030"
    assert lines[3:] == [b"X-Strangler-Rehearsal: 1030." + _signature(signed), b"", b""]


def test_a_control_is_asked_for_its_effects_and_otherwise_the_same() -> None:
    signed = b"record\nPOST\n/api/products/?q=%2F\n1030"
    wanted = HEAD[:-2] + b"X-Strangler-Record: 1030." + _signature(signed) + b"\r\n\r\n"
    assert as_recorded(HEAD, KEY, 1030) == wanted


@pytest.mark.parametrize(
    "other",
    [
        (b"other", REHEARSE, b"POST", b"/a", 1),
        (KEY, RECORD, b"POST", b"/a", 1),
        (KEY, REHEARSE, b"PUT", b"/a", 1),
        (KEY, REHEARSE, b"POST", b"/b", 1),
        (KEY, REHEARSE, b"POST", b"/a", 2),
    ],
)
def test_a_mark_is_good_for_one_purpose_request_and_moment(
    other: tuple[bytes, bytes, bytes, bytes, int],
) -> None:
    proof = mark(KEY, REHEARSE, b"POST", b"/a", 1).partition(b".")[2]
    assert mark(*other).partition(b".")[2] != proof


def test_the_monoliths_refusal_is_the_answer_of_a_rehearsal_that_wrote_nothing() -> None:
    answer = without_effects(AnswerHead(403, b"Content-Type: text/html"))
    assert answer.status == 403
    named = dict(answer.headers)
    assert named[b"Content-Type"] == b"text/html"
    version, _, packed = named[b"X-Strangler-Effects"].partition(b";")
    assert version == b"v1"
    effects = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
    assert effects == {"rows": [], "events": [], "calls": [], "mails": []}
