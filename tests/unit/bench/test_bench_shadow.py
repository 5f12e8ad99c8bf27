"""What the shadow benchmark concludes, and that all proxies are asked for the same copies."""

import pytest

from bench.proxy import ours
from bench.seen import Answer, Seen
from bench.shadow.candidates import Candidate
from bench.shadow.configs import envoy_config, nginx_config
from bench.shadow.judge import Figures, figures, noise, slowdown, summarise
from bench.shadow.peers import ROUTES, Copies
from bench.shadow.report import document, verdicts
from bench.shadow.run import Sample
from proxy.routes import Stage
from proxy.table import parse_table


def measured(
    candidate: Candidate, later: float, *, number: int = 1, errors: int = 0, copies: Copies | None = None
) -> Figures:
    times = {"first_p50": 1.0, "first_p99": 2.0, "next_p50": later, "next_p99": later}
    return Figures(
        peer="ours", candidate=candidate, round=number, requests=100, errors=errors, copies=copies, **times
    )


def test_first_and_later_requests_of_a_connection_are_told_apart() -> None:
    answers = [Answer(0.0, 0.001, 0, 200, "control"), Answer(0.1, 3.0, 1, 200, "control")]
    row = figures(Sample("nginx", Candidate.SLOW, 1, Seen(answers, lost=0, refused=0, closed=0), None))
    assert (row.first_p99, row.next_p50) == (1.0, 3000.0)


def test_a_slower_next_request_is_called_missed() -> None:
    rounds = [
        measured(Candidate.NONE, 1.0), measured(Candidate.NONE, 1.2, number=2),
        measured(Candidate.SLOW, 3000.0), measured(Candidate.DEAD, 1.1),
    ]  # fmt: skip
    slow, dead = verdicts(rounds)[-2:]
    assert slow.endswith("MISSED")
    assert dead.endswith("met")


def test_an_error_with_a_dead_candidate_is_called_missed() -> None:
    rounds = [
        measured(Candidate.NONE, 1.0), measured(Candidate.SLOW, 1.0),
        measured(Candidate.DEAD, 1.0, errors=1),
    ]  # fmt: skip
    assert verdicts(rounds)[-1].endswith("MISSED")


def test_noise_is_what_no_shadow_varies_by() -> None:
    rounds = [
        measured(Candidate.NONE, 1.0),
        measured(Candidate.NONE, 1.5, number=2),
        measured(Candidate.SLOW, 9),
    ]
    assert noise(rounds, "ours").next_p99 == 1.5


def test_times_are_medians_and_copies_are_sums_of_the_rounds() -> None:
    rounds = [
        measured(Candidate.SLOW, later, number=number, copies=Copies(1, 0, 10))
        for number, later in enumerate((1.0, 9.0, 2.0), 1)
    ]
    row = summarise(rounds)["ours", Candidate.SLOW]
    assert (row.next_p50, row.copies, row.requests) == (2.0, Copies(3, 0, 30), 300)


def test_a_proxy_is_compared_with_itself_without_a_shadow() -> None:
    rows = summarise([measured(Candidate.NONE, 2.0), measured(Candidate.SLOW, 5.0)])
    assert slowdown(rows, "ours", Candidate.SLOW, "next_p50") == 2.5


def test_the_document_keeps_every_round() -> None:
    rounds = [measured(Candidate.NONE, 1.0, number=1), measured(Candidate.NONE, 1.0, number=2)]
    assert len(document({}, rounds)["rounds"]) == 2


def test_copies_counted_before_a_round_are_not_counted_in_it() -> None:
    assert Copies(9, 3, 20).since(Copies(4, 3, 5)) == Copies(5, 0, 15)


@pytest.mark.parametrize(("candidate_port", "copied"), [(None, False), (20003, True)])
def test_every_proxy_copies_all_requests_exactly_where_there_is_a_candidate(
    candidate_port: int | None, copied: bool
) -> None:
    assert ("mirror /mirrored" in nginx_config(20001, 20002, candidate_port, "/run/bench")) is copied
    envoy = str(envoy_config(20001, 20004, 20002, candidate_port))
    assert ("'numerator': 100" in envoy) is copied
    stage = Stage.SHADOW if copied else Stage.MONOLITH
    table = parse_table(ours.table(20002, candidate_port or 20002, ROUTES, stage), "routes.toml")
    assert {route.shadow_percent for route in table.routes.values()} == {100.0 if copied else 0.0}
