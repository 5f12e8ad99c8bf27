"""Moving a route: what is refused, what is written, who acknowledges, what is recorded."""

import threading

import pytest
from fake_worker import service

from proxy.routes import Stage, version_of
from proxy.table import parse_table
from strangler.audit import Action, Audit, Outcome
from strangler.errors import (
    AuditUnusable,
    BrokenTable,
    ConcurrentChange,
    NotAcknowledged,
    ServiceUnwell,
    TableForbids,
    UnknownRoute,
)
from strangler.flip import back, flip
from strangler.steps import Forward, Position
from strangler.table_file import replace_text

ROUTE = "catalog.products"


def stage_of(place, route=ROUTE):
    return parse_table(place.table.read_text(), "t").routes[route].stage


def untouched(place, text):
    return place.table.read_text() == text and not place.audit.exists()


def test_an_unknown_route_is_refused_with_near_names(place, ann):
    with pytest.raises(UnknownRoute, match=r"did you mean catalog\.products"):
        flip(place, "catalog.prodcts", Forward(), ann)


def test_a_broken_table_is_never_written_over(place, ann):
    text = place.table.read_text().replace('"GET"', '"GTE"')
    place.table.write_text(text)
    with pytest.raises(BrokenTable, match="GTE"):
        flip(place, ROUTE, Forward(), ann)
    assert untouched(place, text)


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.CANARY, Stage.SERVICE])
def test_no_stage_that_needs_the_service_while_it_is_unwell(place, ann, catalog_url, stage):
    with service(503) as (url, asked):
        text = place.table.read_text().replace(catalog_url, url)
        place.table.write_text(text)
        with pytest.raises(ServiceUnwell, match=f"{url}/healthz.*503"):
            flip(place, ROUTE, Forward(stage, skip=True, reason="a test", force=True), ann)
    assert asked == ["/healthz"]
    assert untouched(place, text)


def test_a_service_that_does_not_listen_is_named_with_the_systems_reason(place, ann, catalog_url):
    place.table.write_text(place.table.read_text().replace(catalog_url, "http://127.0.0.1:1"))
    with pytest.raises(ServiceUnwell, match="Connection refused"):
        flip(place, ROUTE, Forward(), ann)


def test_a_route_that_writes_stays_while_the_monolith_owns_its_tables(place, ann):
    text = place.table.read_text()
    with pytest.raises(TableForbids, match=r"catalog\.edit.*owned by the monolith") as refusal:
        flip(place, "catalog.edit", Forward(), ann)
    assert refusal.value.next == "strangler takeover plan catalog"
    assert untouched(place, text)


def test_going_back_asks_no_service(place, ann, catalog_url):
    flip(place, ROUTE, Forward(), ann)
    place.table.write_text(place.table.read_text().replace(catalog_url, "http://127.0.0.1:1"))
    assert back(place, ROUTE, None, "", ann).target == Position(Stage.MONOLITH)


def test_a_smaller_share_asks_no_service(place, ann, catalog_url):
    flip(place, ROUTE, Forward(Stage.CANARY, 50, skip=True, reason="a test", force=True), ann)
    place.table.write_text(place.table.read_text().replace(catalog_url, "http://127.0.0.1:1"))
    assert flip(place, ROUTE, Forward(percent=5), ann).target == Position(Stage.CANARY, 5)


def test_flip_returns_when_every_live_worker_serves_the_new_version(place, ann, hire):
    workers = [hire(101), hire(102)]
    moved = flip(place, ROUTE, Forward(), ann)
    assert moved.acknowledged == (101, 102)
    assert moved.version == version_of(place.table.read_text())
    assert [worker.asked for worker in workers] == [["apply"], ["apply"]]


def test_all_workers_are_told_before_the_first_is_waited_for(place, ann, hire):
    other_heard = threading.Event()

    def waits_for_the_other(verb):
        other_heard.wait(5)
        return first._obey(verb)

    def second_obeys(verb):
        other_heard.set()
        return second._obey(verb)

    first, second = hire(101, waits_for_the_other), hire(102, second_obeys)
    assert flip(place, ROUTE, Forward(), ann).acknowledged == (101, 102)


def test_a_socket_left_by_a_dead_worker_is_ignored(place, ann, hire):
    hire(101)
    hire(102).close()
    assert flip(place, ROUTE, Forward(), ann).acknowledged == (101,)


def test_without_a_proxy_the_table_is_changed_all_the_same(place, ann):
    moved = flip(place, ROUTE, Forward(), ann)
    assert moved.acknowledged == ()
    assert stage_of(place) is Stage.SHADOW


def test_a_worker_that_keeps_silent_is_named_and_recorded(place, ann, hire):
    hire(101)
    hire(102, lambda verb: None)
    with pytest.raises(NotAcknowledged, match="worker 102: no answer within") as refusal:
        flip(place, ROUTE, Forward(), ann)
    assert refusal.value.exit_code == 3
    assert "strangler back catalog.products monolith" in refusal.value.next
    outcome = Audit(place.audit).read().lines[-1].record
    assert (outcome.acknowledged, outcome.silent) == ((101,), (102,))


def test_a_worker_that_rejects_the_table_is_named_with_its_reason(place, ann, hire):
    rejected = {"version": "new", "reason": "it says so"}
    hire(101, lambda verb: {"pid": 101, "version": "old", "rejected": rejected})
    with pytest.raises(NotAcknowledged, match="worker 101: serves version old: it says so"):
        flip(place, ROUTE, Forward(), ann)


def test_a_worker_that_answers_nonsense_is_named(place, ann, hire):
    hire(101, lambda verb: {"pid": "one"})
    with pytest.raises(NotAcknowledged, match="worker 101: an answer that is none"):
        flip(place, ROUTE, Forward(), ann)


def test_of_two_concurrent_changes_one_is_refused_by_name(place, ann, hire):
    released = threading.Event()

    def slow(verb):
        released.wait(10)
        return worker._obey(verb)

    worker = hire(101, slow)
    first = threading.Thread(target=flip, args=(place, ROUTE, Forward(), ann))
    first.start()
    try:
        assert worker.heard.wait(10)
        with pytest.raises(ConcurrentChange, match=r"ann@shop.*is changing the routing table"):
            flip(place, "catalog.product", Forward(), ann)
    finally:
        released.set()
        first.join()
    assert stage_of(place) is Stage.SHADOW
    assert stage_of(place, "catalog.product") is Stage.MONOLITH


def test_a_change_worked_out_on_an_older_version_is_refused(place, ann, catalog_url):
    def edit_meanwhile():
        place.table.write_text(place.table.read_text() + "# edited meanwhile\n")

    with service(when_asked=edit_meanwhile) as (url, _):
        place.table.write_text(place.table.read_text().replace(catalog_url, url))
        with pytest.raises(ConcurrentChange, match="the change was meant for"):
            flip(place, ROUTE, Forward(), ann)
    assert stage_of(place) is Stage.MONOLITH
    assert not place.audit.exists()


def test_flipping_to_the_present_stage_changes_and_records_nothing(place, ann, hire):
    worker = hire(101)
    text = place.table.read_text()
    moved = back(place, ROUTE, Stage.MONOLITH, "", ann)
    assert not moved.changed
    assert untouched(place, text)
    assert worker.asked == []


def test_comments_and_file_mode_survive_a_flip(place, ann):
    place.table.chmod(0o640)
    flip(place, ROUTE, Forward(), ann)
    assert "# the list" in place.table.read_text()
    assert place.table.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in place.table.parent.iterdir()) == ["routes.toml"]


def test_every_change_is_recorded_with_who_why_and_what(place, ann, hire):
    hire(101)
    before = version_of(place.table.read_text())
    flip(place, ROUTE, Forward(reason="the shadow is clean"), ann)
    change, outcome = (line.record for line in Audit(place.audit).read().lines)
    assert (change.at, change.who) == ("2026-03-01T12:00:00.000+00:00", "ann@shop")
    assert (change.action, change.route, change.reason) == (Action.FLIP, ROUTE, "the shadow is clean")
    assert (change.origin, change.target) == (Position(Stage.MONOLITH), Position(Stage.SHADOW))
    assert (change.before, change.after) == (before, version_of(place.table.read_text()))
    assert (outcome.of, outcome.outcome, outcome.acknowledged) == (1, Outcome.APPLIED, (101,))


def test_no_change_is_made_that_cannot_be_recorded(place, ann):
    place.audit.mkdir(parents=True)
    text = place.table.read_text()
    with pytest.raises(AuditUnusable):
        flip(place, ROUTE, Forward(), ann)
    assert place.table.read_text() == text


def test_an_edit_by_hand_is_recorded_at_the_next_change(place, ann):
    flip(place, ROUTE, Forward(), ann)
    recorded = version_of(place.table.read_text())
    place.table.write_text(place.table.read_text() + "\n# edited\n")
    edited = version_of(place.table.read_text())
    back(place, ROUTE, None, "", ann)
    edit, change, _ = (line.record for line in Audit(place.audit).read().lines[2:])
    assert (edit.action, edit.before, edit.after) == (Action.HAND_EDIT, recorded, edited)
    assert (change.action, change.before) == (Action.BACK, edited)


def test_a_text_that_nobody_looked_at_is_never_written_over(place):
    text = place.table.read_text()
    with pytest.raises(ConcurrentChange):
        replace_text(place.table, "a new text", expected=version_of("another text"))
    assert place.table.read_text() == text
    assert list(place.table.parent.iterdir()) == [place.table]


def test_the_record_goes_on_behind_a_line_that_broke_off(place, ann):
    flip(place, ROUTE, Forward(), ann)
    place.audit.write_bytes(place.audit.read_bytes()[:-30])
    back(place, ROUTE, None, "", ann)
    chain = Audit(place.audit).read()
    assert [fault.number for fault in chain.faults] == [2]
    assert [line.record.action for line in chain.lines[-2:]] == [Action.BACK, Action.OUTCOME]
