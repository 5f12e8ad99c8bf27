"""A request's body, kept up to a bound for where it may have to be sent again. Pure."""


class KeptBody:
    """The parts that were sent. `whole` as long as all of them are here."""

    __slots__ = ("_most", "_parts", "_size", "whole")

    def __init__(self, most: int) -> None:
        """`most` is in bytes."""
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self.whole = True

    def keep(self, part: bytes) -> None:
        """Keep a part that was sent, unless that makes the body too large: then none is kept."""
        if not self.whole:
            return
        self._size += len(part)
        if self._size > self._most:
            self.whole = False
            self._parts = []
        else:
            self._parts.append(part)

    def rewind(self) -> list[bytes]:
        """Return the parts that were sent, to be sent (and kept) once more."""
        assert self.whole
        parts, self._parts, self._size = self._parts, [], 0
        return parts
