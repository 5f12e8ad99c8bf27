"""A search finds each planted defect, shrinks it to its smallest request, and never reports what is alike."""

import itertools

import pytest

from strangler.compare.inputs import Learned, probes_of, requests_of
from strangler.compare.observed import last_pages, observe, values_for, words
from strangler.compare.openapi import NotDescribed, Parameter, parameters_of
from strangler.compare.replay import Question, Role
from strangler.compare.search import Search
from tests.cases.compare.answers import pair, request
from tests.cases.compare.compared import judge
from tests.cases.compare.small_shop import DEFECTS, PATH, SCHEMA, SmallShop

ANONYMOUS, STAFF = Role("anonymous", {}), Role("staff", {"Cookie": "sessionid=staff"})
REQUESTS = 500  # an eighth of what a laptop asks of both sides in a minute


def _search(candidate, roles=(ANONYMOUS, STAFF), requests=REQUESTS, *, probing=True, most=10):
    control = SmallShop()

    def ask(question: Question):
        lines = [f"{name}: {value}" for name, value in question.role.credentials.items()]
        asked = request(question.asked.method, question.asked.target, *lines)
        return judge(pair(control(asked), candidate(asked), asked))

    bodies = [control(request("GET", PATH + query)).body for query in ("", "?page=2", "?page_size=3")]
    learned = Learned(observe(bodies), last_pages(bodies))
    left = itertools.count(requests, -1)
    search = Search("products", ask, lambda: next(left) > 0, seed=0)
    described = (PATH, ("GET",), parameters_of(SCHEMA, PATH), learned)
    return search.run(probes_of(*described) if probing else (), requests_of(*described), roles, most)


@pytest.mark.parametrize("probing", [True, False], ids=["probed", "searched"])
@pytest.mark.parametrize("candidate", DEFECTS.values(), ids=DEFECTS)
def test_a_planted_defect_is_found_within_a_minutes_requests(candidate, probing):
    assert _search(candidate, probing=probing, most=1).found


def test_what_is_found_by_search_alone_is_shrunk_to_one_parameter():
    first, *_ = _search(DEFECTS["an error body of another shape"], probing=False, most=1).found
    assert first.question.asked.target.count("=") == 1
    assert first.question.asked.headers == {}


def test_a_probe_changes_one_thing_at_a_time():
    learned = Learned({"id": ("1",), "name": ("Oak desk",)}, (5,))
    probes = list(probes_of(PATH, ("GET", "HEAD"), parameters_of(SCHEMA, PATH), learned))
    assert all(probe.target.count("=") + len(probe.headers) <= 1 for probe in probes)
    assert {"/api/products/?page=4", "/api/products/?page=5", "/api/products/?page=6"} <= {
        probe.target for probe in probes
    }


def test_two_sides_that_are_alike_have_no_difference():
    assert _search(SmallShop(), requests=300).found == ()


def _targets(candidate):
    return [each.question.asked.target for each in _search(candidate).found]


def test_an_error_body_is_shrunk_to_the_one_parameter_that_matters():
    target = _targets(DEFECTS["an error body of another shape"])[0]
    assert target.startswith(f"{PATH}?price_min=")
    assert "&" not in target


def test_a_price_needs_no_parameter_where_the_list_shows_it():
    (first, *_) = _search(DEFECTS["a rounding of a price"]).found
    assert first.question.asked.target.count("=") <= 1
    assert first.question.role is ANONYMOUS


def test_a_permission_is_found_as_the_role_that_lacks_it():
    found = _search(DEFECTS["a missing permission check"]).found
    assert {each.question.role.name for each in found} == {"anonymous"}


def test_each_kind_of_difference_is_found_once():
    found = _search(SmallShop(other_error_body=True, loses_vary=True)).found
    kinds = [tuple(str(each.kind) for each in one.judged.comparison.differences) for one in found]
    assert len(kinds) == len(set(kinds)) >= 2


def test_a_search_out_of_time_keeps_what_it_found():
    searched = _search(DEFECTS["a lost Vary"], requests=60)
    assert searched.tried <= 60
    assert searched.timed_out or searched.found


def test_the_same_seed_asks_the_same():
    first, second = (_search(DEFECTS["a filter that ignores case"], requests=200) for _ in range(2))
    assert [each.question for each in first.found] == [each.question for each in second.found]
    assert first.tried == second.tried


def test_parameters_come_from_the_description():
    assert parameters_of(SCHEMA, PATH)[0] == Parameter("page", is_in_path=False, kind="integer")
    assert parameters_of(SCHEMA, "/api/products/{pk}/") == (Parameter("id", is_in_path=True, kind="integer"),)


@pytest.mark.parametrize("document", [b"", b"[]", b'{"paths":{}}', b"openapi: 3.0.3"])
def test_what_describes_no_such_path_is_refused(document):
    with pytest.raises(NotDescribed):
        parameters_of(document, PATH)


def test_values_worth_asking_for_are_learned_from_answers():
    observed = observe(
        [b'{"results":[{"id":7,"price":"10.50","category":{"slug":"cups"},"name":"Oak desk"}]}', b"<"]
    )
    assert values_for("price_min", observed) == ("10.50",)
    assert values_for("category", observed) == ("cups",)
    assert values_for("id", observed) == ("7",)
    assert values_for("rating", observed) == ()
    assert set(words(observed)) == {"cups", "Oak", "desk"}


def test_last_pages_are_counted_from_the_rows_of_a_page():
    assert last_pages([b'{"count":11,"results":[1,2,3,4,5]}', b'{"count":3,"results":[]}', b"[]"]) == (3,)
