"""Clients in processes of their own, and the ledger of all that was acknowledged to them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg


@dataclass(frozen=True, slots=True)
class Write:
    """One acknowledged write; times in Unix seconds."""

    began: float
    seconds: float
    key: int
    turn: int


@dataclass
class Ledger:
    """What was acknowledged, once the writers have stopped."""

    writes: list[Write] = field(default_factory=list)

    def lost(self, owner: str) -> int:
        """Count the keys whose last acknowledged value the owner's database does not hold."""
        last: dict[int, int] = {}
        for write in sorted(self.writes, key=lambda write: write.began):
            last[write.key] = write.turn
        with psycopg.connect(owner) as connection:
            found: dict[int, int] = dict(
                connection.execute("SELECT id, turn FROM product WHERE sku LIKE 'w-%'").fetchall()
            )
        return sum(found.get(key) != turn for key, turn in last.items())


@contextmanager
def writing(monolith: str, service: str, number: int) -> Iterator[Ledger]:
    """Let so many clients write; the ledger is complete when the block has ended."""
    ledger = Ledger()
    command = [sys.executable, "-m", "bench.takeover.writer", monolith, service]
    clients = [
        subprocess.Popen([*command, str(each + 1)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for each in range(number)
    ]
    try:
        for client in clients:
            assert client.stdout is not None
            client.stdout.readline()
        yield ledger
        for client in clients:
            printed, _ = client.communicate()
            ledger.writes += [Write(*json.loads(line)) for line in printed.splitlines()]
    finally:
        for client in clients:
            client.kill()
            client.wait()
