"""Read a route's tables `fallback`, `breaker` and `pin`. Pure."""

from typing import TYPE_CHECKING

from proxy.routes import BreakerOptions, FallbackOptions, PinOptions

if TYPE_CHECKING:
    from proxy.table import Section

MAX_BODY = 10 * 1024 * 1024
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


def _read_statuses(section: "Section") -> tuple[int, ...]:
    found = section.take("on", (list,), _STATUSES, [])
    sound = all(type(status) is int and 500 <= status <= 599 for status in found)
    if not sound or len(set(found)) < len(found):
        section.complain("on", repr(found), _STATUSES)
        return ()
    return tuple(found)
