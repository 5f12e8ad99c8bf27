"""Write a route's new position into the text of a routing table. Pure: text in, text out.

Comments, order and spacing stay as they are; nothing but the route's own stage and percent may change.
"""

from typing import Any

import tomlkit

from proxy.routes import Stage
from strangler.steps import Position


def moved(text: str, route: str, position: Position) -> str:
    """Return `text` with one route at a new position. The route must be in it."""
    document = tomlkit.parse(text)
    entry = next(entry for entry in document["routes"] if entry["name"] == route)
    entry["stage"] = str(position.stage)
    if position.stage is Stage.CANARY:
        entry["percent"] = position.percent
    else:
        _drop_percent(entry)
    return tomlkit.dumps(document)


def _drop_percent(entry: Any) -> None:
    percent = entry.get("percent")
    if percent is None:
        return
    if percent.trivia.comment:
        entry["percent"] = 0  # the line carries somebody's comment; no share says the same as no line
    else:
        del entry["percent"]
