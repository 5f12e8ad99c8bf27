"""The story: a route of the catalog goes to the service and back; then its tables do, under live writes."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from demo.handover import hand_over
from demo.place import Place
from demo.traffic import Traffic
from demo.watch import Seen, Watch
from proxy.routes import GateOptions

ROUTE = "catalog.products"
READS = (
    "catalog.categories",
    "catalog.category",
    ROUTE,
    "catalog.product",
    "catalog.reviews",
    "catalog.review",
)
PATH = "GET /api/products/"
PRODUCTS = 2000
ORDERS = 300
VISITORS = 6
CUSTOMERS = 2
STAFF = 1
STEP_SECONDS = 8.0


@dataclass(frozen=True)
class Step:
    """Moves, and what must be true of the traffic after them."""

    title: str
    moves: tuple[tuple[str, ...], ...]  # arguments of `strangler`; none for the state before the first move
    answers: frozenset[str]  # who may answer the route at this stage
    compares: bool = False


MONOLITH, CATALOG, SHADOW = "monolith", "catalog", "shadow"
SHADOWS = tuple(("flip", route, "shadow") for route in READS)
HOME = tuple(("back", route, "monolith") for route in READS)
STEPS = (
    Step("monolith", (), frozenset({MONOLITH})),
    Step("shadow", SHADOWS, frozenset({MONOLITH}), compares=True),
    Step("canary 10 %", (("flip", ROUTE, "canary", "--percent", "10"),), frozenset({MONOLITH, CATALOG})),
    Step("canary 50 %", (("flip", ROUTE, "--percent", "50"),), frozenset({MONOLITH, CATALOG})),
    Step("service", (("flip", ROUTE, "service"),), frozenset({CATALOG})),
    Step("back", HOME, frozenset({MONOLITH})),
)


def tell(place: Place, console: Console) -> list[str]:
    """Play the story; return what went wrong, nothing where all held. Raises Failed when a command fails."""
    _prepare(place, console)
    console.rule("a route moves, under traffic")
    console.print(
        f"{VISITORS} visitors browse, {CUSTOMERS} customers sign in and buy, one of the staff looks, all"
        f"\nthrough the proxy at {place.url}. Every read of the catalog is compared; the route that then"
        f"\nmoves on: [bold]{ROUTE}[/bold], {PATH}\n"
    )
    watch = Watch(place.var, ROUTE)
    with Traffic(place.url, PRODUCTS, VISITORS, CUSTOMERS, STAFF) as traffic:
        steps = list(_steps(place, traffic, watch, console))
    verdicts = watch.verdicts()
    table = _table()
    wrong: list[str] = []
    for step, seen in steps:
        compared = verdicts[SHADOW] if step.compares else Counter()
        _row(table, step, seen, compared)
        wrong += [f"{step.title}: {fault}" for fault in _judge(step, seen, compared)]
    console.print()
    console.print(table)
    console.print("[dim]A request that was under way at a move ends where it began.[/dim]")
    return wrong + hand_over(place, console, _say)


def _prepare(place: Place, console: Console) -> None:
    console.rule("the stack")
    _say(console, place, "up")
    console.print(f"[bold]$ manage.py seed --products {PRODUCTS} --orders {ORDERS} --seed 1[/bold]")
    seed = ("seed", "--products", str(PRODUCTS), "--orders", str(ORDERS), "--seed", "1")
    console.print(place.manage(*seed), markup=False, highlight=False)
    _say(console, place, "takeover", "start", CATALOG, "--execute")


def _steps(place: Place, traffic: Traffic, watch: Watch, console: Console) -> Iterator[tuple[Step, Seen]]:
    """Yield each step once the next move is acknowledged."""
    previous: Step | None = None
    for step in (*STEPS, None):
        watch.move_begins()
        for move in step.moves if step else ():
            _say(console, place, *move)
        if previous:
            yield previous, watch.step(traffic.samples.cut(), previous.answers)
        if step:
            watch.move_ended()
            time.sleep(STEP_SECONDS)
            if step.compares:
                watch.wait_for(GateOptions().min_samples, READS)
                _say(console, place, "compare", "record", str(place.var / "corpus.jsonl"))
                _say(console, place, "compare", "gate")
        previous = step


def _say(console: Console, place: Place, *arguments: str) -> None:
    console.print(f"[bold]$ strangler {' '.join(arguments)}[/bold]", highlight=False, soft_wrap=True)
    console.print(place.strangler(*arguments), markup=False, highlight=False, soft_wrap=True)
    console.print()


def _table() -> Table:
    table = Table(
        title=f"All clients, in ms; of {PATH}: who answered, and the verdicts",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("stage", no_wrap=True)
    for name in ("requests", "errors", "p50", "p99", MONOLITH, CATALOG):
        table.add_column(name, justify="right")
    table.add_column("verdicts", no_wrap=True)
    return table


def _row(table: Table, step: Step, seen: Seen, compared: Mapping[str, int]) -> None:
    verdicts = ", ".join(f"{number} {verdict}" for verdict, number in compared.items())
    table.add_row(
        step.title,
        str(seen.requests),
        f"[red]{len(seen.problems)}[/red]" if seen.problems else "0",
        f"{seen.p50 * 1000:.0f}",
        f"{seen.p99 * 1000:.0f}",
        str(seen.answered.get(MONOLITH, 0)),
        str(seen.answered.get(CATALOG, 0)),
        verdicts or "-",
    )


def _judge(step: Step, seen: Seen, compared: Mapping[str, int]) -> Iterator[str]:
    """Yield what was not as promised at this stage."""
    for sample in seen.problems[:3]:
        yield f"{sample.method} {sample.path}: {sample.problem}"
    if not seen.requests:
        yield "no request was answered"
    missing = {target for target in step.answers if not seen.answered.get(target)}
    if missing:
        yield f"{', '.join(sorted(missing))} answered nothing"
    if step.compares and not compared:
        yield "nothing was compared"
    differing = {verdict: n for verdict, n in compared.items() if verdict not in ("MATCH", "EXPECTED")}
    if differing:
        yield f"the two sides differed: {differing}; strangler compare report says where"
