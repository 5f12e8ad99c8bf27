"""The report says what a person needs, also at 80 columns and without a terminal."""

import io

from rich.console import Console

from strangler.compare import report, report_text
from strangler.compare.findings import Finding, Subject
from strangler.compare.remedies import remedy
from strangler.compare.store import Count, Found
from strangler.compare.verdict import Kind, Reason, Verdict


def _count(verdict: Verdict, n: int, route: str = "catalog.products") -> Count:
    return Count(route, "shadow", verdict, n, 10.0, 20.0)


def _found(subject: Subject, name: str, pattern: str, n: int, example: int | None = 7) -> Found:
    return Found("catalog.products", "shadow", Finding(subject, name, pattern), n, 20.0, example)


COUNTS = [
    _count(Verdict.MATCH, 990),
    _count(Verdict.DIFF, 4),
    _count(Verdict.NOT_COMPARABLE, 6),
    _count(Verdict.INFRA, 50),
]
FOUND = [
    _found(Subject.DIFFERENCE, "type", "$.results[*].price", 4),
    _found(Subject.OBSTACLE, "truncated", "candidate", 6, None),
    _found(Subject.OUTAGE, "upstream_timeout", "candidate", 50),
]


def _written(summary: report.Report, width: int) -> str:
    out = io.StringIO()
    report_text.write(summary, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_not_comparable_is_in_the_denominator_and_infra_is_not():
    (route,) = report.summarise(COUNTS, FOUND, {}).routes
    assert (route.compared, route.diffs, route.rate) == (1000, 4, 0.004)
    assert 0.004 < route.bound < 0.0095


def test_routes_and_stages_are_reported_apart():
    counts = [_count(Verdict.MATCH, 1), _count(Verdict.MATCH, 2, route="catalog.reviews")]
    assert [each.route for each in report.summarise(counts, [], {}).routes] == [
        "catalog.products",
        "catalog.reviews",
    ]


def test_the_text_names_counts_bound_example_and_remedy():
    text = _written(report.summarise(COUNTS, FOUND, {"corrupt_frame": 2}), 80)
    for said in (
        "1,000 compared",
        "DIFF 4",
        "0.40%",
        "type  $.results[*].price",
        "JSON type; a Decimal",
        "corrupt frame: 2",
    ):
        assert said in text


def test_the_text_fits_80_columns_and_has_no_colour_codes():
    text = _written(report.summarise(COUNTS, FOUND, {}), 80)
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text


def test_brackets_in_paths_are_not_taken_for_markup():
    found = [_found(Subject.DIFFERENCE, "value", '$["[bold]"].x', 1)]
    assert '$["[bold]"].x' in _written(report.summarise([_count(Verdict.DIFF, 1)], found, {}), 80)


def test_the_document_has_every_verdict_and_finding():
    (route,) = report.document(report.summarise(COUNTS, FOUND, {}))["routes"]
    assert route["counts"] == {"MATCH": 990, "EXPECTED": 0, "DIFF": 4, "NOT_COMPARABLE": 6, "INFRA": 50}
    assert [each["example"] for each in route["findings"]] == [7, None, 7]


def test_every_kind_and_reason_has_a_remedy():
    forgiven = {Kind.NUMBER_FORM, Kind.TIME_FORMAT}  # a rule always forgives these
    for kind in set(Kind) - forgiven:
        assert remedy(Finding(Subject.DIFFERENCE, kind.value, "$")), kind
    for reason in Reason:
        assert remedy(Finding(Subject.OBSTACLE, reason.value, "both")), reason
