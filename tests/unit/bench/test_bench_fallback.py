"""What the fallback benchmark concludes, and that every proxy is told the same."""

import json

import pytest

from bench.fallback.configs import PATH, envoy_config, haproxy_config, nginx_config, ours_table
from bench.fallback.failing import Failing
from bench.fallback.judge import Figures, Sample, figures, slowdown, summarise
from bench.fallback.report import document, reads, verdicts, writes
from bench.fallback.writes import METHODS, Performed, performed, some_writes
from bench.seen import Answer, Seen
from proxy.fallback import rules_of
from proxy.routes import Owner, Stage
from proxy.table import parse_table

ONCE = Performed(writes=4, service=4, monolith=0, twice=0, never=0)


def sample(
    peer: str,
    failing: Failing,
    *milliseconds: float,
    lost: int = 0,
    status: int = 200,
    done: Performed = ONCE,
) -> Sample:
    answers = [Answer(0.0, each / 1e3, 0, status, "monolith") for each in milliseconds]
    return Sample(peer, failing, 1, Seen(answers, lost=lost, refused=0, closed=0), done)


def all_failures(peer: str, **more: Performed) -> list[Figures]:
    return [figures(sample(peer, failing, 1.0, **more)) for failing in Failing]


def test_only_right_answers_are_timed_and_all_others_are_errors() -> None:
    fast_failure = figures(sample("nginx", Failing.DEAD, 1.0, status=502))
    assert (fast_failure.right, fast_failure.errors, fast_failure.p50) == (0, 1, 0.0)
    lost = figures(sample("nginx", Failing.RESET, 4.0, lost=2))
    assert (lost.requests, lost.right, lost.errors, lost.p50) == (3, 1, 2, 4.0)


def test_a_proxy_is_compared_with_itself_while_the_service_is_well() -> None:
    rows = summarise([figures(sample("ours", Failing.NOT, 2.0)), figures(sample("ours", Failing.HUNG, 5.0))])
    assert slowdown(rows, "ours", Failing.HUNG, "p50") == 2.5


def test_a_proxy_that_answers_nothing_has_no_ratio() -> None:
    rows = summarise(
        [figures(sample("ours", Failing.NOT, 2.0)), figures(sample("ours", Failing.DEAD, lost=1))]
    )
    assert slowdown(rows, "ours", Failing.DEAD, "p50") is None


def test_times_are_medians_and_errors_and_writes_are_sums_of_the_rounds() -> None:
    rounds = [figures(sample("ours", Failing.HUNG, each, lost=1)) for each in (1.0, 9.0, 2.0)]
    row = summarise(rounds)["ours", Failing.HUNG]
    assert (row.p50, row.errors, row.slowest, row.rounds) == (2.0, 3, 9.0, 3)
    assert row.performed == Performed(12, 12, 0, 0, 0)


def test_a_write_is_found_where_it_was_performed() -> None:
    asked = ["POST /a", "PUT /b", "PATCH /c", "DELETE /d", "POST /e"]
    found = performed(asked, ["POST /a", "PUT /b", "POST /e", "POST /e"], ["PUT /b", "PATCH /c"])
    assert found == Performed(writes=5, service=1, monolith=1, twice=2, never=1)


def test_no_two_writes_are_the_same() -> None:
    found = some_writes(5)
    assert len(set(found)) == len(found) == 5 * len(METHODS)


@pytest.mark.parametrize(
    ("done", "line"),
    [
        (Performed(4, 3, 0, 1, 0), "ours: 5 writes performed twice, wanted 0: MISSED"),
        (Performed(4, 3, 1, 0, 0), "ours: 5 writes performed where they are not owned, wanted 0: MISSED"),
    ],
)
def test_a_write_that_went_astray_is_called_missed(done: Performed, line: str) -> None:
    assert line in verdicts(all_failures("ours", done=done))
    assert not any("MISSED" in each for each in verdicts(all_failures("ours")))


def test_other_proxies_have_figures_and_no_targets() -> None:
    (line,) = verdicts(all_failures("nginx", done=Performed(4, 2, 1, 1, 0)))
    assert line == "nginx: 0.00% of reads not answered right, 25.0% of writes performed twice"


def test_the_document_and_both_tables_keep_every_row() -> None:
    rounds = all_failures("ours") + all_failures("nginx")
    kept = json.loads(json.dumps(document({}, rounds)))
    assert len(kept["rounds"]) == len(kept["times_well"]) == 2 * len(Failing)
    assert reads(rounds).row_count == writes(rounds).row_count == 2 * len(Failing)


def test_every_proxy_is_told_of_the_same_failures_and_the_same_patience() -> None:
    nginx = nginx_config(20001, 20002, 20003, "/run/bench", non_idempotent=False)
    assert "proxy_next_upstream error timeout http_503;" in nginx
    assert "proxy_connect_timeout 100ms;" in nginx
    assert "proxy_read_timeout 300ms;" in nginx
    haproxy = haproxy_config(20001, 20002, 20003)
    assert "timeout connect 100ms" in haproxy
    assert "timeout server 300ms" in haproxy
    envoy = json.dumps(envoy_config(20001, 20002, 20003))
    assert '"per_try_timeout": "0.3s"' in envoy
    assert '"connect_timeout": "0.1s"' in envoy
    (ours,) = parse_table(ours_table(20002, 20003), "routes.toml").routes.values()
    assert (ours.timeouts.connect, ours.timeouts.head, ours.fallback.on) == (0.1, 0.3, (503,))


def test_nginx_repeats_posts_only_where_it_is_told_so() -> None:
    config = nginx_config(20001, 20002, 20003, "/run/bench", non_idempotent=True)
    assert "proxy_next_upstream error timeout http_503 non_idempotent;" in config


def test_ours_answers_writes_at_the_service_that_owns_them() -> None:
    (ours,) = parse_table(ours_table(20002, 20003), "routes.toml").routes.values()
    assert (ours.path, ours.stage, ours.writes) == (f"{PATH}{{id}}", Stage.SERVICE, True)
    assert rules_of(ours, Owner.SERVICE).may_fall_back
