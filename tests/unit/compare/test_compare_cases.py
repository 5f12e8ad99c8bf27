"""Every case file of tests/cases/compare: control and candidate in, verdict, differences and rules out."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from strangler.compare.effects import packed
from strangler.compare.judge import compare
from strangler.compare.lossless import parse
from strangler.compare.rows import ID_MAP
from strangler.compare.rules import SHIPPED
from tests.cases.compare.answers import answer, bodies, book, judged, kinds, pair, request, rules
from tests.cases.compare.written import told, verdict_on, wrote

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


def _told(case: dict[str, Any]):
    effects = case.get("effects", "").encode() or None
    if "bare" in case:
        effects = packed(parse(case["bare"].encode()))
    if "rows" in case:
        effects = wrote(*json.loads(case["rows"]), **json.loads(case.get("more", "{}")))
    body = json.loads(case["body"]) if "body" in case else None
    return told(effects, body, *case.get("headers", []), status=case.get("status", 200))


def _rehearsed(case: dict[str, Any], control: str, candidate: str):
    path = case.get("path", "/api/products/")
    asked = request(case.get("method", "POST"), path, body=case.get("sent", "").encode())
    return verdict_on(_told(case[control]), _told(case[candidate]), asked)


@pytest.mark.parametrize("case", _cases("rehearsed.toml"))
def test_a_rehearsed_write_gets_the_verdict_of_its_case(case):
    comparison = _rehearsed(case, "control", "candidate")
    _holds(case, comparison)
    found = comparison.obstacle
    assert (f"{found.reason} {found.side}" if found else None) == case.get("obstacle")


@pytest.mark.parametrize("case", _cases("rehearsed.toml"))
def test_a_rehearsed_writes_verdict_survives_swapping_the_sides(case):
    of_the_candidate = case.get("obstacle", "").endswith(" candidate")  # which alone rehearses, and copies
    if not of_the_candidate:
        assert _rehearsed(case, "candidate", "control").verdict == case["verdict"]


def test_every_shipped_rule_has_a_case_and_says_why():
    used = {
        rule
        for file in ("json.toml", "answers.toml", "html.toml", "rehearsed.toml")
        for param in _cases(file)
        for rule in param.values[0].get("rules", [])
    }
    assert used == {rule.name for rule in SHIPPED} | {ID_MAP}
    assert all(len(rule.why) > 40 for rule in SHIPPED)
