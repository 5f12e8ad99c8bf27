"""Every error of the proxy itself has one id, one status and a sentence that leaks nothing."""

import json
import re
from pathlib import Path

import pytest

from proxy.access_line import Entry, line_of
from proxy.errors import ForwardError, RequestRefused
from proxy.routes import Route, Stage


def test_no_two_errors_share_an_id_or_a_sentence() -> None:
    assert len({error.id for error in ForwardError}) == len(ForwardError)
    assert len({error.sentence for error in ForwardError}) == len(ForwardError)


@pytest.mark.parametrize("error", ForwardError)
def test_an_errors_id_is_its_name(error: ForwardError) -> None:
    assert error.id == error.name.lower()


@pytest.mark.parametrize("error", ForwardError)
def test_an_errors_status_says_who_failed(error: ForwardError) -> None:
    clients, upstreams = {400, 404, 405, 408, 431}, {502, 503, 504}
    assert error.status in (upstreams if "upstream" in error.sentence else clients)


@pytest.mark.parametrize("error", ForwardError)
def test_a_sentence_names_no_address_and_no_number(error: ForwardError) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z', -]+\.", error.sentence)
    assert "localhost" not in error.sentence


def test_a_refusal_carries_its_error() -> None:
    assert RequestRefused(ForwardError.BAD_HOST).error is ForwardError.BAD_HOST


def test_the_page_has_every_error_with_its_status() -> None:
    page = (Path(__file__).parents[3] / "docs" / "proxy.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", page, re.MULTILINE)
    assert sorted(rows) == sorted((error.id, str(error.status)) for error in ForwardError)


def test_the_page_has_every_field_of_the_access_log() -> None:
    page = (Path(__file__).parents[3] / "docs" / "proxy.md").read_text()
    table = page.partition("## The access log")[2].partition("\n## ")[0]
    named = {
        name
        for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
        for name in re.findall("`(.+?)`", row)
    }
    entry = Entry(b"an-id", "10.1.2.3", 200, 216, "catalog", 100.0, 100.5)
    entry.connected = entry.first_byte = 100.1
    entry.version, entry.method, entry.path, entry.traceparent = "v", b"GET", b"/", b"00-0-0-01"
    entry.route = Route("r", "g", "/", ("GET",), Stage.CANARY)
    entry.bucket, entry.fallback, entry.error = 1, "reset", "bad_host"
    entry.pinned = entry.claimed = entry.followed = entry.rehearsed = True
    entry.unparked = 100.2
    assert named == json.loads(line_of(entry, 0.0)).keys()
