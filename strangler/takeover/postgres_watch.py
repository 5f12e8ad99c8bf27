"""Connections that end where their server is gone, instead of waiting for ever. Decides nothing: what was
sent may have been done all the same, and only that server knows.

A host that vanished and a network that swallows packets are noticed by TCP, on either end. A server that is
there and says nothing is asked for another connection: who gives one may think as long as it likes, as about
a copy. Where nobody may write meanwhile, silence alone ends it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakSet

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

POLL_SECONDS = 0.1

# 30 s without a sign of life: longer than a failover of a network or a disk that stalls, for a copy would be
# cut; short enough to wait for. Linux goes by `tcp_user_timeout` where a keepalive is not answered either.
REACH: Mapping[str, str] = {
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
# What the server's end is told too: locks of a client who vanished are held no longer than he is missed.
SERVERS_END = {
    "keepalives_idle": "tcp_keepalives_idle",
    "keepalives_interval": "tcp_keepalives_interval",
    "keepalives_count": "tcp_keepalives_count",
    "tcp_user_timeout": "tcp_user_timeout",
}


class Silent(psycopg.OperationalError):
    """A server said nothing for too long; the connection is closed, and what was asked may be done."""


class WatchedConnection(psycopg.Connection[TupleRow]):
    """A connection whose waiting is watched."""

    watch: "Watch"

    def wait(self, gen: PQGen[RV], interval: float = POLL_SECONDS, timeout: float | None = None) -> RV:
        """Do as psycopg does, and count the polls that nothing came of. Raises Silent."""
        return super().wait(self.watch.over(gen, interval), interval, timeout)


@dataclass(eq=False)
class Watch:
    """What the connections to one database share. `strict`: silent for so many seconds, it counts as gone."""

    url: str
    strict: float | None = None
    _opened: WeakSet[WatchedConnection] = field(default_factory=WeakSet)

    def __post_init__(self) -> None:
        said = {name: str(value) for name, value in conninfo_to_dict(self.url).items()}
        self._reach = {**REACH, **said, "application_name": "strangler"}

    def connect(self) -> WatchedConnection:
        """Open a connection. What the address says itself holds. Raises psycopg.Error."""
        connection = WatchedConnection.connect(make_conninfo("", **self._reach), autocommit=True)
        connection.watch = self
        self._opened.add(connection)
        return connection

    @property
    def servers_end(self) -> str:
        """Return the statements that have the server miss its client as soon as the client misses it."""
        if self._reach["keepalives"] == "0":
            return ""
        return "".join(f"SET {name} = {self._number(ours)};" for ours, name in SERVERS_END.items())

    def limits(self, wait: float) -> str:
        """Return the statements that have the server end a transaction's waiting, before silence ends it."""
        if self.strict is None:
            return f"SET LOCAL lock_timeout = '{wait * 1000:.0f}ms';"
        lock, statement = min(wait, self.strict / 2), self.strict * 3 / 4
        return (
            f"SET LOCAL lock_timeout = '{lock * 1000:.0f}ms';"
            f" SET LOCAL statement_timeout = '{statement * 1000:.0f}ms';"
        )

    @contextmanager
    def strictly(self, seconds: float) -> Iterator[None]:
        """Take the server for gone, until the block ends, once it says nothing for so long."""
        before, self.strict = self.strict, seconds
        try:
            yield
        finally:
            self.strict = before

    def over(self, gen: PQGen[RV], interval: float) -> PQGen[RV]:
        """Wait as `gen` does. Polls are counted, not seconds: to have been stopped oneself is no silence."""
        quiet = 0
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                quiet = 0 if ready else quiet + 1
                if self._bearable and quiet * interval >= self._bearable:
                    self._doubt(quiet * interval)
                    quiet = 0
                wanted = gen.send(ready)
        except StopIteration as ended:
            result: RV = ended.value
            return result

    @property
    def _bearable(self) -> float:
        """Return how long a silence is borne, 0 for any."""
        return self.strict or self._number("tcp_user_timeout") / 1000

    def _number(self, name: str) -> int:
        return max(0, int(self._reach[name]))  # libpq takes what is below 0 for 0, the system's own

    def _doubt(self, quiet: float) -> None:
        if self.strict is None and self._gives_another():
            return
        for connection in list(self._opened):  # they all lead to where nobody answers
            connection.close()
        where = f"{self._reach.get('dbname', '')!r} at {self._reach.get('host', 'this host')}"
        raise Silent(f"the database {where} said nothing for {quiet:.3g} s")

    def _gives_another(self) -> bool:
        try:
            psycopg.connect(make_conninfo("", **self._reach)).close()
        except psycopg.errors.ConnectionTimeout:
            return False
        except psycopg.Error:
            return True  # to refuse is to answer, and where nobody did, TCP notices
        return True
