"""Say whether a request is one of the proxy's own rehearsals. Pure: key and clock come in as arguments.

A rehearsal has a path of its own, so that a header which gets lost can never make it a real write. Its mark
is `<until>.<signature>`: a Unix second, and an HMAC-SHA256 over what it is good for.
"""

import hashlib
import hmac
import re

HEADER = "X-Strangler-Rehearsal"
PREFIX = "/__strangler__/rehearse"
KEY = re.compile(r"[\x21-\x7e]{16,}")
MARK = re.compile(r"(\d{1,12})\.([0-9a-f]{64})")
FARTHEST = 300  # seconds: a mark that claims to be good for longer is none of the proxy's


def read_key(text: str) -> bytes | None:
    """Return the key, None for no text; raise ValueError for what no key can be."""
    if not text:
        return None
    if not KEY.fullmatch(text):
        raise ValueError("wanted at least 16 visible ASCII characters without spaces")
    return text.encode()


def is_believed(mark: str, key: bytes, method: str, target: bytes, now: float) -> bool:
    """Whether `mark` proves that the proxy asks for just this: a method and a request target as sent."""
    found = MARK.fullmatch(mark)
    if found is None:
        return False
    until, signature = found[1], found[2]
    words = b"\n".join((b"rehearse", method.encode(), target, until.encode()))
    wanted = hmac.new(key, words, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature, wanted) and now <= int(until) <= now + FARTHEST
