"""What cannot be looked at is NOT_COMPARABLE, never a crash, a pass or a guess."""

import gzip
import zlib

import brotli
import msgspec
import pytest

from proxy.pairs import Failure
from strangler.compare import coding
from strangler.compare.verdict import Reason, Side, Verdict
from tests.cases.compare.answers import answer, bodies, judged, kinds, rules

DEEP = b"[" * 100_000 + b"%d" + b"]" * 100_000
LONG = b'{"n":%d}'


def _truncated(body: str, **more):
    return msgspec.structs.replace(answer(body, **more), truncated=True)


@pytest.mark.parametrize("depth", [201, 900, 1_000, 5_000, 100_000])
def test_nesting_too_deep_is_not_comparable(depth):
    control = b"[" * depth + b"1" + b"]" * depth
    comparison = bodies(control, control.replace(b"1", b"2"))
    assert comparison.verdict is Verdict.NOT_COMPARABLE
    assert comparison.obstacle.reason is Reason.TOO_DEEP


def test_nesting_at_the_limit_is_compared():
    control = '{"a":' * 200 + "1" + "}" * 200
    assert kinds(bodies(control, control.replace("1", "2"))) == ["value $" + ".a" * 200]


def test_brackets_in_texts_are_not_nesting():
    control = '{"a":"%s","b":1}' % ("[" * 500)
    assert kinds(bodies(control, control.replace("1", "2"))) == ["value $.b"]


def test_a_deep_and_a_flat_body_are_not_comparable():
    assert bodies(DEEP % 1, "[]").verdict is Verdict.NOT_COMPARABLE


def test_identical_bytes_match_however_deep():
    assert bodies(DEEP % 1, DEEP % 1).verdict is Verdict.MATCH


def test_a_number_of_5000_digits_is_not_comparable():
    comparison = bodies(b'{"n":' + b"9" * 5000 + b"}", b'{"n":' + b"8" * 5000 + b"}")
    assert comparison.verdict is Verdict.NOT_COMPARABLE
    assert comparison.obstacle.reason is Reason.NUMBER_TOO_LONG
    assert "$.n" in comparison.obstacle.detail


def test_a_number_of_5000_digits_that_is_the_same_matches():
    digits = b"9" * 5000
    comparison = bodies(b'{"a":1,"n":' + digits + b"}", b'{"n":' + digits + b',"a":1}')
    assert comparison.verdict is Verdict.MATCH


def test_a_difference_beside_an_obstacle_is_still_a_diff():
    comparison = bodies(b'{"a":1,"n":' + b"9" * 5000 + b"}", b'{"a":2,"n":' + b"8" * 5000 + b"}")
    assert comparison.verdict is Verdict.DIFF
    assert comparison.obstacle.reason is Reason.NUMBER_TOO_LONG


def test_invalid_utf8_on_one_side_is_invalid_json():
    assert kinds(bodies(b'{"a":"\xc3\xa9"}', b'{"a":"\xe9"}')) == ["invalid_json body"]


def test_an_escaped_surrogate_never_equals_a_broken_byte():
    assert kinds(bodies(b'{"a":"\\udcff"}', b'{"a":"\xff"}')) == ["invalid_json body"]


@pytest.mark.parametrize("side", list(Side))
def test_a_truncated_capture_is_not_comparable(side):
    answers = {Side.CONTROL: answer("{}"), Side.CANDIDATE: answer("{}"), side: _truncated("{")}
    comparison = judged(*answers.values())
    assert (comparison.verdict, comparison.obstacle.side) == (Verdict.NOT_COMPARABLE, side)


def test_two_equal_truncated_captures_are_not_a_match():
    comparison = judged(_truncated("{"), _truncated("{"))
    assert (comparison.verdict, comparison.obstacle.side) == (Verdict.NOT_COMPARABLE, None)


def test_another_status_is_a_diff_though_the_capture_is_truncated():
    assert judged(_truncated("{"), answer("{}", status=500)).verdict is Verdict.DIFF


def test_a_missing_header_is_a_diff_though_the_capture_is_truncated():
    assert judged(_truncated("{"), answer("{}", "X-Frame-Options: DENY")).verdict is Verdict.DIFF


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:4]) + gzip.compress(body[4:])),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("br", brotli.compress),
        ("br, gzip", lambda body: gzip.compress(brotli.compress(body))),
        ("identity", bytes),
    ],
)
def test_coded_and_plain_bodies_match(name, encode):
    body = b'{"id":1,"name":"a"}'
    comparison = judged(
        answer(encode(body), f"Content-Encoding: {name}", "Vary: Accept-Encoding"), answer(body)
    )
    assert comparison.verdict is Verdict.MATCH
    assert rules(comparison) == {"framing"}


def test_coded_bodies_are_compared_as_what_they_hold():
    control = answer(gzip.compress(b'{"id":1}'), "Content-Encoding: gzip")
    candidate = answer(brotli.compress(b'{"id":2}'), "Content-Encoding: br")
    assert kinds(judged(control, candidate)) == ["value $.id"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gzip", b"no gzip"),
        ("gzip", gzip.compress(b"{}" * 100, mtime=0)[:-5]),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"rest"),
        ("deflate", b"\x78\x9c\xff"),
        ("br", b"no brotli at all"),
        ("br", brotli.compress(b"{}" * 1000)[:-3]),
        ("zstd", b"(\xb5/\xfd"),
    ],
)
def test_a_corrupt_or_unknown_coding_is_not_comparable(name, body):
    comparison = judged(answer("{}"), answer(body, f"Content-Encoding: {name}"))
    assert comparison.verdict is Verdict.NOT_COMPARABLE
    assert (comparison.obstacle.reason, comparison.obstacle.side) == (Reason.DECODE_ERROR, Side.CANDIDATE)


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", lambda body: brotli.compress(body, quality=1)),
    ],
)
def test_a_bomb_is_not_unpacked(name, encode):
    bomb = encode(bytes(coding.MAX_DECODED + 1))
    comparison = judged(answer("{}"), answer(bomb, f"Content-Encoding: {name}"))
    assert comparison.obstacle.reason is Reason.TOO_LARGE


def test_a_bomb_in_many_members_is_not_unpacked():
    bomb = gzip.compress(bytes(coding.MAX_DECODED // 2)) * 3
    assert judged(answer("{}"), answer(bomb, "Content-Encoding: gzip")).obstacle.reason is Reason.TOO_LARGE


def test_no_answer_is_infra_and_names_side_and_error():
    comparison = judged(answer("{}"), Failure("upstream_timeout", 3.0))
    assert comparison.verdict is Verdict.INFRA
    assert [(each.side, each.error) for each in comparison.outages] == [(Side.CANDIDATE, "upstream_timeout")]


def test_no_answer_from_either_side_names_both():
    comparison = judged(Failure("upstream_reset", 0.1), Failure("upstream_timeout", 3.0))
    assert [each.side for each in comparison.outages] == [Side.CONTROL, Side.CANDIDATE]


def test_a_thousand_differences_keep_the_verdict_and_stay_few():
    comparison = bodies(str(list(range(1000))), str([*range(1, 1000), 5000]))
    assert comparison.verdict is Verdict.DIFF
    assert len(comparison.differences) == 100


def test_an_expected_difference_after_a_hundred_notes_is_still_expected():
    control = {f"k{n}": f"http://shop.test/{n}" for n in range(150)} | {"z": 1}
    candidate = {f"k{n}": f"HTTP://shop.test/{n}" for n in range(150)} | {"z": 1.0}
    encode = msgspec.json.encode
    assert bodies(encode(control), encode(candidate)).verdict is Verdict.EXPECTED


def test_a_long_text_is_cut_in_the_difference():
    (difference,) = bodies('{"a":"%s"}' % ("x" * 5000), '{"a":"%s"}' % ("y" * 5000)).differences
    assert len(difference.control) < 1100
    assert "5002 characters" in difference.control
