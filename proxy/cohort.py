"""Who is in a canary's share. Pure: the secret and the random bytes come in as arguments.

The bucket is a keyed hash, so a client cannot compute it, and it only grows into a larger share: whoever is
in at 10 % is in at 50 %. Without a key there is no cohort, and the monolith answers.
"""

import hashlib
import hmac

from proxy.own_cookies import COHORT

BUCKETS = 10_000  # hundredths of a percent
COOKIE_SECONDS = 365 * 24 * 3600
_SIGNATURE_DIGITS = 32


def bucket(secret: bytes, group: str, key: bytes) -> int:
    """Return the bucket of `key` within a group, 0 to 9999."""
    digest = hmac.digest(secret, group.encode() + b"\x00" + key, hashlib.sha256)
    return int.from_bytes(digest[:8], "big") % BUCKETS


def share(percent: float) -> int:
    """Return how many buckets, the first ones, are `percent` of them (steps of 0.01)."""
    return round(percent * 100)


def mint(secret: bytes, random: bytes) -> bytes:
    """Return a new cohort cookie's value: the key in hex, a dot, its signature."""
    key = random.hex().encode()
    return key + b"." + _signature(secret, key)


def verified(secret: bytes, value: bytes) -> bytes | None:
    """Return the key of a cohort cookie that this proxy minted, None for any other value."""
    key, dot, signature = value.partition(b".")
    if dot and key and hmac.compare_digest(signature, _signature(secret, key)):
        return key
    return None


def cohort_key(
    secret: bytes,
    cookies: bytes,
    session_cookie: bytes,
    authorization: tuple[bytes, ...] = (),
    user: bytes = b"",
) -> bytes | None:
    """Return what a client is known by: its user, else its session, its Authorization, the cookie this proxy
    minted, else nothing.
    """
    if user:
        return b"user:" + user
    minted = None
    for pair in cookies.split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name == session_cookie and value:
            return b"session:" + value
        if name == COHORT and minted is None:
            minted = verified(secret, value)
    if authorization:
        return b"authorization:" + b"\x00".join(authorization)
    return None if minted is None else b"cookie:" + minted


def _signature(secret: bytes, key: bytes) -> bytes:
    return hmac.new(secret, b"cohort\x00" + key, hashlib.sha256).hexdigest()[:_SIGNATURE_DIGITS].encode()
