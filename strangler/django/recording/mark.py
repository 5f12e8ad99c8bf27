"""Say whether the proxy asks to have a request's effects told. Pure: key and clock come in as arguments.

A mark is `<until>.<signature>`: a Unix second, and an HMAC-SHA256 over the method and target it is good for.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

HEADER = "X-Strangler-Record"
VARIABLE = "STRANGLER_REHEARSAL_KEY"
KEY = re.compile(r"[\x21-\x7e]{16,}")
MARK = re.compile(r"(\d{1,12})\.([0-9a-f]{64})")
FARTHEST = 300  # seconds: a mark that claims to be good for longer is none of the proxy's


def read_rehearsal_key(environ: Mapping[str, str]) -> bytes | None:
    """Return the key, None without one; raise ImproperlyConfigured for what no key can be."""
    text = environ.get(VARIABLE, "")
    if not text:
        return None
    if not KEY.fullmatch(text):
        raise ImproperlyConfigured(f"{VARIABLE}: wanted at least 16 visible ASCII characters without spaces")
    return text.encode()


def is_believed(mark: str, key: bytes, method: str, target: bytes, now: float) -> bool:
    """Whether `mark` proves that the proxy asks for just this: a method and a request target as sent."""
    found = MARK.fullmatch(mark)
    if found is None:
        return False
    until, signature = found[1], found[2]
    words = b"\n".join((b"record", method.encode(), target, until.encode()))
    wanted = hmac.new(key, words, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature, wanted) and now <= int(until) <= now + FARTHEST
