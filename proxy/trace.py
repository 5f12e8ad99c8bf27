"""W3C trace context, version 00 (w3.org/TR/trace-context). Pure: random numbers come in as arguments.

A client's trace goes on as it came; a request without one begins a trace. Nothing is ever taken over from a
header that is not well-formed.
"""

import re
from binascii import hexlify

_TRACEPARENT = re.compile(rb"([0-9a-f]{2})(-([0-9a-f]{32})-([0-9a-f]{16})-)([0-9a-f]{2})(-.*)?", re.DOTALL)
_LINE = b"\r\ntraceparent: "
_SPAN, _SPAN_END = 36, 52  # of a traceparent: its 16 digits of a span id
_MAX_STATE = 512  # bytes that must be passed on (3.3.1.5); a longer list is dropped whole


def continued(traceparent: bytes) -> bytes:
    """Return a client's traceparent as it is passed on, empty where it is not well-formed."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or found[1] == b"ff" or not int(found[3], 16) or not int(found[4], 16):
        return b""
    if found[1] == b"00":
        return b"" if found[6] is not None else traceparent
    # 3.2.4: of a later version only what version 00 knows is understood, and only that is passed on
    return b"00%b%02x" % (found[2], int(found[5], 16) & 1)


def accepted_state(tracestate: bytes) -> bytes:
    """Return a tracestate as it is passed on, empty where it is too long."""
    return tracestate if len(tracestate) <= _MAX_STATE else b""


def begun(prefix: bytes, bits: int) -> bytes:
    """Return the traceparent of a new, sampled trace: 16 digits of the worker's own, 64 random bits."""
    # Samplers decide by the lower half, so that is random; the first span needs no number of its own.
    digits = hexlify((bits or 1).to_bytes(8, "big"))
    return b"00-" + prefix + digits + b"-" + digits + b"-01"


def trace_id(traceparent: bytes) -> bytes:
    """Return the 32 digits of the trace a well-formed traceparent belongs to."""
    return traceparent[3:35]


def with_span(head: bytes, span: int) -> bytes:
    """Return a request's head with another span id under the same trace, unchanged where it has none."""
    at = head.find(_LINE)
    if at < 0:
        return head
    at += len(_LINE)
    return head[: at + _SPAN] + b"%016x" % (span or 1) + head[at + _SPAN_END :]
