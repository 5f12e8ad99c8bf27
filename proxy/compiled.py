"""Use the data path as machine code where `proxy.compile` made it from the very sources that are here.

It lies beside the byte code, in a folder named after its sources: sources that have changed since are
interpreted again, and nothing stale ever runs. Compiled or interpreted, the proxy does the same.
"""

import hashlib
import importlib.util
import os
import sys
from pathlib import Path

MODULES = (
    "access_line",
    "answer_head",
    "attempt",
    "body",
    "breaker",
    "cells",
    "cohort",
    "decide",
    "deciding",
    "downstream",
    "exchange",
    "fallback",
    "fields",
    "guard",
    "holds",
    "match",
    "metrics",
    "own_cookies",
    "patience",
    "pins",
    "pool",
    "question",
    "reply",
    "request_head",
    "runtime",
    "tallies",
    "templates",
    "trace",
    "tunnel",
    "unmatched",
    "upload",
    "upstream",
    "window",
)
INTERPRETED = "STRANGLER_INTERPRETED"  # set it, and the sources run whatever was compiled

PREFIX = "compiled-"

_HERE = Path(__file__).parent


def use(path: list[str]) -> None:
    """Put the compiled modules first on a package's path, where they fit the sources that are here."""
    place = folder()
    if os.environ.get(INTERPRETED) or not place.is_dir():
        return
    for shared in place.glob("*.so"):  # the modules look for it by its name
        name = shared.name.partition(".")[0]
        spec = importlib.util.spec_from_file_location(name, shared)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    path.insert(0, str(place / _HERE.name))


def in_use() -> bool:
    """Return whether this process runs compiled modules."""
    spec = importlib.util.find_spec("proxy.exchange")
    return spec is not None and spec.origin is not None and PREFIX in spec.origin


def folder() -> Path:
    """Return where modules compiled from the present sources lie."""
    digest = hashlib.sha256(sys.version.encode())
    for module in MODULES:
        digest.update((_HERE / f"{module}.py").read_bytes())
    return _HERE / "__pycache__" / (PREFIX + digest.hexdigest()[:16])
