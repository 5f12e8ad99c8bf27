"""A PostgreSQL server of a run's own, to be killed and started again."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from tests.postgres import Postgres, start_embedded

GONE_SECONDS = 20.0


class Server:
    """One embedded server with one database."""

    def __init__(self, folder: Path) -> None:
        """Start it in a folder that is not there yet."""
        self._server = start_embedded(folder)
        admin_url = str(self._server.get_uri())
        self._admin_url = admin_url
        # Processes are killed here, no machine is: what was handed to the kernel stays. Commits do wait.
        self.configure("fsync = off")
        self.configure("full_page_writes = off")
        self.url = Postgres(admin_url).fresh()

    def configure(self, setting: str) -> None:
        """Set one setting of the whole server, `name = value`, and have every process read it."""
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET {setting}")
            connection.execute("SELECT pg_reload_conf()")

    def die(self, how: signal.Signals) -> None:
        """Send the postmaster a signal it does not survive, and wait until every process of it has gone."""
        pid = self._server.get_pid()
        assert pid is not None
        postmaster = psutil.Process(pid)
        processes = [postmaster, *postmaster.children()]
        os.kill(pid, how)
        _, alive = psutil.wait_procs(processes, GONE_SECONDS)
        assert not alive

    def start(self) -> None:
        """Start it where it was; with what it has kept. Does nothing where it runs."""
        self._server.ensure_postgres_running()

    def end_one_connection(self, choice: int) -> bool:
        """End one client's connection to the database, as an administrator does; return whether one was."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            pids = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid"
            ).fetchall()
            if not pids:
                return False
            pid = pids[choice % len(pids)]
            return bool(connection.execute("SELECT pg_terminate_backend(%s)", pid).fetchone())

    @contextmanager
    def standby(self, folder: Path) -> Iterator[str]:
        """Run a standby of it, in a folder that is not there yet, until the block ends; yield its address."""
        copy = [
            self._server.bin_path / "pg_basebackup",
            "-D",
            folder,
            "-R",
            "-c",
            "fast",
            "-d",
            self._admin_url,
        ]
        subprocess.run(copy, check=True, capture_output=True)
        whose = Path(self._server.pgdata).stat()
        for path in (folder, *folder.rglob("*")):
            os.chown(path, whose.st_uid, whose.st_gid)
        for left_over in (*folder.glob(".s.PGSQL.*"), folder / "log"):
            left_over.unlink(missing_ok=True)
        standby = start_embedded(folder)
        try:
            yield str(standby.get_uri())
        finally:
            standby.cleanup()

    def stop(self) -> None:
        """Stop it for good."""
        self._server.cleanup()


@contextmanager
def servers(folder: Path, names: tuple[str, ...]) -> Iterator[dict[str, Server]]:
    """Run servers, by name, until the block ends."""
    started: dict[str, Server] = {}
    try:
        for name in names:
            started[name] = Server(folder / name)
        yield started
    finally:
        for server in started.values():
            server.start()
            server.stop()
