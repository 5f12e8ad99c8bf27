"""Read your own writes: whoever wrote to a group reads it from its owner until the other side has the write.

A pin is the moment of a client's last write. The client keeps it in a signed cookie; for clients that keep no
cookies but sign their requests, all workers of this machine share it. It ends after the route's seconds, or
as soon as the copy is told to be past it. It only ever sends a client to the owner, which is never wrong.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Protocol

from proxy.own_cookies import PIN, set_cookie
from proxy.question import session_of
from proxy.request_head import RequestFields

_SIGNATURE_DIGITS = 32
_MILLISECONDS_DIGITS = 14


class Slots(Protocol):
    """Numbers that all workers share (`shared_slots.SharedSlots`)."""

    def get(self, key: bytes) -> int: ...

    def put(self, key: bytes, number: int) -> None: ...


class Pins:
    """Who wrote when, and how far each group's copy is."""

    def __init__(
        self,
        secret: bytes,
        session_cookie: bytes,
        slots: Slots,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` gives Unix seconds."""
        self._secret = secret
        self._session_cookie = session_cookie
        self._slots = slots
        self._clock = clock
        self._synced: dict[str, float] = {}
        self._changed: dict[str, float] = {}

    def wrote(self, group: str, fields: RequestFields, seconds: float, *, secure: bool) -> bytes:
        """Note a write that may have happened; return the line that has the client remember it."""
        moment = self._moment()
        who = self._who(group, fields)
        if who:
            self._slots.put(who, moment)
        value = b"%d.%b" % (moment, self._signature(group, b"%d" % moment))
        return set_cookie(PIN + group.encode(), value, seconds=max(1, round(seconds)), secure=secure)

    def hold(self, group: str, fields: RequestFields, seconds: float) -> bool:
        """Return whether a client's reads in a group belong to the owner still."""
        moment = self._from_cookie(group, fields.cookies) if fields.pinned else 0
        who = self._who(group, fields)
        if who:
            moment = max(moment, self._slots.get(who))
        if not moment:
            return False
        age = self._moment() - moment
        return 0 <= age < seconds * 1000 and moment > self._synced.get(group, 0.0) * 1000

    def synced(self, group: str, until: float, changed: float = 0.0) -> None:
        """The group's copy has all that was committed before `until`, and last changed at `changed`.

        Both are Unix seconds; `changed` is 0 where nobody saw it change.
        """
        self._synced[group] = max(until, self._synced.get(group, 0.0))
        self._changed[group] = max(changed, self._changed.get(group, 0.0))

    def copied(self, group: str) -> tuple[float, float] | None:
        """Return what was told of a group's copy, None where nobody ever told."""
        until = self._synced.get(group)
        return None if until is None else (until, self._changed.get(group, 0.0))

    def lag(self, group: str) -> float | None:
        """Return how many seconds a group's copy is behind, None where nobody ever told."""
        until = self._synced.get(group)
        return None if until is None else max(0.0, self._clock() - until)

    def suspended(self, group: str, seconds: float) -> bool:
        """Return whether a group's copy is further behind than pins of that many seconds can cover."""
        lag = self.lag(group)
        return lag is not None and lag > seconds

    def _moment(self) -> int:
        return int(self._clock() * 1000)

    def _who(self, group: str, fields: RequestFields) -> bytes:
        """Return what stands for a client that signs its requests, empty for any other."""
        session = session_of(fields.cookies, self._session_cookie)
        if not session and not fields.authorization:
            return b""
        return b"\x00".join((group.encode(), session.encode(), *fields.authorization))

    def _from_cookie(self, group: str, cookies: bytes) -> int:
        """Return the moment in the client's cookie of a group, 0 where there is none that was set here."""
        name = PIN + group.encode()
        for pair in cookies.split(b";"):
            found, _, value = pair.strip().partition(b"=")
            if found != name:
                continue
            moment, _, signature = value.partition(b".")
            if moment.isdigit() and len(moment) <= _MILLISECONDS_DIGITS:
                wanted = self._signature(group, moment)
                return int(moment) if hmac.compare_digest(signature, wanted) else 0
        return 0

    def _signature(self, group: str, moment: bytes) -> bytes:
        words = b"pin\x00" + group.encode() + b"\x00" + moment
        return hmac.new(self._secret, words, hashlib.sha256).hexdigest()[:_SIGNATURE_DIGITS].encode()
