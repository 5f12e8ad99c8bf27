"""Write comparisons as plain data for JSON. Pure."""

from dataclasses import asdict

from strangler.compare.findings import findings_of
from strangler.compare.remedies import remedy
from strangler.compare.show import Sheet
from strangler.compare.verdict import Comparison, Difference, Forgiven, Weight

Document = dict[str, object]


def of_comparison(comparison: Comparison) -> Document:
    """Return the verdict with all it rests on. Every key is always there."""
    obstacle = comparison.obstacle
    return {
        "verdict": comparison.verdict.value,
        "differences": [_difference(each) for each in comparison.differences],
        "expected": [_forgiven(each) for each in comparison.forgiven_as(Weight.EXPECTED)],
        "warnings": [_forgiven(each) for each in comparison.forgiven_as(Weight.WARNING)],
        "notes": [_forgiven(each) for each in comparison.forgiven_as(Weight.NOTE)],
        "obstacle": asdict(obstacle) if obstacle else None,
        "outages": [asdict(each) for each in comparison.outages],
    }


def of_sheet(sheet: Sheet) -> Document:
    """Return a kept comparison with its request and both answers in lines."""
    return {
        **asdict(sheet),
        "comparison": of_comparison(sheet.comparison),
        "remedies": [text for text in map(remedy, findings_of(sheet.comparison)) if text],
    }


def _difference(difference: Difference) -> Document:
    return {
        "kind": difference.kind.value,
        "path": str(difference.path),
        "control": difference.control,
        "candidate": difference.candidate,
    }


def _forgiven(forgiven: Forgiven) -> Document:
    return {"rule": forgiven.rule, **_difference(forgiven.difference)}
