"""What the shop refuses, and the HTTP answer each refusal gets. A refusal never shows a traceback.

Refusal
├── Conflict       409: the shop is in a state that does not allow it
├── NotPaid        402: the card was declined
└── Unavailable    503: the payment provider cannot be asked right now
"""

from typing import ClassVar

from django.db.models import ProtectedError
from rest_framework.response import Response
from rest_framework.views import exception_handler


class Refusal(Exception):
    """The shop says no; the text is meant for the person who asked."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "invalid"
    retry_after: ClassVar[int | None] = None


class Conflict(Refusal):
    """The shop is in a state that does not allow what was asked."""

    status = 409
    code = "conflict"


class NotPaid(Refusal):
    """The card was declined."""

    status = 402
    code = "declined"


class Unavailable(Refusal):
    """The payment provider cannot be asked right now."""

    status = 503
    code = "unavailable"
    retry_after = 30


def answer(error: Exception, context: dict) -> Response | None:
    """Return the API's answer to `error`, None where it is a defect and not a refusal."""
    if isinstance(error, ProtectedError):
        error = Conflict("Other records still refer to this one; it cannot be deleted.")
    if not isinstance(error, Refusal):
        return exception_handler(error, context)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
    return Response({"detail": str(error), "code": error.code}, status=error.status, headers=headers)
