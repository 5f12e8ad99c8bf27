"""The audit's chain as bytes: what it proves, and what it shows to be missing."""

import itertools

import pytest

from strangler.audit import Action, Outcome, Record, encode, read_chain, reconcile

WHO = {"at": "2026-03-01T12:00:00.000+00:00", "who": "ann@shop"}


def written(*records: Record) -> bytes:
    raw = b""
    for record in records:
        raw += encode(record, read_chain(raw).tip) + b"\n"
    return raw


def change(before: str, after: str) -> Record:
    return Record(**WHO, action=Action.FLIP, route="r", before=before, after=after)


def outcome(of: int, result: Outcome = Outcome.APPLIED) -> Record:
    return Record(**WHO, action=Action.OUTCOME, of=of, outcome=result)


THREE = written(change("a", "b"), outcome(1), change("b", "c"))


def test_an_untouched_record_is_whole():
    chain = read_chain(THREE)
    assert chain.faults == ()
    assert [line.record.action for line in chain.lines] == [Action.FLIP, Action.OUTCOME, Action.FLIP]


def test_no_record_at_all_is_whole():
    assert read_chain(b"").faults == ()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_changed_line_is_named(number: int):
    lines = THREE.splitlines(keepends=True)
    lines[number - 1] = lines[number - 1].replace(b"ann@shop", b"bob@shop")
    assert number in [fault.number for fault in read_chain(b"".join(lines)).faults]


def test_every_single_changed_byte_is_noticed():
    for position in range(len(THREE)):
        raw = bytearray(THREE)
        raw[position] ^= 1
        assert read_chain(bytes(raw)).faults or bytes(raw) == THREE


def test_a_removed_line_is_noticed_where_it_stood():
    lines = THREE.splitlines(keepends=True)
    assert [fault.number for fault in read_chain(lines[0] + lines[2]).faults] == [2]


def test_swapped_lines_are_noticed():
    for order in itertools.permutations(THREE.splitlines(keepends=True)):
        assert bool(read_chain(b"".join(order)).faults) == (b"".join(order) != THREE)


def test_a_torn_last_line_is_named_and_the_chain_goes_on_behind_it():
    torn = read_chain(THREE[:-20])
    assert [(fault.number, fault.found) for fault in torn.faults] == [(3, "it breaks off in the middle")]
    mended = THREE[:-20] + b"\n" + encode(outcome(3), torn.tip) + b"\n"
    assert [fault.number for fault in read_chain(mended).faults] == [3]
    assert read_chain(mended).lines[-1].number == 4


def test_a_table_as_last_recorded_needs_no_further_record():
    assert reconcile(read_chain(written(change("a", "b"), outcome(1))), "b", **WHO) == ()


def test_nothing_recorded_means_nothing_to_reconcile():
    assert reconcile(read_chain(b""), "x", **WHO) == ()


def test_an_interrupted_change_that_reached_the_table_is_recorded_as_applied():
    (found,) = reconcile(read_chain(written(change("a", "b"))), "b", **WHO)
    assert (found.of, found.outcome) == (1, Outcome.APPLIED)


def test_an_interrupted_change_that_never_reached_the_table_is_recorded_as_abandoned():
    (found,) = reconcile(read_chain(written(change("a", "b"))), "a", **WHO)
    assert (found.of, found.outcome) == (1, Outcome.ABANDONED)


def test_an_interrupted_change_followed_by_an_edit_is_recorded_as_both():
    unknown, edit = reconcile(read_chain(written(change("a", "b"))), "x", **WHO)
    assert unknown.outcome is Outcome.UNKNOWN
    assert (edit.action, edit.before, edit.after) == (Action.HAND_EDIT, "b", "x")


def test_a_table_edited_by_hand_is_recorded_once():
    raw = written(change("a", "b"), outcome(1))
    (edit,) = reconcile(read_chain(raw), "x", **WHO)
    assert (edit.action, edit.before, edit.after) == (Action.HAND_EDIT, "b", "x")
    again = raw + encode(edit, read_chain(raw).tip) + b"\n"
    assert reconcile(read_chain(again), "x", **WHO) == ()


def test_an_edit_after_an_abandoned_change_starts_from_the_old_version():
    raw = written(change("a", "b"), outcome(1, Outcome.ABANDONED))
    assert reconcile(read_chain(raw), "a", **WHO) == ()
    (edit,) = reconcile(read_chain(raw), "b", **WHO)
    assert (edit.before, edit.after) == ("a", "b")
