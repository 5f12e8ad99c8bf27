"""What holds for every answer, on generated ones."""

import copy
import json

from hypothesis import given
from hypothesis import strategies as st

from strangler.compare.exchange import exchange_of
from strangler.compare.judge import compare_answers
from strangler.compare.rules import SHIPPED
from strangler.compare.verdict import Verdict
from tests.cases.compare.answers import answer, bodies, judged, kinds, request

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
    before = compare_answers(exchange, one, other, sorted(some, key=SHIPPED.index))
    after = compare_answers(exchange, one, other, sorted({*some, another}, key=SHIPPED.index))
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
