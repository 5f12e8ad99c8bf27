"""Decide whether a route should leave its service by itself, from what happened in the last minute. Pure."""

from dataclasses import dataclass

from proxy.routes import RetreatOptions


@dataclass(frozen=True)
class LastMinute:
    """What a route's service did: requests answered, errors (5xx), answers compared, those that differ."""

    requests: int = 0
    errors: int = 0
    compared: int = 0
    diffs: int = 0


def why_retreat(options: RetreatOptions, seen: LastMinute) -> str:
    """Return what is too bad to go on, empty where nothing is."""
    least = options.requests
    found = (
        _too_many(seen.errors, seen.requests, options.errors, least, "of the service's answers were errors"),
        _too_many(seen.diffs, seen.compared, options.diffs, least, "of the compared answers differed"),
    )
    return "; ".join(each for each in found if each)


def _too_many(bad: int, of: int, most: float, least: int, what: str) -> str:
    if of < least or 100 * bad <= most * of:
        return ""
    return f"in the last minute {bad} of {of} {what} ({100 * bad / of:.1f} %), wanted at most {most:g} %"
