"""What a WSGI origin saw of a request, told in a header of its answer. Shared by both frameworks' apps."""

import base64
import hashlib
import itertools
import json
import threading
from typing import Any

HEADER = "X-Echo"
ROUTES = {  # specific ones first: Django takes the first that fits
    "fixed": "/s/fixed/",
    "deep": "/s/deep/{rest...}",
    "item": "/s/{id}/",
    "sub": "/s/{id}/sub",
    "written": "/w/{rest...}",
    "kept-fixed": "/m/fixed/",
    "kept": "/m/{id}/",
}

_numbers = itertools.count(1)
_lock = threading.Lock()


def told(environ: dict[str, Any], body: bytes, view: str) -> str:
    """Return what arrived, as the value of HEADER. Requests whose body is whole are numbered from 1."""
    whole = len(body) == int(environ.get("CONTENT_LENGTH") or len(body))
    with _lock:
        number = next(_numbers) if whole else 0
    said = {
        "number": number,
        "view": view,
        "body": hashlib.sha256(body).hexdigest(),
        "environ": {key: value for key, value in environ.items() if isinstance(value, str)},
    }
    return base64.b64encode(json.dumps(said).encode()).decode()


def heard(value: str) -> dict[str, Any]:
    """Return what `told` said."""
    found: dict[str, Any] = json.loads(base64.b64decode(value))
    return found
