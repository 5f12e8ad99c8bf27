"""`strangler compare search` over HTTP: what is found is printed, stored, and can be shown."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from proxy.pairs import Request
from strangler.cli import main
from tests.cases.compare.small_shop import SCHEMA, SmallShop

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
methods = ["GET"]
stage = "shadow"
[[routes]]
name = "catalog.other"
group = "catalog"
path = "/api/other/"
methods = ["GET"]
stage = "shadow"
"""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/api/schema/"):
            self._send(200, ((b"Content-Type", b"application/json"),), SCHEMA)
            return
        fields = tuple((name.encode(), value.encode()) for name, value in self.headers.items())
        answer = self.server.shop(Request("GET", self.path, fields, b""))
        self._send(answer.status, answer.headers, answer.body)

    def _send(self, status, headers, body) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name.decode(), value.decode())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def _serving(shop: SmallShop) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.shop = shop
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def run(tmp_path):
    with _serving(SmallShop()) as monolith, _serving(SmallShop(other_error_body=True)) as catalog:
        (tmp_path / "routes.toml").write_text(TABLE.format(monolith=monolith, catalog=catalog))
        environ = {
            "STRANGLER_ROOT": str(tmp_path),
            "STRANGLER_TABLE": str(tmp_path / "routes.toml"),
            "STRANGLER_VAR": str(tmp_path),
        }
        yield lambda *words: CliRunner(env=environ).invoke(
            main, ["compare", *map(str, words)], catch_exceptions=False
        )


def test_what_a_search_finds_is_small_and_can_be_shown(run):
    result = run("search", "catalog.products", "--direct", "--seconds", 5, "--json")
    assert result.exit_code == 1
    first = json.loads(result.output)["found"][0]
    assert first["target"].startswith("/api/products/?price_min=")
    assert {each["path"] for each in first["comparison"]["differences"]} == {"$.price_min", "$.error"}
    shown = run("show", first["request_id"], "--json")
    assert json.loads(shown.output)["stage"] == "search"


def test_a_path_that_the_description_lacks_is_refused(run):
    result = run("search", "catalog.other", "--direct")
    assert result.exit_code == 2
    assert "it describes no GET /api/other/" in result.stderr


def test_a_monolith_without_a_description_is_refused(run):
    result = run("search", "catalog.products", "--direct", "--schema", "/api/products/?page=x")
    assert result.exit_code == 2
    assert "answers /api/products/?page=x with 404" in result.stderr
