"""The words by which a write is rehearsed: its head for the service, the marks that prove who asks. Pure: key
and clock come in as arguments.

A rehearsal goes to a path of its own. A service that knows nothing of rehearsals has nothing there, answers
404 and has written nothing; no header that gets lost can make it a real write.
"""

import base64
import hashlib
import hmac
import zlib

from proxy.answer_head import AnswerHead

REHEARSE = b"rehearse"  # what a mark is good for
RECORD = b"record"
PREFIX = b"/__strangler__/rehearse"
MARK_SECONDS = 30

_NOTHING = b'{"rows":[],"events":[],"calls":[],"mails":[]}'
_NO_EFFECTS = b"X-Strangler-Effects: v1;" + base64.urlsafe_b64encode(zlib.compress(_NOTHING))


def mark(key: bytes, purpose: bytes, method: bytes, target: bytes, until: int) -> bytes:
    """Return the proof that a request is the proxy's own, good until a Unix second."""
    words = b"\n".join((purpose, method, target, b"%d" % until))
    return b"%d.%b" % (until, hmac.new(key, words, hashlib.sha256).hexdigest().encode())


def as_recorded(head: bytes, key: bytes, until: int) -> bytes:
    """Return an upstream head that asks the control what it does to its rows."""
    method, target = _asked(head)
    return head[:-2] + b"X-Strangler-Record: " + mark(key, RECORD, method, target, until) + b"\r\n\r\n"


def as_rehearsal(head: bytes, key: bytes, until: int) -> bytes:
    """Return an upstream head that asks the candidate to do the same and keep nothing of it."""
    method, target = _asked(head)
    target = PREFIX + target
    rest = head[head.find(b" HTTP/1.1\r\n") : -2]
    proof = b"X-Strangler-Rehearsal: " + mark(key, REHEARSE, method, target, until)
    return b"%b %b%b%b\r\n\r\n" % (method, target, rest, proof)


def without_effects(refusal: AnswerHead) -> AnswerHead:
    """Return the monolith's refusal as the answer of a rehearsal: nothing ran, and so nothing was written."""
    lines = [b"%b: %b" % field for field in refusal.headers]
    return AnswerHead(refusal.status, b"\r\n".join([*lines, _NO_EFFECTS]))


def _asked(head: bytes) -> tuple[bytes, bytes]:
    method, _, rest = head.partition(b" ")
    return method, rest[: rest.find(b" ")]
