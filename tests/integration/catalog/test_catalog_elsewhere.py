"""Before it deletes a row the catalog asks the monolith what there still refers to it."""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from catalog_callers import KEY, Caller
from sqlalchemy import text

from extracted.catalog.app import create_app
from extracted.catalog.config import Config
from extracted.catalog.models import Base
from extracted.chassis.elsewhere import InTheMonolith
from extracted.chassis.errors import Unavailable
from extracted.chassis.peers import FAILURES, PEER_KEY, Peer, PeerAway
from tests.fences import fence

PATH = "/api/products/1/"


@dataclass
class Known:
    """What others refer to; `away` knows nothing."""

    protecting: Sequence[str] = ()
    away: bool = False
    asked: list[tuple[str, object, Sequence[str]]] = field(default_factory=list)

    def protectors(self, table: str, key: object, own: Sequence[str]) -> Sequence[str]:
        self.asked.append((table, key, own))
        if self.away:
            raise Unavailable
        return self.protecting


@pytest.fixture
def elsewhere() -> Known:
    return Known()


@pytest.fixture
def asking(database_url, products, elsewhere) -> Iterator[Caller]:
    """Staff at a catalog that asks."""
    app = create_app(Config(database_url, KEY.public_key(), "INFO"), elsewhere=elsewhere)
    yield Caller(app)
    app.extensions["database"].close()


def test_what_others_need_is_not_deleted(asking, elsewhere):
    elsewhere.protecting = ["orders.OrderLine"]
    answer = asking.ask("DELETE", PATH)
    assert answer.status_code == 409
    assert answer.json == {
        "detail": "Other records still refer to this one; it cannot be deleted.",
        "code": "conflict",
    }
    assert asking.ask("GET", PATH).status_code == 200


def test_what_nobody_needs_is_deleted(asking, elsewhere):
    assert asking.ask("DELETE", PATH).status_code == 204
    assert elsewhere.asked == [("catalog_product", 1, tuple(Base.metadata.tables))]


def test_where_nobody_says_nothing_is_deleted(asking, elsewhere):
    elsewhere.away = True
    answer = asking.ask("DELETE", PATH)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert asking.ask("GET", PATH).status_code == 200


@pytest.mark.parametrize("path", ["/api/products/999/", "/api/products/x/"])
def test_nobody_is_asked_about_what_is_not_there(asking, elsewhere, path):
    assert asking.ask("DELETE", path).status_code == 404
    assert elsewhere.asked == []


def test_a_fenced_service_asks_nobody(asking, elsewhere, database):
    with database.writing() as session:
        for statement in fence(database.engine.dialect.name, tuple(Base.metadata.tables)):
            session.execute(text(statement))
    assert asking.ask("DELETE", PATH).headers["X-Strangler-Moved"].startswith("catalog; ")
    assert elsewhere.asked == []


class FakeMonolith(ThreadingHTTPServer):
    """Answers with `status` and `body`, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.status, self.body = 200, b'{"protectors": ["orders.OrderLine"]}'
        self.asked: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answering(BaseHTTPRequestHandler):
    """One connection."""

    server: FakeMonolith

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get(PEER_KEY, "")))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def monolith() -> Iterator[FakeMonolith]:
    with FakeMonolith() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def peer(monolith) -> Iterator[Peer]:
    made = Peer(monolith.url, "the-key")
    yield made
    made.close()


def test_the_monolith_is_asked_by_key_for_one_row(monolith, peer):
    assert InTheMonolith(peer).protectors("a table", "x/y", ["a", "b"]) == ["orders.OrderLine"]
    ((path, key),) = monolith.asked
    assert key == "the-key"
    assert urlsplit(path).path == "/__strangler__/references/a%20table/x%2Fy"
    assert parse_qs(urlsplit(path).query) == {"own": ["a,b"]}


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_any_other_answer_says_nothing(monolith, peer, status):
    monolith.status = status
    with pytest.raises(Unavailable):
        InTheMonolith(peer).protectors("t", 1, [])
    assert len(monolith.asked) == 1


def test_a_peer_that_is_away_is_not_asked_for_a_while(monolith):
    peer = Peer("http://127.0.0.1:1", "k")
    for _ in range(FAILURES):
        with pytest.raises(PeerAway):
            peer.get("/", {})
    peer.url = monolith.url
    with pytest.raises(PeerAway, match="open"):
        peer.get("/", {})
    assert monolith.asked == []
    peer.close()


def test_a_peer_never_shows_its_key():
    assert "the-key" not in repr(Peer("http://x", "the-key"))


def test_an_answer_that_is_no_json_says_nothing(monolith, peer):
    monolith.body = json.dumps(["no", "object"]).encode()
    with pytest.raises(Unavailable):
        InTheMonolith(peer).protectors("t", 1, [])
