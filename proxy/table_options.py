"""Read a route's tables `fallback`, `breaker`, `pin`, `gate` and `retreat`. Pure."""

import re
from typing import TYPE_CHECKING

from proxy.routes import BreakerOptions, FallbackOptions, GateOptions, PinOptions, RetreatOptions

if TYPE_CHECKING:
    from proxy.table import Section

MAX_BODY = 10 * 1024 * 1024
_CIRCUMSTANCES = (
    re.compile(r"GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE"),
    re.compile(r"[1-5]xx"),
    re.compile(r"anonymous|user|staff"),
)
_COVER = "a list of circumstances, each of a method, a status class and a role, as 'GET 4xx staff' or 'HEAD'"
_SWITCH = "true or false"
_STATUSES = "a list of different statuses from 500 to 599"


def read_fallback(section: "Section") -> FallbackOptions:
    """Return a route's fallback options; complaints go to the section."""
    default = FallbackOptions()
    options = FallbackOptions(
        enabled=section.take("enabled", (bool,), _SWITCH, default.enabled),
        on=_read_statuses(section),
        max_body=section.whole("max_body", 0, MAX_BODY, default.max_body),
    )
    section.close()
    return options


def read_breaker(section: "Section") -> BreakerOptions:
    """Return a breaker's options; complaints go to the section."""
    default = BreakerOptions()
    options = BreakerOptions(
        enabled=section.take("enabled", (bool,), _SWITCH, default.enabled),
        percent=section.number("percent", 1, 100, default.percent),
        volume=section.whole("volume", 1, 1_000_000, default.volume),
        window=section.number("window", 0.1, 3600, default.window),
        open=section.number("open", 0.1, 3600, default.open),
        slow=section.number("slow", 0, 3600, default.slow),
        budget=section.number("budget", 0, 100, default.budget),
    )
    section.close()
    return options


def read_pin(section: "Section") -> PinOptions:
    """Return a route's pin options; complaints go to the section."""
    default = PinOptions()
    options = PinOptions(
        enabled=section.take("enabled", (bool,), _SWITCH, default.enabled),
        seconds=section.number("seconds", 1, 3600, default.seconds),
    )
    section.close()
    return options


def read_gate(section: "Section") -> GateOptions:
    """Return a route's gate options; complaints go to the section."""
    default = GateOptions()
    options = GateOptions(
        enabled=section.take("enabled", (bool,), _SWITCH, default.enabled),
        min_samples=section.whole("min_samples", 1, 10_000_000, default.min_samples),
        max_diff=section.number("max_diff", 0, 100, default.max_diff),
        fresh=section.number("fresh", 0.01, 24 * 365, default.fresh),
        cover=_read_cover(section),
        max_unknown=section.number("max_unknown", 0, 99, default.max_unknown),
    )
    section.close()
    return options


def read_retreat(section: "Section") -> RetreatOptions:
    """Return a route's retreat options; complaints go to the section."""
    default = RetreatOptions()
    options = RetreatOptions(
        errors=section.number("errors", 0, 100, default.errors),
        diffs=section.number("diffs", 0, 100, default.diffs),
        requests=section.whole("requests", 1, 10_000_000, default.requests),
    )
    section.close()
    return options


def _read_cover(section: "Section") -> tuple[str, ...]:
    found = section.take("cover", (list,), _COVER, [])
    if not all(isinstance(item, str) and _names_circumstances(item) for item in found):
        section.complain("cover", repr(found), _COVER)
        return ()
    return tuple(found)


def _names_circumstances(item: str) -> bool:
    """Say whether each word is of one sort, in the order method, status class, role."""
    words = item.split()
    sorts = [next((i for i, sort in enumerate(_CIRCUMSTANCES) if sort.fullmatch(word)), -1) for word in words]
    return bool(words) and -1 not in sorts and sorts == sorted(set(sorts))


def _read_statuses(section: "Section") -> tuple[int, ...]:
    found = section.take("on", (list,), _STATUSES, [])
    sound = all(type(status) is int and 500 <= status <= 599 for status in found)
    if not sound or len(set(found)) < len(found):
        section.complain("on", repr(found), _STATUSES)
        return ()
    return tuple(found)
