"""A live pair that differs is asked again as nobody, and nothing is forgiven by lag alone."""

import itertools
import json

import msgspec
import pytest

from proxy.pairs import Failure
from strangler.compare.asking import Side as Place
from strangler.compare.judge import AS_SHIPPED, compare
from strangler.compare.looks import MOST_LAGS, MOST_TRIES, Copy, Looks
from strangler.compare.replay import Sides
from strangler.compare.second_look import as_nobody, is_worth_a_look
from strangler.compare.store import Judged
from strangler.compare.verdict import Reason, Verdict
from tests.cases.compare.answers import answer, pair, request, rules

AT = 1_700_000_000.0
OLD, NEW = '{"price":"1"}', '{"price":"2"}'
BEHIND = Copy(until=AT - 1, changed=AT - 5)
UNCHANGED = Copy(until=AT + 1, changed=AT - 5)
FOLLOWED = Copy(until=AT + 1, changed=AT + 0.5)


class Shop:
    """Both sides: each gives its answers in turn, the last one for ever. It keeps what it was asked."""

    def __init__(self, monolith, service) -> None:
        self._answers = {"monolith": list(monolith), "catalog": list(service)}
        self.asked = []

    def ask(self, side, asked, credentials):
        self.asked.append((side.name, asked, credentials))
        answers = self._answers[side.name]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return found if isinstance(found, Failure) else answer(found)


def _looks(shop, copy=None):
    def sides(of):
        return Sides(Place(of.control, "http://p"), Place(of.candidate, "http://p"))

    copy_of = copy if callable(copy) else lambda _: copy
    return Looks(shop, sides, copy_of, lambda _: AS_SHIPPED, clock=lambda: AT + 0.6)


def _differing(control=NEW, candidate=OLD, *lines, stage="shadow", target="/api/items/", method="GET"):
    made = pair(answer(control), answer(candidate), request(method, target, *lines), stage=stage, at=AT)
    made = msgspec.structs.replace(made, began=AT - 0.1)
    return Judged(made, compare(made))


def _decided(looks, judged, number=1):
    """Return the verdict once there is one, and how many looks it took."""
    for took in range(1, 100):
        if comparison := looks.look(number, judged).comparison:
            return comparison, took
    raise AssertionError("it is never decided")


def _looked(judged, monolith, service, copy=None):
    return _decided(_looks(Shop(monolith, service), copy), judged)[0]


# --- what is never asked again ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "judged",
    [
        _differing(method="POST"),
        _differing(stage="replay"),
        _differing(target="/api/items/?token=geheim"),
        _differing(NEW, NEW),
    ],
    ids=["a write", "what the kit asked itself", "a secret in the target", "what does not differ"],
)
def test_it_is_never_asked_again(judged):
    assert not is_worth_a_look(judged.pair, judged.comparison)


def test_nobodys_credentials_are_sent_again():
    lines = ("Cookie: sessionid=s; csrftoken=c", "Authorization: Token t", "X-CSRFToken: c", "Accept: */*")
    shop = Shop([NEW], [OLD])
    _looks(shop).look(1, _differing(NEW, OLD, *lines))
    assert [name for name, _, _ in shop.asked] == ["monolith", "catalog", "monolith"]
    assert {tuple(asked.headers) for _, asked, _ in shop.asked} == {((b"Accept", b"*/*"),)}
    assert all(not credentials for _, _, credentials in shop.asked)


def test_the_request_is_the_same_but_for_who_asks():
    asked = as_nobody(request("GET", "/api/%2f?q=%zz", "If-None-Match: x", "Cookie: a=1"))
    assert (asked.target, asked.headers) == ("/api/%2f?q=%zz", ((b"If-None-Match", b"x"),))


# --- a copy that is behind ----------------------------------------------------------------------------


def test_nothing_is_decided_before_the_copy_has_passed_the_pair():
    shop = Shop([NEW], [NEW])
    outcome = _looks(shop, BEHIND).look(1, _differing())
    assert (outcome.comparison, outcome.asked, shop.asked) == (None, False, [])


def test_what_is_gone_once_the_copy_followed_is_no_evidence_at_all():
    found = _looked(_differing(), [NEW], [NEW], FOLLOWED)
    assert (found.verdict, found.obstacle.reason) == (Verdict.NOT_COMPARABLE, Reason.REPLICATION_LAG)
    assert found.differences == ()


def test_what_both_sides_said_is_not_judged_before_the_copy_has_passed_that_moment_too():
    copies = [FOLLOWED, Copy(AT + 0.5, AT + 0.5), FOLLOWED]
    shop, judged = Shop([NEW], [NEW]), _differing()
    looks = _looks(shop, lambda _: copies.pop(0))
    assert [looks.look(1, judged).comparison for _ in range(2)] == [None, None]
    assert len(shop.asked) == 3
    assert looks.look(1, judged).comparison.verdict is Verdict.NOT_COMPARABLE
    assert len(shop.asked) == 3


def test_what_differs_still_while_nothing_is_written_is_a_difference():
    found, took = _decided(_looks(Shop([NEW], [OLD]), FOLLOWED), _differing())
    assert (found.verdict, took) == (Verdict.DIFF, 2)


def test_what_is_written_all_the_while_is_looked_at_several_times_and_then_believed():
    moments = itertools.count(1)
    looks = _looks(Shop([NEW], [OLD]), lambda _: Copy(AT + 1, AT + next(moments)))
    found, took = _decided(looks, _differing())
    assert (found.verdict, took) == (Verdict.DIFF, 2 * MOST_LAGS)


@pytest.mark.parametrize("copy", [None, UNCHANGED], ids=["there is no copy", "the copy did not change"])
def test_what_a_copy_cannot_explain_stays_a_difference_though_it_is_gone(copy):
    assert _looked(_differing(), [NEW], [NEW], copy).verdict is Verdict.DIFF


def test_a_lag_explains_no_other_status():
    judged = _differing()
    redirect = msgspec.structs.replace(answer(NEW), status=301)

    class Moved(Shop):
        def ask(self, side, asked, credentials):
            return redirect

    found, _ = _decided(_looks(Moved([NEW], [NEW]), FOLLOWED), judged)
    assert found.verdict is Verdict.DIFF


def test_a_signed_in_pair_is_explained_only_where_nobody_gets_the_same_answer():
    judged = _differing(NEW, OLD, "Cookie: sessionid=s")
    assert _looked(judged, [NEW], [NEW], FOLLOWED).verdict is Verdict.NOT_COMPARABLE
    assert _looked(judged, ['{"price":"3"}'], ['{"price":"3"}'], FOLLOWED).verdict is Verdict.DIFF


def test_a_reverse_pair_is_looked_at_from_its_own_side():
    made = msgspec.structs.replace(_differing(stage="service").pair, control="catalog", candidate="monolith")
    shop = Shop([NEW], [NEW])
    found, _ = _decided(_looks(shop, FOLLOWED), Judged(made, compare(made)))
    assert [name for name, _, _ in shop.asked] == ["catalog", "monolith", "monolith"]
    assert found.obstacle.reason is Reason.REPLICATION_LAG


# --- noise --------------------------------------------------------------------------------------------


def _at_second(number):
    return json.dumps({"id": 1, "now": number})


def test_what_the_monolith_never_says_twice_is_noise():
    judged = _differing(_at_second(1), _at_second(9))
    found = _looked(judged, [_at_second(2), _at_second(3)], [_at_second(9)])
    assert (found.verdict, rules(found)) == (Verdict.EXPECTED, {"noise"})


def test_what_the_monolith_never_says_twice_is_noise_only_while_nothing_is_written():
    judged = _differing(_at_second(1), _at_second(9))
    answers = [_at_second(2), _at_second(3)], [_at_second(9)]
    assert _looked(judged, *answers, UNCHANGED).verdict is Verdict.EXPECTED
    assert _looked(judged, *answers, FOLLOWED).verdict is Verdict.DIFF


def test_a_write_between_two_answers_is_no_noise():
    judged = _differing(OLD, '{"price":"3"}')
    assert _looked(judged, [NEW, NEW], ['{"price":"3"}']).verdict is Verdict.DIFF


def test_the_services_own_whims_are_never_noise():
    made = msgspec.structs.replace(_differing(stage="service").pair, control="catalog", candidate="monolith")
    judged = Judged(made, compare(made))
    assert _looked(judged, [OLD], [_at_second(2), _at_second(3)]).verdict is Verdict.DIFF


def test_noise_that_is_known_needs_no_second_look():
    looks = _looks(Shop([_at_second(2), _at_second(3)], [_at_second(9)]))
    looks.look(1, _differing(_at_second(1), _at_second(9)))
    next_one = _differing(_at_second(11), _at_second(12))
    assert looks.judge(next_one.pair).verdict is Verdict.EXPECTED
    other = _differing('{"id":1,"now":1}', '{"id":2,"now":2}')
    assert [str(each.path) for each in looks.judge(other.pair).differences] == ["$.id"]
    later = msgspec.structs.replace(next_one.pair, at=AT + 3600)
    assert looks.judge(later).verdict is Verdict.DIFF


# --- cursors ------------------------------------------------------------------------------------------


def _page(secret, *rows, more=True):
    link = f"http://shop.test/api/items/?cursor={secret}" if more else None
    return json.dumps({"next": link, "results": [{"id": row} for row in rows]})


def test_opaque_cursors_of_a_live_pair_are_followed_on_both_sides():
    judged = _differing(_page("m", 1, 2), _page("s", 1, 2))
    monolith = [_page("m", 1, 2), _page("m", 1, 2), _page("", 3, more=False)]
    assert _looked(judged, monolith, [_page("s", 1, 2), _page("", 3, more=False)]).verdict is Verdict.MATCH
    assert _looked(judged, monolith, [_page("s", 1, 2), _page("", 2, more=False)]).verdict is Verdict.DIFF


# --- sides that do not answer, and differences that are known --------------------------------------------


def test_a_side_that_gives_no_answer_is_asked_again_and_the_difference_stands_in_the_end():
    looks, judged = _looks(Shop([Failure("ConnectionRefusedError", 0.0)], [NEW])), _differing()
    outcomes = [looks.look(1, judged).comparison for _ in range(MOST_TRIES)]
    assert outcomes[:-1] == [None] * (MOST_TRIES - 1)
    assert outcomes[-1] == judged.comparison


def test_a_difference_that_was_just_confirmed_waits_for_no_second_look():
    looks, judged = _looks(Shop([NEW], [OLD])), _differing()
    assert looks.wants(judged)
    looks.look(1, judged)
    assert not looks.wants(judged)
    assert looks.wants(_differing('{"a":1}', '{"a":2}'))
    later = msgspec.structs.replace(judged.pair, at=AT + 61)
    assert looks.wants(Judged(later, judged.comparison))


def test_what_waits_is_believed_as_soon_as_a_difference_like_it_is_confirmed():
    shop = Shop([NEW], [OLD])
    looks, judged = _looks(shop), _differing()
    looks.look(1, judged)
    asked = len(shop.asked)
    outcome = looks.look(2, judged)
    assert (outcome.comparison, outcome.asked) == (judged.comparison, False)
    assert len(shop.asked) == asked


def test_a_difference_that_no_look_could_explain_confirms_no_other():
    looks = _looks(Shop(['{"price":"3"}'], ['{"price":"3"}']), FOLLOWED)
    signed_in = _differing(NEW, OLD, "Cookie: sessionid=s")
    assert _decided(looks, signed_in)[0].verdict is Verdict.DIFF
    assert looks.wants(_differing())
    assert _decided(looks, _differing(), 2)[0].verdict is Verdict.NOT_COMPARABLE
