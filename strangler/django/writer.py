"""Name what writes: the request, the admin's page, the management command, else the program. Pure.

Names are few, whatever is written: a request's path is that of its route. Nothing here fails.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import PurePath
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.http import HttpRequest

LONGEST = 200
UNFIT = re.compile(r"[^ -~]|[%*;\\'\"]")  # for a comment in SQL, or for whoever fills in parameters

_answering: ContextVar[HttpRequest | None] = ContextVar("strangler_answering", default=None)


@contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    """Name `request` as what writes, until the block ends."""
    token = _answering.set(request)
    try:
        yield
    finally:
        _answering.reset(token)


def writer() -> str:
    """Return the name of what this thread does now.

    A thread that a command started is not seen as the command's: it is the program that writes.
    """
    request = _answering.get()
    found = _requested(request) if request is not None else _command(inspect.currentframe()) or _program()
    return UNFIT.sub("_", found)[:LONGEST]


def _requested(request: HttpRequest) -> str:
    match = request.resolver_match
    if match is None:
        return f"request {request.method} before its view"
    if "admin" in match.app_names:
        return f"admin {match.url_name}{_action(request)}"
    return f"request {request.method} {_template(request.path_info, match)}"


def _action(request: HttpRequest) -> str:
    """Return the bulk action that was chosen; a body that nobody has read is not read here."""
    chosen = request.POST.get("action", "") if hasattr(request, "_post") else ""
    return f" {chosen}" if chosen.isidentifier() else ""


def _template(path: str, match: Any) -> str:
    """Return a path with the names of its parts in place of what they were."""
    named = {str(value): name for name, value in match.kwargs.items() if value is not None}
    named |= {str(value): str(place) for place, value in enumerate(match.args)}
    long = sorted((value for value in named if "/" in value), key=len, reverse=True)
    for value in long:
        path = path.replace(value, f"{{{named[value]}}}")
    return "/".join(f"{{{named[part]}}}" if part and part in named else part for part in path.split("/"))


def _command(frame: FrameType | None) -> str:
    """Return the management command that runs here, the outermost, empty where none does."""
    found = ""
    while frame is not None:
        if frame.f_code is BaseCommand.execute.__code__:
            found = f"command {type(frame.f_locals['self']).__module__.rpartition('.')[2]}"
        frame = frame.f_back
    return found


def _program() -> str:
    return f"program {PurePath(sys.argv[0] or 'python').name if sys.argv else 'python'}"
