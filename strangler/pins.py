"""Compare the installed packages with `requirements.txt`. Reads the environment's metadata only."""

import re
from collections.abc import Iterator
from importlib import metadata

_GROUP = re.compile(r"# \[(\w+)\]")
_PIN = re.compile(r"([A-Za-z0-9._-]+)==(\S+)")
# What a running installation needs none of; absent is as good as present.
OPTIONAL_GROUPS = frozenset({"tests", "bench"})


def differing_pins(requirements: str) -> tuple[str, ...]:
    """Return every package that is installed at another version than pinned, or not at all."""
    return tuple(dict.fromkeys(_differing(requirements)))


def _differing(requirements: str) -> Iterator[str]:
    group = ""
    for line in requirements.splitlines():
        if heading := _GROUP.fullmatch(line.strip()):
            group = heading[1]
        elif pin := _PIN.match(line):
            found = _installed(pin[1])
            if found is None and group in OPTIONAL_GROUPS:
                continue
            if found != pin[2]:
                yield f"{pin[1]} {found or 'missing'}, {pin[2]} is pinned"


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
