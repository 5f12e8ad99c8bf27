"""How long one request waits for an answer to begin: with one upstream, and with all of them together. Pure:
moments of the monotonic clock come in as arguments.
"""

from proxy.routes import Timeouts


class Patience:
    """One request's. `deadline` is the moment it ends at, 0 while nothing is waited for."""

    __slots__ = ("_since", "deadline", "timeouts")

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self.deadline = 0.0
        self._since = 0.0  # when the first upstream had to answer, for it had the whole request

    def begin(self, now: float) -> None:
        """An upstream is to take a connection and to begin its answer."""
        self._since = now
        self.deadline = now + self.timeouts.connect + self.timeouts.head

    def connected(self, now: float) -> None:
        """It took the connection: what that might have cost is no time for its answer."""
        if self.deadline:
            self.deadline = min(self.deadline, now + self.timeouts.head)

    def begin_again(self, now: float) -> None:
        """Another upstream is to answer instead, within what is left of the total."""
        if self.deadline:
            self.deadline = min(now + self.timeouts.connect + self.timeouts.head, self._end)

    def stop(self) -> None:
        """Nothing is waited for any more."""
        self.deadline = 0.0

    def waited(self, now: float) -> float:
        """Return the seconds since an upstream had the whole request, 0 while it has not."""
        return now - self._since if self.deadline else 0.0

    def allows_another(self, now: float) -> bool:
        """Return whether there is time for another upstream to answer."""
        return not self.deadline or now < self._end

    @property
    def _end(self) -> float:
        return self._since + self.timeouts.total
