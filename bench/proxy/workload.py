"""The routes that every proxy gets, and the paths that the load asks for. Pure.

Half the routes are static, half have a `{id}`. The load takes them in turn: being quick for the first few
routes of a list is no advantage.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BenchRoute:
    """A route to configure: its template, the part before `{id}` if it has one, a path that it matches."""

    name: str
    template: str
    prefix: str | None
    sample: str


def bench_routes(count: int) -> tuple[BenchRoute, ...]:
    """Return `count` routes, static and templated in turn."""
    return tuple(_templated(n) if n % 2 else _static(n) for n in range(count))


def _static(number: int) -> BenchRoute:
    path = f"/api/reports-{number:04}/"
    return BenchRoute(f"bench.reports-{number:04}", path, None, path)


def _templated(number: int) -> BenchRoute:
    prefix = f"/api/things-{number:04}/"
    return BenchRoute(f"bench.things-{number:04}", f"{prefix}{{id}}/", prefix, f"{prefix}4711/")
