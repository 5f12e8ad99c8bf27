"""Put a corpus, or one stored request, to both sides of this installation.

Through the proxy, which a signed claim tells whom to ask: so each side sees the request, and who asks, as it
does in production.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from proxy.claims import Purpose
from proxy.pairs import Pair
from proxy.routes import MONOLITH, SAFE_METHODS, RouteTable
from proxy.table import REHEARSAL_KEY
from strangler.compare import show
from strangler.compare.asking import Asker, Side
from strangler.compare.circumstances import ANONYMOUS, ROLES
from strangler.compare.corpus import Asked, distinct, without_secrets
from strangler.compare.judge import compare
from strangler.compare.matrix import Cell, matrix
from strangler.compare.reading import Reader
from strangler.compare.recorded_writes import recorded_writes
from strangler.compare.rehearser import RehearsalKeys, Rehearser
from strangler.compare.replay import Plan, Question, Replay, Role, Sides, plan, rehearsed_pair
from strangler.compare.rule_file import read_rules_if_any
from strangler.compare.store import Judged, Kept
from strangler.compare.writing import Writer
from strangler.errors import NoCredentials, NothingToAsk, NotRepeatable
from strangler.identity_keys import SERVICE_KEY, word_made
from strangler.installation import Installation
from strangler.parts import DEFAULT_PROXY, PROXY_BIND
from strangler.signing import sign
from strangler.table_file import read_table

BATCH = 100
CLAIM_MINUTES = 24 * 60


def record(store: Path, route: str | None) -> tuple[Asked, ...]:
    """Return the distinct requests that live traffic made, and the writes that are kept, with what the
    monolith answered and wrote; all without secrets. Raises NoStore.
    """
    with Reader(store) as reader:
        writes = recorded_writes(kept.judged.pair for kept in reader.kept(route))
        return distinct((*reader.requests(route), *writes))


def rehearsal_keys(place: Installation, environ: Mapping[str, str] = os.environ) -> RehearsalKeys | None:
    """Return the keys that rehearsals need, None where this installation has none. Makes none."""
    key = word_made(place.var, REHEARSAL_KEY, environ)
    return RehearsalKeys(key.encode(), word_made(place.var, SERVICE_KEY, environ)) if key else None


def roles_of(names: Sequence[str], environ: Mapping[str, str] = os.environ) -> tuple[Role, ...]:
    """Return the roles with the headers that prove them, from STRANGLER_ROLE_<NAME>. Raises NoCredentials.

    Without names: anonymous, and every role that can prove itself.
    """
    provable = (name for name in ROLES if name == ANONYMOUS or environ.get(_variable(name)))
    return tuple(Role(name, _credentials(name, environ)) for name in names or provable)


def sides_through_proxy(place: Installation, url: str | None) -> Callable[[str], Sides]:
    """Return both sides of every route as the proxy reaches them. Raises NoSecret."""
    table = read_table(place.table).table
    address = url or f"http://{os.environ.get(PROXY_BIND) or DEFAULT_PROXY[PROXY_BIND]}"
    claims = {side: sign(place, Purpose.TARGET, side, CLAIM_MINUTES) for side in (MONOLITH, "service")}

    def sides(route: str) -> Sides:
        control, candidate = claims[MONOLITH], claims["service"]
        service = table.service_of(table.routes[route]).name
        return Sides(
            Side(MONOLITH, address, {control.header: control.value}),
            Side(service, address, {candidate.header: candidate.value}),
        )

    return sides


def sides_direct(table: RouteTable) -> Callable[[str], Sides]:
    """Return both sides of every route at their own addresses, under the monolith's name."""
    host = {"Host": f"{table.monolith.host}:{table.monolith.port}"}

    def sides(route: str) -> Sides:
        service = table.service_of(table.routes[route])
        return Sides(Side(MONOLITH, table.monolith.url, host), Side(service.name, service.url, host))

    return sides


def planned(place: Installation, corpus: Sequence[Asked], roles: Sequence[Role], route: str | None) -> Plan:
    """Return what can be asked, each request once: repeating one is no more evidence. Raises NothingToAsk."""
    rehearses = rehearsal_keys(place) is not None
    found = plan(distinct(corpus), read_table(place.table).table, roles, route, rehearses=rehearses)
    if not found.questions:
        raise NothingToAsk(
            f"of {len(corpus):,} requests {found.writes:,} are writes and {found.unrouted:,} are of no route;"
            f" a safe request of {route or 'a route'} is wanted, or a recorded write, a key to rehearse it"
            f" ({REHEARSAL_KEY}) and the role that sent it",
            next="strangler routes",
        )
    return found


def replay(
    place: Installation,
    questions: Sequence[Question],
    sides: Callable[[str], Sides],
    *,
    rate: float,
    threads: int,
    store: Path,
    progress: Callable[[], None] = lambda: None,
) -> tuple[Cell, ...]:
    """Ask, judge, record in the store, and sum up by route and role."""
    book, table, keys = read_rules_if_any(place.rules), read_table(place.table).table, rehearsal_keys(place)
    with closing(Writer(store)) as writer, Asker() as asker:
        rehearse = Rehearser(asker, table, keys).ask if keys else None
        replaying = Replay(asker, sides, book, table.version, rehearse=rehearse)
        asked = replaying.ask_all(questions, rate=rate, threads=threads)
        return matrix(_recorded(asked, writer, progress))


def again(place: Installation, store: Path, wanted: str, sides: Callable[[str], Sides]) -> Kept:
    """Ask both sides a stored request once more, as whoever asked. Raises NotRepeatable.

    A write that was rehearsed is rehearsed by the service again; the monolith's answer is the stored one.
    """
    kept = show.find(store, wanted)
    pair = kept.judged.pair
    if pair.rehearsed:
        return _rehearsed_again(place, kept)
    if pair.request.method not in SAFE_METHODS:
        raise NotRepeatable(
            f"comparison {kept.id} is of a {pair.request.method}; a request that changes nothing is wanted",
            next=f"strangler compare show {kept.id}",
        )
    credentials = _credentials_in(pair)
    asked = without_secrets(pair.request)
    exact = Asked(asked.method, pair.request.target, asked.headers, "")
    question = Question(pair.route, exact, Role(pair.role, credentials))
    book, version = read_rules_if_any(place.rules), read_table(place.table).table.version
    with Asker() as asker:
        return Kept(kept.id, Replay(asker, sides, book, version).ask(question))


def _rehearsed_again(place: Installation, kept: Kept) -> Kept:
    pair, keys = kept.judged.pair, rehearsal_keys(place)
    if keys is None:
        raise NotRepeatable(
            f"comparison {kept.id} is of a {pair.request.method}; wanted {REHEARSAL_KEY} to rehearse it",
            next=f"strangler compare show {kept.id}",
        )
    table = read_table(place.table).table
    with Asker() as asker:
        found = Rehearser(asker, table, keys).ask(pair.route, pair.request, _credentials_in(pair))
    again = rehearsed_pair(
        pair.route,
        pair.request,
        pair.control_answer,
        found,
        at=time.time(),
        control_at=pair.control_at or pair.at,
        version=table.version,
        service=pair.candidate,
        role=pair.role,
    )
    terms = read_rules_if_any(place.rules).terms(again.route, again.at)
    return Kept(kept.id, Judged(again, compare(again, terms)))


def _credentials_in(pair: Pair) -> dict[str, str]:
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in pair.request.headers
        if name.lower() in (b"cookie", b"authorization")
    }


def _recorded(judged: Iterator[Judged], writer: Writer, progress: Callable[[], None]) -> Iterator[Judged]:
    while batch := list(islice(judged, BATCH)):
        writer.record(batch)
        for each in batch:
            progress()
            yield each


def _credentials(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    if name == ANONYMOUS:
        return {}
    variable = _variable(name)
    header, mark, value = environ.get(variable, "").partition(":")
    if not mark or not header.strip() or not value.strip():
        raise NoCredentials(
            f"role {name!r} has no credentials; a header in {variable} is wanted",
            next=f"export {variable}='Cookie: sessionid=…'        (or 'Authorization: …')",
        )
    return {header.strip(): value.strip()}


def _variable(role: str) -> str:
    return f"STRANGLER_ROLE_{role.upper()}"
