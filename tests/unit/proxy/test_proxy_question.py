"""When the monolith is asked who sent a request, in which words, and what its answers mean."""

import pytest
from spelling import Header, block, spelled

from proxy.answer_head import AnswerHead
from proxy.errors import ForwardError
from proxy.question import (
    Credentials,
    Identified,
    Question,
    Refused,
    credentials_of,
    ends_session,
    judgement,
    question,
    session_of,
)
from proxy.request_head import RequestHead, read_head
from proxy.routes import Group, Owner, Route, Stage, Upstream

HOST = (b"Host", b"shop.example")
MONOLITH = Upstream("monolith", "http://m:1", "m", 1)
GROUP = Group("catalog", "catalog", ("catalog_product", "catalog_review"), Owner.MONOLITH)
COOKIE = b"sessionid"


def read(*headers: Header, method: bytes = b"GET", target: bytes = b"/a?b=c") -> RequestHead:
    return read_head(spelled(method, target, HOST, *headers))


def asked(
    *headers: Header,
    route: str = "r",
    scheme: bytes = b"http",
    safe: bool = True,
    host: bytes = b"shop.example",
) -> Question:
    head = read_head(spelled(b"GET", b"/a?b=c", (b"Host", host), *headers))
    who = credentials_of(head, COOKIE)
    assert who is not None
    return question(
        head,
        who,
        route=Route(route, "catalog", "/a", ("GET",), Stage.SERVICE),
        group=GROUP,
        monolith=MONOLITH,
        service_key=b"key",
        forwarded_for=b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: " + scheme,
        request_id=b"id",
        safe=safe,
    )


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"Cookie", b"a=1")],
        [(b"Cookie", b"sessionid=")],
        [(b"Cookie", b"xsessionid=1; a=sessionid; sessionid2=1")],
        [(b"X-Authorization", b"1")],
    ],
)
def test_without_a_session_or_authorization_nobody_signed_in(headers: list[Header]) -> None:
    assert credentials_of(read(*headers), COOKIE) is None


@pytest.mark.parametrize(
    ("cookies", "session"),
    [
        (b"a=1; sessionid=x; b=2", "x"),
        (b"sessionid=first; sessionid=last", "last"),
        (b" sessionid = x ", "x"),
        (b"sessionid=a=b", "a=b"),
        (b"sessionid=mine; \xc2\xa0sessionid=other", "other"),
        (b"sessionid=\xff", "\ufffd"),
    ],
)
def test_a_session_is_read_as_django_reads_it(cookies: bytes, session: str) -> None:
    assert session_of(cookies, COOKIE) == session


def test_every_authorization_line_counts() -> None:
    head = read((b"authorization", b"Token a"), (b"AUTHORIZATION", b"Token b"))
    assert credentials_of(head, COOKIE) == Credentials("", (b"Token a", b"Token b"))


ALICE = (b"Cookie", b"sessionid=alice")


def test_what_the_answer_hangs_on_has_another_key() -> None:
    keys = [
        asked(ALICE).key,
        asked((b"Cookie", b"sessionid=bob")).key,
        asked(ALICE, (b"Authorization", b"Token x")).key,
        asked(ALICE, route="s").key,
        asked(ALICE, host=b"other.example").key,
        asked(ALICE, scheme=b"https").key,
    ]
    assert len(set(keys)) == len(keys)


def test_what_the_answer_does_not_hang_on_has_the_same_key() -> None:
    assert asked(ALICE).key == asked((b"Cookie", b"seen=7; sessionid=alice"), (b"Accept", b"x")).key


@pytest.mark.parametrize("secret", ["alice", "Token x"])
def test_a_key_keeps_no_credentials(secret: str) -> None:
    key = asked(ALICE, (b"Authorization", b"Token x")).key
    assert key is not None
    assert secret.encode() not in key


def test_an_unsafe_request_has_no_key_for_its_csrf_token_is_judged_each_time() -> None:
    assert asked(ALICE, safe=False).key is None


def test_a_session_that_django_would_unquote_has_no_key() -> None:
    assert asked((b"Cookie", b'sessionid="alice"')).key is None


def test_the_question_says_what_is_asked_about_and_leaves_out_the_body() -> None:
    headers = [
        (b"Accept", b"*/*"),
        (b"Content-Type", b"text/plain"),
        (b"If-None-Match", b"x"),
        (b"Range", b"bytes=1-"),
        (b"Origin", b"http://o"),
        (b"Cookie", b"strangler_cohort=x; sessionid=alice"),
    ]
    assert asked(*headers).head.decode().split("\r\n") == [
        "POST /__strangler__/authenticate HTTP/1.1",
        "Host: shop.example",
        "Accept: */*",
        "Origin: http://o",
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: shop.example",
        "X-Request-ID: id",
        "X-Strangler-Service-Key: key",
        "X-Strangler-Group: catalog",
        "X-Strangler-Tables: catalog_product,catalog_review",
        "X-Strangler-Original-Method: GET",
        "X-Strangler-Original-Path: /a",
        "Content-Length: 0",
        "Cookie: sessionid=alice",
        "",
        "",
    ]


def said(status: int, *headers: Header) -> AnswerHead:
    return AnswerHead(status, block(*headers))


def test_an_answer_that_the_endpoint_did_not_mark_says_nothing() -> None:
    for head in (
        said(204, (b"X-Strangler-Identity", b"t")),
        said(403),
        said(200, (b"X-Strangler-Answer", b"yes")),
        said(204, (b"X-Strangler-Answer", b"identified")),
        said(204, (b"X-Strangler-Answer", b"identified"), (b"X-Strangler-Identity", b"")),
    ):
        assert judgement(head, b"") is ForwardError.IDENTITY_UNKNOWN


def test_a_refusal_loses_the_words_that_are_not_for_clients() -> None:
    found = judgement(said(401, (b"x-strangler-answer", b"refused"), (b"WWW-Authenticate", b"B")), b"no")
    assert isinstance(found, Refused)
    assert found.head.headers == [(b"WWW-Authenticate", b"B")]
    assert (found.head.status, found.body) == (401, b"no")


def test_an_answers_cookies_go_with_it() -> None:
    cookies = [(b"Set-Cookie", b"a=1"), (b"set-cookie", b"b=2; Path=/")]
    mark = (b"X-Strangler-Answer", b"anonymous")
    assert judgement(said(204, mark, *cookies), b"") == Identified(
        b"", b"Set-Cookie: a=1\r\nset-cookie: b=2; Path=/\r\n", b"", "anonymous"
    )


@pytest.mark.parametrize(
    ("cookie", "ends"),
    [
        (b'sessionid=""; Max-Age=0', True),
        (b"sessionid=; Max-Age=0", True),
        (b"sessionid=another; Path=/", True),
        (b"sessionid=alice; Path=/", False),
        (b"csrftoken=x", False),
        (b"xsessionid=x", False),
    ],
)
def test_a_session_ends_when_its_cookie_says_something_else(cookie: bytes, ends: bool) -> None:
    head = said(200, (b"Set-Cookie", b"a=1"), (b"set-cookie", cookie))
    assert ends_session(head, COOKIE, "alice") is ends
