"""A catalog that tells and a shop that hears, each on an SQLite file, in processes that can be killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from extracted.catalog.__main__ import MIGRATIONS
from extracted.catalog.models import Base
from extracted.chassis.database import Database
from extracted.chassis.events.outbox import tell, waiting
from extracted.chassis.migrate import upgrade

ROOT = Path(__file__).resolve().parents[3]
PEER_KEY = "k" * 40
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def comes_true(promise: Callable[[], bool], what: str) -> None:
    """Return once `promise` holds; fail, naming `what`, where it does not within a minute."""
    tick = threading.Event()
    for _ in range(6000):
        if promise():
            return
        tick.wait(0.01)
    raise AssertionError(f"not within a minute: {what}")


@dataclass
class Both:
    """The two databases and the processes on them."""

    folder: Path

    def make(self) -> None:
        """Migrate both, and give the shop a shelf."""
        with closing(Database(self.catalog_url)) as database:
            upgrade(database, MIGRATIONS, Base.metadata)
        command = [sys.executable, "monolith/manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=self._environment(), check=True)
        self._shop("INSERT INTO catalog_category (id, name, slug, position) VALUES (1, 'Cups', 'cups', 0)")

    @property
    def catalog_url(self) -> str:
        return f"sqlite:///{self.folder}/catalog.sqlite3"

    def tell_of_products(self, numbers: range) -> None:
        """Let the catalog tell of new products."""
        with closing(Database(self.catalog_url)) as database, database.writing() as session:
            for number in numbers:
                tell(session, "catalog.product.created", f"products/{number}", {"id": number}, NOW)

    def waiting(self) -> int:
        """Return how many events the catalog has still to pass on."""
        with closing(Database(self.catalog_url)) as database, database.reading() as session:
            return waiting(session).events

    def bring_products(self, numbers: range) -> None:
        """Let products come into the shop's database as a sync brings them: no signal is sent."""
        with closing(sqlite3.connect(self.folder / "monolith.sqlite3", timeout=30)) as shop, shop:
            shop.executemany(
                """INSERT INTO catalog_product (id, sku, name, slug, description, category_id, price,
                       currency, attributes, is_active, rating_count, created_at, updated_at)
                   VALUES (?, ?, 'n', ?, '', 1, '1.00', 'EUR', '{}', 1, 0, '2026-01-02', '2026-01-02')""",
                [(number, f"S{number}", f"s{number}") for number in numbers],
            )

    def stocked(self) -> list[int]:
        """Return the products that have a row of stock, one entry a row."""
        return [row[0] for row in self._shop("SELECT product_id FROM inventory_stock ORDER BY product_id")]

    def heard(self) -> int:
        """Return how many events the shop has heard."""
        return int(self._shop("SELECT count(*) FROM strangler_inbox")[0][0])

    @contextmanager
    def relay(self, to: str, subscriber: str = "monolith") -> Iterator[subprocess.Popen[bytes]]:
        """Run the catalog's relay."""
        yield from self._run("-m", "extracted.catalog", "relay", "--to", to, "--subscriber", subscriber)

    @contextmanager
    def consumer(self, url: str, subscriber: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run the shop's consumer."""
        yield from self._run("monolith/manage.py", "consume_events", url, "--subscriber", subscriber)

    @contextmanager
    def shop(self, port: int) -> Iterator[subprocess.Popen[bytes]]:
        """Run the shop as a web server."""
        command = ("-m", "gunicorn", "--config", "monolith/gunicorn.conf.py", "--bind", f"127.0.0.1:{port}")
        yield from self._run(*command, "--workers", "1", "shop.wsgi")

    def _run(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=self._environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _shop(self, statement: str) -> list[tuple[int, ...]]:
        with closing(sqlite3.connect(self.folder / "monolith.sqlite3", timeout=30)) as shop, shop:
            return shop.execute(statement).fetchall()

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "CATALOG_DATABASE_URL": self.catalog_url,
            "MONOLITH_DATABASE_URL": f"sqlite:///{self.folder}/monolith.sqlite3",
            "STRANGLER_PEER_KEY": PEER_KEY,
        }
