"""`strangler compare`: arguments to one use case to an exit code."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from proxy.table import TableError, parse_table
from strangler.cli.compare_gate import gate_, settle_
from strangler.cli.compare_replay import cases_, import_, record_, replay_, rerun_, save_
from strangler.cli.compare_rules import again_, check_, rules_
from strangler.cli.compare_search import search_
from strangler.cli.here import here
from strangler.cli.output import emit, json_option
from strangler.compare import (
    documents,
    pair_files,
    report,
    report_html,
    report_junit,
    report_text,
    show,
    show_text,
)
from strangler.compare.judge import AS_SHIPPED
from strangler.compare.rule_file import read_rules
from strangler.compare.verdict import Verdict
from strangler.errors import NoInstallation

_EXITS = {Verdict.MATCH: 0, Verdict.EXPECTED: 0, Verdict.DIFF: 1, Verdict.NOT_COMPARABLE: 3, Verdict.INFRA: 3}

_store = click.option(
    "--store", type=click.Path(path_type=Path), help="The comparer's store, instead of this installation's."
)


@click.group()
def compare() -> None:
    """Verdicts on the answers of monolith and service."""


@compare.command("report")
@click.option("--route", help="Only this route.")
@click.option("--html", type=click.Path(path_type=Path), help="Write it as one HTML file, with examples.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write it as JUnit XML.")
@_store
@json_option
def report_(
    route: str | None, html: Path | None, junit: Path | None, store: Path | None, as_json: bool
) -> None:
    """Show for each route its verdicts, the bound of its DIFF rate, and what was found.

    Exit 0 without a DIFF, 1 with one, 3 when nothing was compared.
    """
    verdicts = store or here().verdicts
    summary = report.read(verdicts, route)
    if html:
        examples = {each.example for shown in summary.routes for each in shown.findings if each.example}
        made_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        html.write_text(
            report_html.write(summary, show.sheets(verdicts, examples, _upstreams()), made_at), "utf-8"
        )
    if junit:
        junit.write_text(report_junit.write(summary), "utf-8")
    emit(
        report.document(summary),
        as_json=as_json,
        human=lambda console: report_text.write(summary, console),
    )
    sys.exit(1 if summary.has_differences else 0)


@compare.command("show")
@click.argument("comparison")
@click.option("--full", is_flag=True, help="Every line, also where both sides are alike.")
@_store
@json_option
def show_(comparison: str, full: bool, store: Path | None, as_json: bool) -> None:
    """Show one COMPARISON, by number or request id: the request, both answers, how to ask again.

    Secrets are masked.
    """
    kept = show.find(store or here().verdicts, comparison)
    sheet = show.sheet(kept, _upstreams())
    emit(
        documents.of_sheet(sheet),
        as_json=as_json,
        human=lambda console: show_text.write_sheet(sheet, console, full=full),
    )


@compare.command("pair")
@click.argument("control", type=click.Path(path_type=Path))
@click.argument("candidate", type=click.Path(path_type=Path))
@click.option("--method", default="GET", show_default=True, help="The method that was asked with.")
@click.option("--path", "target", default="", help="Path and query that were asked for.")
@click.option(
    "--rules",
    type=click.Path(path_type=Path),
    help="A file of rules; all hold, whatever their route.",
)
@json_option
def pair_(
    control: Path, candidate: Path, method: str, target: str, rules: Path | None, as_json: bool
) -> None:
    """Compare two files, CONTROL and CANDIDATE, each one raw HTTP response.

    Exit 0 for MATCH and EXPECTED, 1 for DIFF, 3 for NOT_COMPARABLE.
    """
    terms = read_rules(rules).all_terms() if rules else AS_SHIPPED
    comparison = pair_files.compare_files(control, candidate, method.upper(), target, terms)
    emit(
        documents.of_comparison(comparison),
        as_json=as_json,
        human=lambda console: show_text.write_comparison(comparison, console),
    )
    sys.exit(_EXITS[comparison.verdict])


for command in (
    *(rules_, check_, again_, gate_, settle_),
    *(record_, import_, replay_, rerun_, save_, cases_, search_),
):
    compare.add_command(command)


def _upstreams() -> dict[str, str]:
    """Return the base URLs by name; none without a readable table, for they only complete a command."""
    try:
        table = here().table
        upstreams = parse_table(table.read_text(), str(table)).upstreams
    except (NoInstallation, TableError, OSError):
        return {}
    return {name: upstream.url for name, upstream in upstreams.items()}
