"""What the flip benchmark concludes from the moves of a route."""

import json

from bench.flip.configs import envoy_routes, nginx_config
from bench.flip.judge import Judged, judge
from bench.flip.peers import ROUTES, WORKERS
from bench.flip.report import document, ratios, verdicts
from bench.flip.run import FlipRun, Move
from bench.flip.side import Side
from bench.seen import Answer, Seen

ORIGINS = {Side.MONOLITH: 20002, Side.SERVICE: 20003}


def at(milliseconds: float, origin: Side) -> Answer:
    return Answer(sent=milliseconds / 1e3, seconds=0.001, turn=1, status=200, origin=origin)


def move(to: Side, began: float, returned: float, acknowledged: float | None = None) -> Move:
    return Move(
        to, began / 1e3, began / 1e3, returned / 1e3, None if acknowledged is None else acknowledged / 1e3
    )


def judged(moves: list[Move], answers: list[Answer], *, peer: str = "ours", lost: int = 0) -> Judged:
    return judge(FlipRun(peer, tuple(moves), Seen(answers, lost=lost, refused=0, closed=0)))


def test_a_request_the_old_side_answers_after_the_acknowledgement_is_late() -> None:
    run = judged(
        [move(Side.SERVICE, 100, 110, 4)],
        [at(105, Side.MONOLITH), at(112, Side.MONOLITH), at(113, Side.SERVICE)],
    )
    assert run.late == 1
    assert "1 answers of the old side after an acknowledgement, wanted 0: MISSED" in verdicts([run])[-1]


def test_a_proxy_that_acknowledges_nothing_is_not_called_late() -> None:
    run = judged([move(Side.SERVICE, 100, 101)], [at(150, Side.MONOLITH)], peer="envoy")
    assert (run.late, run.acknowledged_ms) == (0, None)


def test_the_last_request_of_the_old_side_says_when_the_table_had_arrived() -> None:
    moves = [move(Side.SERVICE, 100, 101), move(Side.MONOLITH, 200, 201)]
    answers = [
        at(99, Side.MONOLITH), at(101, Side.MONOLITH), at(103, Side.MONOLITH), at(102, Side.SERVICE),
        at(199, Side.SERVICE), at(207, Side.SERVICE), at(208, Side.MONOLITH),
    ]  # fmt: skip
    run = judged(moves, answers)
    assert [round(each.old_ms, 6) for each in run.moves] == [3.0, 7.0]
    assert run.answered == {"monolith": 4, "service": 3}


def test_slow_acknowledgements_and_lost_requests_are_called_missed() -> None:
    moves = [move(Side.SERVICE, 100, 120, 4), move(Side.MONOLITH, 200, 220, 12)]
    lines = verdicts([judged(moves, [at(250, Side.MONOLITH)], lost=2)])
    assert lines[0] == "ours: 2 client errors, wanted 0: MISSED"
    assert lines[1] == "ours: slowest acknowledgement 12.0 ms, wanted at most 10: MISSED"


def test_ratios_compare_medians_of_one_run() -> None:
    ours = judged([move(Side.SERVICE, 100, 101, 1)], [at(102, Side.MONOLITH)])
    nginx = judged([move(Side.SERVICE, 100, 101)], [at(140, Side.MONOLITH)], peer="nginx")
    assert {peer: round(value, 6) for peer, value in ratios([nginx, ours]).items()} == {"nginx": 0.05}
    assert ratios([nginx]) == {}


def test_the_document_keeps_every_move() -> None:
    moves = [move(Side.SERVICE, 100, 101, 1), move(Side.MONOLITH, 200, 201, 1)]
    assert len(document({}, [judged(moves, [at(300, Side.MONOLITH)])])["runs"][0]["moves"]) == 2


def test_only_the_first_route_moves() -> None:
    nginx = nginx_config(20001, ORIGINS, ROUTES, Side.SERVICE, directory="/run/bench", workers=WORKERS)
    assert nginx.count("proxy_pass http://service;") == 1
    assert nginx.count("proxy_pass http://monolith;") == len(ROUTES)  # the others, and what no route names
    assert f"location = {ROUTES[0].sample} {{ proxy_pass http://service; }}" in nginx
    envoy = json.dumps(envoy_routes(ROUTES, Side.SERVICE))
    assert envoy.count('"cluster": "service"') == 1
    assert json.dumps(envoy_routes(ROUTES, Side.MONOLITH)).count('"cluster": "service"') == 0
