"""`strangler compare search`: arguments to one use case to an exit code."""

import sys
from pathlib import Path

import click

from strangler.cli.asked_sides import asked_roles, asked_sides, direct_option, proxy_option, role_option
from strangler.cli.here import here
from strangler.cli.output import emit, json_option
from strangler.compare import documents
from strangler.compare.search import MOST_FOUND, Searched, Smallest
from strangler.compare.search_text import write_searched
from strangler.searching import SCHEMA, search


@click.command("search")
@click.argument("route")
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(1))
@role_option
@click.option("--schema", default=SCHEMA, show_default=True, help="The OpenAPI description's path.")
@click.option("--most", default=MOST_FOUND, show_default=True, type=click.IntRange(1), help="Differences.")
@click.option("--seed", default=0, show_default=True, help="The same seed tries the same requests.")
@direct_option
@proxy_option
@click.option("--store", type=click.Path(path_type=Path), help="Where to keep what is found.")
@json_option
def search_(
    route: str,
    seconds: float,
    roles: tuple[str, ...],
    schema: str,
    most: int,
    seed: int,
    direct: bool,
    proxy: str | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Search for requests of ROUTE on which both sides differ, each shrunk to its smallest.

    Requests are made from the monolith's OpenAPI description and from values that its answers have. Exit 0
    when none was found in time, 1 when there is one.
    """
    place = here()
    found = search(
        place,
        route,
        asked_sides(place, direct=direct, proxy=proxy),
        asked_roles(roles, direct=direct),
        schema=schema,
        seconds=seconds,
        most=most,
        seed=seed,
        store=store or place.verdicts,
    )
    emit(_document(found), as_json=as_json, human=lambda console: write_searched(found, console))
    sys.exit(1 if found.found else 0)


def _document(searched: Searched) -> dict[str, object]:
    return {
        "tried": searched.tried,
        "timed_out": searched.timed_out,
        "found": [_smallest(each) for each in searched.found],
    }


def _smallest(found: Smallest) -> dict[str, object]:
    asked = found.question.asked
    return {
        "method": asked.method,
        "target": asked.target,
        "headers": asked.headers,
        "role": found.question.role.name,
        "tried": found.tried,
        "request_id": found.judged.pair.id,
        "comparison": documents.of_comparison(found.judged.comparison),
    }
