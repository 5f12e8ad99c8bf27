"""Check a whole body against a form's fields, all errors at once, as DRF's serializers do."""

from collections.abc import Mapping
from typing import Any

from extracted.chassis.errors import ValidationError
from extracted.chassis.fields import MISSING, Field, Invalid, Lookup


def accept(fields: Mapping[str, Field], data: Any, lookup: Lookup, *, partial: bool) -> dict[str, Any]:
    """Return the values to store by attribute name; raise ValidationError naming every wrong field.

    With `partial` (PATCH) a field that the body does not name is left alone.
    """
    _refuse_no_object(data)
    accepted, errors = {}, {}
    for name, kind in fields.items():
        value = data.get(name, MISSING)
        if kind.read_only or (partial and value is MISSING):
            continue
        try:
            accepted[kind.source or name] = kind.accept(name, value, lookup)
        except Invalid as refusal:
            errors[name] = refusal.messages
    if errors:
        raise ValidationError(errors)
    return {name: value for name, value in accepted.items() if value is not MISSING}


def _refuse_no_object(data: Any) -> None:
    if data is None:
        raise ValidationError({"non_field_errors": ["No data provided"]})
    if not isinstance(data, Mapping):
        fault = f"Invalid data. Expected a dictionary, but got {type(data).__name__}."
        raise ValidationError({"non_field_errors": [fault]})
