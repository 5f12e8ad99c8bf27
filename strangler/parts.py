"""Read which parts the stack has, and work out where each of them listens. Pure but for reading one file.

The routing table is the authority for addresses: an upstream listens where the table sends to. The
environment may say the same again, and nothing else.
"""

import configparser
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from proxy.routes import RouteTable, Upstream
from strangler.errors import AddressDisagrees, NoStackFile
from strangler.installation import Installation

PROXY = "proxy"
COMPARER = "comparer"
PROXY_BIND = "PROXY_BIND"
PROXY_ADMIN = "PROXY_ADMIN"
DEFAULT_PROXY = {PROXY_BIND: "127.0.0.1:8000", PROXY_ADMIN: "127.0.0.1:8009"}


@dataclass(frozen=True)
class Migration:
    """How one database is brought to its schema; `check` is empty where there is no way to ask."""

    name: str
    command: str
    check: str


@dataclass(frozen=True)
class Parts:
    """The programs that make up the stack, and the migrations that come before them."""

    programs: tuple[str, ...]
    migrations: tuple[Migration, ...]


@dataclass(frozen=True)
class Stack:
    """The parts with their addresses and the whole environment they run in."""

    parts: Parts
    table: RouteTable
    environment: Mapping[str, str]

    @property
    def upstreams(self) -> tuple[Upstream, ...]:
        """The upstreams that are parts of this stack; others live elsewhere."""
        return tuple(up for up in self.table.upstreams.values() if up.name in self.parts.programs)

    @property
    def addresses(self) -> Mapping[str, str]:
        """HOST:PORT of everything that listens, by what it is."""
        own = {up.name: f"{up.host}:{up.port}" for up in self.upstreams}
        if PROXY not in self.parts.programs:
            return own
        proxy = {PROXY: self.environment[PROXY_BIND], "proxy admin": self.environment[PROXY_ADMIN]}
        return proxy | own

    def words(self, command: str) -> list[str]:
        """Return a command of the stack file as a list of words, its %(ENV_...)s filled in."""
        values = {f"ENV_{name}": value for name, value in self.environment.items()}
        return [word % values for word in shlex.split(command)]


def read_parts(place: Installation) -> Parts:
    """Return the parts that the installation's stack file lists. Raises NoStackFile."""
    file = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
    if not file.read(place.stack_file):
        raise NoStackFile(
            f"{place.stack_file} is not there; it lists the parts to start",
            next="set STRANGLER_ROOT to the directory that holds supervisord.conf",
        )
    sections = {name: file[name] for name in file.sections()}
    programs = tuple(name.removeprefix("program:") for name in sections if name.startswith("program:"))
    if not programs:
        raise NoStackFile(
            f"{place.stack_file} names no part; [program:proxy] at least is wanted",
            next=f"edit {place.stack_file}",
        )
    migrations = tuple(
        Migration(name.removeprefix("migration:"), section["command"], section.get("check", ""))
        for name, section in sections.items()
        if name.startswith("migration:")
    )
    return Parts(programs, migrations)


def lay_out(place: Installation, parts: Parts, table: RouteTable, environ: Mapping[str, str]) -> Stack:
    """Return the stack with every address settled. Raises AddressDisagrees."""
    environment = {
        **DEFAULT_PROXY,
        **environ,
        "STRANGLER_ROOT": str(place.root),
        "STRANGLER_TABLE": str(place.table),
        "STRANGLER_RULES": str(place.rules),
        "STRANGLER_VAR": str(place.var),
        "STRANGLER_PYTHON": sys.executable,
    }
    stack = Stack(parts, table, environment)
    for upstream in stack.upstreams:
        _settle(upstream, environment)
        database = f"{_variable(upstream)}_DATABASE_URL"
        environment[database] = environ.get(database) or f"sqlite:///{place.var / upstream.name}.sqlite3"
    return stack


def _settle(upstream: Upstream, environment: dict[str, str]) -> None:
    wanted = f"{upstream.host}:{upstream.port}"
    variable = f"{_variable(upstream)}_BIND"
    found = environment.setdefault(variable, wanted)
    if found != wanted:
        raise AddressDisagrees(
            f"{variable} is {found}, and the routing table sends {upstream.name} to {upstream.url};"
            " both must name one address",
            next=f'unset {variable}        (or set url = "http://{found}" under [upstreams.{upstream.name}])',
        )


def _variable(upstream: Upstream) -> str:
    return upstream.name.upper().replace("-", "_").replace(".", "_")
