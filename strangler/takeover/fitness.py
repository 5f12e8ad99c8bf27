"""Find everything that stands in the way of a takeover, before anything is touched. Read-only.

It sees what the schemas say. What only the values say (text in an integer column, say) the copy itself finds
and names, and keeps nothing of.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, replace

from strangler.errors import (
    ColumnsDiffer,
    NoPrimaryKey,
    Refused,
    SchemaForbids,
    TableMissing,
    UnfitValues,
    UnsupportedEngines,
)
from strangler.takeover.carrying import Conversion, carrier_between
from strangler.takeover.engines import Engine, Reference, Snapshot
from strangler.takeover.mapping import Mapping, TableMapping
from strangler.takeover.matching import misfits
from strangler.takeover.session import Databases, Takeover
from strangler.takeover.shape import Constant, Pair, Shape, parents_first
from strangler.takeover.values import converter

CONTENT_TYPES = "django_content_type"
ACTING = {"CASCADE", "SET NULL", "SET DEFAULT"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one table. It `blocks`, or is said so that somebody thinks of it."""

    table: str
    found: str
    wanted: str
    blocks: bool
    refusal: type[Refused] = SchemaForbids

    def __str__(self) -> str:
        return f"{self.table}: {self.found}; {self.wanted}"


@dataclass(frozen=True, slots=True)
class Fitness:
    """The pairs of tables that fit, and everything found."""

    pairs: tuple[Pair, ...]
    findings: tuple[Finding, ...]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What forbids the takeover."""
        return tuple(finding for finding in self.findings if finding.blocks)

    def refuse(self, group: str) -> None:
        """Raise the first blocking finding's refusal, which lists them all."""
        if self.blocking:
            listed = "\n     ".join(map(str, self.blocking))
            raise self.blocking[0].refusal(
                f"{len(self.blocking)} thing(s) stand in the way of taking over {group!r};"
                " nothing was touched"
                f"\n     {listed}",
                next=f"strangler takeover plan {group}        (once they are put right)",
            )


def fit_takeover(databases: Databases, mapping: Mapping) -> Takeover:
    """Return the takeover. Raises what `fitness` found to block it."""
    fit = fitness(databases, mapping)
    fit.refuse(databases.group.name)
    return Takeover(databases, fit.pairs)


def fitness(databases: Databases, mapping: Mapping) -> Fitness:
    """Look at both schemas and return what fits and what does not. Raises WrongOwner for a retired group."""
    findings: list[Finding] = []
    pairs: list[Pair] = []
    databases.refuse_retired()
    carrier_between(databases.monolith.engine, databases.service.engine)
    if databases.monolith.engine is Engine.POSTGRESQL and databases.service.engine is Engine.SQLITE:
        raise UnsupportedEngines(
            "there is no way from postgresql to sqlite; wanted one engine on both sides, or"
            " sqlite to postgresql",
            next="strangler doctor",
        )
    findings += _doubly_mapped(databases.group.tables, mapping)
    for table in databases.group.tables:
        named = mapping.table(table)
        source = databases.monolith.shape(table)
        there = {name: databases.service.shape(name) for name in named.tables(table)}
        findings += _absent(table, "monolith", source)
        findings += [finding for name, shape in there.items() for finding in _absent(name, "service", shape)]
        targets = {name: shape for name, shape in there.items() if shape is not None and shape.key}
        if source is not None and source.key and targets.keys() == there.keys():
            pair, differing = _paired(databases, source, targets, named)
            findings += differing
            if pair is not None:
                findings += [finding for leg in pair.legs for finding in _types(databases, leg)]
                pairs.append(pair)
    findings += _references(databases, pairs)
    if databases.ownership() is None:  # later, each step names what it meets
        findings += _values(databases, pairs)
    return Fitness(tuple(parents_first(pairs)), tuple(findings))


def _doubly_mapped(tables: Sequence[str], mapping: Mapping) -> Iterator[Finding]:
    into = [(name, table) for table in tables for name in mapping.table(table).tables(table)]
    for name, times in sorted(Counter(name for name, _ in into).items()):
        if times > 1:
            yield Finding(
                name,
                f"the service's table is doubly mapped, for {', '.join(of for to, of in into if to == name)}",
                "one table for each, and for each part",
                blocks=True,
                refusal=ColumnsDiffer,
            )


def _absent(table: str, whose: str, shape: Shape | None) -> Iterator[Finding]:
    if shape is None:
        yield Finding(
            table,
            f"the {whose}'s database has no such table",
            f"run the {whose}'s migrations",
            blocks=True,
            refusal=TableMissing,
        )
    elif not shape.key:
        yield Finding(
            table,
            f"no primary key in the {whose}'s database and nothing unique that is never NULL, so"
            " rows cannot be told apart",
            f"give {table} a primary key",
            blocks=True,
            refusal=NoPrimaryKey,
        )
    elif folding := sorted(shape.folding & set(shape.key)):
        yield Finding(
            table,
            f"the key's {', '.join(folding)} has a collation in the {whose}'s database by which other texts"
            " are equal",
            "a deterministic collation, for the copy may have another",
            blocks=True,
        )
    elif of_lists := [name for name in shape.key if shape.columns[name].endswith("[]")]:
        yield Finding(
            table,
            f"the key's {', '.join(of_lists)} holds lists in the {whose}'s database",
            "a key of numbers or text, for the captured keys are logged as lists",
            blocks=True,
        )
    elif of_bytes := [name for name in shape.key if shape.columns[name].lower() in BYTES]:
        yield Finding(
            table,
            f"the key's {', '.join(of_bytes)} holds bytes in the {whose}'s database",
            "a key of numbers or text, for the captured keys are written as text",
            blocks=True,
        )
    elif len(table) > LONGEST_NAME:
        yield Finding(table, f"{len(table)} letters in its name", f"at most {LONGEST_NAME}", blocks=True)


# PostgreSQL cuts names at 63 letters; a capture function is named `truncated_` and the table.
LONGEST_NAME = 50
BYTES = {"blob", "bytea"}


def _paired(
    databases: Databases, source: Shape, targets: Dictionary[str, Shape], named: TableMapping
) -> tuple[Pair | None, list[Finding]]:
    """Pair a table with the service's, of which the parent's is the first."""
    target = targets[named.into(source.table)]
    engines = databases.monolith.engine, databases.service.engine
    findings = [
        Finding(source.table, found, wanted, blocks=True, refusal=ColumnsDiffer)
        for found, wanted in misfits(source, target, named, engines, targets)
    ]
    if findings:
        return None, findings
    pair = named.pair(source, target, targets, typed=engines == (Engine.POSTGRESQL, Engine.POSTGRESQL))
    if set(pair.key_into) != set(target.key):  # the source's key is another unique one there
        pair = replace(pair, target=replace(pair.target, key=pair.key_into))
    return pair, []


def _types(databases: Databases, pair: Pair) -> Iterator[Finding]:
    engines = databases.monolith.engine, databases.service.engine
    for column, into in zip(pair.columns, pair.into, strict=True):
        if isinstance(column, Constant):
            continue
        has, gets = pair.source.columns[column], pair.target.columns[into]
        if engines == (Engine.POSTGRESQL, Engine.POSTGRESQL) and has != gets:
            yield Finding(
                pair.table,
                f"{column} is {has} in the monolith, {gets} in the service",
                "the same type, for bytes are copied as they are",
                blocks=True,
                refusal=ColumnsDiffer,
            )
        if engines == (Engine.SQLITE, Engine.POSTGRESQL) and converter(gets) is None:
            yield Finding(
                pair.table,
                f"{into} is of type {gets}; no conversion from SQLite is known for it",
                "a type of the standard set",
                blocks=True,
                refusal=UnfitValues,
            )


def _values(databases: Databases, pairs: Sequence[Pair]) -> Iterator[Finding]:
    """Read every value that will be converted, and name the first of each table's that cannot be."""
    if databases.monolith.engine is databases.service.engine:
        return
    with databases.monolith.snapshot() as moment:
        for leg in (leg for pair in pairs for leg in pair.legs):
            conversion = Conversion(leg.target, leg.into)
            rows = moment.chunk(leg.source, leg.columns, None, None, ordered=False).rows()
            for _ in conversion.of(rows):
                pass
            yield from (
                Finding(leg.table, fault, "a value of the column's type", blocks=True, refusal=UnfitValues)
                for fault in conversion.faults
            )


def _references(databases: Databases, pairs: Sequence[Pair]) -> Iterator[Finding]:
    with databases.monolith.snapshot() as ours, databases.service.snapshot() as theirs:
        yield from _foreign_keys("monolith", ours, {pair.source.table for pair in pairs})
        targets = [shape.table for pair in pairs for shape in pair.target.tables]
        yield from _foreign_keys("service", theirs, set(targets))
        yield from _generic(databases, ours.references(), {pair.source.table for pair in pairs})
        for whose, moment, tables in (
            ("monolith", ours, [pair.source.table for pair in pairs]),
            ("service", theirs, targets),
        ):
            yield from (
                Finding(
                    table,
                    f"trigger {trigger.name} in the {whose}'s database",
                    "it fires for what the takeover applies too; see that it may",
                    blocks=False,
                )
                for table in tables
                for trigger in moment.triggers(table)
            )


def _foreign_keys(whose: str, moment: Snapshot, tables: set[str]) -> Iterator[Finding]:
    for reference in moment.references():
        inside, outside = reference.table in tables, reference.to in tables
        text = f"{reference.table} ({', '.join(reference.columns)}) refers to {reference.to}"
        if outside:
            yield from _into_the_set(whose, reference, text)
        if outside and not inside and whose == "monolith":
            yield Finding(
                reference.table,
                f"{text}, from outside the group",
                "the monolith's copy stays, and follows the service until `takeover retire`",
                blocks=False,
            )
        if inside and not outside:
            blocks = whose == "service"
            wanted = (
                "rows that the service cannot be sure to have: drop the constraint"
                if blocks
                else "the service keeps the id, and nobody checks it"
            )
            yield Finding(reference.table, f"{text}, out of the group ({whose})", wanted, blocks=blocks)


def _generic(databases: Databases, references: Sequence[Reference], tables: set[str]) -> Iterator[Finding]:
    """Name what may point at the group's rows without a constraint: a content type beside an object's id."""
    for reference in references:
        if reference.to == CONTENT_TYPES and reference.table not in tables:
            shape = databases.monolith.shape(reference.table)
            if shape is not None and "object_id" in shape.columns:
                yield Finding(
                    reference.table,
                    f"a generic foreign key ({', '.join(reference.columns)}, object_id), which"
                    " may point into it",
                    "no constraint protects it: see what the application does with rows that went",
                    blocks=False,
                )


def _into_the_set(whose: str, reference: Reference, text: str) -> Iterator[Finding]:
    if reference.on_delete in ACTING or reference.on_update in ACTING:
        action = reference.on_delete if reference.on_delete in ACTING else f"{reference.on_update} (update)"
        yield Finding(
            reference.table,
            f"{text} with {action} in the {whose}'s database: replacing a row would take others with it",
            "NO ACTION, as Django makes it",
            blocks=True,
        )
    elif not reference.deferred:
        yield Finding(
            reference.table,
            f"{text}, checked at once in the {whose}'s database: no row could be replaced",
            "DEFERRABLE, as Django makes it",
            blocks=True,
        )
