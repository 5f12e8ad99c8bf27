"""Write a route's new position, or a group's new owner, into the text of a routing table. Pure: text in,
text out.

Comments, order and spacing stay as they are; nothing but what moves may change.
"""

from collections.abc import Iterable
from typing import Any

import tomlkit

from proxy.routes import Owner, Stage
from strangler.steps import Position


def moved(text: str, route: str, position: Position) -> str:
    """Return `text` with one route at a new position. The route must be in it."""
    document = tomlkit.parse(text)
    _place(document, route, position)
    return tomlkit.dumps(document)


def handed_over(text: str, group: str, owner: Owner, routes: Iterable[str], position: Position) -> str:
    """Return `text` with another owner of a group and its `routes` at a new position. All must be in it."""
    document: Any = tomlkit.parse(text)
    document["groups"][group]["owner"] = str(owner)
    for route in routes:
        _place(document, route, position)
    return tomlkit.dumps(document)


def _place(document: Any, route: str, position: Position) -> None:
    entry = next(entry for entry in document["routes"] if entry["name"] == route)
    entry["stage"] = str(position.stage)
    if position.stage is Stage.CANARY:
        _set_percent(entry, position.percent)
    else:
        _drop_percent(entry)


def _set_percent(entry: Any, percent: float) -> None:
    if "percent" in entry:
        entry["percent"] = percent
        return
    # What follows the last key belongs to the next entry: its comment, the empty line before it.
    body = entry.value.body
    keys = next((index for index in range(len(body), 0, -1) if body[index - 1][0] is not None), 0)
    following = body[keys:]
    del body[keys:]
    entry["percent"] = percent
    body.extend(following)


def _drop_percent(entry: Any) -> None:
    percent = entry.get("percent")
    if percent is None:
        return
    if percent.trivia.comment:
        entry["percent"] = 0  # the line carries somebody's comment; no share says the same as no line
    else:
        del entry["percent"]
