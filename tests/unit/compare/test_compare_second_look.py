"""What differs is looked at twice: the monolith's own noise is forgiven, and cursors are followed."""

import gzip
import json
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from proxy.pairs import Failure
from strangler.compare.following import MAX_PAGES, compare_followed
from strangler.compare.judge import AS_SHIPPED, compare
from strangler.compare.noise import noise_of, with_noise
from strangler.compare.verdict import Side, Verdict
from tests.cases.compare.answers import answer, kinds, pair, rules


def _noise(control: str, again: str, candidate: str):
    asked = pair(answer(control), answer(candidate))
    return compare(asked, with_noise(AS_SHIPPED, noise_of(asked, answer(again), AS_SHIPPED)))


def test_a_value_that_the_monolith_never_gives_twice_is_noise():
    found = _noise('{"rows":[{"n":1,"t":5}]}', '{"rows":[{"n":1,"t":6}]}', '{"rows":[{"n":1,"t":7}]}')
    assert (found.verdict, rules(found)) == (Verdict.EXPECTED, {"noise"})


def test_noise_hides_no_other_difference():
    found = _noise('{"n":1,"t":5}', '{"n":1,"t":6}', '{"n":2,"t":7}')
    assert kinds(found) == ["value $.n"]


@pytest.mark.parametrize(
    ("control", "again", "candidate"),
    [
        ('{"t":5}', "{}", "{}"),
        ('{"t":5}', '{"t":"6"}', '{"t":"7"}'),
        ('{"t":5}', '{"t":null}', '{"t":null}'),
        ('{"t":[1]}', '{"t":[1,2]}', '{"t":[1,2,3]}'),
        ('{"t":[1,2]}', '{"t":[2,1]}', '{"t":[2,1]}'),
        ('{"t":5}', '{"t":6}', "{}"),
        ('{"t":5}', '{"t":6}', '{"t":"7"}'),
    ],
)
def test_structure_and_type_are_never_noise(control, again, candidate):
    assert _noise(control, again, candidate).verdict is Verdict.DIFF


def test_a_status_is_never_noise():
    asked = pair(answer("{}"), answer("{}", status=500))
    assert noise_of(asked, answer("{}", status=500), AS_SHIPPED) == frozenset()


class _Cursored:
    """A list in pages, whose cursor is the side's own secret."""

    def __init__(self, secret: str, rows: list[int], size: int = 3) -> None:
        self.secret, self.rows, self.size = secret, rows, size

    def page(self, target: str):
        cursor = parse_qs(urlsplit(target).query).get("cursor", [f"{self.secret}0"])[0]
        start = int(cursor.removeprefix(self.secret))
        end = start + self.size
        link = f"http://shop.test/api/items/?cursor={self.secret}{end}" if end < len(self.rows) else None
        return answer(json.dumps({"next": link, "results": [{"id": row} for row in self.rows[start:end]]}))


def _followed(control: _Cursored, candidate: _Cursored):
    sides = {Side.CONTROL: control, Side.CANDIDATE: candidate}
    asked = pair(control.page("/api/items/"), candidate.page("/api/items/"))
    return compare_followed(asked, AS_SHIPPED, lambda side, target: sides[side].page(target))


def test_cursors_of_two_sides_lead_to_the_same_rows():
    found = _followed(_Cursored("a", list(range(10))), _Cursored("z", list(range(10))))
    assert (found.verdict, rules(found)) == (Verdict.MATCH, {"cursor"})


@pytest.mark.parametrize(
    "rows",
    [[0, 1, 2, 4, 5, 6, 7, 8, 9], [0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9], [*range(9), 99], [*range(8), 9, 8]],
    ids=["skipped", "repeated", "changed", "swapped"],
)
def test_a_row_that_differs_on_a_later_page_is_found(rows):
    assert _followed(_Cursored("a", list(range(10))), _Cursored("z", rows)).verdict is Verdict.DIFF


def test_pages_that_never_end_are_followed_so_far():
    endless = _Cursored("a", list(range(10_000)))
    assert len(list(range(MAX_PAGES))) * endless.size < len(endless.rows)
    assert _followed(endless, _Cursored("z", list(range(10_000)))).verdict is Verdict.MATCH


def test_a_link_that_differs_in_more_than_its_cursor_is_no_cursor():
    control = answer('{"next":"/api/items/?cursor=a&page_size=3","results":[]}')
    for link in (
        "/api/items/?cursor=b&page_size=4",
        "/api/other/?cursor=b&page_size=3",
        "/api/items/?page=2",
    ):
        candidate = answer(json.dumps({"next": link, "results": []}))
        assert compare_followed(pair(control, candidate), AS_SHIPPED, lambda *_: Failure("no", 0.0)) is None


def test_another_number_of_a_page_is_no_cursor():
    control, candidate = (answer(json.dumps({"next": f"/api/?page={n}", "results": []})) for n in (2, 3))
    assert compare_followed(pair(control, candidate), AS_SHIPPED, lambda *_: Failure("no", 0.0)) is None


def test_a_page_that_cannot_be_followed_shows_in_its_rows():
    control, candidate = _Cursored("a", list(range(10))), _Cursored("z", list(range(10)))
    asked = pair(control.page("/"), candidate.page("/"))

    def ask(side, target):
        return control.page(target) if side is Side.CONTROL else Failure("upstream_timeout", 1.0)

    assert compare_followed(asked, AS_SHIPPED, ask).verdict is Verdict.DIFF


def test_compressed_pages_are_followed_too():
    plain = _Cursored("a", list(range(6)))

    def squeezed(target):
        page = plain.page(target)
        fields = (*page.headers, (b"Content-Encoding", b"gzip"))
        return msgspec.structs.replace(page, headers=fields, body=gzip.compress(page.body))

    other = _Cursored("z", list(range(6)))
    asked = pair(squeezed("/api/items/"), other.page("/api/items/"))
    found = compare_followed(
        asked,
        AS_SHIPPED,
        lambda side, target: squeezed(target) if side is Side.CONTROL else other.page(target),
    )
    assert found.verdict is Verdict.MATCH
