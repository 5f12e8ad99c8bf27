"""The whole stack for a takeover that is to be tormented: the shop, its catalog, the proxy, on either engine.

On PostgreSQL each database has a server of its own. A witness in both counts how often an application gave a
product a name; what the takeover itself copies does not count, for it deletes and inserts.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.place import Place
from proxy.routes import Owner
from strangler.actor import current_actor
from strangler.installation import Installation, find_installation
from strangler.supervising import supervisor
from strangler.table_file import read_table
from strangler.takeover.handover import Where
from strangler.takeover.proxy_gateway import ProxyGateway
from strangler.takeover.verify import verify
from tests.e2e.conftest import new_place
from tests.e2e.takeover_coordinator import GROUP
from tests.integration.takeover.sides import Side
from tests.own_postgres import Server, servers

PARTS = ("proxy", "monolith", "catalog", "sync")
VARIABLES = {Owner.MONOLITH: "MONOLITH_DATABASE_URL", Owner.SERVICE: "CATALOG_DATABASE_URL"}
WITNESS = {
    "sqlite": """
        CREATE TABLE witness (sku text, name text);
        CREATE TRIGGER witness AFTER UPDATE OF name ON catalog_product
        BEGIN INSERT INTO witness VALUES (NEW.sku, NEW.name); END;
    """,
    "postgresql": """
        CREATE TABLE witness (sku text, name text);
        CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO witness VALUES (new.sku, new.name); RETURN NULL; END $$;
        CREATE TRIGGER witness AFTER UPDATE OF name ON catalog_product
            FOR EACH ROW EXECUTE FUNCTION witness();
    """,
}
ONE_ROW = "UPDATE catalog_category SET position = position WHERE id = 1"


@dataclass(frozen=True)
class Stack:
    """The running stack, and its databases' servers, by the owner whose they are; none on SQLite."""

    place: Place
    servers: Mapping[Owner, Server] = field(default_factory=dict)

    @property
    def installation(self) -> Installation:
        """Return where it is installed."""
        return find_installation(Path.cwd(), self.place.environment)

    @property
    def where(self) -> Where:
        """Return what the verbs of a takeover take, with the real proxy as its gateway."""
        here, environment = self.installation, self.place.environment
        gateway = ProxyGateway(here, current_actor(environment), "a storm")
        return Where(read_table(here.table).table, GROUP, environment, here.var, gateway=gateway)

    @property
    def sides(self) -> tuple[Side, Side]:
        """Return the monolith's database and the service's."""
        return self.side(Owner.MONOLITH), self.side(Owner.SERVICE)

    def side(self, owner: Owner) -> Side:
        """Return one side's database."""
        return Side(self.place.environment[VARIABLES[owner]])

    def pids(self) -> dict[str, int]:
        """Return the process of every part that has one now."""
        with supervisor(self.installation) as running:
            assert running is not None
            return {part.name: part.pid for part in running.parts() if part.pid and part.name in PARTS}

    def products(self, owner: Owner) -> dict[str, list[str]]:
        """Return, by sku, the names of the clients' products on one side."""
        found: dict[str, list[str]] = {}
        for sku, name in self.side(owner).ask(
            "SELECT sku, name FROM catalog_product WHERE sku LIKE 'STORM-%'"
        ):
            found.setdefault(sku, []).append(name)
        return found

    def renamed(self) -> Counter[tuple[str, str]]:
        """Count how often an application gave a name, on both sides together."""
        counts: Counter[tuple[str, str]] = Counter()
        for side in self.sides:
            counts.update((sku, name) for sku, name in side.ask("SELECT sku, name FROM witness"))
        return counts

    def route_owner(self) -> str:
        """Return the owner that the routing table names."""
        return str(read_table(self.installation.table).table.groups[GROUP].owner)

    def differing(self) -> dict[str, int]:
        """Read both databases anew; return the tables that differ, with the number of their rows that do."""
        where = self.where
        report = verify(where.routes, GROUP, where.environ, where.var, again=True)
        return {table.table: table.differing for table in report.tables if table.differing}


@contextmanager
def running_stack(engine: str) -> Iterator[Stack]:
    """Run the stack on an engine, `sqlite` or `postgresql`, copied and verified; end it with the block."""
    with (
        tempfile.TemporaryDirectory(prefix="s") as name,  # short, for the sockets in it
        servers(folder := Path(name), ("m", "c") if engine == "postgresql" else ()) as started,
    ):
        own = dict(zip(Owner, started.values(), strict=False))
        place = new_place(folder / "var")
        addresses = {VARIABLES[owner]: server.url for owner, server in own.items()}
        stack = Stack(Place(place.var, {**place.environment, **addresses}), own)
        try:
            _prepare(stack, engine)
            yield stack
        finally:
            stack.place.strangler("down")


def _prepare(stack: Stack, engine: str) -> None:
    stack.place.strangler("up")
    stack.place.manage("seed", "--products", "20", "--orders", "5", "--seed", "7")
    for side in stack.sides:
        side.run(WITNESS[engine])
    stack.place.strangler("takeover", "start", GROUP, "--execute")
    stack.place.strangler("takeover", "verify", GROUP)
