"""Search a route for requests on which both sides differ. Effects: asks both sides, stores what it finds."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import product
from pathlib import Path

from proxy.pairs import Request, Response
from proxy.routes import Route
from strangler.compare import coding, headers
from strangler.compare.asking import Asker, Side
from strangler.compare.inputs import Learned, probes_of, requests_of
from strangler.compare.observed import last_pages, observe
from strangler.compare.openapi import NotDescribed, Parameter, parameters_of
from strangler.compare.replay import Replay, Role, Sides
from strangler.compare.rule_file import read_rules_if_any
from strangler.compare.search import Search, Searched
from strangler.compare.writing import Writer
from strangler.errors import NoDescription
from strangler.installation import Installation
from strangler.table_file import read_table

SCHEMA = "/api/schema/?format=json"


def search(
    place: Installation,
    name: str,
    sides_of: Callable[[str], Sides],
    roles: Sequence[Role],
    *,
    schema: str,
    seconds: float,
    most: int,
    seed: int,
    store: Path,
) -> Searched:
    """Return the smallest differing requests of a route. Raises UnknownRoute, NoDescription."""
    seen = read_table(place.table)
    route, control = seen.route(name), sides_of(name).control
    with Asker() as asker:
        parameters = _described(asker, control, route, schema)
        learned = _learn(asker, control, route, roles)
        replay = Replay(asker, sides_of, read_rules_if_any(place.rules), seen.table.version, stage="search")
        deadline = time.monotonic() + seconds
        searching = Search(name, replay.ask, lambda: time.monotonic() < deadline, seed)
        described = (route.path, route.methods, parameters, learned)
        found = searching.run(probes_of(*described), requests_of(*described), roles, most)
    if found.found:
        with closing(Writer(store)) as writer:
            writer.record([each.judged for each in found.found])
    return found


def _described(asker: Asker, control: Side, route: Route, schema: str) -> tuple[Parameter, ...]:
    answer = asker.ask(control, Request("GET", schema, (), b""), {})
    again = f"strangler compare search {route.name} --schema /path/of/openapi.json"
    if not isinstance(answer, Response) or answer.status != 200:
        found = answer.status if isinstance(answer, Response) else answer.error
        raise NoDescription(
            f"{control.name} answers {schema} with {found}; an OpenAPI description is wanted", next=again
        )
    try:
        return parameters_of(_decoded(answer), route.path)
    except NotDescribed as error:
        raise NoDescription(f"{schema} of {control.name}: {error}", next=again) from None


def _learn(asker: Asker, control: Side, route: Route, roles: Sequence[Role]) -> Learned:
    """Ask the monolith for the lists that the route is about, to know which values can hit.

    As every role: what one of them alone may see is what a service must not show the others.
    """
    bodies = []
    for role, path in product(roles, _lists(route.path)):
        answer = asker.ask(control, Request("GET", path, (), b""), role.credentials)
        if isinstance(answer, Response) and answer.status == 200:
            bodies.append(_decoded(answer))
    return Learned(observe(bodies), last_pages(bodies))


def _lists(path: str) -> tuple[str, ...]:
    head = path.partition("{")[0]
    return tuple(dict.fromkeys((head, f"{head}?page=2", f"{head}?page_size=5", f"{head}?page_size=3&page=2")))


def _decoded(answer: Response) -> bytes:
    try:
        return coding.decode(answer.body, headers.fields(answer.headers).get("content-encoding", ""))
    except ValueError:
        return b""
