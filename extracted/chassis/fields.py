"""What a field of a body is: how a value is accepted, written, and described by OPTIONS, as in DRF.

Own code rather than marshmallow or pydantic: both word, order and coerce differently from DRF in nearly
every case (`"5"` for an integer, `1` for a string, blank against null), so each message would be
overridden one by one and every upgrade could change what a client reads. Source: rest_framework/fields.py.
Reads no database: what must be looked up is asked of a `Lookup`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from operator import attrgetter
from typing import Any, ClassVar, Final, Protocol


class Missing(Enum):
    """The one value that says a body does not name a field."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


class Invalid(Exception):
    """A value is not acceptable; `messages` say why."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = list(messages)


class Lookup(Protocol):
    """What a field asks about rows that exist."""

    def taken(self, name: str, value: str) -> bool:
        """Whether a row other than the one being changed has this value in field `name`."""

    def exists(self, name: str, key: int) -> bool:
        """Whether there is a row that field `name` may refer to by `key`."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a body: what it accepts, how it is written, what OPTIONS says of it.

    `source` is the attribute it is read from and stored to, dotted for one of another row; its own name
    where it is None.
    """

    label: str | None = None
    required: bool = True
    read_only: bool = False
    write_only: bool = False
    nullable: bool = False
    source: str | None = None

    kind: ClassVar[str] = "field"

    def accept(self, name: str, value: Any, lookup: Lookup) -> Any:
        """Return the value to store, or MISSING where none is given and none needed; raise Invalid."""
        if value is MISSING:
            if self.required:
                raise Invalid("This field is required.")
            return MISSING
        if value is None:
            if not self.nullable:
                raise Invalid("This field may not be null.")
            return None
        parsed = self.parse(name, value, lookup)
        faults = list(self.faults(name, parsed, lookup))
        if faults:
            raise Invalid(*faults)
        return parsed

    def parse(self, name: str, value: Any, lookup: Lookup) -> Any:
        """Turn a value of the body into the value to store; raise Invalid."""
        raise NotImplementedError(f"{type(self).__name__} is read-only")

    def faults(self, name: str, value: Any, lookup: Lookup) -> Iterator[str]:
        """Say everything that is wrong with a parsed value."""
        yield from ()

    def represent(self, value: Any) -> Any:
        """Write a stored value that is not None."""
        return value

    def describe(self, name: str) -> dict[str, Any]:
        """Say what OPTIONS says of the field."""
        return {
            "type": self.kind,
            "required": self.required and not self.read_only,
            "read_only": self.read_only,
            "label": self.label or name.replace("_", " ").capitalize(),
            **self.limits(),
        }

    def limits(self) -> dict[str, Any]:
        """Say the limits that OPTIONS names, in DRF's order."""
        return {}


@dataclass(frozen=True, kw_only=True)
class ReadOnly(Field):
    """A field that is only ever written out, as it is."""

    read_only: bool = True


@dataclass(frozen=True, kw_only=True)
class Nested(ReadOnly):
    """An object inside the answer."""

    fields: Mapping[str, Field] = field(default_factory=dict)

    kind: ClassVar[str] = "nested object"

    def represent(self, value: Any) -> dict[str, Any]:
        return represent(self.fields, value)

    def describe(self, name: str) -> dict[str, Any]:
        return super().describe(name) | {"children": describe(self.fields)}


@dataclass(frozen=True, kw_only=True)
class Many(ReadOnly):
    """A list of objects inside the answer."""

    child: Nested

    def represent(self, value: Any) -> list[dict[str, Any]]:
        return [self.child.represent(item) for item in value]

    def describe(self, name: str) -> dict[str, Any]:
        child = self.child.describe(name)
        del child["label"]
        return super().describe(name) | {"child": child}


def represent(fields: Mapping[str, Field], row: Any) -> dict[str, Any]:
    """Write a row as the body of an answer, fields in their order."""
    written = {}
    for name, kind in fields.items():
        if kind.write_only:
            continue
        value = attrgetter(kind.source or name)(row)
        written[name] = None if value is None else kind.represent(value)
    return written


def describe(fields: Mapping[str, Field]) -> dict[str, Any]:
    """Say what OPTIONS says of each field."""
    return {name: kind.describe(name) for name, kind in fields.items()}
