"""Who makes room when a worker has as many clients as it may have. Pure."""

from collections.abc import Iterable
from heapq import nsmallest
from typing import Protocol, TypeVar

SHARE = 16  # one in so many goes at once, so that not every newcomer has all clients looked at


class Client(Protocol):
    """A client's connection. `idle_since` is 0 while anything is under way on it."""

    @property
    def idle_since(self) -> float: ...


C = TypeVar("C", bound=Client)


def longest_idle(clients: Iterable[C], most: int) -> list[C]:
    """Return those who have been idle the longest, a share of the `most` there may be."""
    idle = [client for client in clients if client.idle_since]
    return nsmallest(max(1, most // SHARE), idle, key=lambda client: client.idle_since)
