"""The numbers that are counted for each request: how a row of them is laid out, and what it says. Pure."""

from collections.abc import Iterable, Mapping

# Upper bounds of the buckets, in seconds; what is slower is in none of them.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# A row: requests, microseconds of all of them, requests by bucket. Its name: route, target, status class.
MICROSECONDS = 1
BUCKETS = 2
WIDTH = BUCKETS + len(SECONDS)

Key = tuple[str, str]  # route, target
Totals = Mapping[Key, tuple[int, int]]  # requests, and those answered with 5xx


def totals(rows: Iterable[tuple[tuple[str, ...], int]]) -> Totals:
    """Return requests and errors by route and target, from each row's name and requests."""
    found: dict[Key, tuple[int, int]] = {}
    for (route, target, status_class), number in rows:
        if number:
            requests, errors = found.get((route, target), (0, 0))
            found[route, target] = (requests + number, errors + (number if status_class == "5" else 0))
    return found


def nested(counts: Totals) -> dict[str, dict[str, dict[str, int]]]:
    """Return totals by route, then by target, as they are told."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for (route, target), (requests, errors) in counts.items():
        found.setdefault(route, {})[target] = {"requests": requests, "errors": errors}
    return found
