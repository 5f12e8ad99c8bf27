"""`takeover retire`: the one-way step. The monolith's tables follow no more and become an archive; there is
no rollback after it.

Their names change, so that whatever still reads them fails at once instead of reading rows that grow old; on
PostgreSQL they change hands too. They stay fenced, and nothing is deleted. A table to which others of the
monolith refer is not touched, unless it may stay where it is. Killed anywhere, the same command goes on.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from proxy.routes import Owner
from strangler.errors import LacksRights, NotConfirmed, ReferredTo, WrongOwner
from strangler.takeover.archive import (
    Archive,
    Retirement,
    archive_names,
    archive_of,
    confirms,
    referring,
    retirement_of,
)
from strangler.takeover.engines import Forbidden, Transaction
from strangler.takeover.fitness import fit_takeover
from strangler.takeover.handover import Where, opened_databases, switch_of
from strangler.takeover.session import Databases
from strangler.takeover.situation import require_sound_situation
from strangler.takeover.state import Lease, Note, encode
from strangler.takeover.switching import chase


class RetireStep(StrEnum):
    """How far a retirement has come."""

    PROVED = "proved"  # that the tables can be renamed and given away; nothing is changed yet
    CLOSED = "closed"  # nobody follows any more: the point of no return
    ARCHIVING = "archiving"  # renamed and given away, and not committed
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the one who retires says: which tables, and what may stay as it is."""

    confirmed: str = ""
    keep_referred: bool = False  # leave tables in place to which others in the monolith refer
    keep_owner: bool = False  # leave tables to their owner, who can disable the fence
    execute: bool = False

    @property
    def options(self) -> str:
        """What may stay as it is, as it was typed."""
        return " --keep-referred" * self.keep_referred + " --keep-owner" * self.keep_owner


@dataclass(frozen=True, slots=True)
class Retired:
    """What was retired, or would be. `archived`: the tables' new names; `in_place`: who refers to the others.

    `still_able`: former owners who can undo the change of hands, as superusers can.
    """

    group: str
    archived: Mapping[str, str]
    in_place: Mapping[str, tuple[str, ...]]
    executed: bool
    confirm: str
    still_able: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Retiring:
    """One run: the names, and of the tables that are left to do what becomes of each."""

    where: Where
    asked: Asked
    databases: Databases
    names: Mapping[str, str]
    done: Archive
    referred: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def renamed_now(self) -> list[str]:
        return [name for name in self.names if name not in (*self.done.renamed, *self.referred)]

    @property
    def given_now(self) -> list[str]:
        past = (*self.done.given_away, *self.done.dropped)
        return [] if self.asked.keep_owner else [name for name in self.names if name not in past]

    def archive(self, lease: Lease, ending: Callable[[], None]) -> tuple[str, ...]:
        """Rename and give away what is left to do, in one transaction; return who can undo that.

        Raises WritersInTheWay, LacksRights.
        """
        if not (self.renamed_now or self.given_now):
            return ()

        def attempt(wait: float) -> tuple[str, ...]:
            with self.databases.monolith.transaction(lease, wait=wait) as into:
                able = self._within(into)
                ending()
            return able

        try:
            return self.where.patience.insist(self.where.group, attempt)
        except Forbidden as fault:
            raise LacksRights(
                f"the role that MONOLITH_DATABASE_URL connects as may not archive the tables of"
                f" {self.where.group!r}: {fault}; none of them was touched. Wanted a superuser, or the"
                " tables' owner where he may also set the role strangler_archive",
                next=f"strangler takeover retire {self.where.group} --keep-owner        (their owner stays,"
                " who can disable the fence)",
            ) from None

    def _within(self, into: Transaction) -> tuple[str, ...]:
        called = {name: self.names[name] if name in self.done.renamed else name for name in self.names}
        concerned = [called[name] for name in self.names if name in (*self.renamed_now, *self.given_now)]
        shapes = {shape.table: shape for name in concerned if (shape := self.databases.monolith.shape(name))}
        into.lock_out_everybody(list(shapes.values()))
        for name in self.renamed_now:
            into.archive(shapes[name], self.names[name])
            called[name] = self.names[name]
        moved = [replace(shapes[name], table=self.names[name]) for name in self.renamed_now]
        into.fence(moved, self.where.group, self.databases.started().epoch)
        able = into.give_away([called[name] for name in self.given_now])
        done = Archive(
            (*self.done.renamed, *self.renamed_now),
            (*self.done.given_away, *self.given_now),
            self.done.dropped,
        )
        into.keep(Note.ARCHIVE, encode(done))
        return able

    def report(self, able: tuple[str, ...] = ()) -> Retired:
        """Return what was done, or would be."""
        archived = {name: self.names[name] for name in self.names if name not in self.referred}
        confirm = ",".join(self.names)
        return Retired(
            self.where.group, archived, self.referred, self.asked.execute, confirm, still_able=able
        )


class _Undone(Exception):
    """Ends a transaction that only proved something."""


def retire(
    where: Where, asked: Asked, today: date, reached: Callable[[RetireStep], None] = lambda _: None
) -> Retired:
    """End the reverse sync of a group that its service owns, and archive the monolith's tables.

    Safe to run again, and then finishes what is left: tables that others referred to, or their owner's.
    Raises ReferredTo, NotConfirmed, LacksRights, WrongOwner.
    """
    with opened_databases(where) as databases:
        databases.started()
        if asked.execute:
            databases.coordinate()
        retired = retirement_of(databases.service.read_note(where.group, Note.RETIRED))
        names = retired.names if retired else _fresh_names(where, databases, today)
        done = archive_of(databases.monolith.read_note(where.group, Note.ARCHIVE))
        run = _with_referred(_Retiring(where, asked, databases, names, done))
        if not asked.execute:
            return run.report()
        if retired is None:
            _require_confirmation(run)
            lease = _close(run, reached)
        else:
            lease = databases.take_leases().monolith
        able = run.archive(lease, lambda: reached(RetireStep.ARCHIVING))
        reached(RetireStep.ARCHIVED)
        return run.report(able)


def _fresh_names(where: Where, databases: Databases, today: date) -> dict[str, str]:
    now = require_sound_situation(fit_takeover(databases, where.mappings))
    if now.owner is not Owner.SERVICE:
        raise WrongOwner(
            f"the monolith owns {where.group!r}; wanted the service, before its copy there is given up",
            next=f"strangler takeover cutover {where.group}",
        )
    monolith = databases.monolith
    return archive_names(databases.group.tables, today, lambda name: monolith.shape(name) is not None)


def _with_referred(run: _Retiring) -> _Retiring:
    """Find out which tables must stay in place. Raises ReferredTo where they may not."""
    with run.databases.monolith.snapshot() as moment:
        everyone = {*run.names, *run.names.values()}
        found = referring(moment.references(), run.renamed_now, everyone)
    if found and not run.asked.keep_referred:
        listed = "\n     ".join(f"{table}: {', '.join(by)}" for table, by in found.items())
        raise ReferredTo(
            f"other tables of the monolith refer to {len(found)} of {run.where.group!r}; wanted none,"
            f" for their rows could name no row that is newer than the archive:\n     {listed}",
            next=f"remove these foreign keys in the monolith's migrations (db_constraint=False), or:"
            f" strangler takeover retire {run.where.group} --keep-referred        (these tables keep their"
            " names)",
        )
    return replace(run, referred=found)


def _require_confirmation(run: _Retiring) -> None:
    if not confirms(run.asked.confirmed, run.names):
        wanted, options = ",".join(run.names), run.asked.options
        raise NotConfirmed(
            f"there is no way back from retiring {run.where.group!r}, and --confirm says"
            f" {run.asked.confirmed!r}; wanted the names of its tables",
            next=f"strangler takeover retire {run.where.group}{options} --execute --confirm {wanted}",
        )


def _close(run: _Retiring, reached: Callable[[RetireStep], None]) -> Lease:
    """Prove that the tables can be archived; follow a last time, and never again. Return the lease."""
    takeover = fit_takeover(run.databases, run.where.mappings)
    switch = switch_of(takeover, run.where, Owner.SERVICE, run.databases.started().next_epoch)

    def undo() -> None:
        raise _Undone

    with suppress(_Undone):
        run.archive(switch.leases.monolith, undo)
    reached(RetireStep.PROVED)
    chase(switch)

    def close(wait: float) -> None:
        with switch.old.transaction(switch.leases.service, wait=wait) as into:
            into.lock_out_writers(switch.flow.sources)
            into.stop_capture(switch.flow.sources)
            into.keep(Note.RETIRED, encode(Retirement(run.names)))

    run.where.patience.insist(run.where.group, close)
    reached(RetireStep.CLOSED)
    return switch.leases.monolith
