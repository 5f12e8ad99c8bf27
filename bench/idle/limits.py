"""How many connections this process and what it starts may hold. Changes its own limit and no other."""

import resource

SPARE = 600  # files that are no client's connection, those to the origin included


def room_for(wanted: int) -> int:
    """Raise the limit on open files as far as needed and allowed; return the connections it leaves."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE
    if soft < needed:
        allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    return min(wanted, max(1, soft - SPARE))
