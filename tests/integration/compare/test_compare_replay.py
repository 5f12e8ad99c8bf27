"""Both sides are asked exactly what the corpus says, at a rate, and every answer is judged and kept."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from click.testing import CliRunner

from proxy.pairs import Failure, Request
from strangler.cli import main
from strangler.compare.asking import Asker, Side
from strangler.compare.reading import Reader
from strangler.compare.verdict import Verdict
from strangler.compare.writing import Writer
from tests.cases.compare.answers import answer, pair, request
from tests.cases.compare.compared import differing, judge
from tests.cases.compare.written import rehearsed, row, told, wrote

TABLE = """version = 1
[upstreams.monolith]
url = "{monolith}"
[upstreams.catalog]
url = "{catalog}"
[groups.catalog]
service = "catalog"
tables = ["t"]
owner = "monolith"
[[routes]]
name = "catalog.products"
group = "catalog"
path = "/api/products/"
methods = ["GET", "HEAD"]
stage = "shadow"
[[routes]]
name = "catalog.create"
group = "catalog"
path = "/api/products/"
methods = ["POST"]
stage = "shadow"
"""


class _Shop(BaseHTTPRequestHandler):
    """Answers with the page that was asked for; refuses a secret one to all but staff, if it checks."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        self.server.fields.append(self.headers)
        # A server closes an idle connection without a word, and sometimes in the middle of an answer.
        self.close_connection = self.path.endswith(("closing=1", "broken=1"))
        is_staff = "staff" in self.headers.get("Cookie", "")
        if not is_staff and self.path.endswith("secret=1") and self.server.checks:
            self._send(403, {"detail": "no"})
        elif self.path.endswith("broken=1"):
            self.send_response(200)
            self.send_header("Content-Length", "8")
            self.end_headers()
            self.wfile.write(b"half")
        elif self.path.endswith("moved=1"):
            self.send_response(302)
            self.send_header("Location", "/elsewhere/")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._send(200, {"next": f"http://{self.headers['Host']}{self.path}", "page": self.path})

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.seen.append((self.path, dict(self.headers)))
        self.server.fields.append(self.headers)
        if self.path == "/__strangler__/authenticate":
            self.send_response(204)
            self.send_header("X-Strangler-Answer", "identified")
            self.send_header("X-Strangler-Identity", "token-of-" + self.headers["Cookie"])
            self.end_headers()
        else:
            self.send_response(201)
            held = {"name": json.loads(sent)["name"], "price": self.server.price}
            effects = wrote(row("catalog_product", "insert", {"id": 9}, held))
            self.send_header("Content-Type", "application/json")
            self.send_header("X-Strangler-Effects", effects.decode())
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _send(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", "sessionid=fresh; HttpOnly")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _shop(*, checks: bool) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    server.seen, server.fields, server.checks, server.price = [], [], checks, "10.55"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def shops():
    with _shop(checks=True) as monolith, _shop(checks=False) as catalog:
        yield monolith, catalog


def _url(server: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def ask():
    with Asker() as asker:
        yield asker.ask


@pytest.fixture
def run(tmp_path, shops):
    monolith, catalog = map(_url, shops)
    (tmp_path / "routes.toml").write_text(TABLE.format(monolith=monolith, catalog=catalog))
    environ = {
        "STRANGLER_ROOT": str(tmp_path),
        "STRANGLER_TABLE": str(tmp_path / "routes.toml"),
        "STRANGLER_VAR": str(tmp_path),
        "STRANGLER_ROLE_STAFF": "Cookie: sessionid=staff",
        "STRANGLER_ROLE_USER": "",
        "STRANGLER_SERVICE_KEY": "service-key",
        "STRANGLER_REHEARSAL_KEY": "rehearsal-key",
    }

    def invoke(*words: object):
        return CliRunner(env=environ).invoke(main, ["compare", *map(str, words)], catch_exceptions=False)

    invoke.environ = environ
    return invoke


@pytest.fixture
def corpus(tmp_path):
    def write(*targets: str, method: str = "GET"):
        file = tmp_path / "corpus.jsonl"
        file.write_text("".join(json.dumps({"method": method, "target": each}) + "\n" for each in targets))
        return file

    return write


def test_a_target_is_asked_as_it_is_and_a_redirect_is_an_answer(ask, shops):
    monolith, _ = shops
    target = "/api/products/?q=a+b%20c%2Fd&q=&moved=1"
    got = ask(Side("monolith", _url(monolith)), Request("GET", target, (), b""), {"Cookie": "a=1"})
    assert (got.status, monolith.seen[0][0]) == (302, target)
    assert monolith.seen[0][1]["Cookie"] == "a=1"


@pytest.mark.parametrize(
    "query", ["q=%zz", "q=%", 'q="<{|}>"', "q=caf\u00e9", "q=a?b/../c", "q=%c3%A9", "#q", "?"]
)
def test_the_very_bytes_that_were_recorded_are_sent(ask, shops, query):
    monolith, _ = shops
    target = f"/api/./products//a%2fb/?{query}"
    ask(Side("monolith", _url(monolith)), Request("GET", target, (), b""), {})
    assert monolith.seen[0][0] == target


def test_a_target_that_no_request_line_can_hold_is_never_sent(ask, shops):
    monolith, _ = shops
    for target in ("/a b", "/a\r\nX-Other: 1", "/\u20ac"):
        got = ask(Side("monolith", _url(monolith)), Request("GET", target, (), b""), {})
        assert isinstance(got, Failure)
    assert monolith.seen == []


def test_a_repeated_header_is_repeated(ask, shops):
    monolith, _ = shops
    headers = ((b"Accept", b"text/html"), (b"Accept", b"*/*"), (b"Host", b"shop.example"))
    ask(Side("monolith", _url(monolith)), Request("GET", "/", headers, b""), {})
    assert monolith.fields[0].get_all("Accept") == ["text/html", "*/*"]
    assert monolith.fields[0].get_all("Host") == [_url(monolith).removeprefix("http://")]


def test_a_connection_that_was_closed_meanwhile_is_opened_again(ask, shops):
    monolith, _ = shops
    side = Side("monolith", _url(monolith))
    for _ in range(2):
        ask(side, Request("GET", "/?closing=1", (), b""), {})
    assert len(monolith.seen) == 2


def test_a_body_that_breaks_off_is_kept_as_truncated(ask, shops):
    monolith, _ = shops
    got = ask(Side("monolith", _url(monolith)), Request("GET", "/?broken=1", (), b""), {})
    assert (got.body, got.truncated) == (b"half", True)


def test_cookies_of_an_answer_are_never_sent_back(ask, shops):
    monolith, _ = shops
    side = Side("monolith", _url(monolith))
    for _ in range(2):
        ask(side, Request("GET", "/api/products/", (), b""), {})
    assert all("Cookie" not in headers for _, headers in monolith.seen)


def test_a_side_that_is_not_there_gives_no_answer(ask):
    got = ask(Side("gone", "http://127.0.0.1:1"), Request("GET", "/", (), b""), {})
    assert isinstance(got, Failure)


def test_a_replay_keeps_every_verdict_with_its_role(run, corpus, tmp_path):
    file = corpus("/api/products/?page=1", "/api/products/?page=2")
    result = run("replay", file, "--direct", "--rate", 0, "--role", "anonymous", "--role", "staff", "--json")
    assert result.exit_code == 0
    matrix = json.loads(result.output)["matrix"]
    assert [(cell["role"], cell["verdicts"]) for cell in matrix] == [
        ("anonymous", {"MATCH": 2}),
        ("staff", {"MATCH": 2}),
    ]
    with Reader(tmp_path / "compare.sqlite3") as reader:
        evidence = {str(each.circumstances): each.n for each in reader.evidence("catalog.products", 0.0)}
    assert evidence == {"GET 2xx anonymous": 2, "GET 2xx staff": 2}


def test_the_matrix_finds_a_missing_permission_check(run, corpus):
    result = run(
        "replay", corpus("/api/products/?secret=1"), "--direct", "--role", "anonymous", "--role", "staff"
    )
    assert result.exit_code == 1
    assert "anonymous on catalog.products: one side let them in" in result.output
    assert "staff on catalog.products: one side" not in result.output


def test_a_role_without_credentials_is_refused_by_its_variable(run, corpus):
    result = run("replay", corpus("/api/products/"), "--direct", "--role", "user")
    assert result.exit_code == 2
    assert "export STRANGLER_ROLE_USER=" in result.stderr


def test_a_corpus_of_writes_alone_measures_nothing_and_asks_nothing(run, corpus, shops):
    result = run("replay", corpus("/api/products/", method="POST"), "--direct")
    assert result.exit_code == 3
    assert "1 are writes" in result.stderr
    assert [shop.seen for shop in shops] == [[], []]


def test_a_stored_pair_is_asked_again_as_whoever_asked(run, tmp_path, shops):
    asked = Request("GET", "/api/products/?page=3", ((b"Cookie", b"sessionid=staff"),), b"")
    with closing(Writer(tmp_path / "compare.sqlite3")) as writer:
        writer.record([judge(pair(answer("{}"), answer("[]"), asked))])
    result = run("rerun", 1, "--direct", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["comparison"]["verdict"] == "MATCH"
    assert [shop.seen[0][1]["Cookie"] for shop in shops] == ["sessionid=staff"] * 2


def test_a_stored_write_is_never_asked_again(run, tmp_path, shops):
    with closing(Writer(tmp_path / "compare.sqlite3")) as writer:
        writer.record([judge(pair(answer("{}"), answer("{}"), Request("POST", "/api/products/", (), b"")))])
    result = run("rerun", 1, "--direct")
    assert result.exit_code == 2
    assert [shop.seen for shop in shops] == [[], []]


def test_a_saved_case_holds_until_the_verdict_changes(run, tmp_path):
    with closing(Writer(tmp_path / "compare.sqlite3")) as writer:
        writer.record([differing(2)])
    assert run("save", 1, tmp_path / "cases").exit_code == 0
    assert run("cases", tmp_path / "cases").exit_code == 0
    (case,) = (tmp_path / "cases").glob("*/candidate.http")
    case.write_bytes(case.read_bytes().replace(b'"id":2', b'"id":1'))
    changed = run("cases", tmp_path / "cases")
    assert changed.exit_code == 1
    assert "was DIFF" in changed.output


def test_a_saved_case_has_no_secret_and_keeps_its_verdict(run, tmp_path):
    body, cookie = '{"token":"geheim","id":1}', "Set-Cookie: sessionid=geheim; HttpOnly"
    asked = Request("GET", "/api/products/?token=geheim", ((b"Cookie", b"sessionid=geheim"),), b"")
    with closing(Writer(tmp_path / "compare.sqlite3")) as writer:
        writer.record([judge(pair(answer(body, cookie), answer(body + " ", cookie), asked))])
    assert run("save", 1, tmp_path / "cases").exit_code == 0
    files = [file.read_text() for file in (tmp_path / "cases").glob("*/*")]
    assert len(files) == 3
    assert not any("geheim" in text for text in files)
    assert run("cases", tmp_path / "cases").exit_code == 0


def test_a_secret_that_differs_is_not_saved_as_a_match(run, tmp_path):
    with closing(Writer(tmp_path / "compare.sqlite3")) as writer:
        writer.record([judge(pair(answer('{"token":"a"}'), answer('{"token":"b"}')))])
    result = run("save", 1, tmp_path / "cases")
    assert result.exit_code == 2
    assert "would be MATCH" in result.stderr


def test_live_requests_become_a_corpus(run, tmp_path):
    with closing(Writer(tmp_path / "compare.sqlite3")) as writer:
        writer.record([differing(2), differing(3)])
    result = run("record", tmp_path / "corpus.jsonl", "--json")
    assert json.loads(result.output)["requests"] == 1
    assert run("replay", tmp_path / "corpus.jsonl", "--direct").exit_code == 3  # /api/items/ is of no route


def test_verdicts_of_a_replay_are_reported_beside_live_ones(run, corpus, tmp_path):
    run("replay", corpus("/api/products/"), "--direct")
    (route,) = json.loads(run("report", "--json").output)["routes"]
    assert (route["stage"], route["counts"][Verdict.MATCH]) == ("replay", 1)


def test_a_second_look_asks_the_monolith_again_only_where_something_differs(run, corpus, shops):
    run("replay", corpus("/api/products/?page=1", "/api/products/?secret=1"), "--direct", "--threads", 1)
    assert [len(shop.seen) for shop in shops] == [3, 2]


def test_a_request_that_the_corpus_repeats_is_asked_once(run, corpus, shops):
    run("replay", corpus(*["/api/products/?page=1"] * 5), "--direct")
    assert [len(shop.seen) for shop in shops] == [1, 1]


def test_a_replay_that_got_no_answer_is_no_pass(run, corpus, tmp_path):
    file = corpus("/api/products/")
    (tmp_path / "routes.toml").write_text(
        TABLE.format(monolith="http://127.0.0.1:1", catalog="http://127.0.0.1:2")
    )
    assert run("replay", file, "--direct").exit_code == 3


def _keep_a_write(tmp_path, body=b'{"name":"Lamp"}'):
    """Store a write of staff that a service once rehearsed with another price than the monolith wrote."""
    sides = (
        told(wrote(row("catalog_product", "insert", {"id": 7}, {"name": "Lamp", "price": price})), status=201)
        for price in ("10.55", "10.60")
    )
    lines = ("Content-Type: application/json", "Cookie: sessionid=staff")
    made = rehearsed(*sides, request("POST", "/api/products/", *lines, body=body), role="staff")
    made = msgspec.structs.replace(made, route="catalog.create")
    with closing(Writer(tmp_path / "compare.sqlite3")) as writer:
        writer.record([judge(made)])


def test_a_recorded_write_is_rehearsed_by_the_service_as_who_sent_it_and_performed_by_nobody(
    run, tmp_path, shops
):
    _keep_a_write(tmp_path)
    corpus = tmp_path / "corpus.jsonl"
    assert run("record", corpus).exit_code == 0
    assert "staff" not in corpus.read_text().replace('"role":"staff"', "")
    done = run("replay", corpus, "--direct", "--role", "staff", "--role", "anonymous", "--json")
    assert done.exit_code == 0, done.output
    monolith, catalog = shops
    assert [path for path, _ in monolith.seen] == ["/__strangler__/authenticate"]
    assert monolith.seen[0][1]["X-Strangler-Original-Method"] == "POST"
    assert monolith.seen[0][1]["X-Strangler-Service-Key"] == "service-key"
    ((path, headers),) = catalog.seen
    assert path == "/__strangler__/rehearse/api/products/"
    assert headers["X-Strangler-Identity"] == "token-of-sessionid=staff"
    assert headers["X-Strangler-Rehearsal"].partition(".")[2]
    with Reader(tmp_path / "compare.sqlite3") as reader:
        replayed = [each.judged for each in reader.kept("catalog.create")][-1]
    assert (replayed.pair.stage, replayed.comparison.verdict) == ("replay", Verdict.MATCH)


def test_a_defect_that_is_still_there_is_found_by_rehearsing_a_recorded_write_again(run, tmp_path, shops):
    _keep_a_write(tmp_path)
    shops[1].price = "10.60"
    done = run("rerun", "1", "--direct", "--json")
    assert done.exit_code == 1
    (difference,) = json.loads(done.output)["comparison"]["differences"]
    assert difference["path"] == "rows.catalog_product[0].price"
    assert [path for path, _ in shops[0].seen] == ["/__strangler__/authenticate"]


def test_a_write_is_not_rehearsed_without_a_key_or_the_role_that_sent_it(run, tmp_path, shops):
    _keep_a_write(tmp_path)
    run("record", tmp_path / "corpus.jsonl")
    assert run("replay", tmp_path / "corpus.jsonl", "--direct", "--role", "anonymous").exit_code == 3
    without = CliRunner(env={**run.environ, "STRANGLER_REHEARSAL_KEY": ""})
    replay = ("replay", str(tmp_path / "corpus.jsonl"), "--role", "staff")
    for words, code in ((replay, 3), (("rerun", "1"), 2)):
        done = without.invoke(main, ["compare", *words, "--direct"])
        assert done.exit_code == code
        assert "STRANGLER_REHEARSAL_KEY" in done.output
    assert shops[1].seen == []


def test_a_write_with_a_secret_in_its_body_is_no_part_of_a_corpus(run, tmp_path):
    _keep_a_write(tmp_path, b'{"name":"Lamp","password":"geheim"}')
    run("record", tmp_path / "corpus.jsonl")
    assert (tmp_path / "corpus.jsonl").read_text() == ""
