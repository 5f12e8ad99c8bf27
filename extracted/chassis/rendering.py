"""Write a body byte for byte as DRF's JSONRenderer does: compact, raw Unicode. Pure."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

# What may stand in a body that goes out; a Decimal is written as a JSON number.
Json = Mapping[str, Any] | Sequence[Any] | str | float | Decimal | bool | None


def render_json(data: Json, indent: int | None = None) -> bytes:
    """Return `data` as UTF-8 JSON. NaN and infinities raise ValueError."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(
        data, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators, default=_number
    )
    # DRF escapes these two so that its JSON is a subset of JavaScript before ES2019.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def _number(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in a body")
