"""`takeover retire --drop`: delete the archive. What was never renamed is never dropped."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from strangler.errors import LacksRights, NotConfirmed, ReferredTo, WrongOwner
from strangler.takeover.archive import archive_of, confirms, referring, retirement_of
from strangler.takeover.engines import Forbidden
from strangler.takeover.handover import Where, opened_databases
from strangler.takeover.session import Databases
from strangler.takeover.state import Note, encode


@dataclass(frozen=True, slots=True)
class Dropped:
    """What was dropped, or would be, by the archive's names."""

    group: str
    tables: tuple[str, ...]
    executed: bool


def drop_archive(
    where: Where, confirmed: str, *, execute: bool, ending: Callable[[], None] = lambda: None
) -> Dropped:
    """Drop the archived tables of a retired group, in one transaction. Safe to run again.

    Raises WrongOwner where it is not retired, ReferredTo, NotConfirmed, LacksRights. `ending` hears of the
    moment before the commit.
    """
    with opened_databases(where) as databases:
        if execute:
            databases.coordinate()
        archives = _archives_left(databases)
        names = tuple(archives.values())
        _require_unreferred(databases, names)
        if execute and archives:
            _require_confirmation(where.group, confirmed, names)
            _drop(where, databases, archives, ending)
        return Dropped(where.group, names, executed=execute)


def _archives_left(databases: Databases) -> dict[str, str]:
    """Return what there is of the archive: its names, by what the tables were called."""
    name = databases.group.name
    retired = retirement_of(databases.service.read_note(name, Note.RETIRED))
    if retired is None:
        raise WrongOwner(
            f"group {name!r} is not retired, so there is no archive; wanted one that is",
            next=f"strangler takeover retire {name}",
        )
    archive = archive_of(databases.monolith.read_note(name, Note.ARCHIVE))
    return {table: retired.names[table] for table in archive.renamed if table not in archive.dropped}


def _require_unreferred(databases: Databases, archives: tuple[str, ...]) -> None:
    with databases.monolith.snapshot() as moment:
        found = referring(moment.references(), archives, archives)
    if found:
        listed = "\n     ".join(f"{table}: {', '.join(by)}" for table, by in found.items())
        name = databases.group.name
        raise ReferredTo(
            f"tables that stay refer to {len(found)} of the archive of {name!r}; wanted none:\n     {listed}",
            next=f"remove these foreign keys, then: strangler takeover retire {name} --execute"
            "        (archives what stayed in place)",
        )


def _require_confirmation(group: str, confirmed: str, archives: tuple[str, ...]) -> None:
    if not confirms(confirmed, archives):
        raise NotConfirmed(
            f"nothing brings back what is dropped, and --confirm says {confirmed!r}; wanted the names of"
            " the archived tables",
            next=f"strangler takeover retire {group} --drop --execute --confirm {','.join(archives)}",
        )


def _drop(
    where: Where, databases: Databases, archives: Mapping[str, str], ending: Callable[[], None]
) -> None:
    lease = databases.take_leases().monolith
    shapes = [shape for name in archives.values() if (shape := databases.monolith.shape(name))]

    def drop(wait: float) -> None:
        with databases.monolith.transaction(lease, wait=wait, loose=True) as into:
            into.lock_out_everybody(shapes)
            into.drop([shape.table for shape in shapes])
            done = archive_of(into.note(Note.ARCHIVE))
            gone = msgspec.structs.replace(done, dropped=(*done.dropped, *archives))
            into.keep(Note.ARCHIVE, encode(gone))
            ending()

    try:
        where.patience.insist(where.group, drop)
    except Forbidden as fault:
        raise LacksRights(
            "the role that MONOLITH_DATABASE_URL connects as may not drop the archive of"
            f" {where.group!r}: {fault}; nothing was dropped. Wanted a superuser, or a member of"
            " strangler_archive",
            next=f"export MONOLITH_DATABASE_URL=URL        (then: strangler takeover retire {where.group}"
            " --drop)",
        ) from None
