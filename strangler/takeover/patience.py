"""Stand in line for a lock briefly and often: whoever waits long makes all who come after wait too. And wait
for an answer no longer than is bearable while nobody may write.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from strangler.errors import WritersInTheWay
from strangler.takeover.engines import Blocked

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to stand in line, how often, and how to pass the time in between.

    `silence`: seconds without an answer after which a server counts as gone, while nobody may write.
    """

    wait: float = 0.3
    tries: int = 20
    silence: float = 10.0  # half of what the proxy parks writes for
    pause: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random

    @property
    def longest(self) -> float:
        """Return for how many seconds it stands in line in all."""
        return self.wait * self.tries

    def insist(self, group: str, attempt: Callable[[float], Result]) -> Result:
        """Return what `attempt(wait)` returns, once no lock is in its way. Raises WritersInTheWay."""
        for left in reversed(range(self.tries)):
            try:
                return attempt(self.wait)
            except Blocked as blocked:
                if not left:
                    holders = "\n     ".join(blocked.holders) or "it ended just now"
                    raise WritersInTheWay(
                        f"the tables of {group!r} could not be locked, not even for a moment, in {self.tries}"
                        f" tries of {self.wait:g} s; nothing was changed. In the way:\n     {holders}",
                        next="end that transaction, then run the same command again",
                    ) from None
                self.pause(self.wait * (0.2 + self.chance()))
        raise AssertionError("at least one try")
