"""What holds for every answer, on generated ones."""

import copy
import itertools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.compare import dom, lossless, spelling
from strangler.compare.exchange import exchange_of
from strangler.compare.judge import compare, compare_answers
from strangler.compare.rules import SHIPPED
from strangler.compare.terms import Terms
from strangler.compare.verdict import Verdict
from tests.cases.compare.answers import answer, bodies, book, judged, kinds, pair, request

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.sampled_from(
        ["2024-03-01T10:00:00Z", "2024-03-01T10:00:00+00:00", "http://shop.test/a", "é", "e\u0301"]
    ),
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
)
tokens = st.sampled_from(
    ["Accept", "Cookie", "accept-encoding", "Origin", 'W/"a"', '"a"', "a=1; Path=/", "/x", "http://h/x"]
)
names = st.sampled_from(["Vary", "ETag", "Set-Cookie", "Location", "Server", "X-Frame-Options"])
answers = st.builds(
    lambda body, status, lines, is_json: answer(
        json.dumps(body),
        *(f"{name}: {token}" for name, token in lines),
        status=status,
        content_type="application/json" if is_json else "text/html",
    ),
    trees,
    st.sampled_from([200, 201, 301, 302, 308, 404, 405, 500]),
    st.lists(st.tuples(names, tokens), max_size=4),
    st.booleans(),
)
methods = st.sampled_from(["GET", "HEAD", "POST"])


@given(answers, methods)
def test_an_answer_matches_itself(one, method):
    assert judged(one, one, request(method)).verdict is Verdict.MATCH


@given(answers, answers, methods)
def test_the_class_of_verdict_is_symmetric(one, other, method):
    there, back = judged(one, other, request(method)), judged(other, one, request(method))
    assert there.verdict == back.verdict


@given(trees, trees)
def test_json_compares_alike_from_both_sides(one, other):
    there, back = bodies(json.dumps(one), json.dumps(other)), bodies(json.dumps(other), json.dumps(one))
    assert there.verdict == back.verdict


@given(answers, answers, st.sets(st.sampled_from(SHIPPED)), st.sampled_from(SHIPPED))
def test_adding_a_rule_never_creates_a_diff(one, other, some, another):
    exchange = exchange_of(request())
    before = compare_answers(exchange, one, other, Terms(tuple(sorted(some, key=SHIPPED.index))))
    after = compare_answers(exchange, one, other, Terms(tuple(sorted({*some, another}, key=SHIPPED.index))))
    assert after.verdict is not Verdict.DIFF or before.verdict is Verdict.DIFF
    assert len(after.differences) <= len(before.differences)


@given(trees)
def test_the_spelling_of_json_never_matters(tree):
    spelled = json.dumps(tree, indent=2, sort_keys=True, ensure_ascii=True) + "\n"
    assert bodies(json.dumps(tree), spelled).verdict is Verdict.MATCH


@given(st.lists(trees, min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_a_reordered_list_is_one_difference_of_order(rows, random):
    shuffled = copy.copy(rows)
    random.shuffle(shuffled)
    found = kinds(bodies(json.dumps(rows), json.dumps(shuffled)))
    assert found == (
        [] if json.dumps(rows, sort_keys=True) == json.dumps(shuffled, sort_keys=True) else ["order $"]
    )


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_crash_the_judge(one, other):
    comparison = bodies(one, other)
    assert (comparison.verdict is Verdict.MATCH) or one != other


@given(trees, st.text(max_size=5))
def test_a_changed_leaf_is_never_missed(tree, marker):
    control, candidate = {"a": tree, "b": marker}, {"a": tree, "b": marker + "x"}
    assert bodies(json.dumps(control), json.dumps(candidate)).verdict is Verdict.DIFF


rows = st.lists(trees | st.fixed_dictionaries({"id": st.integers(0, 3), "n": scalars}), max_size=6)
own_rules = st.lists(
    st.sampled_from(
        [
            {"name": "u", "path": "$", "unordered": True},
            {"name": "k", "path": "$", "key": "id"},
            {"name": "i", "path": "$[*].n", "ignore": True},
            {"name": "t", "path": "$[*].n", "tolerance": 2},
            {"name": "t2", "path": "$[*]", "tolerance": 1},
            {"name": "s", "path": "$[*].n", "skew": 60},
            {"name": "d", "path": "$[*].n", "decimal": True},
            {"name": "r", "path": "$[*].n", "rename": "m"},
            {"name": "in", "path": "$[*][*]", "ignore": True},
        ]
    ),
    max_size=4,
    unique_by=lambda rule: rule["name"],
)


def _under(own, one, other):
    made = pair(answer(json.dumps(one)), answer(json.dumps(other)))
    return compare(made, book(*own).terms(made.route, made.at))


@given(rows, rows, own_rules, own_rules)
def test_adding_a_teams_rule_never_creates_a_diff(one, other, own, more):
    names = {rule["name"] for rule in own}
    added = [*own, *(rule for rule in more if rule["name"] not in names)]
    before, after = _under(own, one, other), _under(added, one, other)
    assert after.verdict is not Verdict.DIFF or before.verdict is Verdict.DIFF


@given(rows, own_rules, st.randoms(use_true_random=False))
def test_an_unordered_list_matches_every_permutation_of_itself(one, own, random):
    shuffled = copy.copy(one)
    random.shuffle(shuffled)
    unordered = [{"name": "u", "path": "$", "unordered": True}, *(rule for rule in own if rule["name"] > "u")]
    assert _under(unordered, one, shuffled).verdict is Verdict.MATCH


@given(rows, rows, own_rules, st.randoms(use_true_random=False))
def test_the_verdict_on_unordered_lists_does_not_depend_on_their_order(one, other, own, random):
    shuffled = copy.copy(other)
    random.shuffle(shuffled)
    unordered = [rule for rule in own if rule["name"] not in "uk"]
    unordered.append({"name": "u", "path": "$", "unordered": True})
    is_diff = _under(unordered, one, other).verdict is Verdict.DIFF
    assert (_under(unordered, one, shuffled).verdict is Verdict.DIFF) == is_diff


spelled = st.builds(
    lambda tree, ascii_only, indent, repeat: json.dumps(tree, ensure_ascii=ascii_only, indent=indent).replace(
        '"a": ', '"a": 1, "a": ' if repeat else '"a": '
    ),
    st.dictionaries(st.sampled_from("ab"), trees, max_size=3),
    st.booleans(),
    st.sampled_from([None, 1]),
    st.booleans(),
)


@given(spelled, spelled)
def test_the_short_cut_never_calls_two_documents_one(one, other):
    if spelling.is_one_document(one.encode(), other.encode()):
        assert lossless.parse(one.encode()) == lossless.parse(other.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r'{"a":1,"a":2}', r'{"a":2,"a":2}'),
        # Escaped quotes that are as many as those of the key that decoding loses.
        (r'{"a":3,"a":2,"b":"\u0022\u0022"}', r'{"a":1,"a":2,"b":"\u0022\u0022"}'),
        (r'{"a":3,"a":2,"b":"\"\""}', r'{"a":1,"a":2,"b":"\u0022\u0022"}'),
        (r'{"a":3,"a":2,"b":"\\"}', r'{"a":1,"a":2,"b":"\u005c"}'),
        ('{"a":-0}', '{"a":0}'),
        ('{"a":1}', '{"a":1.0}'),
        ('{"a":1.0}', '{"a":1.00}'),
        ('{"a":1}', '{"a":true}'),
        ("[1,true]", "[true,1]"),
        ('{"a":9007199254740993}', '{"a":9007199254740992}'),
        ('{"a":1e2}', '{"a":100}'),
        ('{"a":null}', "{}"),
    ],
)
def test_the_short_cut_is_not_deceived(one, other):
    assert not spelling.is_one_document(one.encode(), other.encode())


def test_no_letter_is_ever_written_longer_than_it_can_be_spelled():
    # The short cut rests on it: texts of one length, written again at that length, lost nothing.
    shortest = dict.fromkeys('\x08\t\n\x0c\r"\\', 2) | {
        chr(number): 6 for number in range(32) if chr(number) not in "\b\t\n\f\r"
    }
    for number in itertools.chain(range(0xD800), range(0xE000, 0x110000, 7)):
        letter = chr(number)
        written = len(msgspec.json.encode(letter)) - 2
        assert written <= shortest.get(letter, len(letter.encode())), number


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":"é","b":1.50}', r'{"b": 1.50, "a": "\u00e9"}'),
        (r'{"a":"x\ny","b":"say \"no\""}', r'{"b":"say \"no\"","a":"x\u000ay"}'),
        ('{"at":"2024-08-01"}\n', '{ "at" : "2024-08-01" }'),
    ],
)
def test_the_short_cut_is_taken_for_other_spellings(one, other):
    assert spelling.is_one_document(one.encode(), other.encode())


@given(st.text(alphabet="<>/abp div=\"' \n&;!-é", max_size=80))
def test_no_html_crashes_the_judge_and_a_page_matches_itself(page):
    one = answer(page, content_type="text/html")
    assert judged(one, one).verdict is Verdict.MATCH
    assert judged(one, answer(page + "<p>more</p>", content_type="text/html")).verdict in Verdict
    assert dom.parse(page.encode()) == dom.parse(page.encode())
