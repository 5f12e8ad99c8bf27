"""Say where this installation keeps its files. Reads the file system, never writes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strangler.errors import NoInstallation
from strangler.machines import NO_MACHINES, Machines, machines_of

TABLE = Path("proxy/routes.toml")


@dataclass(frozen=True)
class Installation:
    """One stack's places: where its code is, which table it follows, where its running state lives, and the
    other machines that follow the same table.
    """

    root: Path
    table: Path
    var: Path
    machines: Machines = NO_MACHINES

    @property
    def stack_file(self) -> Path:
        """The list of parts that `up` starts."""
        return self.root / "supervisord.conf"

    @property
    def control(self) -> Path:
        """The directory with one control socket for each proxy worker."""
        return self.var / "proxy"

    @property
    def logs(self) -> Path:
        """The directory with one log for each part."""
        return self.var / "log"

    @property
    def audit(self) -> Path:
        """The hash-chained record of every change."""
        return self.var / "audit.jsonl"

    @property
    def lock(self) -> Path:
        """The file whose lock is held while the table changes."""
        return self.var / "routes.lock"

    @property
    def stack_lock(self) -> Path:
        """The file whose lock is held while the stack starts."""
        return self.var / "stack.lock"

    @property
    def pairs(self) -> Path:
        """The socket on which the comparer takes request and answers."""
        return self.var / "compare.sock"

    @property
    def rules(self) -> Path:
        """The team's own comparison rules, beside the table; it may be missing."""
        return self.table.with_name("compare.toml")

    @property
    def verdicts(self) -> Path:
        """The comparer's store."""
        return self.var / "compare.sqlite3"

    @property
    def supervisor_socket(self) -> Path:
        """The socket on which the supervisor takes orders."""
        return self.var / "supervisor.sock"

    @property
    def supervisor_pid(self) -> Path:
        """The file in which the supervisor writes its process id."""
        return self.var / "supervisord.pid"


def find_installation(start: Path, environ: Mapping[str, str]) -> Installation:
    """Return the installation that `start` stands in, or the one the environment names.

    STRANGLER_ROOT, STRANGLER_TABLE and STRANGLER_VAR each replace one place. Raises NoInstallation and
    BadMachines.
    """
    named = environ.get("STRANGLER_ROOT")
    root = Path(named).resolve() if named else _nearest_root(start.resolve())
    table = Path(environ.get("STRANGLER_TABLE") or root / TABLE).resolve()
    if not table.is_file():
        raise NoInstallation(
            f"{table} is not there; a routing table is wanted",
            next="cd to the directory that holds proxy/routes.toml, or set STRANGLER_ROOT or STRANGLER_TABLE",
        )
    return Installation(
        root=root,
        table=table,
        var=Path(environ.get("STRANGLER_VAR") or root / "var").resolve(),
        machines=machines_of(environ),
    )


def _nearest_root(start: Path) -> Path:
    for directory in (start, *start.parents):
        if (directory / TABLE).is_file():
            return directory
    raise NoInstallation(
        f"neither {start} nor a directory above it holds {TABLE}",
        next="cd to the directory that holds proxy/routes.toml, or set STRANGLER_ROOT",
    )
