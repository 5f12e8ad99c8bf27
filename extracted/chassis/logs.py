"""Write one JSON line a request, with the ids by which the same request is found in other logs."""

import logging
import re
import sys
import time
import uuid

from flask import Flask, Response, g, request
from pythonjsonlogger.json import JsonFormatter

from extracted.chassis.rehearsals.current import current

REQUEST_ID = "X-Request-ID"
# W3C Trace Context, version 00: version-trace-parent-flags; an all-zero trace is none.
TRACEPARENT = re.compile(r"^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$")
# What a client may make us write: no line breaks, no pages of text.
PLAIN_ID = re.compile(r"^[\w.:/+=-]{1,128}$")


def log_as_json(level: str) -> None:
    """Send every log line of the process to stderr as JSON. Replaces the handlers there were."""
    handler = logging.StreamHandler(sys.stderr)
    fields = ["asctime", "levelname", "name", "message"]
    handler.setFormatter(
        JsonFormatter(fields, style="{", rename_fields={"asctime": "time", "levelname": "level"})
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


def add_request_log(app: Flask) -> None:
    """Log every request but health questions."""
    access = logging.getLogger(f"{app.name}.access")

    @app.before_request
    def start() -> None:
        g.arrived = time.perf_counter()

    @app.after_request
    def log(response: Response) -> Response:
        if request.path not in {"/healthz", "/readyz", "/metrics"}:
            access.info("request", extra=_line(response.status_code, time.perf_counter() - g.arrived))
        return response


def request_id(given: str | None) -> str:
    """Return the id that came with the request where it is a plain one, else a new one."""
    return given if given and PLAIN_ID.match(given) else uuid.uuid4().hex


def trace_id(traceparent: str | None) -> str | None:
    """Return the trace that a W3C traceparent names, None where it names none."""
    found = TRACEPARENT.match(traceparent or "")
    return found and found[1]


def _line(status: int, seconds: float) -> dict[str, object]:
    return {
        "request_id": request_id(request.headers.get(REQUEST_ID)),
        "trace_id": trace_id(request.headers.get("traceparent")),
        "method": request.method,
        "path": request.path,
        "status": status,
        "ms": round(seconds * 1000, 2),
        **({"rehearsal": True} if current() else {}),
    }
