"""`strangler compare` in words, JSON and exit codes."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner

from strangler.cli import main
from strangler.compare.writing import Writer
from strangler.errors import NoStore, UnknownComparison, UnreadableAnswer
from tests.cases.compare.compared import differing, matching

GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"


@pytest.fixture
def store_path(tmp_path):
    path = tmp_path / "compare.sqlite3"
    with closing(Writer(path)) as writer:
        writer.record([matching(1), differing(2)])
    return path


def _run(*words: object):
    return CliRunner().invoke(main, ["compare", *(str(word) for word in words)])


@pytest.fixture
def paired(tmp_path):
    def run(control: bytes, candidate: bytes, *options: str):
        (tmp_path / "control.http").write_bytes(control)
        (tmp_path / "candidate.http").write_bytes(candidate)
        return _run("pair", tmp_path / "control.http", tmp_path / "candidate.http", *options)

    return run


def test_report_without_a_store_says_what_to_do(tmp_path):
    result = _run("report", "--store", tmp_path / "none.sqlite3")
    assert result.exit_code == 3
    assert NoStore.id in result.stderr
    assert "next: strangler flip ROUTE shadow" in result.stderr


def test_show_names_near_numbers_for_an_unknown_one(store_path):
    result = _run("show", "12", "--store", store_path)
    assert result.exit_code == 2
    assert UnknownComparison.id in result.stderr
    assert "next: strangler compare show " in result.stderr


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    result = _run("pair", tmp_path / "none", tmp_path / "none")
    assert result.exit_code == 2
    assert UnreadableAnswer.id in result.stderr


def test_report_exits_1_when_there_is_a_diff(store_path):
    result = _run("report", "--store", store_path)
    assert result.exit_code == 1
    assert "catalog.products" in result.output
    assert "$.id" in result.output


def test_report_as_json_carries_the_bound(store_path):
    result = _run("report", "--store", store_path, "--json")
    (route,) = json.loads(result.output)["routes"]
    assert route["counts"]["DIFF"] == 1
    assert 0.5 < route["diff_rate_upper_95"] < 1.0


@pytest.mark.parametrize("wanted", ["2", "req-2"])
def test_show_finds_by_number_and_request_id(store_path, wanted):
    result = _run("show", wanted, "--store", store_path)
    assert result.exit_code == 0
    assert "value  $.id" in result.output
    assert "curl --include" in result.output


def test_show_as_json_carries_both_sides(store_path):
    sheet = json.loads(_run("show", "2", "--store", store_path, "--json").output)
    assert sheet["comparison"]["differences"] == [
        {"kind": "value", "path": "$.id", "control": "1", "candidate": "2"}
    ]
    assert {"mark": "≠", "control": '  "id": 1', "candidate": '  "id": 2'} in sheet["rows"]


@pytest.mark.parametrize(
    ("candidate", "exit_code", "verdict"),
    [
        (GOOD + b'{"n":1}', 0, "MATCH"),
        (GOOD + b'{"n":1.0}', 0, "EXPECTED"),
        (GOOD + b'{"n":2}', 1, "DIFF"),
        (GOOD.replace(b"200 OK", b"500 Oops"), 1, "DIFF"),
        (GOOD.replace(b"\r\n\r\n", b"\r\nContent-Length: 99\r\n\r\n") + b'{"n":1}', 3, "NOT_COMPARABLE"),
        (b"not http", 3, "NOT_COMPARABLE"),
    ],
)
def test_pair_exits_by_its_verdict(paired, candidate, exit_code, verdict):
    result = paired(GOOD + b'{"n":1}', candidate, "--json")
    assert result.exit_code == exit_code
    assert json.loads(result.output)["verdict"] == verdict


def test_pair_writes_its_verdict_for_a_person(paired):
    result = paired(GOOD + b'{"n":1}', GOOD + b'{"n":"1"}')
    assert "DIFF" in result.output
    assert "type  $.n" in result.output


def test_pair_masks_what_is_secret(paired):
    result = paired(GOOD + b'{"password":"geheim"}', GOOD + b'{"password":"anders"}', "--json")
    assert result.exit_code == 1
    assert "geheim" not in result.output


def test_pair_asks_the_method_before_forgiving_a_redirect(paired):
    control = b"HTTP/1.1 301 Moved\r\nLocation: /item/\r\n\r\n"
    candidate = b"HTTP/1.1 308 Moved\r\nLocation: http://any.example/item/\r\n\r\n"
    assert paired(control, candidate, "--method", "get").exit_code == 0
    assert paired(control, candidate, "--method", "POST").exit_code == 1


def test_pair_learns_the_sides_own_hosts_from_the_path(paired):
    control = GOOD + b'{"next":"http://127.0.0.1:8001/api/items/?page=2"}'
    candidate = GOOD + b'{"next":"http://127.0.0.1:8101/api/items/?page=2"}'
    assert paired(control, candidate).exit_code == 1
    assert paired(control, candidate, "--path", "/api/items/").exit_code == 0
