"""`strangler compare rules|check|again`: arguments to one use case to an exit code."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from proxy.table import TableError, parse_table
from strangler.cli.here import here
from strangler.cli.output import emit, json_option
from strangler.compare import rejudge, rule_check, rule_list, rules_text
from strangler.compare.reading import Reader
from strangler.compare.rule_file import read_rules, read_rules_if_any
from strangler.compare.store import Hit
from strangler.errors import BrokenTable, NoStore, NothingCompared

_store = click.option(
    "--store", type=click.Path(path_type=Path), help="The comparer's store, instead of this installation's."
)
_rules = click.option(
    "--rules", type=click.Path(path_type=Path), help="The file of rules, instead of this installation's."
)


@click.command("rules")
@click.option("--route", help="Only the rules and hits of this route.")
@_rules
@_store
@json_option
def rules_(route: str | None, rules: Path | None, store: Path | None, as_json: bool) -> None:
    """List every rule that can forgive a difference, with how often it did."""
    book = read_rules(rules) if rules else read_rules_if_any(here().rules)
    listed = rule_list.list_rules(book, _hits(store or here().verdicts), route)
    emit({"rules": listed}, as_json=as_json, human=lambda console: rules_text.write_rules(listed, console))


@click.command("check")
@_rules
@_store
@json_option
def check_(rules: Path | None, store: Path | None, as_json: bool) -> None:
    """Check the team's own rules: none too broad, dead, expired or of an unknown route.

    Exit 0 when all is well, 1 when a rule should go.
    """
    place = here()
    book = read_rules(rules) if rules else read_rules_if_any(place.rules)
    verdicts = store or place.verdicts
    try:
        routes = parse_table(place.table.read_text(), str(place.table)).routes
    except TableError as error:
        raise BrokenTable(str(error), next=f"edit {place.table}") from None
    try:
        with Reader(verdicts) as reader:
            pairs = (kept.judged.pair for kept in reader.kept())
            hit = {each.rule for each in reader.hits()}
            found = rule_check.check(book, datetime.now(UTC).date(), routes, pairs, hit)
    except NoStore:
        found = rule_check.check(book, datetime.now(UTC).date(), routes, (), ())
    emit(found, as_json=as_json, human=lambda console: rules_text.write_check(found, console))
    sys.exit(1 if found.faults else 0)


@click.command("again")
@click.option("--route", help="Only this route.")
@_rules
@_store
@json_option
def again_(route: str | None, rules: Path | None, store: Path | None, as_json: bool) -> None:
    """Judge the stored pairs again under the rules as they are now. Changes nothing.

    Exit 0 without a DIFF, 1 with one, 3 when nothing is stored.
    """
    book = read_rules(rules) if rules else read_rules_if_any(here().rules)
    with Reader(store or here().verdicts) as reader:
        found = rejudge.rejudge(reader.kept(route), book)
    if not found.total:
        raise NothingCompared(f"no pair of {route or 'any route'} is stored", next="strangler compare report")
    emit(_document(found), as_json=as_json, human=lambda console: rules_text.write_rejudged(found, console))
    sys.exit(1 if found.diffs else 0)


def _hits(store: Path) -> tuple[Hit, ...]:
    try:
        with Reader(store) as reader:
            return reader.hits()
    except NoStore:
        return ()


def _document(found: rejudge.Rejudged) -> dict[str, object]:
    turns = [
        {"route": turn.route, "before": turn.before, "after": turn.after, "count": n, "example": example}
        for turn, n, example in found.turns
    ]
    return {"judged": found.total, "diffs": found.diffs, "turns": turns}
