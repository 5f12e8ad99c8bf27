"""What a caller may claim of itself because somebody who has the installation's secret signed it. Pure: the
clock and the secret come in as arguments.

A claim is `<Unix second at which it ends>.<signature>`, with what it says and a dot before that where it says
more than its purpose. Nothing unsigned, forged, expired or signed for another purpose is believed.
"""

import enum
import hashlib
import hmac

_DIGITS = 12  # no date needs more
_SIGNATURE_DIGITS = 64


class Purpose(enum.StrEnum):
    """What a signature is good for; the value is the last word of the header that bears it."""

    DEBUG = "debug"  # see how requests are decided
    TARGET = "target"  # choose who answers what is safe to ask of either


TARGETS = ("monolith", "service")  # what a claim of TARGET can say


def signed(secret: bytes, purpose: Purpose, until: int, said: str = "") -> str:
    """Return a claim that holds until a Unix second."""
    words = f"{said}.{until}" if said else str(until)
    return f"{words}.{_signature(secret, purpose, words.encode())}"


def believed(secret: bytes, purpose: Purpose, claim: bytes, now: float) -> str | None:
    """Return what a claim says at `now`, in Unix seconds: perhaps nothing. None where it is not believed."""
    words, _, signature = claim.rpartition(b".")
    said, _, until = words.rpartition(b".")
    if not until.isdigit() or len(until) > _DIGITS or len(signature) != _SIGNATURE_DIGITS:
        return None
    wanted = _signature(secret, purpose, words).encode()
    if not hmac.compare_digest(signature, wanted) or now >= int(until):
        return None
    return said.decode()


def _signature(secret: bytes, purpose: Purpose, words: bytes) -> str:
    return hmac.new(secret, f"{purpose.value}\x00".encode() + words, hashlib.sha256).hexdigest()
