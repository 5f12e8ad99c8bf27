"""The story's second part: the catalog's tables change their owner under live writes, back, and again."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from demo.ledger import Balance, Writers, balance, unstocked
from demo.place import Place, declare
from demo.watch import quantile
from strangler.evidence import verdict_counts

WRITERS = 3
STEP_SECONDS = 6.0
EVENT_SECONDS = 20.0  # within which every event must have come across
EVIDENCE_SECONDS = 30.0
COMPARED = ("MATCH", "EXPECTED", "DIFF")
GROUP = "catalog"
REHEARSED = ("catalog.products.create", "catalog.product.change")
SHADOW = {"percent": 100, "rehearse": True}
GATE = {
    "min_samples": 20,
    "max_diff": 20,
    "max_unknown": 90,
}  # of a few seconds; at work one waits for more
MOVES = (
    ("the monolith owns", ()),
    ("cutover", ("takeover", "cutover", GROUP, "--execute", "--reason", "the demo")),
    ("rollback", ("takeover", "rollback", GROUP, "--execute", "--reason", "the demo")),
    ("cutover again", ("takeover", "cutover", GROUP, "--execute", "--reason", "the demo")),
)


@dataclass(frozen=True)
class Written:
    """What the writers saw from one move to the next."""

    title: str
    writes: int
    problems: tuple[str, ...]
    p50: float
    p99: float
    slowest: float


Say = Callable[..., None]


def hand_over(place: Place, console: Console, say: Say) -> list[str]:
    """Move the owner to and fro; return what went wrong. Raises Failed when a command fails."""
    console.rule("the tables change their owner, under writes")
    console.print(f"{WRITERS} members of staff create products and rename them, all through the proxy\n")
    with Writers(place.url, WRITERS) as writers:
        time.sleep(STEP_SECONDS / 2)
        writers.samples.cut()
        say(console, place, "takeover", "verify", GROUP)
        console.print("while the monolith owns, the service rehearses each write, and keeps nothing of it\n")
        for route in REHEARSED:
            declare(place, route, shadow=SHADOW, gate=GATE)
            say(console, place, "flip", route, "shadow")
        steps = [_step(place, console, say, writers, title, move) for title, move in MOVES]
    say(console, place, "takeover", "verify", GROUP, "--again")
    say(console, place, "takeover", "status", GROUP)
    kept = balance(writers.ledger, place.var / "catalog.sqlite3")
    console.print(_table(steps))
    console.print(
        f"[bold]ledger: {kept.writes} acknowledged writes, {len(kept.lost)} lost,"
        f" {len(kept.doubled)} doubled[/bold]"
    )
    missing = unstocked(place.var / "monolith.sqlite3", EVENT_SECONDS)
    console.print(
        f"stock: {kept.products - len(missing)} of {kept.products} new products have their row in the"
        " monolith,\nby its signal or, where the service made them, by the service's event"
    )
    return [
        *_judge(steps, kept),
        *(f"no row of stock: {sku}" for sku in missing[:5]),
        *_rehearsed_otherwise(place),
    ]


def _step(
    place: Place, console: Console, say: Say, writers: Writers, title: str, move: tuple[str, ...]
) -> Written:
    """Make a move and let the writers go on; where there is none, wait for what rehearsals show."""
    before = writers.ledger.writes
    if move:
        say(console, place, *move)
    time.sleep(STEP_SECONDS)
    if not move:
        _wait_for_rehearsals(place)
        say(console, place, "compare", "report", "--route", REHEARSED[1])
    samples = writers.samples.cut()
    seconds = [sample.seconds for sample in samples]
    problems = tuple(f"{s.method} {s.path}: {s.problem}" for s in samples if s.problem)
    p50, p99 = quantile(seconds, 50), quantile(seconds, 99)
    return Written(title, writers.ledger.writes - before, problems, p50, p99, writers.ledger.cut())


def _wait_for_rehearsals(place: Place) -> None:
    """Return once enough rehearsed writes were compared, or enough time has passed to have them."""
    deadline = time.monotonic() + EVIDENCE_SECONDS
    wanted = GATE["min_samples"]
    while time.monotonic() < deadline:
        counts = verdict_counts(place.var / "compare.sqlite3")
        compared = (sum(counts.get(route, {}).get(v, 0) for v in COMPARED) for route in REHEARSED)
        if all(n >= wanted for n in compared):
            return
        time.sleep(0.1)


def _rehearsed_otherwise(place: Place) -> Iterator[str]:
    """Yield the routes of which a rehearsed write came out otherwise than the monolith's."""
    counts = verdict_counts(place.var / "compare.sqlite3")
    for route in REHEARSED:
        differing = counts.get(route, {}).get("DIFF", 0)
        if differing:
            yield f"{route}: {differing} rehearsed writes differ; strangler compare report says where"


def _table(steps: list[Written]) -> Table:
    table = Table(
        title="The writers' requests, in ms, the move itself included",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("after", no_wrap=True)
    for name in ("acknowledged", "errors", "p50", "p99", "slowest"):
        table.add_column(name, justify="right")
    for step in steps:
        times = (f"{seconds * 1000:.0f}" for seconds in (step.p50, step.p99, step.slowest))
        table.add_row(step.title, str(step.writes), str(len(step.problems)), *times)
    return table


def _judge(steps: list[Written], kept: Balance) -> list[str]:
    wrong = [f"{step.title}: {problem}" for step in steps for problem in step.problems[:3]]
    wrong += [f"{step.title}: nothing was written" for step in steps if not step.writes]
    wrong += [f"lost: {each}" for each in kept.lost[:5]]
    wrong += [f"doubled: {each}" for each in kept.doubled[:5]]
    return wrong
