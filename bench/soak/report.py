"""Turn a soak into tables for people and a document for machines. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table

from bench.soak.judge import MIB, Outcome
from bench.soak.run import Soaked

WORDS = {True: "kept", False: "BROKEN", None: "not judged"}


def outcomes(soaked: Soaked) -> Table:
    """Return what clients saw and what happened meanwhile."""
    tally = soaked.tally
    shown = Table(title=f"{soaked.seconds:,.0f} s, {tally.requests:,} requests", title_justify="left")
    shown.add_column("seen")
    shown.add_column("times", justify="right")
    for outcome in Outcome:
        shown.add_row(outcome, f"{tally.outcomes[outcome]:,}")
    for name, number in sorted(tally.own_errors.items()):
        shown.add_row(f"  own error: {name}", f"{number:,}")
    for event, number in sorted(soaked.events.items()):
        shown.add_row(event, f"{number:,}")
    shown.add_row("writes that reached an origin", f"{soaked.writes.reached:,}")
    shown.add_row("writes that a fence refused", f"{soaked.writes.refused:,}")
    shown.add_row("MiB of answers compared", f"{tally.bytes / MIB:,.0f}")
    return shown


def promises(soaked: Soaked) -> Table:
    """Return what was promised and found."""
    shown = Table(title="Promises", title_justify="left")
    for heading in ("promise", "found", ""):
        shown.add_column(heading)
    for promise in soaked.promises:
        shown.add_row(promise.text, promise.found, WORDS[promise.kept])
    return shown


def kept(soaked: Soaked) -> bool:
    """Return whether no promise was broken."""
    return all(promise.kept is not False for promise in soaked.promises)


def document(machine: Mapping[str, Any], soaked: Soaked) -> dict[str, Any]:
    """Return everything that was seen, for the JSON file. Of writes only those that broke a promise."""
    tally = soaked.tally
    return {
        "machine": dict(machine),
        "seconds": soaked.seconds,
        "outcomes": dict(tally.outcomes),
        "own_errors": dict(tally.own_errors),
        "events": dict(soaked.events),
        "writes": asdict(soaked.writes),
        "held": asdict(soaked.held),
        "promises": [asdict(promise) for promise in soaked.promises],
        "examples": tally.examples,
        "samples": [asdict(sample) for sample in soaked.samples],
    }
