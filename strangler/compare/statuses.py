"""Compare two status codes. Pure."""

from collections.abc import Iterator

from strangler.compare.path import Path, Place
from strangler.compare.verdict import Difference, Kind

PERMANENT = frozenset({301, 308})
TEMPORARY = frozenset({302, 303, 307})
REDIRECTS = PERMANENT | TEMPORARY


def differences(control: int, candidate: int) -> Iterator[Difference]:
    """Yield the difference of two statuses: of kind redirect when both redirect for as long."""
    if control == candidate:
        return
    statuses = {control, candidate}
    alike = statuses <= PERMANENT or statuses <= TEMPORARY
    kind = Kind.REDIRECT if alike else Kind.STATUS
    yield Difference(kind, Path(Place.STATUS), str(control), str(candidate))
