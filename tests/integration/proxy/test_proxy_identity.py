"""Who asks: the proxy's one question to the monolith, and what a service is told of the answer."""

import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from listening_comparer import Comparer
from raw_client import Answer, Client, fetch, head
from recording_origin import Asked, Origin, Peer, answer, fresh, resets
from running_proxy import ALL, RunningProxy, route, table, until

from proxy.pairs import Failure, Pair, Response

ENDPOINT = "/__strangler__/authenticate"
KEY = "the-service-key"
KEYS = {"STRANGLER_SERVICE_KEY": KEY, "STRANGLER_REHEARSAL_KEY": "the-key-of-rehearsals"}
Script = Callable[[Peer, Asked], None]
# Sessions in one of the 4,096 slots share a pin: whoever follows a writer would be answered by the monolith.
UNPINNED = "pin = { enabled = false }"
ROUTES = (
    route("service", "service", UNPINNED),
    route("other", "service", UNPINNED),
    route("shadow", "shadow", UNPINNED),
    route("kept", "monolith", methods=ALL),
    route("rehearsed", "shadow", "shadow = { percent = 100, rehearse = true }", UNPINNED, methods=ALL),
    route("reverse", "service", "shadow = { percent = 100 }", UNPINNED),
    route("moved", "service", methods=ALL, group="writes"),
    route("share", "canary", "percent = 50", UNPINNED),
    route("hurried", "service", "timeouts = { connect = 0.1, head = 0.2 }", UNPINNED),
)


def identified(token: str = "a.signed.token", *cookies: str, user: str = "", role: str = "") -> bytes:
    headers = [(b"X-Strangler-Answer", b"identified"), (b"X-Strangler-Identity", token.encode())]
    if user:
        headers.append((b"X-Strangler-User", user.encode()))
    if role:
        headers.append((b"X-Strangler-Role", role.encode()))
    return answer(b"", "204 No Content", headers + [(b"Set-Cookie", each.encode()) for each in cookies])


ANONYMOUS = answer(b"", "204 No Content", [(b"X-Strangler-Answer", b"anonymous")])
REFUSED = answer(
    b'{"detail":"CSRF Failed"}',
    "403 Forbidden",
    [
        (b"X-Strangler-Answer", b"refused"),
        (b"Content-Type", b"application/json"),
        (b"WWW-Authenticate", b"Token"),
    ],
)


class Monolith(Origin):
    """An origin whose identity endpoint answers each session as a test wants it."""

    def __init__(self) -> None:
        super().__init__("monolith")
        self._sessions: dict[bytes, Script] = {}
        self.scripted(ENDPOINT, self._judge)

    def knows(self, session: str, data: bytes) -> None:
        """Answer questions about a session with `data`."""
        self.judges(session, lambda peer, asked: peer.send(data))

    def judges(self, session: str, script: Script) -> None:
        self._sessions[session.encode()] = script

    def questions(self, session: str) -> list[Asked]:
        return [asked for asked in self.asked(ENDPOINT) if session.encode() in asked.head]

    def _judge(self, peer: Peer, asked: Asked) -> None:
        (script,) = [found for session, found in self._sessions.items() if session in asked.head]
        script(peer, asked)


@pytest.fixture(scope="module")
def monolith() -> Iterator[Monolith]:
    origin = Monolith()
    yield origin
    origin.close()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("identity") / "pairs.sock"


@pytest.fixture(scope="module")
def comparer(pairs: Path) -> Iterator[Comparer]:
    comparing = Comparer(pairs)
    yield comparing
    comparing.close()


@pytest.fixture(scope="module")
def asking(
    tmp_path_factory: pytest.TempPathFactory,
    monolith: Monolith,
    service: Origin,
    comparer: Comparer,
    pairs: Path,
) -> Iterator[RunningProxy]:
    """A proxy that knows the service key."""
    text = table(monolith.url, service.url, *ROUTES)
    folder = tmp_path_factory.mktemp("asking")
    running = RunningProxy(folder, text, "--pairs", str(pairs), **KEYS)
    yield running
    running.stop()


@pytest.fixture
def session(monolith: Monolith) -> str:
    """A session of somebody signed in, that no other test uses."""
    name = uuid.uuid4().hex
    monolith.knows(name, identified())
    return name


def cookie(session: str) -> str:
    return f"Cookie: a=1; sessionid={session}; csrftoken=c"


def token_at(service: Origin, path: str) -> list[bytes]:
    (asked,) = service.asked(path)
    return asked.values(b"X-Strangler-Identity")


# --- from outside -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        ENDPOINT,
        "/__strangler__",
        "/__strangler__/",
        "//__strangler__/authenticate",
        "/x/../__strangler__/authenticate",
        "/%5F%5fstrangler__/authenticate",
        "/__strangler__/%61uthenticate?x=y",
        "/__strangler__/rehearse/service/products/",
        "/__strangler__/rehears%65/service/products/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_endpoint_is_not_there_for_clients(
    asking: RunningProxy, monolith: Monolith, path: str, method: str
) -> None:
    mark = uuid.uuid4().hex
    got = fetch(
        asking.port, path, f"X-Strangler-Service-Key: {KEY}", f"Cookie: sessionid={mark}", method=method
    )
    assert got.status == 404
    assert b"reserved_path" in got.body
    assert monolith.questions(mark) == []


@pytest.mark.parametrize("name", ["X-Strangler-Identity", "x-strangler-identity", "X_Strangler_Identity"])
def test_a_client_cannot_say_who_it_is(asking: RunningProxy, service: Origin, name: str) -> None:
    path = fresh("/service/")
    assert fetch(asking.port, path, f"{name}: a.stolen.token").status == 200
    assert token_at(service, path) == []


def test_a_signed_in_client_cannot_add_another_identity(
    asking: RunningProxy, service: Origin, session: str
) -> None:
    path = fresh("/service/")
    fetch(asking.port, path, "X-Strangler-Identity: a.stolen.token", cookie(session))
    assert token_at(service, path) == [b"a.signed.token"]


def test_what_a_client_writes_never_reaches_the_question(
    asking: RunningProxy, monolith: Monolith, session: str
) -> None:
    lies = ("X-Strangler-Original-Path: /admin/", "X-Strangler-Service-Key: x", "X-Strangler-Group: orders")
    path = fresh("/service/")
    fetch(asking.port, path, *lies, cookie(session))
    (asked,) = monolith.questions(session)
    assert asked.values(b"x-strangler-original-path") == [path.encode()]
    assert asked.values(b"x-strangler-service-key") == [KEY.encode()]
    assert asked.values(b"x-strangler-group") == [b"reads"]


def test_the_service_key_reaches_nobody_but_the_monolith(
    asking: RunningProxy, service: Origin, session: str
) -> None:
    path = fresh("/service/")
    got = fetch(asking.port, path, cookie(session))
    (asked,) = service.asked(path)
    assert KEY.encode() not in asked.head
    assert KEY not in repr(got) + asking.log()
    assert got.values("X-Strangler-Identity") == []


# --- the question -------------------------------------------------------------------------------------


def test_an_anonymous_request_costs_no_question(asking: RunningProxy, monolith: Monolith) -> None:
    before = len(monolith.asked(ENDPOINT))
    fetch(asking.port, fresh("/service/"), "Cookie: a=1; xsessionid=5", "X-Authorization: x")
    fetch(asking.port, fresh("/moved/"), method="POST", body=b"x")
    assert len(monolith.asked(ENDPOINT)) == before


def test_a_request_that_the_monolith_answers_costs_no_question(
    asking: RunningProxy, monolith: Monolith, session: str
) -> None:
    fetch(asking.port, fresh("/kept/"), cookie(session))
    fetch(asking.port, fresh("/kept/"), cookie(session), method="POST", body=b"x")
    assert monolith.questions(session) == []


def test_the_question_carries_what_djangos_rules_look_at(
    asking: RunningProxy, monolith: Monolith, session: str
) -> None:
    seen = ("Origin: http://o.example", "Referer: http://r.example/", "X-CSRFToken: c", "Accept: text/plain")
    about_the_body = ("Content-Type: text/plain", "If-Match: x", "Range: bytes=1-")
    path = fresh("/moved/")
    fetch(asking.port, path, *seen, *about_the_body, cookie(session), method="PATCH", body=b"hello")
    (asked,) = monolith.questions(session)
    lines = asked.head.decode().split("\r\n")
    assert lines[0] == f"POST {ENDPOINT} HTTP/1.1"
    assert {*seen, cookie(session), "X-Strangler-Original-Method: PATCH", "Content-Length: 0"} <= set(lines)
    assert not {*about_the_body} & set(lines)
    assert asked.values(b"X-Forwarded-For") == [b"127.0.0.1"]


def test_an_authorization_header_alone_is_asked_about(
    asking: RunningProxy, monolith: Monolith, service: Origin, session: str
) -> None:
    path = fresh("/service/")
    fetch(asking.port, path, f"authorization: Token {session}")
    assert len(monolith.questions(session)) == 1
    assert token_at(service, path) == [b"a.signed.token"]


def test_credentials_are_asked_about_once_within_the_cache_time(
    asking: RunningProxy, monolith: Monolith, service: Origin, session: str
) -> None:
    with Client(asking.port) as client:  # one connection, so one worker
        paths = [fresh("/service/") for _ in range(20)]
        for path in paths:
            client.ask("GET", path, cookie(session))
    assert len(monolith.questions(session)) == 1
    assert all(token_at(service, path) == [b"a.signed.token"] for path in paths)


def test_one_route_never_uses_what_another_was_told(
    asking: RunningProxy, monolith: Monolith, session: str
) -> None:
    with Client(asking.port) as client:
        client.ask("GET", fresh("/service/"), cookie(session))
        client.ask("GET", fresh("/other/"), cookie(session))
        client.ask("GET", fresh("/service/"), cookie(session), f"Authorization: Token {session}")
    assert len(monolith.questions(session)) == 3


def test_every_unsafe_request_is_judged_anew(
    asking: RunningProxy, monolith: Monolith, service: Origin, session: str
) -> None:
    with Client(asking.port) as client:
        for _ in range(2):
            path = fresh("/moved/")
            assert client.ask("POST", path, cookie(session), body=b"x" * 3_000).status == 200
            (asked,) = service.asked(path)
            assert asked.raw_body == b"x" * 3_000
        client.ask("GET", fresh("/moved/"), cookie(session))
        monolith.knows(session, REFUSED)
        assert client.ask("DELETE", fresh("/moved/"), cookie(session)).status == 403
    assert len(monolith.questions(session)) == 4


def test_a_kept_connection_that_closed_costs_no_answer(
    asking: RunningProxy, monolith: Monolith, service: Origin, session: str
) -> None:
    fetch(asking.port, fresh("/kept/"))
    monolith.drop_connections()
    path = fresh("/service/")
    assert fetch(asking.port, path, cookie(session)).status == 200
    assert token_at(service, path) == [b"a.signed.token"]


def test_requests_that_come_together_share_one_question(
    asking: RunningProxy, monolith: Monolith, service: Origin
) -> None:
    session, answering = uuid.uuid4().hex, threading.Event()

    def slowly(peer: Peer, asked: Asked) -> None:
        answering.wait(10)
        peer.send(identified())

    monolith.judges(session, slowly)
    paths = [fresh("/service/") for _ in range(6)]
    with Client(asking.port) as client:
        client.send(b"".join(head("GET", path, cookie(session)) for path in paths))
        until(lambda: len(monolith.questions(session)) == 1, "the question is asked")
        answering.set()
        assert [client.answer().status for _ in paths] == [200] * 6
    assert len(monolith.questions(session)) == 1


# --- what the answer does -----------------------------------------------------------------------------


def test_nobody_gets_no_token(asking: RunningProxy, monolith: Monolith, service: Origin) -> None:
    session, path = uuid.uuid4().hex, fresh("/service/")
    monolith.knows(session, ANONYMOUS)
    assert fetch(asking.port, path, cookie(session)).status == 200
    assert token_at(service, path) == []


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_the_monoliths_refusal_is_the_clients_answer(
    asking: RunningProxy, monolith: Monolith, service: Origin, method: str
) -> None:
    session, path = uuid.uuid4().hex, fresh("/moved/")
    monolith.knows(session, REFUSED)
    got = fetch(asking.port, path, cookie(session), method=method, body=b"x" if method == "POST" else b"")
    assert got.status == 403
    assert got.body == (b"" if method == "HEAD" else b'{"detail":"CSRF Failed"}')
    assert (got.value("Content-Type"), got.value("WWW-Authenticate")) == ("application/json", "Token")
    assert got.values("X-Strangler-Answer") == []
    assert service.asked(path) == []


def test_a_refusal_is_not_remembered(asking: RunningProxy, monolith: Monolith) -> None:
    session = uuid.uuid4().hex
    with Client(asking.port) as client:
        monolith.knows(session, REFUSED)
        assert client.ask("GET", fresh("/service/"), cookie(session)).status == 403
        monolith.knows(session, identified())
        assert client.ask("GET", fresh("/service/"), cookie(session)).status == 200


def test_a_renewed_session_cookie_reaches_the_client(asking: RunningProxy, monolith: Monolith) -> None:
    session = uuid.uuid4().hex
    renewed = f"sessionid={session}; Max-Age=1209600; Path=/", "csrftoken=d; Path=/"
    monolith.knows(session, identified("a.signed.token", *renewed))
    with Client(asking.port) as client:
        got = client.ask("GET", fresh("/service/"), cookie(session))
        assert got.values("Set-Cookie") == list(renewed)
        assert client.ask("GET", fresh("/service/"), cookie(session)).values("Set-Cookie") == []
    assert len(monolith.questions(session)) == 1  # the same session, so the answer holds


UNKNOWN = {
    "no endpoint": answer(b"", "404 Not Found"),
    "a fault": answer(b"oops", "500 Internal Server Error"),
    "unmarked": answer(b"", "204 No Content", [(b"X-Strangler-Identity", b"a.b.c")]),
    "unmarked refusal": answer(b"", "403 Forbidden"),
    "no token": answer(b"", "204 No Content", [(b"X-Strangler-Answer", b"identified")]),
    "an endless refusal": answer(b"x" * 70_000, "403 Forbidden", [(b"X-Strangler-Answer", b"refused")]),
    "no HTTP": b"hello\r\n\r\n",
}


@pytest.mark.parametrize("said", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_a_monolith_that_does_not_say_is_a_503_and_never_anonymous(
    asking: RunningProxy, monolith: Monolith, service: Origin, said: bytes
) -> None:
    session, path = uuid.uuid4().hex, fresh("/service/")
    monolith.knows(session, said)
    got = fetch(asking.port, path, cookie(session))
    assert got.status == 503
    assert b"identity_unknown" in got.body
    assert service.asked(path) == []
    monolith.knows(session, identified())
    assert fetch(asking.port, path, cookie(session)).status == 200


def test_an_unreachable_monolith_is_a_503_and_never_anonymous(
    tmp_path_factory: pytest.TempPathFactory, service: Origin
) -> None:
    text = table("http://127.0.0.1:1", service.url, *ROUTES)
    running = RunningProxy(tmp_path_factory.mktemp("alone"), text, workers=1, **KEYS)
    try:
        path = fresh("/moved/")
        assert fetch(running.port, path, cookie("s")).status == 503
        assert fetch(running.port, path, cookie("s"), method="POST", body=b"x").status == 503
        assert service.asked(path) == []
        assert fetch(running.port, path).status == 200
    finally:
        running.stop()


def test_a_judgement_that_comes_too_late_sends_nothing_anywhere(
    asking: RunningProxy, monolith: Monolith, service: Origin
) -> None:
    session, path = uuid.uuid4().hex, fresh("/hurried/")
    late, said = threading.Event(), threading.Event()

    def judges_late(peer: Peer, asked: Asked) -> None:
        assert late.wait(10)
        peer.send(identified())
        said.set()

    monolith.judges(session, judges_late)
    with Client(asking.port) as client:
        client.send(head("GET", path, cookie(session)))
        got = client.answer()
        assert (got.status, b"identity_unknown" in got.body) == (503, True)
        late.set()
        assert said.wait(10)
        client.send(head("GET", "/kept/"))  # on the same connection, behind whatever the late word could do
        assert client.answer().status == 200
    assert service.asked(path) == monolith.asked(path) == []


def test_a_fallback_takes_no_token_to_the_monolith(
    asking: RunningProxy, monolith: Monolith, service: Origin, session: str
) -> None:
    path = fresh("/service/")
    service.scripted(path, resets)
    assert fetch(asking.port, path, cookie(session)).status == 200
    tokens = [asked.values(b"X-Strangler-Identity") for asked in service.asked(path)]
    # once more where the connection had been kept from another request
    assert tokens in ([[b"a.signed.token"]], [[b"a.signed.token"]] * 2)
    assert token_at(monolith, path) == []


# --- logout -------------------------------------------------------------------------------------------

ENDS = {
    "deleted": 'sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/',
    "replaced": "sessionid=another; Path=/; HttpOnly",
}


@pytest.mark.parametrize("ended", ENDS.values(), ids=ENDS.keys())
def test_every_worker_forgets_a_session_that_the_monolith_ends(
    asking: RunningProxy, monolith: Monolith, service: Origin, session: str, ended: str
) -> None:
    logout = fresh("/logout/")
    monolith.scripted(
        logout, lambda peer, _: peer.send(answer(b"", headers=[(b"Set-Cookie", ended.encode())]))
    )
    clients = [Client(asking.port) for _ in range(8)]  # over both workers
    for client in clients:
        client.ask("GET", fresh("/service/"), cookie(session))
    assert len(monolith.questions(session)) <= 2
    assert fetch(asking.port, logout, cookie(session)).status == 200
    monolith.knows(session, ANONYMOUS)
    for client in clients:
        path = fresh("/service/")
        client.ask("GET", path, cookie(session))
        assert token_at(service, path) == []
        client.close()


def test_an_answer_on_its_way_during_a_logout_is_not_remembered(
    asking: RunningProxy, monolith: Monolith, service: Origin
) -> None:
    session, answering = uuid.uuid4().hex, threading.Event()

    def slowly(peer: Peer, asked: Asked) -> None:
        answering.wait(10)
        peer.send(identified())

    monolith.judges(session, slowly)
    logout = fresh("/logout/")
    gone = answer(b"", headers=[(b"Set-Cookie", ENDS["deleted"].encode())])
    monolith.scripted(logout, lambda peer, _: peer.send(gone))
    with Client(asking.port) as client:
        client.send(head("GET", fresh("/service/"), cookie(session)))
        until(lambda: len(monolith.questions(session)) == 1, "the question is asked")
        fetch(asking.port, logout, cookie(session))
        answering.set()
        client.answer()
        monolith.knows(session, ANONYMOUS)
        path = fresh("/service/")
        client.ask("GET", path, cookie(session))
    assert token_at(service, path) == []


def test_a_renewed_cookie_of_the_same_session_forgets_nothing(
    asking: RunningProxy, monolith: Monolith, session: str
) -> None:
    page = fresh("/page/")
    same = answer(b"", headers=[(b"Set-Cookie", f"sessionid={session}; Path=/".encode())])
    monolith.scripted(page, lambda peer, _: peer.send(same))
    with Client(asking.port) as client:
        client.ask("GET", fresh("/service/"), cookie(session))
        client.ask("GET", page, cookie(session))
        client.ask("GET", fresh("/service/"), cookie(session))
    assert len(monolith.questions(session)) == 1


# --- shadows ------------------------------------------------------------------------------------------


def shadowed(asking: RunningProxy, comparer: Comparer, path: str, session: str) -> tuple[Answer, Pair]:
    return fetch(asking.port, path, cookie(session)), comparer.pair_of(path)


def test_a_shadow_of_a_signed_in_request_says_who_asks(
    asking: RunningProxy, service: Origin, comparer: Comparer, session: str
) -> None:
    path = fresh("/shadow/")
    _, pair = shadowed(asking, comparer, path, session)
    assert token_at(service, path) == [b"a.signed.token"]
    assert b"a.signed.token" not in repr(pair).encode()


def test_a_reverse_shadow_takes_no_token_to_the_monolith(
    asking: RunningProxy, monolith: Monolith, service: Origin, comparer: Comparer, session: str
) -> None:
    path = fresh("/reverse/")
    _, pair = shadowed(asking, comparer, path, session)
    assert token_at(service, path) == [b"a.signed.token"]
    assert token_at(monolith, path) == []
    assert b"a.signed.token" not in repr(pair).encode()


@pytest.mark.parametrize("shadow", ["/shadow/", "/reverse/"])
@pytest.mark.parametrize(
    ("said", "role"),
    [
        (identified(role="staff"), "staff"),
        (identified(role="user"), "user"),
        (identified(), ""),
        (identified(role="owner"), ""),
        (ANONYMOUS, "anonymous"),
    ],
    ids=["staff", "user", "a monolith that does not say", "an unknown word", "a session of nobody"],
)
def test_a_pair_says_the_role_of_who_asked_twice_and_remembered(
    asking: RunningProxy, monolith: Monolith, comparer: Comparer, shadow: str, said: bytes, role: str
) -> None:
    session = uuid.uuid4().hex
    monolith.knows(session, said)
    for _ in range(2):
        _, pair = shadowed(asking, comparer, fresh(shadow), session)
        assert pair.role == role


@pytest.mark.parametrize("shadow", ["/shadow/", "/reverse/"])
def test_a_pair_of_a_request_without_credentials_is_anonymous(
    asking: RunningProxy, comparer: Comparer, shadow: str
) -> None:
    path = fresh(shadow)
    fetch(asking.port, path, "X-Strangler-Role: staff")
    assert comparer.pair_of(path).role == "anonymous"


def test_a_shadow_that_the_monolith_would_refuse_gets_that_refusal(
    asking: RunningProxy, monolith: Monolith, service: Origin, comparer: Comparer
) -> None:
    session, path = uuid.uuid4().hex, fresh("/shadow/")
    monolith.knows(session, REFUSED)
    got, pair = shadowed(asking, comparer, path, session)
    assert got.status == 200
    assert isinstance(pair.candidate_answer, Response)
    assert (pair.candidate_answer.status, pair.candidate_answer.body) == (403, b'{"detail":"CSRF Failed"}')
    assert service.asked(path) == []


def test_a_shadow_of_somebody_unknown_is_a_failure_not_an_anonymous_request(
    asking: RunningProxy, monolith: Monolith, service: Origin, comparer: Comparer
) -> None:
    session, path = uuid.uuid4().hex, fresh("/shadow/")
    monolith.knows(session, UNKNOWN["no endpoint"])
    got, pair = shadowed(asking, comparer, path, session)
    assert got.status == 200
    assert isinstance(pair.candidate_answer, Failure)
    assert pair.candidate_answer.error == "identity_unknown"
    assert service.asked(path) == []


# --- a canary's share ---------------------------------------------------------------------------------


def _side(running: RunningProxy, monolith: Monolith, user: str) -> bytes:
    """Return who answers a user at a share of half, in a session of its own."""
    name = uuid.uuid4().hex
    monolith.knows(name, identified(user=user))
    return fetch(running.port, fresh("/share/"), cookie(name)).body


def test_a_user_is_in_the_same_share_in_every_session(asking: RunningProxy, monolith: Monolith) -> None:
    users = [str(number) for number in range(12)]
    seen = [{_side(asking, monolith, user) for _ in range(3)} for user in users]
    assert all(len(sides) == 1 for sides in seen)
    assert len(set.union(*seen)) == 2  # by chance all on one side: once in 2,048


def test_who_asks_at_the_monolith_is_not_told_twice(
    asking: RunningProxy, monolith: Monolith, service: Origin
) -> None:
    for user in map(str, range(12)):
        name, path = uuid.uuid4().hex, fresh("/share/")
        monolith.knows(name, identified("a.signed.token", "sessionid=renewed", user=user))
        got = fetch(asking.port, path, cookie(name))
        told = [asked.values(b"X-Strangler-Identity") for asked in monolith.asked(path)]
        at_service = len(service.asked(path))
        assert told == ([] if at_service else [[]])
        assert len(got.values("Set-Cookie")) == at_service


def test_a_share_that_cannot_ask_who_it_is_stays_with_the_monolith(
    asking: RunningProxy, monolith: Monolith, service: Origin
) -> None:
    for _ in range(8):
        name, path = uuid.uuid4().hex, fresh("/share/")
        monolith.knows(name, answer(b"", "500 Internal Server Error"))
        assert fetch(asking.port, path, cookie(name)).body == b'{"from":"monolith"}'
        assert service.asked(path) == []


# --- rehearsed writes -------------------------------------------------------------------------------


def test_a_write_is_rehearsed_as_whoever_sent_it_and_the_monolith_gets_no_token(
    asking: RunningProxy, monolith: Monolith, service: Origin, comparer: Comparer, session: str
) -> None:
    path = fresh("/rehearsed/")
    monolith.knows(session, identified("a.token", role="staff"))
    with Client(asking.port) as client:
        assert client.ask("POST", path, cookie(session), body=b"x").status == 200
    pair = comparer.pair_of(path)
    assert (pair.rehearsed, pair.role) == (True, "staff")
    assert token_at(service, "/__strangler__/rehearse" + path) == [b"a.token"]
    assert monolith.asked(path)[0].values(b"X-Strangler-Identity") == []
    (question,) = monolith.questions(session)[:1]
    assert question.values(b"X-Strangler-Original-Method") == [b"POST"]


def test_what_the_monolith_refuses_is_not_rehearsed_and_wrote_nothing(
    asking: RunningProxy, monolith: Monolith, service: Origin, comparer: Comparer, session: str
) -> None:
    path = fresh("/rehearsed/")
    monolith.knows(session, REFUSED)
    with Client(asking.port) as client:
        client.ask("POST", path, cookie(session), body=b"x")
    refusal = comparer.pair_of(path).candidate_answer
    assert isinstance(refusal, Response)
    assert (refusal.status, refusal.body) == (403, b'{"detail":"CSRF Failed"}')
    assert [value[:3] for name, value in refusal.headers if name == b"X-Strangler-Effects"] == [b"v1;"]
    assert service.asked("/__strangler__/rehearse" + path) == []
