"""What a client of the soak asks, and what the right answer to it is. Pure.

Both origins give the same answer to the same request, and each request has one that no other has: its bytes
follow from its id.
"""

import random
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

SAFE = frozenset({"GET", "HEAD"})
READS, WRITES = "/soak/read", "/soak/write"  # the routes
GROUP = "soak"  # of both, so that who wrote is pinned
ORIGIN, ECHO, DIGEST = "X-Origin", "X-Asked", "X-Digest"  # headers of an origin's answer


class Kind(StrEnum):
    """How an origin answers."""

    LENGTH = "length"  # framed by Content-Length
    CHUNKED = "chunked"
    SLOW = "slow"  # chunked, with pauses in which something may die
    FAILED = "failed"  # 503
    CUT = "cut"  # breaks off half-way
    RESET = "reset"  # does what is asked, then closes without an answer


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `size` is of the answer's body, `upload` of the request's, in chunks where `chunked`."""

    id: str
    method: str
    kind: Kind
    size: int
    upload: int = 0
    chunked: bool = False

    @property
    def safe(self) -> bool:
        """Whether it changes nothing and may be sent twice."""
        return self.method in SAFE

    @property
    def path(self) -> str:
        """The path that tells an origin what to answer."""
        return f"{READS if self.safe else WRITES}/{self.kind}/{self.size}/{self.id}"

    @property
    def status(self) -> int:
        """The status of the right answer."""
        return 503 if self.kind is Kind.FAILED else 200

    @property
    def body(self) -> bytes:
        """The body of the right answer."""
        return b"" if self.method == "HEAD" else body_of(self.id, self.size)

    @property
    def uploaded(self) -> bytes:
        """The request's body."""
        return body_of(f"{self.id} up", self.upload)

    @property
    def digest(self) -> str:
        """What an origin that got the whole upload says of it."""
        return sha256(self.uploaded).hexdigest()


def body_of(seed: str, size: int) -> bytes:
    """Return the bytes that follow from `seed`."""
    return random.Random(seed).randbytes(size)


def some_ask(chance: random.Random, number: int) -> Ask:
    """Return the request with this number: reads and writes, small and large, of every kind."""
    id_ = f"{chance.getrandbits(32):08x}-{number}"
    kind = chance.choices(list(Kind), weights=(40, 30, 20, 4, 3, 3))[0]
    size = int(2 ** chance.uniform(0, 18))
    if chance.random() < 0.7:
        return Ask(id_, chance.choices(("GET", "HEAD"), weights=(9, 1))[0], kind, size)
    method = chance.choice(("POST", "PUT", "PATCH", "DELETE"))
    upload = 0 if method == "DELETE" else int(2 ** chance.uniform(0, 18))
    return Ask(id_, method, kind, size // 16, upload, chunked=bool(upload) and chance.random() < 0.4)
