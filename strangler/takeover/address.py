"""Read a database address: which engine, and how its driver is told. Opens nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from strangler.errors import BadAddress
from strangler.takeover.engines import Engine

MONOLITH = "monolith"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is. `variable` is the environment's name for it; `shown` hides a password."""

    variable: str
    engine: Engine
    place: str
    shown: str


def address_of(name: str, environ: Mapping[str, str], var: Path) -> Address:
    """Return where the database of `name` is: what the environment says, else the SQLite file under `var`."""
    variable = f"{name.upper().replace('-', '_')}_DATABASE_URL"
    url = environ.get(variable) or f"sqlite:///{var / name}.sqlite3"
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        place = unquote(url.removeprefix("sqlite:///"))
        return Address(variable, Engine.SQLITE, place, place)
    if parts.scheme in {"postgresql", "postgres"}:
        return Address(variable, Engine.POSTGRESQL, url, url.replace(f":{parts.password}@", ":***@"))
    raise BadAddress(
        f"{variable} names the engine {parts.scheme!r}; wanted sqlite:///FILE or postgresql://…",
        next=f"export {variable}=postgresql://USER@HOST/DATABASE",
    )
