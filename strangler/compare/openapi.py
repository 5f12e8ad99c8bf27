"""Read from an OpenAPI description what a path can be asked. Pure.

Only what a search needs: the parameters of an operation, each with its place, type and named values.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from proxy.match import BadPath, parse_template


@dataclass(frozen=True)
class Parameter:
    """One parameter. `kind` is the schema's type or format; `choices` its enum, empty where it has none."""

    name: str
    is_in_path: bool
    kind: str
    choices: tuple[str, ...] = ()


class NotDescribed(ValueError):
    """The document is no OpenAPI description, or does not describe the path."""


def parameters_of(document: bytes, path: str) -> tuple[Parameter, ...]:
    """Return the parameters of GET on a path template. Raises NotDescribed."""
    try:
        paths: Mapping[str, Any] = json.loads(document)["paths"]
        wanted = parse_template(path)
        found = next((item for name, item in paths.items() if _is_template(name, wanted)), None)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotDescribed(f"it is no OpenAPI description in JSON: {error!r}") from None
    if found is None or "get" not in found:
        raise NotDescribed(f"it describes no GET {path}; it has {', '.join(list(paths)[:5])}, …")
    listed = [*found.get("parameters", []), *found["get"].get("parameters", [])]
    return tuple(_parameters(listed))


def _is_template(name: str, wanted: tuple[bytes, ...]) -> bool:
    try:
        return parse_template(name) == wanted
    except BadPath:
        return False


def _parameters(listed: list[Any]) -> Iterator[Parameter]:
    for item in listed:
        if isinstance(item, dict) and item.get("in") in ("path", "query"):
            schema = item.get("schema", {})
            inner = schema.get("items", {}) if schema.get("type") == "array" else schema
            choices = tuple(map(str, inner.get("enum", [])))
            kind = inner.get("format") or inner.get("type") or "string"
            yield Parameter(item["name"], item["in"] == "path", kind, choices)
