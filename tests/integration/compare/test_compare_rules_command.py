"""`strangler compare rules|check|again|pair --rules` in words, JSON and exit codes."""

import json
from contextlib import closing

import pytest
from click.testing import CliRunner

from strangler.cli import main
from strangler.compare.store import Judged
from strangler.compare.writing import Writer
from strangler.errors import BrokenRules
from tests.cases.compare.answers import answer, pair
from tests.cases.compare.compared import differing, judge, matching

TABLE = """version = 1
[upstreams.monolith]
url = "http://127.0.0.1:1"
[upstreams.catalog]
url = "http://127.0.0.1:2"
[groups.catalog]
service = "catalog"
tables = ["catalog_product"]
owner = "monolith"
[[routes]]
name = "catalog.products"
group = "catalog"
path = "/api/products/"
methods = ["GET"]
stage = "shadow"
"""
RULE = """version = 1
[[rules]]
name = "ids-differ"
route = "catalog.products"
path = "$.{key}"
ignore = true
reason = "each side counts"
owner = "catalog team"
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy" / "routes.toml").write_text(TABLE)
    environ = {
        "STRANGLER_ROOT": str(tmp_path),
        "STRANGLER_TABLE": str(tmp_path / "proxy" / "routes.toml"),
        "STRANGLER_VAR": str(tmp_path),
    }

    def invoke(*words: object, rules: str | None = None):
        if rules is not None:
            (tmp_path / "proxy" / "compare.toml").write_text(rules)
        return CliRunner(env=environ).invoke(main, ["compare", *map(str, words)], catch_exceptions=False)

    return invoke


@pytest.fixture
def stored(tmp_path):
    with closing(Writer(tmp_path / "compare.sqlite3")) as writer:
        writer.record([matching(1), differing(2)])
    return tmp_path


def test_check_is_content_without_own_rules(run):
    assert run("check").exit_code == 0


def test_check_refuses_a_dead_rule_and_names_its_owner(run, stored):
    result = run("check", rules=RULE.format(key="gone"))
    assert result.exit_code == 1
    assert "dead" in result.output
    assert "ask catalog team" in result.output


def test_check_passes_a_rule_that_stored_answers_need(run, stored):
    assert run("check", rules=RULE.format(key="id")).exit_code == 0


def test_check_without_a_store_calls_every_rule_unproven(run):
    result = run("check", "--json", rules=RULE.format(key="id"))
    assert result.exit_code == 0
    assert json.loads(result.output)["unproven"] == ["ids-differ"]


def test_a_broken_file_of_rules_is_refused_by_key(run):
    result = run("check", rules=RULE.format(key="id").replace("ignore", "ignroe"))
    assert result.exit_code == 2
    assert BrokenRules.id in result.stderr
    assert "rules[0]" in result.stderr


def test_stored_pairs_are_judged_again_without_traffic(run, stored):
    before, after = run("again"), run("again", "--json", rules=RULE.format(key="id"))
    assert (before.exit_code, after.exit_code) == (1, 0)
    assert {(turn["before"], turn["after"]) for turn in json.loads(after.output)["turns"]} == {
        ("MATCH", "MATCH"),
        ("DIFF", "EXPECTED"),
    }


def test_judging_again_without_a_stored_pair_measures_nothing(run, stored):
    assert run("again", "--route", "catalog.reviews").exit_code == 3


def test_rules_lists_shipped_and_own_with_their_hits(run, stored, tmp_path):
    kept = judge(pair(answer('{"a":1}'), answer('{"a":1.0}'), id="x"))
    with closing(Writer(tmp_path / "compare.sqlite3")) as writer:
        writer.record([Judged(kept.pair, kept.comparison)])
    listed = json.loads(run("rules", "--json", rules=RULE.format(key="id")).output)["rules"]
    hits = {rule["name"]: rule["hits"] for rule in listed}
    assert (hits["number_form"], hits["ids-differ"]) == (1, 0)
    assert "number_form  expected" in run("rules").output


def test_pair_takes_a_file_of_rules(run, tmp_path):
    for side, body in (("control", b'{"id":1}'), ("candidate", b'{"id":2}')):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
        (tmp_path / side).write_bytes(head + body)
    (tmp_path / "own.toml").write_text(RULE.format(key="id"))
    sides = (tmp_path / "control", tmp_path / "candidate")
    assert run("pair", *sides).exit_code == 1
    judged = run("pair", *sides, "--rules", tmp_path / "own.toml", "--json")
    assert judged.exit_code == 0
    assert [each["rule"] for each in json.loads(judged.output)["expected"]] == ["ids-differ"]
