"""`strangler compare record|import|replay|rerun|save|cases`: arguments to one use case to an exit code."""

import sys
from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from strangler.cli.asked_sides import asked_roles, asked_sides, direct_option, proxy_option, role_option
from strangler.cli.here import here
from strangler.cli.output import emit, json_option
from strangler.compare import case_files, documents, show, show_text
from strangler.compare.corpus import Asked, distinct, read_corpus, write_corpus
from strangler.compare.har import NotHar, parse_har
from strangler.compare.matrix_text import write_matrix
from strangler.compare.rule_book import RuleBook
from strangler.compare.rule_file import read_rules_if_any
from strangler.compare.verdict import Verdict
from strangler.errors import BadCorpus
from strangler.installation import Installation
from strangler.replaying import again, planned, record, replay
from strangler.table_file import read_table

_PATH = click.Path(path_type=Path)
_store = click.option("--store", type=_PATH, help="The comparer's store, instead of this installation's.")


@click.command("record")
@click.argument("file", type=_PATH)
@click.option("--route", help="Only requests of this route.")
@_store
@json_option
def record_(file: Path, route: str | None, store: Path | None, as_json: bool) -> None:
    """Write live traffic to FILE, as a corpus without secrets.

    Distinct safe requests, and rehearsed writes with what the monolith answered and wrote.
    """
    found = record(store or here().verdicts, route)
    _write(file, found, as_json=as_json)


@click.command("import")
@click.argument("har", type=_PATH)
@click.argument("file", type=_PATH)
@json_option
def import_(har: Path, file: Path, as_json: bool) -> None:
    """Write the requests of a browser's HAR file to FILE, as a corpus without secrets."""
    try:
        found = distinct(parse_har(har.read_bytes()))
    except (OSError, NotHar) as error:
        raise BadCorpus(
            f"{har}: {error}; a HAR file is wanted", next="save it from the browser's network panel"
        ) from None
    _write(file, found, as_json=as_json)


@click.command("replay")
@click.argument("corpus", type=_PATH)
@click.option("--route", help="Only requests of this route.")
@role_option
@click.option(
    "--rate", default=20.0, show_default=True, type=click.FloatRange(0), help="A second; 0: no bound."
)
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64))
@direct_option
@proxy_option
@_store
@json_option
def replay_(
    corpus: Path,
    route: str | None,
    roles: tuple[str, ...],
    rate: float,
    threads: int,
    direct: bool,
    proxy: str | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Ask both sides every safe request of CORPUS, as each role, and keep the verdicts as evidence.

    A recorded write is rehearsed by the service alone, where STRANGLER_REHEARSAL_KEY is set, and compared
    with the recorded answer. A role's credentials are a header in STRANGLER_ROLE_USER or
    STRANGLER_ROLE_STAFF. What is printed is the authorisation matrix: who was answered what, on which side.
    Exit 1 with a DIFF, 3 when nothing was compared.
    """
    place = here()
    plan = planned(place, read_corpus(corpus), asked_roles(roles, direct=direct), route)
    sides = asked_sides(place, direct=direct, proxy=proxy)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("asking both sides", total=len(plan.questions))
        cells = replay(
            place,
            plan.questions,
            sides,
            rate=rate,
            threads=threads,
            store=store or place.verdicts,
            progress=lambda: bar.advance(task),
        )
    answer = {"writes": plan.writes, "unrouted": plan.unrouted, "matrix": cells}
    emit(answer, as_json=as_json, human=lambda console: write_matrix(cells, console))
    verdicts = sum((cell.verdicts for cell in cells), Counter[Verdict]())
    compared = verdicts[Verdict.MATCH] + verdicts[Verdict.EXPECTED]
    sys.exit(1 if verdicts[Verdict.DIFF] else 0 if compared else 3)


@click.command("rerun")
@click.argument("comparison")
@direct_option
@proxy_option
@_store
@json_option
def rerun_(comparison: str, direct: bool, proxy: str | None, store: Path | None, as_json: bool) -> None:
    """Ask both sides the request of COMPARISON once more, and show the new verdict beside the answers.

    As whoever asked it then. Of a rehearsed write the service alone is asked, again for a rehearsal. Exit 0
    for MATCH and EXPECTED, 1 for DIFF, 3 otherwise.
    """
    place = here()
    sides = asked_sides(place, direct=direct, proxy=proxy)
    kept = again(place, store or place.verdicts, comparison, sides)
    upstreams = read_table(place.table).table.upstreams
    urls = {name: upstream.url for name, upstream in upstreams.items()}
    sheet = show.sheet(kept, urls)
    emit(
        documents.of_sheet(sheet),
        as_json=as_json,
        human=lambda console: show_text.write_sheet(sheet, console, full=False),
    )
    verdict = kept.judged.comparison.verdict
    sys.exit({Verdict.MATCH: 0, Verdict.EXPECTED: 0, Verdict.DIFF: 1}.get(verdict, 3))


@click.command("save")
@click.argument("comparison")
@click.argument("folder", type=_PATH)
@_store
@json_option
def save_(comparison: str, folder: Path, store: Path | None, as_json: bool) -> None:
    """Save COMPARISON as a regression case below FOLDER, secrets masked."""
    place = here()
    home = case_files.save(show.find(store or place.verdicts, comparison), folder, _book(place))
    emit({"case": str(home)}, as_json=as_json, human=lambda console: console.print(str(home), markup=False))


@click.command("cases")
@click.argument("folder", type=_PATH)
@json_option
def cases_(folder: Path, as_json: bool) -> None:
    """Judge every saved case below FOLDER again, under the rules as they are now.

    Exit 1 when a verdict is not the one that was saved.
    """
    outcomes = case_files.judge_all(folder, _book(here()))

    def human(console: Console) -> None:
        for each in outcomes:
            said = "holds" if each.holds else f"was {each.wanted}: {', '.join(each.differences)}"
            console.print(f"{each.found:<15} {each.name}  {said}", markup=False)

    emit({"cases": outcomes}, as_json=as_json, human=human)
    sys.exit(0 if all(each.holds for each in outcomes) else 1)


def _book(place: Installation) -> RuleBook:
    return read_rules_if_any(place.rules)


def _write(file: Path, found: tuple[Asked, ...], *, as_json: bool) -> None:
    write_corpus(file, found)
    answer = {"file": str(file), "requests": len(found)}
    emit(answer, as_json=as_json, human=lambda console: console.print(f"{len(found):,} requests in {file}"))
