"""`strangler sync`: let every follower follow, for as long as this runs. One process a group applies at a
time.

It never decides who owns. While another process is at work on a takeover it steps back, and goes on after it,
in whatever direction rows flow then. What it finds broken it says, and leaves to whoever runs the verbs.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field

from proxy.routes import Owner
from strangler.errors import StranglerError, UnfitValues
from strangler.takeover.engines import LeaseLost
from strangler.takeover.flow import Stepped, mistrust, step
from strangler.takeover.handover import Where, opened
from strangler.takeover.pacing import Pacer
from strangler.takeover.rechecking import recheck
from strangler.takeover.refused import REFUSALS, in_one_line, remember_refused
from strangler.takeover.session import DRIVER_FAULTS, Leases, Takeover, other
from strangler.takeover.situation import Situation, State, situation

IDLE = 0.1  # seconds until the next look where nothing had changed
AWAY = 2.0  # seconds until the next try where there is nothing to follow, or a database is away
PRUNE_AFTER = 2000  # changes applied after which their log entries are deleted

Told = Callable[[str, str], None]


@dataclass
class Follower:
    """One group's follower. `turn` does a little and says how many seconds the next turn may wait.

    `synced` is told before which Unix second all that was committed is copied, and when that last changed.
    """

    where: Where
    told: Told = lambda _group, _text: None
    synced: Callable[[str, float, float], None] = lambda _group, _until, _changed: None
    clock: Callable[[], float] = time.time
    elapsed: Callable[[], float] = time.perf_counter
    _open: ExitStack = field(default_factory=ExitStack)
    _takeover: Takeover | None = None
    _pacer: Pacer | None = None
    _leases: Leases | None = None
    _now: Situation | None = None
    _said: str = ""
    _unpruned: int = 0
    _changed: float = 0.0
    _taken: bool = False  # whether a step was kept since the databases were opened

    def turn(self) -> float:
        """Take the follower one step further, if it is this process that may."""
        try:
            return self._turn()
        except LeaseLost:
            self._reopen()  # whoever took the lease may have done so for another schema
            return IDLE
        except UnfitValues as error:
            self._stopped(error.message)
            return AWAY
        except StranglerError as error:
            self._away(error.message)
            return AWAY
        except REFUSALS as fault:
            self._stopped(in_one_line(fault))
            return AWAY
        except DRIVER_FAULTS as fault:
            self._cut_off(in_one_line(fault))
            return AWAY

    def close(self) -> None:
        """Close the databases; whoever waits may follow instead."""
        self._open.close()
        self._takeover = self._leases = None

    def _turn(self) -> float:
        takeover = self._takeover or self._opened()
        if self._leases is None and not self._entered(takeover):
            return IDLE
        assert self._leases is not None
        assert self._now is not None
        flow = takeover.flow(self._now.owner)
        lease = self._leases.of(_follower(self._now))
        if not flow.target.holds(lease):
            raise LeaseLost(takeover.name)
        assert self._pacer is not None
        chosen = self._pacer.next_gait(flow)
        if chosen.because:
            self._say(f"{'stands still' if chosen.still else 'slow'}: {chosen.because}")
        if chosen.still:
            return chosen.rest
        began, started = self.clock(), self.elapsed()
        done = step(flow, lease)
        rest = self._pacer.rest_after(chosen, done, self.elapsed() - started)
        self._after(takeover, done, began)
        return max(rest, IDLE) if done.settled else rest

    def _opened(self) -> Takeover:
        takeover = self._open.enter_context(opened(self.where))
        takeover.databases.follow()
        self._takeover, self._pacer, self._taken = takeover, Pacer(takeover.databases), False
        return takeover

    def _entered(self, takeover: Takeover) -> bool:
        """Take the lease where nobody else is at work and nothing is half done."""
        with takeover.databases.nobody_at_work() as alone:
            return alone and self._entered_alone(takeover)

    def _entered_alone(self, takeover: Takeover) -> bool:
        now = situation(takeover)
        if now.state is State.RETIRED:
            self._say("retired: nobody follows any more")
            return False
        if not now.sound:
            self._say(f"a change of owner is {now.state}: strangler takeover resume {takeover.name}")
            return False
        self._leases, self._now = takeover.databases.take_leases(), now
        self._say(f"following the {now.owner} since epoch {now.epoch}")
        return True

    def _after(self, takeover: Takeover, done: Stepped, began: float) -> None:
        assert self._leases is not None
        assert self._now is not None
        if not self._taken:
            remember_refused(takeover.databases, "")
            self._taken = True
        flow = takeover.flow(self._now.owner)
        for table, why in done.checkpoint.dirty.items():
            self._say(f"{table} is DIRTY: {why}")
        if done.copied or done.changed:
            self._changed = self.clock()
        if done.settled:
            self.synced(takeover.name, began, self._changed)
            mistrust(flow, self._leases.of(_follower(self._now)), self._now.epoch)
        self._unpruned += done.changed
        if self._unpruned >= PRUNE_AFTER or (done.settled and self._unpruned):
            rechecked = recheck(flow, self._leases.of(_follower(self._now)))
            if rechecked.differing or rechecked.unread:
                self._say(f"not equal any more: {rechecked.in_words()}")
            with flow.source.transaction(self._leases.of(self._now.owner)) as into:
                into.forget_log(flow.sources, rechecked.checkpoint.position)
            if self._unpruned >= PRUNE_AFTER:
                flow.source.tidy_logs(flow.sources)
            self._unpruned = 0

    def _stopped(self, said: str) -> None:
        """Say that rows cannot be applied, and let `status` and `doctor` say it."""
        if self._takeover is None or self._now is None:
            self._away(said)
            return
        why = (
            f"the {_follower(self._now)}'s database refuses rows that the {self._now.owner} wrote; it follows"
            f" again once it takes them: {said}"
        )
        self._noted(why)

    def _cut_off(self, said: str) -> None:
        """Say that a database went away while it followed, and let `status` say it until it follows again."""
        self._noted(f"the follower was cut off, and tries again every {AWAY:g} s: {said}")

    def _noted(self, why: str) -> None:
        if self._takeover is not None:
            with suppress(*DRIVER_FAULTS):
                remember_refused(self._takeover.databases, why)
        self._away(why)

    def _away(self, why: str) -> None:
        self._say(why)
        self._reopen()

    def _reopen(self) -> None:
        self._open.close()
        self._open = ExitStack()
        self._takeover = self._leases = None

    def _say(self, text: str) -> None:
        if text != self._said:
            self.told(self.where.group, text)
            self._said = text


def sync(followers: list[Follower], stopping: Callable[[], bool], pause: Callable[[float], None]) -> None:
    """Follow until `stopping`. One group's trouble delays no other for longer than its step."""
    due = {follower.where.group: 0.0 for follower in followers}
    passed = 0.0
    try:
        while not stopping():
            for follower in followers:
                if due[follower.where.group] <= passed:
                    due[follower.where.group] = passed + follower.turn()
            wait = max(0.0, min(due.values()) - passed)
            pause(wait)
            passed += wait
    finally:
        for follower in followers:
            follower.close()


def _follower(now: Situation) -> Owner:
    return other(now.owner)
