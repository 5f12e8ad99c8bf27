"""Who may see how the proxy decided: callers with a signed, dated `X-Strangler-Debug`. Pure: the clock and
the secret come in as arguments.

The value is `<Unix second at which it ends>.<signature>`. Nothing unsigned, forged or expired is believed.
"""

import hashlib
import hmac

_DIGITS = 12  # no date needs more
_SIGNATURE_DIGITS = 64


def signed(secret: bytes, until: int) -> bytes:
    """Return a value of `X-Strangler-Debug` that holds until a Unix second."""
    return b"%d.%b" % (until, _signature(secret, b"%d" % until))


def believed(secret: bytes, value: bytes, now: float) -> bool:
    """Return whether a caller may see the debug headers at `now`, in Unix seconds."""
    until, _, signature = value.partition(b".")
    if not until.isdigit() or len(until) > _DIGITS or len(signature) != _SIGNATURE_DIGITS:
        return False
    return hmac.compare_digest(signature, _signature(secret, until)) and now < int(until)


def debug_lines(route: str, stage: str, target: str, version: str) -> bytes:
    """Return the lines that say how a request was decided, each ended by CRLF."""
    return (
        f"X-Strangler-Route: {route}\r\nX-Strangler-Stage: {stage}\r\n"
        f"X-Strangler-Target: {target}\r\nX-Strangler-Version: {version}\r\n"
    ).encode()


def _signature(secret: bytes, until: bytes) -> bytes:
    return hmac.new(secret, b"debug\x00" + until, hashlib.sha256).hexdigest().encode()
