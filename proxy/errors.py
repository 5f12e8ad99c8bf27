"""Who failed doing what: every error the proxy itself answers. One enum drives status, log and metric."""

import enum


class ForwardError(enum.Enum):
    """An id for logs and metrics, the status a client sees, and the sentence it reads: never an address."""

    BAD_REQUEST = ("bad_request", 400, "The request is not well-formed HTTP.")
    BAD_PATH = ("bad_path", 400, "The path has no canonical form.")
    BAD_HOST = ("bad_host", 400, "The request names no host, several, or one that is not well-formed.")
    BAD_FRAMING = ("bad_framing", 400, "The length of the request's body is ambiguous.")
    RESERVED_PATH = ("reserved_path", 404, "Nothing is here for clients.")
    METHOD_REFUSED = ("method_refused", 405, "The proxy does not forward this method.")
    REQUEST_TIMEOUT = ("request_timeout", 408, "The request's head did not arrive in time.")
    BODY_TIMEOUT = ("body_timeout", 408, "The request's body stopped arriving.")
    CLIENT_STALLED = ("client_stalled", 408, "The client stopped reading the answer.")
    HEAD_TOO_LARGE = ("head_too_large", 431, "The request's head is too large.")
    UPSTREAM_UNREACHABLE = ("upstream_unreachable", 503, "The upstream did not accept a connection.")
    UPSTREAM_RESET = ("upstream_reset", 502, "The upstream closed the connection without an answer.")
    UPSTREAM_INVALID = ("upstream_invalid", 502, "The upstream's answer is not well-formed HTTP.")
    UPSTREAM_TRUNCATED = ("upstream_truncated", 502, "The upstream's answer broke off.")
    IDENTITY_UNKNOWN = ("identity_unknown", 503, "The upstream that knows who asks did not say.")
    OVERLOADED = ("overloaded", 503, "Too many requests are waiting for this upstream.")
    BREAKER_OPEN = ("breaker_open", 503, "The upstream is failing and is given a moment to recover.")
    HOLD_FULL = ("hold_full", 503, "Too many writes wait until their upstream has changed.")
    OWNER_MOVING = (
        "owner_moving",
        503,
        "The upstream for this write is changing, and nothing was done.",
    )
    UPSTREAM_TIMEOUT = ("upstream_timeout", 504, "The upstream did not begin its answer in time.")

    def __init__(self, id_: str, status: int, sentence: str) -> None:
        self.id = id_
        self.status = status
        self.sentence = sentence


class RequestRefused(Exception):
    """A request that is answered by the proxy itself and never forwarded."""

    def __init__(self, error: ForwardError) -> None:
        super().__init__(error.sentence)
        self.error = error
