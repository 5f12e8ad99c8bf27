"""The report as a file: HTML that needs nothing else and runs nothing, JUnit that any build server reads."""

import re
from contextlib import closing
from xml.etree import ElementTree as ET

import pytest

from proxy.pairs import Failure
from strangler.compare import report, report_html, report_junit, show
from strangler.compare.writing import Writer
from tests.cases.compare.answers import answer, pair, request
from tests.cases.compare.compared import judge, matching

EVIL = "</script><script>alert(1)</script>\\u0001\\ufffe"


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "compare.sqlite3"
    asked = request("GET", "/api/items/?token=geheim", "Cookie: sessionid=geheim")
    with closing(Writer(path)) as writer:
        writer.record(
            [
                *(matching(number) for number in range(3)),
                judge(pair(answer(f'{{"a":"{EVIL}"}}'), answer('{"a":"x","password":"geheim"}'), asked)),
                judge(pair(answer(f'{{"{EVIL}":1}}'), answer("{}"), asked, route="evil")),
                judge(pair(answer("{}"), Failure("upstream_timeout", 1.0), route="catalog.reviews")),
                judge(pair(answer("[1,2]"), answer("[2,1]"), route="catalog.reviews")),
                judge(pair(answer('{"n":1}'), answer('{"n":1.0}'), route="expected")),
            ]
        )
    return path


@pytest.fixture
def page(store):
    summary = report.read(store)
    examples = {found.example for route in summary.routes for found in route.findings if found.example}
    return report_html.write(summary, show.sheets(store, examples, {}), "2026-11-25")


def test_the_page_needs_nothing_but_itself(page):
    assert not re.search(r"<(script|link|img|iframe)\b", page)
    assert "@import" not in page
    assert "url(" not in page


def test_what_an_answer_holds_is_shown_and_never_run(page):
    assert "alert(1)" in page
    assert "<script" not in page


def test_the_page_masks_secrets(page):
    assert "geheim" not in page
    assert "sessionid=***" in page


def test_the_page_has_every_route_verdict_example_and_rule(page):
    assert "catalog.products" in page
    assert "DIFF rate 25.00 %" in page
    assert "unordered = true" in page
    assert "upstream_timeout" in page
    assert page.count("≠") == 0  # marks are colours here


def test_junit_has_a_suite_for_each_route_with_its_failures(store):
    root = ET.fromstring(report_junit.write(report.read(store)))
    counts = {
        suite.get("name"): tuple(suite.get(name) for name in ("failures", "errors", "skipped"))
        for suite in root
    }
    assert counts == {
        "catalog.products at shadow": ("2", "0", "0"),
        "catalog.reviews at shadow": ("1", "1", "0"),
        "evil at shadow": ("1", "0", "0"),
        "expected at shadow": ("0", "0", "0"),
    }
    for suite in root:
        assert suite.get("tests") == str(len(suite.findall("testcase")))


def test_a_route_without_a_difference_passes_a_case_that_says_how_sure(store):
    root = ET.fromstring(report_junit.write(report.read(store, "expected")))
    assert root[0][0].get("name") == "no difference in 1 answers, at most 95.00%"
