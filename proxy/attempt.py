"""A service's chance to answer one request: admitted by its breaker, judged once. Sends nothing itself."""

import logging
from dataclasses import replace

from proxy.answer_head import AnswerHead
from proxy.fallback import Case, Failed, Next, after, failure_in
from proxy.guard import Guard


class Attempt:
    """Tells the breaker how the service did, and the exchange what to do."""

    __slots__ = ("_probe", "guard")

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._probe = False

    def admitted(self, now: float) -> bool:
        """Return whether the breaker lets this request through."""
        breaker = self.guard.breaker
        if breaker is None or breaker.closed:
            return True
        self._probe = breaker.admits_probe(now)
        return self._probe

    def retry_after(self, now: float) -> int:
        """Return the seconds after which a refused client may ask again."""
        return self.guard.breaker.retry_after(now) if self.guard.breaker is not None else 1

    # --- how it went -----------------------------------------------------------------------------

    def heard(self, head: AnswerHead, waited: float, now: float) -> Failed | None:
        """Count an answer that took `waited` seconds; return how it failed, None where it did not."""
        failed = failure_in(head, self.guard.rules)
        breaker = self.guard.breaker
        if breaker is not None:
            probe, self._probe = self._probe, False
            slow = 0 < breaker.options.slow < waited
            if slow or head.status in self.guard.rules.statuses:
                breaker.failed(now, probe=probe)
            else:
                breaker.succeeded(now, probe=probe)
        return failed

    def after(self, case: Case, now: float, log: logging.Logger) -> Next:
        """Return what follows a failure, counting it unless it is counted already or to be tried again."""
        step = after(case, self.guard.rules)
        if step is not Next.RETRY_FRESH:
            self._count(case.failed, now)
        if step is Next.FALL_BACK and self.guard.breaker is not None:
            self.guard.breaker.fell_back(now)
        elif not case.replayable and step is not after(replace(case, replayable=True), self.guard.rules):
            log.warning(
                "%s failed (%s) and the monolith was not asked: the body is not whole within %d bytes",
                self.guard.upstream.name,
                case.failed,
                self.guard.max_body,
            )
        return step

    def broke_off(self, now: float) -> None:
        """Count an answer that broke off after its head."""
        if self.guard.breaker is not None:
            self.guard.breaker.broke_off(now)

    def abandoned(self) -> None:
        """The client left: whatever the service did says nothing about it."""
        if self._probe and self.guard.breaker is not None:
            self._probe = False
            self.guard.breaker.gave_up()

    def _count(self, failed: Failed, now: float) -> None:
        if self.guard.breaker is None or failed.answered or failed is Failed.BREAKER_OPEN:
            return
        probe, self._probe = self._probe, False
        self.guard.breaker.failed(now, probe=probe)
