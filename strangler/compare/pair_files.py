"""Compare two files that each hold one raw HTTP response. Effects: reads both."""

from pathlib import Path

from proxy.pairs import Response
from strangler.compare import masking, raw
from strangler.compare.exchange import learn_exchange
from strangler.compare.judge import AS_SHIPPED, compare_answers
from strangler.compare.terms import Terms
from strangler.compare.verdict import Comparison, Obstacle, Reason, Side, Verdict
from strangler.errors import UnreadableAnswer


def compare_files(
    control: Path, candidate: Path, method: str, target: str, terms: Terms = AS_SHIPPED
) -> Comparison:
    """Return the verdict on two files, secrets in it masked. Raises UnreadableAnswer."""
    answers = _answer(control, method, Side.CONTROL), _answer(candidate, method, Side.CANDIDATE)
    ours, theirs = answers
    if isinstance(ours, Obstacle):
        return Comparison(Verdict.NOT_COMPARABLE, obstacle=ours)
    if isinstance(theirs, Obstacle):
        return Comparison(Verdict.NOT_COMPARABLE, obstacle=theirs)
    exchange = learn_exchange(method, target, (ours, theirs))
    return masking.comparison(compare_answers(exchange, ours, theirs, terms))


def _answer(path: Path, method: str, side: Side) -> Response | Obstacle:
    try:
        return raw.parse(path.read_bytes(), method)
    except OSError as error:
        raise UnreadableAnswer(
            f"{path}: {error.strerror}; a file with one raw HTTP response is wanted",
            next=f"curl --http1.1 --include --raw --silent URL > {path}",
        ) from error
    except raw.Malformed as error:
        return Obstacle(Reason.MALFORMED_FRAMING, side, str(error))
