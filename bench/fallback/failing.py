"""How the service fails while the monolith behind the same proxy is well."""

from enum import StrEnum


class Failing(StrEnum):
    """What the service does with a request. What it does not refuse, it has performed."""

    NOT = "not"  # it answers
    DEAD = "dead"  # nobody listens
    ERROR = "503"
    RESET = "reset"  # it closes the connection without an answer
    HUNG = "hung"  # it never answers
