"""Judge the moves of one run by what clients were answered. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.flip.run import FlipRun, Move
from bench.seen import Answer, answered_by


@dataclass(frozen=True, slots=True)
class Settled:
    """One move.

    `old_ms`: how long after the workers were told a request was last sent that the old side answered.
    `change_ms`: the whole change, with what is written, recorded and waited for. `late`: requests that the
    old side answered although they were sent after the acknowledgement.
    """

    old_ms: float
    change_ms: float
    acknowledged_ms: float | None
    late: int


@dataclass(frozen=True, slots=True)
class Judged:
    """One run: figures over all its moves."""

    peer: str
    moves: tuple[Settled, ...]
    requests: int
    errors: int
    lost: int
    refused: int
    closed: int
    answered: dict[str, int]

    @property
    def old_ms(self) -> tuple[float, float]:
        """Median and slowest time until the last worker had the new table."""
        return _middle_and_worst([move.old_ms for move in self.moves])

    @property
    def change_ms(self) -> float:
        """Median time of the whole change, as its user waits for it."""
        return median(move.change_ms for move in self.moves)

    @property
    def acknowledged_ms(self) -> tuple[float, float] | None:
        """Median and slowest acknowledgement, None for a proxy that gives none."""
        times = [move.acknowledged_ms for move in self.moves if move.acknowledged_ms is not None]
        return _middle_and_worst(times) if times else None

    @property
    def late(self) -> int:
        """Requests that were sent after an acknowledgement and yet answered by the old side."""
        return sum(move.late for move in self.moves)


def judge(run: FlipRun) -> Judged:
    """Return the figures of a run."""
    answers = sorted(run.seen.answers, key=lambda answer: answer.sent)
    ends = [*(move.began for move in run.moves[1:]), float("inf")]
    return Judged(
        peer=run.peer,
        moves=tuple(_settled(move, end, answers) for move, end in zip(run.moves, ends, strict=True)),
        requests=len(answers),
        errors=run.seen.errors,
        lost=run.seen.lost,
        refused=run.seen.refused,
        closed=run.seen.closed,
        answered=answered_by(answers),
    )


def _settled(move: Move, end: float, answers: Sequence[Answer]) -> Settled:
    first, last = (bisect_left(answers, when, key=lambda answer: answer.sent) for when in (move.began, end))
    old = [answer.sent for answer in answers[first:last] if answer.origin == move.to.other]
    return Settled(
        old_ms=max(0.0, (max(old) - move.told) * 1e3) if old else 0.0,
        change_ms=(move.returned - move.began) * 1e3,
        acknowledged_ms=None if move.acknowledged is None else move.acknowledged * 1e3,
        late=sum(sent > move.returned for sent in old) if move.acknowledged is not None else 0,
    )


def _middle_and_worst(times: Sequence[float]) -> tuple[float, float]:
    return median(times), max(times)
