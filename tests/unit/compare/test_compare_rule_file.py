"""A rule says where, what, why and who; anything less is refused with what would be right."""

import os
from datetime import date

import pytest

from strangler.compare.judge import compare
from strangler.compare.path import BadPattern, Path, Place, parse_pattern
from strangler.compare.rule_book import RulesError, parse_rules
from strangler.compare.rule_file import RulesInForce, read_rules
from strangler.compare.verdict import Verdict
from strangler.errors import BrokenRules
from tests.cases.compare.answers import answer, book, pair

RULE = """version = 1
[[rules]]
name = "views"
route = "catalog.products"
path = "$.views"
ignore = true
reason = "each side counts its own"
owner = "catalog"
"""
DIFFERING = pair(answer('{"views":1}'), answer('{"views":2}'))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version = 1", "version = 2", "version: found another version, wanted 1"),
        ('name = "views"', "", "rules[0].name: found nothing"),
        ('name = "views"', 'name = "framing"', "a name that is taken"),
        ('route = "catalog.products"', "", "rules[0].route: found nothing"),
        ('reason = "each side counts its own"', 'reason = ""', "wanted why the difference is right"),
        ('owner = "catalog"', "", "wanted who answers for the rule"),
        ('path = "$.views"', 'path = "views"', "a place such as $.results[*].price"),
        ('path = "$.views"', 'path = "$.rows[3]"', "'[3]' is no step"),
        ("ignore = true", "", "exactly one of unordered, key, ignore, tolerance, skew, decimal, rename"),
        ("ignore = true", "ignore = true\nskew = 1", "found ignore, skew, wanted exactly one"),
        ("ignore = true", "ignore = false", "leave the rule out"),
        ("ignore = true", "ignroe = true", "ignroe: found an unknown key"),
        ("ignore = true", "tolerance = -1", "a number from 0"),
        ("ignore = true", "decimal = false", "true; leave the rule out"),
        ("ignore = true", 'tolerance = "1%"', "a number from 0"),
        ("ignore = true", "key = 1", "the name of a key"),
        ('path = "$.views"\nignore = true', 'path = "header.vary"\nunordered = true', "a place in JSON"),
        ("ignore = true", 'ignore = true\nexpires = "soon"', "a day such as 2027-01-31"),
        ("version = 1", "version = ", "TOML"),
    ],
)
def test_a_rule_that_says_too_little_is_refused_by_key(old, new, said):
    with pytest.raises(RulesError) as refused:
        parse_rules(RULE.replace(old, new), "compare.toml")
    assert said in str(refused.value)


def test_two_rules_of_one_name_are_refused():
    with pytest.raises(RulesError, match="a name that is taken"):
        parse_rules(RULE + RULE.partition("\n")[2], "compare.toml")


def test_a_rule_ends_on_the_day_it_expires():
    (rule,) = parse_rules(RULE + "expires = 2027-01-31\n", "compare.toml").rules
    assert rule.applies("catalog.products", date(2027, 1, 30))
    assert not rule.applies("catalog.products", date(2027, 1, 31))


@pytest.mark.parametrize(
    "path",
    [
        Path(Place.JSON, ("results", 3, "price")),
        Path(Place.JSON, ("a b", '"quoted"', "12")),
        Path(Place.HEADER, ("x-request-cost",)),
        Path(Place.HTML, ("body", "form", 0, "input", "q", "@value")),
        Path(Place.HTML, ("body", "p", 1, "#text")),
        Path(Place.STATUS),
    ],
    ids=str,
)
def test_a_pattern_that_a_report_printed_can_be_pasted_into_a_rule(path):
    assert parse_pattern(path.pattern).matches(path)
    assert str(parse_pattern(path.pattern)) == path.pattern


@pytest.mark.parametrize("text", ["", "views", "$views", "$.", "$..a", "header[", '$["a', "json.a"])
def test_what_no_report_prints_is_no_pattern(text):
    with pytest.raises(BadPattern):
        parse_pattern(text)


def test_a_missing_file_of_rules_is_refused_with_the_command_to_edit_it(tmp_path):
    with pytest.raises(BrokenRules) as refused:
        read_rules(tmp_path / "compare.toml")
    assert refused.value.next == f"edit {tmp_path / 'compare.toml'}"


def test_the_comparer_takes_a_changed_file_and_keeps_the_last_good_one(tmp_path):
    file = tmp_path / "compare.toml"
    in_force = RulesInForce(file)
    assert in_force.judge(DIFFERING).verdict is Verdict.DIFF
    verdicts = []
    for number, text in enumerate((RULE, RULE.replace("reason", "raisin"), "version = 1\n")):
        file.write_text(text)
        os.utime(file, ns=(number, number))
        in_force.look_again()
        verdicts.append(in_force.judge(DIFFERING).verdict)
    assert verdicts == [Verdict.EXPECTED, Verdict.EXPECTED, Verdict.DIFF]


@pytest.mark.parametrize(
    ("candidate", "verdict"), [("X-Cost: 2", Verdict.EXPECTED), ("X-Other: 1", Verdict.DIFF)]
)
def test_an_ignored_header_is_still_asserted_to_be_there(candidate, verdict):
    made = pair(answer("{}", "X-Cost: 1"), answer("{}", candidate))
    own = book(
        {"path": "header.x-cost", "ignore": True}, {"name": "o", "path": "header.x-other", "ignore": True}
    )
    assert compare(made, own.terms(made.route, made.at)).verdict is verdict
