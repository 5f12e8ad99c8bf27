"""The line of JSON that a request leaves in the access log. Pure: moments come in as arguments.

Nothing in it is what a client wrote, but for a method and a request id that were found well-formed: a path is
told by its route's template, or with `{id}` for whatever varies. So nothing in it needs to be escaped.
"""

import json
import time
from functools import lru_cache

from proxy.routes import Route
from proxy.templates import template_of
from proxy.trace import trace_id

CLIENT_LEFT = "client_left"  # said where an error would be: nobody was there to be answered


class Entry:
    """What a request leaves for its line. Moments are of the monotonic clock, 0 for what never came."""

    def __init__(
        self,
        request_id: bytes,
        client: str,
        status: int,
        sent: int,
        target: str,
        started: float,
        ended: float,
    ) -> None:
        self.request_id = request_id
        self.client = client
        self.status = status
        self.sent = sent  # bytes of the answer's body
        self.target = target
        self.started = started
        self.ended = ended
        self.connected = 0.0
        self.first_byte = 0.0
        self.version = ""
        self.method = b""  # empty where the head was refused
        self.path = b""
        self.traceparent = b""
        self.route: Route | None = None
        self.bucket: int | None = None
        self.pinned = False
        self.claimed = False
        self.followed = False
        self.rehearsed = False
        self.unparked = 0.0
        self.fallback: str | None = None  # why the monolith answered for a service
        self.error: str | None = None


def line_of(entry: Entry, clock_offset: float) -> str:
    """Return the line of an entry. `clock_offset` makes a monotonic moment a Unix time.

    Durations are whole microseconds from the request's head.
    """
    started = entry.started
    return "".join(
        (
            _time(started + clock_offset),
            entry.request_id.decode(),
            '","client":"',
            entry.client,
            '","status":',
            str(entry.status),
            ',"bytes":',
            str(entry.sent),
            ',"total_us":',
            str(int((entry.ended - started) * 1e6)),
            ',"target":"',
            entry.target,
            '"',
            _asked(entry) if entry.method else "",
            _now_and_then(entry, started),
            "}\n",
        )
    )


def _asked(entry: Entry) -> str:
    """Return what is told of a request whose head was one."""
    route = entry.route
    where = _where(route.name, route.stage, route.path) if route is not None else _path(entry.path)
    return "".join(
        (
            ',"version":"',
            entry.version,
            '","trace_id":"',
            trace_id(entry.traceparent).decode(),
            '","method":"',
            entry.method.decode(),
            where,
        )
    )


def _now_and_then(entry: Entry, started: float) -> str:
    """Return what not every request has."""
    said = ""
    if entry.connected:
        said += ',"connect_us":' + str(int((entry.connected - started) * 1e6))
    if entry.first_byte:
        said += ',"first_byte_us":' + str(int((entry.first_byte - started) * 1e6))
    if entry.bucket is not None:
        said += ',"bucket":' + str(entry.bucket)
    if entry.pinned or entry.claimed or entry.followed or entry.rehearsed:
        said += _course(entry)
    if entry.unparked:
        said += ',"unparked_us":' + str(int((entry.unparked - started) * 1e6))
    if entry.fallback is not None:
        said += ',"fallback":"' + entry.fallback + '"'
    if entry.error is not None:
        said += ',"error":"' + entry.error + '"'
    return said


def _course(entry: Entry) -> str:
    said = ',"pinned":true' if entry.pinned else ""
    if entry.claimed:
        said += ',"claimed":true'
    if entry.followed:
        said += ',"followed":true'
    if entry.rehearsed:
        said += ',"rehearsed":true'
    return said


def _time(moment: float) -> str:
    """Return the beginning of a line: a Unix time as RFC 3339 has it, in UTC, with microseconds."""
    second = int(moment)
    micros = str(int((moment - second) * 1e6) + 1_000_000)  # seven digits, of which the first is dropped
    return _second(second) + micros[1:] + 'Z","request_id":"'


@lru_cache(maxsize=8)
def _second(second: int) -> str:
    return time.strftime('{"time":"%Y-%m-%dT%H:%M:%S.', time.gmtime(second))


@lru_cache(maxsize=8192)
def _where(route: str, stage: str, path: str) -> str:
    return f'","path":{json.dumps(path)},"route":"{route}","stage":"{stage}"'


def _path(path: bytes) -> str:
    return '","path":"' + template_of(path) + '"'
