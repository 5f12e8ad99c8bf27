"""What holds for every rehearsed write, on generated ones; and what no side can do to the comparer."""

import base64
import copy
import json
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.compare import case_files, show
from strangler.compare.documents import of_sheet
from strangler.compare.effects import MAX_HEADER, Absent, Effects, read_effects, unpacked
from strangler.compare.judge import compare
from strangler.compare.store import Judged, Kept
from strangler.compare.verdict import Reason, Verdict
from tests.cases.compare.answers import book, kinds, request
from tests.cases.compare.written import rehearsed, row, told, verdict_on, wrote

TABLES = ("shop_order", "shop_line", "shop_note")
texts = st.sampled_from(["a", "b", "10.50"])


@st.composite
def writes(draw):
    """A write of new orders, their lines and notes of the lines, some alike, and of rows that were there.

    Ids are drawn from one range, so that rows of several tables share numbers; so do numbers that are no ids.
    """
    count = {table: draw(st.integers(0, 3)) for table in TABLES}
    ids = {table: draw(st.permutations(range(1, 6)))[:n] for table, n in count.items()}
    rows = [row("shop_order", "insert", {"id": each}, {"text": draw(texts)}) for each in ids["shop_order"]]
    orders = st.sampled_from([*ids["shop_order"], 90])
    for each in ids["shop_line"]:
        held = {"order_id": draw(orders), "number": draw(st.integers(1, 5)), "text": draw(texts)}
        rows.append(row("shop_line", "insert", {"id": each}, held))
    lines = st.sampled_from([*ids["shop_line"], 90])
    rows += [
        row("shop_note", "insert", {"id": each}, {"line_id": draw(lines), "text": draw(texts)})
        for each in ids["shop_note"]
    ]
    for each in draw(st.lists(st.sampled_from([91, 92]), unique=True)):
        op = draw(st.sampled_from(["update", "delete"]))
        rows.append(row("shop_order", op, {"id": each}, {"text": draw(texts)}))
    order = draw(orders)
    return rows, {"id": order, "lines": [{"id": each} for each in ids["shop_line"]], "number": order}


def _renamed(rows, body, numbers):
    """Return a write with other ids for its new rows, wherever such an id stands."""
    new = {(each["table"], each["key"]["id"]) for each in rows if each["op"] == "insert"}

    def other(table, each):
        return numbers[table][each] if (table, each) in new else each

    renamed = []
    for each in copy.deepcopy(rows):
        for part in filter(None, (each["key"], each["row"])):
            part["id"] = other(each["table"], part["id"])
        for name, table in (("order_id", "shop_order"), ("line_id", "shop_line")):
            if each["row"] and name in each["row"]:
                each["row"][name] = other(table, each["row"][name])
        renamed.append(each)
    renamed.sort(key=lambda each: (each["table"], each["key"]["id"]))
    answered = {
        **body,
        "id": other("shop_order", body["id"]),
        "lines": [{"id": other("shop_line", each["id"])} for each in body["lines"]],
    }
    return renamed, answered


numberings = st.fixed_dictionaries(
    {
        table: st.permutations(range(11, 16)).map(lambda ids: dict(enumerate(ids, 1)))
        | st.permutations(range(1, 6)).map(lambda ids: dict(enumerate(ids, 1)))
        for table in TABLES
    }
)
ASKED = request("POST", "/api/orders/")


def _verdict(one, other):
    sides = (told(wrote(*rows), body, status=201) for rows, body in (one, other))
    return verdict_on(*sides, ASKED)


@given(writes())
def test_a_rehearsed_write_matches_itself(write):
    assert _verdict(write, write).verdict is Verdict.MATCH


@given(writes(), writes())
def test_the_class_of_a_rehearsed_writes_verdict_is_symmetric(one, other):
    assert _verdict(one, other).verdict == _verdict(other, one).verdict


@given(writes(), writes(), numberings)
def test_which_ids_a_side_gives_never_changes_the_verdict(one, other, numbers):
    assert _verdict(one, _renamed(*other, numbers)).verdict == _verdict(one, other).verdict


@given(writes(), numberings)
def test_a_write_matches_itself_under_other_ids(write, numbers):
    assert _verdict(write, _renamed(*write, numbers)).verdict is Verdict.MATCH


@given(writes().filter(lambda write: any("order_id" in (each["row"] or {}) for each in write[0])), numberings)
def test_a_foreign_key_that_points_elsewhere_is_always_a_difference(write, numbers):
    rows, body = _renamed(*write, numbers)
    pointing = next(each for each in rows if "order_id" in (each["row"] or {}))
    pointing["row"]["order_id"] = 89  # a row that was there, and that nothing of this write points at
    assert _verdict(write, (rows, body)).verdict is Verdict.DIFF


@given(writes(), st.data(), numberings)
def test_a_changed_value_is_never_missed_whatever_the_ids(write, data, numbers):
    rows, body = _renamed(*write, numbers)
    written = [each["row"] for each in rows if each["row"]]
    if written:
        data.draw(st.sampled_from(written))["text"] += "x"
        assert _verdict(write, (rows, body)).verdict is Verdict.DIFF


@given(writes(), st.data())
def test_a_row_lost_or_written_twice_is_never_missed(write, data):
    rows, body = write
    if rows:
        place = data.draw(st.integers(0, len(rows) - 1))
        lost = rows[:place] + rows[place + 1 :]
        assert _verdict(write, (lost, body)).verdict is Verdict.DIFF
        assert _verdict(write, ([*rows, rows[place]], body)).verdict is Verdict.DIFF


@given(writes(), st.randoms(use_true_random=False))
def test_the_order_in_which_rows_are_told_means_nothing(write, random):
    shuffled = list(write[0])
    random.shuffle(shuffled)
    assert _verdict(write, (shuffled, write[1])).verdict is Verdict.MATCH


PRODUCT = {"name": "Lamp", "price": "10.55", "stock": 7, "is_active": True, "category_id": 3, "note": None}
MUTATIONS = {
    "a price rounded": ("price", "10.60"),
    "a scale lost": ("price", "10.5"),
    "a decimal as a number": ("price", 10.55),
    "one off": ("stock", 8),
    "a truth as a number": ("is_active", 1),
    "null for a text": ("name", None),
    "empty for null": ("note", ""),
    "white space kept": ("name", " Lamp"),
    "another row": ("category_id", 4),
    "no row": ("category_id", None),
    "another case": ("name", "lamp"),
}


@pytest.mark.parametrize(("name", "value"), MUTATIONS.values(), ids=MUTATIONS)
@pytest.mark.parametrize("op", ["insert", "update"])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_defect_in_a_row_is_caught_and_named(name, value, op, swapped):
    sides = [PRODUCT, {**PRODUCT, name: value}]
    key = [{"id": 7}, {"id": 9 if op == "insert" else 7}]
    answers = [
        told(wrote(row("catalog_product", op, one, held))) for one, held in zip(key, sides, strict=True)
    ]
    found = verdict_on(*(reversed(answers) if swapped else answers))
    assert found.verdict is Verdict.DIFF
    assert any(f"rows.catalog_product[0].{name}" in each for each in kinds(found))


@pytest.mark.parametrize("name", PRODUCT)
def test_a_column_that_one_side_lacks_is_caught(name):
    less = {key: value for key, value in PRODUCT.items() if key != name}
    sides = (told(wrote(row("catalog_product", "update", {"id": 7}, held))) for held in (PRODUCT, less))
    assert any(f"rows.catalog_product[0].{name}" in each for each in kinds(verdict_on(*sides)))


def test_a_teams_rule_holds_at_a_place_in_rows_and_nowhere_else():
    def sides(changed):
        rows = [row("catalog_product", "update", {"id": 7}, {**PRODUCT, **more}) for more in ({}, changed)]
        return [told(wrote(each)) for each in rows]

    own = book({"path": "rows.catalog_product[*].stock", "tolerance": 1})
    assert verdict_on(*sides({"stock": 8}), book=own).verdict is Verdict.EXPECTED
    assert verdict_on(*sides({"stock": 9}), book=own).verdict is Verdict.DIFF
    assert verdict_on(*sides({"name": "x"}), book=own).verdict is Verdict.DIFF


# --- what a person sees ------------------------------------------------------------------------------


def _kept(control, candidate, asked=ASKED):
    made = rehearsed(control, candidate, asked)
    return Kept(17, Judged(made, compare(made)))


def _order(key, held):
    return told(wrote(row("shop_order", "insert", {"id": key}, held), events=[{"topic": "sold"}]), status=201)


def test_what_both_sides_wrote_stands_side_by_side():
    kept = _kept(_order(7, {"total": "10.55"}), _order(9, {"total": "10.60"}))
    rows = {(each.mark, each.control, each.candidate) for each in show.sheet(kept, {}).rows}
    assert ("≠", '  total: "10.55"', '  total: "10.60"') in rows
    assert ("~", 'insert shop_order {"id":7}', 'insert shop_order {"id":9}') in rows
    assert ("", 'events: {"topic":"sold"}', 'events: {"topic":"sold"}') in rows
    assert not [each for each in rows if "x-strangler" in str(each).lower()]


def test_nothing_secret_of_a_row_or_a_body_is_shown():
    sides = (_order(7, {"password": f"geheim{n}", "reset_token": "geheim"}) for n in (1, 2))
    asked = request("POST", "/api/orders/", "Content-Type: application/json", body=b'{"password":"geheim"}')
    sheet = show.sheet(_kept(*sides, asked), {})
    assert sheet.comparison.verdict is Verdict.DIFF
    assert "geheim" not in str(of_sheet(sheet))


def test_a_rehearsed_write_is_kept_as_a_case_without_its_secrets(tmp_path):
    asked = request("POST", "/api/orders/", "Content-Type: application/json", body=b'{"note":"a"}')
    sides = (_order(key, {"secret_word": "geheim", "total": total}) for key, total in ((7, "1"), (9, "2")))
    home = case_files.save(_kept(*sides, asked), tmp_path, book())
    (outcome,) = case_files.judge_all(tmp_path, book())
    assert outcome.holds
    assert outcome.differences == ("value rows.shop_order[0].total",)
    for file in home.iterdir():
        assert b"geheim" not in file.read_bytes()
        for packed in re.findall(rb"X-Strangler-Effects: v1;(\S+)", file.read_bytes()):
            assert "geheim" not in str(unpacked(packed))


# --- a side that tells what no side tells ----------------------------------------------------------


def _header(body: bytes, *, bomb: bool = False) -> bytes:
    packed = zlib.compress(body, 9)
    return b"v1;" + base64.urlsafe_b64encode(packed + (b"more" if bomb else b""))


ROW = {"table": "t", "op": "insert", "key": {"id": 1}, "row": {"id": 1}}
HOSTILE = {
    "a bomb": _header(b"[" + b" " * 50_000_000 + b"]"),
    "more behind the end": _header(b"{}", bomb=True),
    "a long header": b"v1;" + b"A" * (MAX_HEADER + 1),
    "no base64": b"v1;\xff\xfe",
    "no zlib": b"v1;" + base64.urlsafe_b64encode(b"hello"),
    "broken off": _header(b'{"rows":[]}')[:-6],
    "no JSON": _header(b"rows"),
    "too deep": _header(b"[" * 100_000),
    "no object": _header(b"[]"),
    "rows that are no list": _header(b'{"rows":{}}'),
    "a row that is none": _header(b'{"rows":[1]}'),
    "a row without a key": _header(json.dumps({"rows": [{**ROW, "key": {}}]}).encode()),
    "a row with a key twice": _header(
        b'{"rows":[{"table":"t","op":"insert","key":{"id":1,"id":2},"row":{}}]}'
    ),
    "a deleted row that is there": _header(json.dumps({"rows": [{**ROW, "op": "delete"}]}).encode()),
    "an inserted row that is not": _header(json.dumps({"rows": [{**ROW, "row": None}]}).encode()),
    "an unknown op": _header(json.dumps({"rows": [{**ROW, "op": "drop"}]}).encode()),
    "a value that is a tree": _header(json.dumps({"rows": [{**ROW, "row": {"id": [1]}}]}).encode()),
    "another version": b"v2;AAAA",
    "nothing": b"",
}


@pytest.mark.parametrize("header", HOSTILE.values(), ids=HOSTILE)
def test_no_effects_crash_the_comparer_or_count_as_none(header):
    found = read_effects(((b"X-Strangler-Effects", header),))
    assert isinstance(found, Absent)
    assert found.reason is Reason.EFFECTS_UNREADABLE
    verdict = verdict_on(told(wrote()), told(header)).verdict
    assert verdict is Verdict.NOT_COMPARABLE


@given(st.binary(max_size=80))
def test_no_bytes_for_effects_crash_the_comparer(header):
    assert isinstance(read_effects(((b"x-strangler-effects", b"v1;" + header),)), Absent | Effects)


def test_effects_told_twice_are_not_believed():
    once = (b"X-Strangler-Effects", wrote())
    found = read_effects((once, once))
    assert isinstance(found, Absent)


def test_rows_alike_are_paired_along_with_those_that_point_at_them():
    def write(orders, lines):
        rows = [row("shop_order", "insert", {"id": each}, {"text": "a"}) for each in orders]
        rows += [row("shop_line", "insert", {"id": each}, {"order_id": to}) for each, to in lines.items()]
        return told(wrote(*rows))

    straight, crossed = write([1, 2], {1: 1, 2: 2}), write([11, 12], {21: 12, 22: 11})
    assert verdict_on(straight, crossed).verdict is Verdict.MATCH
    both_at_one = write([11, 12], {21: 12, 22: 12})
    assert verdict_on(straight, both_at_one).verdict is Verdict.DIFF


def test_many_new_rows_are_paired_in_time():
    def write(start):
        rows = [row("shop_line", "insert", {"id": start + n}, {"text": "a", "n": n % 7}) for n in range(400)]
        return told(wrote(*rows))

    assert verdict_on(write(1), write(1000)).verdict is Verdict.MATCH
