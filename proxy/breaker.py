"""When to stop asking a service that fails, and when to try it again. No network; the clock comes in.

The three states and who hears of their changes are pybreaker's. Its `call` and `calling` are not used: `call`
holds the breaker's lock for the whole guarded call, a `with` block does not span the callbacks in which an
answer arrives, failures are counted in a row rather than as a share, and a half-open breaker lets everyone
through. So this module decides over the window of calls, admits probes one at a time, and tells pybreaker to
open, half-open or close.
"""

import enum
import logging
import math

import pybreaker

from proxy.metrics import Metrics
from proxy.routes import BreakerOptions
from proxy.window import Window

# A probe that stays silent for so long (its client uploads slowly, say) makes room for the next.
PROBE_SECONDS = 60.0


class State(enum.StrEnum):
    """What a breaker does with calls: lets them through, refuses them, or lets one at a time try."""

    CLOSED = pybreaker.STATE_CLOSED
    OPEN = pybreaker.STATE_OPEN
    HALF_OPEN = pybreaker.STATE_HALF_OPEN


class Breaker(pybreaker.CircuitBreakerListener):
    """An upstream's breaker in one worker, or a route's own. `closed` is its state as the hot path asks."""

    def __init__(
        self, upstream: str, route: str, options: BreakerOptions, log: logging.Logger, metrics: Metrics
    ) -> None:
        self.upstream = upstream
        self.route = route  # empty for the upstream's
        self.options = options
        self.closed = True
        self._log = log
        self._metrics = metrics
        self._machine = pybreaker.CircuitBreaker(listeners=[self])
        self._window = Window(options.window)
        self._opened_at = 0.0
        self._probe_until = 0.0  # who was let through has until then; 0 while nobody was

    @property
    def state(self) -> State:
        return State(self._machine.current_state)

    def state_change(
        self,
        cb: pybreaker.CircuitBreaker,
        old_state: pybreaker.CircuitBreakerState | None,
        new_state: pybreaker.CircuitBreakerState,
    ) -> None:
        """Keep `closed` true to the machine, and say what changed."""
        self.closed = new_state.name == State.CLOSED
        self._probe_until = 0.0
        self._window.clear()
        self._metrics.breaker_is(self.upstream, self.route, new_state.name)
        self._log.warning(
            "the breaker of %s is %s", " ".join((self.upstream, self.route)).strip(), new_state.name
        )

    def admits_probe(self, now: float) -> bool:
        """Return whether a call may try a service whose breaker is not closed: one at a time may."""
        if self.state is State.OPEN:
            if now < self._opened_at + self.options.open:
                return False
            self._machine.half_open()
        if now < self._probe_until:
            return False
        self._probe_until = now + PROBE_SECONDS
        return True

    def retry_after(self, now: float) -> int:
        """Return the whole seconds until it makes sense to ask again, at least 1."""
        return max(1, math.ceil(self._opened_at + self.options.open - now)) if not self.closed else 1

    def succeeded(self, now: float, *, probe: bool) -> None:
        """Count a call that was answered."""
        if self.closed:
            self._window.at(now).calls += 1
        elif probe:
            self._machine.close()

    def failed(self, now: float, *, probe: bool) -> None:
        """Count a call that was not, or too slowly, or with a listed status."""
        if self.closed:
            slice_ = self._window.at(now)
            slice_.calls += 1
            slice_.failures += 1
            self._check(now)
        elif probe:
            self._open(now)

    def broke_off(self, now: float) -> None:
        """Count a call as failed that was counted as answered: its answer broke off."""
        if self.closed:
            self._window.at(now).failures += 1
            self._check(now)

    def fell_back(self, now: float) -> None:
        """Count a call that the monolith answers instead."""
        if self.closed:
            self._window.at(now).fallbacks += 1
            self._check(now)

    def gave_up(self) -> None:
        """Let another probe through: the last one's client left."""
        self._probe_until = 0.0

    def forgotten(self) -> None:
        """Leave no trace of a state nobody is in any more: no route has this breaker now."""
        if not self.closed:
            self._metrics.breaker_is(self.upstream, self.route, State.CLOSED)

    def _check(self, now: float) -> None:
        total, options = self._window.total(now), self.options
        if total.calls < options.volume:
            return
        failing = total.failures * 100 >= total.calls * options.percent
        if failing or total.fallbacks * 100 > total.calls * options.budget:
            self._open(now)

    def _open(self, now: float) -> None:
        self._opened_at = now
        self._machine.open()
