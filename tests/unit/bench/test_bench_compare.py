"""The comparison's benchmark gives every comparer the pairs that it says."""

from bench.compare.comparers import BATCH, COMPARERS, our_process
from bench.compare.measure import measure, rate
from bench.compare.pairs import candidates, control, pair
from strangler.compare.judge import compare
from strangler.compare.reading import Reader
from strangler.compare.verdict import Verdict


def test_bodies_have_the_15_kb_that_the_figures_are_about():
    assert 14 * 1024 < len(control()) < 17 * 1024


def test_equal_pairs_match_and_the_others_differ():
    for kind, candidate in candidates().items():
        verdict = compare(pair(candidate)).verdict
        assert verdict is (Verdict.MATCH if kind.startswith("equal") else Verdict.DIFF), kind


def test_every_comparer_is_measured_on_every_kind_of_pair(tmp_path):
    found = list(measure(COMPARERS, candidates(), tmp_path, seconds=0.001, rounds=1))
    assert {(each.comparer, each.pairs) for each in found} == {
        (name, kind) for name in COMPARERS for kind in candidates()
    }


def test_a_rate_counts_every_pair_that_was_run():
    ran = []
    rate(ran.append, 0.0)
    assert ran == [1]


def test_the_whole_process_judges_and_stores_as_many_pairs_as_are_counted(tmp_path):
    for times in (1, BATCH, BATCH + 1):
        candidate = b"%d" % times
        our_process(candidate, tmp_path)(times)
        (store,) = tmp_path.glob("*.sqlite3")
        with Reader(store) as reader:
            assert sum(count.n for count in reader.counts()) == times
        store.unlink()
