"""Sum a replay up by route and role: who may do what on each side, and the verdicts. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from proxy.pairs import Failure, Response
from strangler.compare.store import Judged
from strangler.compare.verdict import Verdict


@dataclass
class Cell:
    """One role on one route: how often each side answered with each status, and the verdicts."""

    route: str
    role: str
    control: Counter[str] = field(default_factory=Counter)
    candidate: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    permitted_otherwise: int = 0  # answers where one side let the role in and the other did not

    def add(self, judged: Judged) -> None:
        """Count one pair."""
        pair = judged.pair
        self.control[_status(pair.control_answer)] += 1
        self.candidate[_status(pair.candidate_answer)] += 1
        self.verdicts[judged.comparison.verdict] += 1
        self.permitted_otherwise += _is_refused(pair.control_answer) != _is_refused(pair.candidate_answer)


def matrix(judged: Iterable[Judged]) -> tuple[Cell, ...]:
    """Return a cell for each route and role that was asked."""
    cells: dict[tuple[str, str], Cell] = {}
    for each in judged:
        key = each.pair.route, each.pair.role
        cells.setdefault(key, Cell(*key)).add(each)
    return tuple(cells[key] for key in sorted(cells))


def _status(answer: Response | Failure) -> str:
    return str(answer.status) if isinstance(answer, Response) else answer.error


def _is_refused(answer: Response | Failure) -> bool:
    return isinstance(answer, Response) and answer.status in (401, 403)
