"""Say at start what is missing in a project that installs the app."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - Django's own name

MIDDLEWARE = "strangler.django.middleware.FenceMiddleware"


def middleware_comes_first(app_configs: Any, **_options: object) -> list[CheckMessage]:
    """Warn where a refusal would reach clients as a server error, or where what was kept is not all seen."""
    if MIDDLEWARE not in settings.MIDDLEWARE:
        return [
            Warning(
                f"MIDDLEWARE lacks {MIDDLEWARE}",
                hint="Put it first; without it a write to a table that moved is a server error.",
                id="strangler.W001",
            )
        ]
    if settings.MIDDLEWARE[0] != MIDDLEWARE:
        return [
            Warning(
                f"{MIDDLEWARE} is not the first of MIDDLEWARE",
                hint="What the middleware before it writes is not seen: effect=none could be wrong.",
                id="strangler.W002",
            )
        ]
    return []
