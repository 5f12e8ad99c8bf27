"""Counts are exact, pairs are bounded, and a file that is no store is refused."""

import sqlite3
from contextlib import closing

import pytest

from strangler.compare import report
from strangler.compare.reading import Reader
from strangler.compare.retention import OVERFLOW, Limits
from strangler.compare.verdict import Verdict
from strangler.compare.writing import Writer
from strangler.errors import ForeignStore, NoStore, NothingCompared
from tests.cases.compare.answers import answer, pair, request
from tests.cases.compare.compared import differing, judge, matching


@pytest.fixture
def store_path(tmp_path):
    return tmp_path / "compare.sqlite3"


def _filled(path, *batches, limits=None, faults=None):
    with closing(Writer(path, limits)) as writer:
        for batch in batches:
            writer.record(batch, faults)


def _counts(path):
    with Reader(path) as reader:
        return {(each.route, each.stage, each.verdict): each.n for each in reader.counts()}


def _kept(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT request_id FROM comparisons ORDER BY id").fetchall()


def test_a_missing_store_is_refused_by_name(store_path):
    with pytest.raises(NoStore, match="is not there"):
        Reader(store_path)


def test_a_store_that_was_only_just_created_is_refused_alike(store_path):
    store_path.touch()
    with pytest.raises(NoStore):
        Reader(store_path)


def test_a_file_that_is_no_store_is_refused_and_left_alone(store_path):
    store_path.write_bytes(b"no database at all, but a rather long text" * 50)
    with pytest.raises(ForeignStore):
        Writer(store_path)
    assert store_path.read_bytes().startswith(b"no database")


def test_another_database_is_refused_and_left_alone(store_path):
    with closing(sqlite3.connect(store_path)) as database:
        database.execute("CREATE TABLE precious (id)")
    for opener in (Reader, Writer):
        with pytest.raises(ForeignStore):
            opener(store_path)


def test_an_empty_store_reports_nothing_compared(store_path):
    _filled(store_path)
    with pytest.raises(NothingCompared):
        report.read(store_path)


def test_an_unknown_route_is_answered_with_near_ones(store_path):
    _filled(store_path, [matching(1)])
    with pytest.raises(NothingCompared, match=r"catalog\.products"):
        report.read(store_path, "catalog.product")


def test_only_the_owner_can_read_the_store(store_path):
    _filled(store_path, [matching(1)])
    assert store_path.stat().st_mode & 0o777 == 0o600


def test_counts_stay_exact_while_few_pairs_are_kept(store_path):
    _filled(
        store_path,
        [matching(1, route="a") for _ in range(500)],
        [differing(n, stage="canary") for n in range(50)],
    )
    assert _counts(store_path) == {
        ("a", "shadow", Verdict.MATCH): 500,
        ("catalog.products", "canary", Verdict.DIFF): 50,
    }
    assert len(_kept(store_path)) == 20 + 20


def test_counts_go_on_after_a_restart(store_path):
    for _ in range(3):
        _filled(store_path, [matching(n) for n in range(30)])
    assert _counts(store_path) == {("catalog.products", "shadow", Verdict.MATCH): 90}
    assert len(_kept(store_path)) == 20


def test_a_rolled_back_batch_counts_nothing(store_path):
    unstorable = matching(1, route="\udcff")
    with closing(Writer(store_path, Limits(per_fingerprint=1))) as writer:
        with pytest.raises(UnicodeEncodeError):
            writer.record([matching(2), unstorable])
        writer.record([matching(3)])
    assert _counts(store_path) == {("catalog.products", "shadow", Verdict.MATCH): 1}
    assert _kept(store_path) == [("req-3",)]


def test_the_newest_of_a_fingerprint_are_kept(store_path):
    limits = Limits(per_fingerprint=3, refresh_seconds=1.0)
    _filled(store_path, [differing(n) for n in range(10)], limits=limits)
    assert _kept(store_path) == [("req-7",), ("req-8",), ("req-9",)]


def test_the_oldest_pairs_go_when_the_file_is_full(store_path):
    limits = Limits(per_fingerprint=1000, total_bytes=20_000)
    _filled(store_path, *([differing(n, field=f"f{n}")] for n in range(300)), limits=limits)
    with closing(sqlite3.connect(store_path)) as database:
        assert database.execute("SELECT sum(length(pair)) FROM comparisons").fetchone()[0] <= 20_000
    assert _kept(store_path)[-1] == ("req-299",)
    assert _counts(store_path)[("catalog.products", "shadow", Verdict.DIFF)] == 300


def test_an_example_that_went_leaves_its_count(store_path):
    limits = Limits(per_fingerprint=1000, total_bytes=20_000)
    _filled(store_path, *([differing(n, field=f"f{n}")] for n in range(300)), limits=limits)
    with Reader(store_path) as reader:
        examples = {found.finding.pattern: found.example for found in reader.findings()}
        assert examples["$.f0"] is None
        assert reader.find(str(examples["$.f299"])).judged.pair.id == "req-299"


def test_endless_paths_overflow_into_one_finding(store_path):
    limits = Limits(findings_per_route=5, fingerprints_per_route=5)
    _filled(store_path, [differing(n, field=f"f{n}") for n in range(50)], limits=limits)
    with Reader(store_path) as reader:
        found = {each.finding.pattern: each.n for each in reader.findings()}
    assert len(found) == 6
    assert found[OVERFLOW] == 45
    assert len(_kept(store_path)) <= (5 + 1) * 20


def test_a_kept_pair_comes_back_whole(store_path):
    judged = differing(4)
    _filled(store_path, [judged])
    with Reader(store_path) as reader:
        assert reader.find("req-4").judged == judged
        assert reader.find("1").judged == judged
        assert reader.find("2") is None


def test_faults_of_the_comparer_are_counted(store_path):
    _filled(store_path, [], [], faults={"corrupt_frame": 2})
    with Reader(store_path) as reader:
        assert reader.faults() == {"corrupt_frame": 4}


def test_verdict_counts_degrade_to_nothing_without_a_store(store_path):
    assert report.verdict_counts(store_path) == {}


def test_verdict_counts_add_up_the_stages(store_path):
    _filled(store_path, [matching(1), matching(2, stage="canary"), differing(3)])
    assert report.verdict_counts(store_path) == {"catalog.products": {Verdict.MATCH: 2, Verdict.DIFF: 1}}


def test_the_store_can_be_read_while_it_is_written(store_path):
    with closing(Writer(store_path)) as writer:
        writer.record([matching(1)])
        with Reader(store_path) as reader:
            writer.record([matching(2)])
            assert reader.counts()[0].n == 2


def test_hits_of_every_rule_are_counted_notes_too(store_path):
    same, other = answer('{"a":1}', "Server: one"), answer('{"a":1.0}', "Server: two")
    _filled(store_path, [judge(pair(same, other)), judge(pair(same, other, id="again"))])
    with Reader(store_path) as reader:
        assert {(each.rule, each.n) for each in reader.hits()} == {("framing", 2), ("number_form", 2)}


def test_evidence_is_kept_by_method_status_class_and_role(store_path):
    refused = answer('{"detail":"no"}', status=403)
    signed_in = request("GET", "/api/items/", "Cookie: a=1; sessionid=b")
    _filled(store_path, [matching(1), judge(pair(refused, refused, signed_in, at=2.0))])
    with Reader(store_path) as reader:
        found = {(str(each.circumstances), each.n) for each in reader.evidence("catalog.products", 0.0)}
    assert found == {("GET 2xx anonymous", 1), ("GET 4xx user", 1)}


def test_evidence_before_a_route_was_settled_counts_no_more(store_path):
    with closing(Writer(store_path)) as writer:
        writer.record([matching(1), differing(2)])
        writer.settle("catalog.products", 3.0, "ada", "fixed")
        writer.record([matching(4)])
    with Reader(store_path) as reader:
        assert [(each.verdict, each.n) for each in reader.evidence("catalog.products", 0.0)] == [
            (Verdict.MATCH, 1)
        ]
        assert reader.settled_at("catalog.products") == 3.0
        assert sum(each.n for each in reader.counts()) == 3


def test_an_hour_that_began_too_early_is_no_evidence(store_path):
    _filled(store_path, [matching(10), matching(7300)])
    with Reader(store_path) as reader:
        assert sum(each.n for each in reader.evidence("catalog.products", 20.0)) == 1


def test_requests_of_live_traffic_are_recorded_once_over_two_writers(store_path):
    asked = [request("GET", f"/api/items/?page={page}", "Cookie: sessionid=1") for page in (1, 2, 1)]
    batch = [judge(pair(answer("{}"), answer("{}"), each)) for each in asked]
    _filled(store_path, batch)
    _filled(store_path, batch)
    with Reader(store_path) as reader:
        recorded = reader.requests("catalog.products")
        assert reader.requests("another") == ()
    assert [each.target for each in recorded] == ["/api/items/?page=1", "/api/items/?page=2"]
    assert all("cookie" not in each.headers for each in recorded)
