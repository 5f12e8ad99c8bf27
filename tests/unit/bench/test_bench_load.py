"""Which measurements of the load generator are believed."""

from pathlib import Path

import pytest

from bench.load import read_result, write_script
from bench.tools import Tool
from strangler.errors import LoadFailed, ToolMissing


def test_a_run_with_errors_is_no_measurement() -> None:
    with pytest.raises(LoadFailed, match="saw 3 read errors beside 900 answers"):
        read_result('{"requests": 900, "microseconds": 1000000, "p50": 1, "p99": 2, "errors": {"read": 3}}')


def test_a_run_without_answers_is_no_measurement() -> None:
    with pytest.raises(LoadFailed):
        read_result('{"requests": 0, "microseconds": 1000000, "p50": 0, "p99": 0, "errors": {"read": 0}}')


def test_what_wrk_says_instead_of_a_result_is_shown() -> None:
    with pytest.raises(LoadFailed, match="unable to connect"):
        read_result("unable to connect to 127.0.0.1:20001")


def test_latencies_are_read_in_milliseconds() -> None:
    load = read_result('{"requests": 500, "microseconds": 2000000, "p50": 1500, "p99": 9000, "errors": {}}')
    assert (load.per_second, load.p50_ms, load.p99_ms) == (250.0, 1.5, 9.0)


def test_the_script_asks_for_every_path(tmp_path: Path) -> None:
    script = write_script(tmp_path / "load.lua", ["/a/", "/b/4711/"]).read_text()
    assert '{"/a/", "/b/4711/"}' in script


def test_a_missing_program_is_named_with_its_package_and_how_to_get_it() -> None:
    tool = Tool("no-such-proxy", "Debian package no-such-proxy", "sudo apt-get install no-such-proxy")
    with pytest.raises(ToolMissing, match="'no-such-proxy' \\(Debian package no-such-proxy\\)") as refusal:
        tool.path()
    assert refusal.value.next == "sudo apt-get install no-such-proxy"
