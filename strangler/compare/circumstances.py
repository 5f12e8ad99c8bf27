"""Say in what circumstances a pair was asked: method, class of status, role. Pure.

Evidence that covers only one of them says nothing about the others.
"""

from dataclasses import dataclass

from proxy.pairs import Pair, Response

ANONYMOUS = "anonymous"
USER = "user"
STAFF = "staff"
ROLES = (ANONYMOUS, USER, STAFF)
OUTCOMES = ("1xx", "2xx", "3xx", "4xx", "5xx")
NO_ANSWER = "none"


@dataclass(frozen=True, order=True)
class Circumstances:
    """How a request was asked and answered by the control: `GET`, `2xx`, `anonymous`."""

    method: str
    outcome: str
    role: str

    def __str__(self) -> str:
        return f"{self.method} {self.outcome} {self.role}"


def circumstances_of(pair: Pair) -> Circumstances:
    """Return the circumstances of a pair."""
    answer = pair.control_answer
    outcome = f"{answer.status // 100}xx" if isinstance(answer, Response) else NO_ANSWER
    return Circumstances(pair.request.method, outcome, pair.role or _role(pair))


def _role(pair: Pair) -> str:
    """Return who asked as far as the request shows, where the proxy was not told: staff look like users."""
    for name, value in pair.request.headers:
        lower = name.lower()
        if lower == b"authorization" or (lower == b"cookie" and b"session" in value.lower()):
            return USER
    return ANONYMOUS
