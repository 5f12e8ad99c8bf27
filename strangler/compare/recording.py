"""Choose the live requests that become a corpus: each distinct one that is safe to ask again, bounded. Pure.

Two requests are one where method and target are. The first of a route's are kept; nothing says who asked.
"""

import hashlib
from collections.abc import Iterable

from proxy.pairs import Pair
from proxy.routes import SAFE_METHODS, Stage

MOST = 1000  # of one route

_LIVE = frozenset(stage.value for stage in Stage)


class Recording:
    """The requests that are recorded, each by the digest of what tells it from others."""

    def __init__(self, known: Iterable[tuple[str, bytes]] = (), most: int = MOST) -> None:
        """`known` are routes with the digests that are recorded already."""
        self._most = most
        self._known: dict[str, set[bytes]] = {}
        for route, digest in known:
            self._known.setdefault(route, set()).add(digest)

    def take(self, pair: Pair) -> bytes | None:
        """Return the digest of a request that is to be recorded now; None for one that is not."""
        known = self._known.setdefault(pair.route, set())
        if len(known) >= self._most or pair.request.method not in SAFE_METHODS or pair.stage not in _LIVE:
            return None
        named = f"{pair.request.method} {pair.request.target}".encode()
        digest = hashlib.blake2b(named, digest_size=16).digest()
        if digest in known:
            return None
        known.add(digest)
        return digest
