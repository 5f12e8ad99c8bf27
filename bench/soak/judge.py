"""Judge what clients were answered, what origins were asked, what workers hold on to. Pure.

The promises: an answer is complete and right, or visibly cut, or the proxy's own error; nothing hangs; a
write reaches both origins together at most once; memory and file descriptors stay what they were.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median

from bench.soak.ask import Ask
from proxy.errors import ForwardError

MIB = 1024 * 1024
GROWTH_PERCENT, GROWTH_BYTES = 5, 2 * MIB  # what memory may grow by, whichever is more
LONG_ENOUGH = 60  # samples of a worker that show a trend
ANSWERED_PERCENT = 25  # of the requests whose clients waited; with fewer right answers a run shows nothing
SHOWN = 10  # examples of each broken promise

_OWN_ERRORS = {error.id: error.status for error in ForwardError}


class Outcome(StrEnum):
    """What became of a request, as its client saw it."""

    RIGHT = "complete and right"
    CUT = "visibly cut"
    OWN_ERROR = "the proxy's own error"
    UNANSWERED = "connection lost before an answer"
    LEFT = "left by the client"
    WRONG = "wrong"
    HUNG = "hung"
    REFUSED = "connection refused"


BROKEN = (Outcome.WRONG, Outcome.HUNG, Outcome.REFUSED)


@dataclass(frozen=True, slots=True)
class Got:
    """An answer as far as it came. `framed`: its end can be told from a broken connection."""

    status: int
    origin: str
    echo: str
    digest: str
    body: bytes
    framed: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A request's outcome, and where that breaks a promise, how."""

    outcome: Outcome
    why: str = ""


def judge_answer(ask: Ask, got: Got) -> Judged:
    """Return what an answer is to who asked."""
    if not got.origin:
        return _judge_own(got)
    if got.echo != ask.id:
        return Judged(Outcome.WRONG, f"the answer to {got.echo or 'nobody'}")
    if got.status != ask.status:
        return Judged(Outcome.WRONG, f"status {got.status}, wanted {ask.status}")
    if not ask.body.startswith(got.body):
        return Judged(Outcome.WRONG, f"{len(got.body)} bytes, not those of the answer")
    if not got.whole:
        return Judged(Outcome.CUT) if got.framed else Judged(Outcome.WRONG, "cut, and it cannot be seen")
    if len(got.body) != len(ask.body):
        return Judged(Outcome.WRONG, f"{len(got.body)} bytes taken for the whole of {len(ask.body)}")
    if got.digest != ask.digest:
        return Judged(Outcome.WRONG, "the origin got another body than was sent")
    return Judged(Outcome.RIGHT)


def _judge_own(got: Got) -> Judged:
    """Judge an answer that no origin gave."""
    if not got.whole:
        return Judged(Outcome.CUT) if got.framed else Judged(Outcome.WRONG, "cut, and it cannot be seen")
    if not got.body:  # to a HEAD
        known = got.status in _OWN_ERRORS.values()
    else:
        known = _OWN_ERRORS.get(_error_of(got.body)) == got.status
    if known:
        return Judged(Outcome.OWN_ERROR)
    return Judged(Outcome.WRONG, f"status {got.status} of neither an origin nor the proxy")


def _error_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return ""


# --- the writes --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Write:
    """A write as its client saw it: the outcome, and the digest of all it would have sent."""

    outcome: Outcome
    digest: str


@dataclass(frozen=True, slots=True)
class Writes:
    """What became of all writes, by id where a promise was broken."""

    sent: int
    reached: int  # an origin
    refused: int  # by one, without effect
    done: int
    twice: tuple[str, ...]  # asked of the origins more than once, refusals without effect left aside
    lost: tuple[str, ...]  # answered as done, and not done
    mangled: tuple[str, ...]  # done with a body that nobody sent


def judge_writes(writes: Mapping[str, Write], records: Iterable[str]) -> Writes:
    """Return what the origins' records say of the writes that clients sent."""
    asked: Counter[str] = Counter()  # and not refused without effect
    refused = 0
    done: dict[str, str] = {}
    for line in records:
        verb, id_, *digest = line.split()
        if verb == "asked":
            asked[id_] += 1
        elif verb == "refused":
            asked[id_] -= 1
            refused += 1
        else:
            done[id_] = digest[0]
    return Writes(
        sent=len(writes),
        reached=len(asked),
        refused=refused,
        done=len(done),
        twice=tuple(id_ for id_, number in asked.items() if number > 1),
        lost=tuple(
            id_ for id_, write in writes.items() if write.outcome is Outcome.RIGHT and id_ not in done
        ),
        mangled=tuple(
            id_ for id_, digest in done.items() if id_ not in writes or writes[id_].digest != digest
        ),
    )


# --- the workers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """What a worker held at a moment: memory and file descriptors."""

    at: float
    pid: int
    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Held:
    """What workers held on to. Bytes of the one that was spared, None for a run too short to tell.

    `files_before` any client came; `files_after` the last one and both origins had gone, of each worker.
    """

    middle_bytes: float | None
    late_bytes: float | None
    files_before: int
    files_after: Mapping[int, int]

    @property
    def grew(self) -> bool:
        """Whether memory rose from the middle of the run to its end."""
        if self.middle_bytes is None or self.late_bytes is None:
            return False
        allowed = max(self.middle_bytes * GROWTH_PERCENT / 100, GROWTH_BYTES)
        return self.late_bytes - self.middle_bytes > allowed

    @property
    def leaking(self) -> tuple[int, ...]:
        """The workers that did not give back every file descriptor."""
        return tuple(pid for pid, files in self.files_after.items() if files > self.files_before)


def judge_held(samples: Sequence[Sample], spared: int, before: int, after: Mapping[int, int]) -> Held:
    """Return what was held on to: memory by medians of a run's middle and last thirds."""
    sizes = [sample.bytes for sample in samples if sample.pid == spared]
    third = len(sizes) // 3
    if len(sizes) < LONG_ENOUGH:
        return Held(None, None, before, after)
    return Held(median(sizes[third:-third]), median(sizes[-third:]), before, after)


# --- the run -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What clients saw, counted while they see it."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    own_errors: Counter[str] = field(default_factory=Counter)
    writes: dict[str, Write] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    bytes: int = 0

    @property
    def requests(self) -> int:
        """How many requests have come to an end."""
        return self.outcomes.total()

    def note(self, ask: Ask, judged: Judged, got: Got | None = None) -> None:
        """Count a request."""
        self.outcomes[judged.outcome] += 1
        if got is not None:
            self.bytes += len(got.body)
        if judged.outcome is Outcome.OWN_ERROR and got is not None:
            self.own_errors[_error_of(got.body) or f"{got.status} to HEAD"] += 1
        if not ask.safe:
            self.writes[ask.id] = Write(judged.outcome, ask.digest)
        if judged.outcome in BROKEN and len(self.examples) < SHOWN:
            self.examples.append(f"{ask.method} {ask.path}: {judged.outcome}: {judged.why}")


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise, and what was found of it. `kept` is None where the run could not tell."""

    text: str
    found: str
    kept: bool | None


def judge_run(tally: Tally, writes: Writes, held: Held, faults: int) -> tuple[Promise, ...]:
    """Return every promise and whether it was kept. `faults`: tracebacks in the proxy's log."""
    outcomes = tally.outcomes
    waited = tally.requests - outcomes[Outcome.LEFT]
    right = outcomes[Outcome.RIGHT]
    return (
        _none("answers with wrong bytes, framing or status", outcomes[Outcome.WRONG]),
        _none("requests that hung", outcomes[Outcome.HUNG]),
        _none("connections refused", outcomes[Outcome.REFUSED]),
        Promise(
            f"at least {ANSWERED_PERCENT} % complete and right, or the run shows little",
            f"{right / waited:.1%}" if waited else "none",
            right * 100 >= waited * ANSWERED_PERCENT and waited > 0,
        ),
        _none("writes that reached the origins twice", len(writes.twice)),
        _none("writes answered as done and not done", len(writes.lost)),
        _none("writes done with a body that was not sent", len(writes.mangled)),
        _memory(held),
        Promise(
            "every file descriptor given back",
            f"{held.files_before} before, {_range(held.files_after.values())} after",
            not held.leaking,
        ),
        _none("faults in the proxy's log", faults),
    )


def _none(text: str, number: int) -> Promise:
    return Promise(f"no {text}", f"{number:,}", number == 0)


def _memory(held: Held) -> Promise:
    text = "memory of the worker that was spared is flat"
    if held.middle_bytes is None or held.late_bytes is None:
        return Promise(text, "the run is too short to tell", None)
    return Promise(text, f"{held.middle_bytes / MIB:.1f} to {held.late_bytes / MIB:.1f} MiB", not held.grew)


def _range(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return " to ".join(map(str, dict.fromkeys((found[0], found[-1])))) if found else "none"
