"""Every case file of tests/cases/compare: control and candidate in, verdict, differences and rules out."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from strangler.compare.judge import compare
from strangler.compare.rules import SHIPPED
from tests.cases.compare.answers import answer, bodies, book, judged, kinds, pair, request, rules

HTML = "text/html; charset=utf-8"

FILES = Path(__file__).parents[2] / "cases" / "compare"


def _cases(file: str) -> list[Any]:
    cases = tomllib.loads((FILES / file).read_text())["case"]
    return [pytest.param(case, id=case["name"]) for case in cases]


def _answer(case: dict[str, Any]):
    return answer(case.get("body", ""), *case["headers"], status=case.get("status", 200), content_type="")


def _holds(case: dict[str, Any], comparison) -> None:
    assert comparison.verdict == case["verdict"]
    assert kinds(comparison) == case.get("differences", [])
    assert rules(comparison) == set(case.get("rules", []))


@pytest.mark.parametrize("case", _cases("json.toml"))
def test_json_bodies_get_the_verdict_of_their_case(case):
    _holds(case, bodies(case["control"], case["candidate"]))


@pytest.mark.parametrize("case", _cases("answers.toml"))
def test_answers_get_the_verdict_of_their_case(case):
    asked = request(case.get("method", "GET"), case.get("path", "/api/items/"))
    _holds(case, judged(_answer(case["control"]), _answer(case["candidate"]), asked))


@pytest.mark.parametrize("case", _cases("html.toml"))
def test_html_bodies_get_the_verdict_of_their_case(case):
    sides = (answer(case[side], content_type=HTML) for side in ("control", "candidate"))
    _holds(case, judged(*sides))


@pytest.mark.parametrize("case", _cases("rules.toml"))
def test_a_teams_rules_give_the_verdict_of_their_case(case):
    asked = pair(answer(case["control"]), answer(case["candidate"]))
    _holds(case, compare(asked, book(*case["own"]).terms(asked.route, asked.at)))


@pytest.mark.parametrize("file", ["json.toml", "answers.toml"])
def test_the_class_of_verdict_survives_swapping_the_sides(file):
    for param in _cases(file):
        case = param.values[0]
        asked = request(case.get("method", "GET"), case.get("path", "/api/items/"))
        if file == "json.toml":
            swapped = bodies(case["candidate"], case["control"])
        else:
            swapped = judged(_answer(case["candidate"]), _answer(case["control"]), asked)
        assert swapped.verdict == case["verdict"], case["name"]


def test_every_shipped_rule_has_a_case_and_says_why():
    used = {
        rule
        for file in ("json.toml", "answers.toml", "html.toml")
        for param in _cases(file)
        for rule in param.values[0].get("rules", [])
    }
    assert used == {rule.name for rule in SHIPPED}
    assert all(len(rule.why) > 40 for rule in SHIPPED)
