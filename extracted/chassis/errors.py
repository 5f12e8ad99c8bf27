"""The refusals a client can meet, in DRF's words and status codes.

ApiError
├── ParseError            400
├── ValidationError       400, the body is the errors themselves
├── BadIdentity           401
├── NotAuthenticated      403: the monolith's first authentication class names no challenge
├── PermissionDenied      403
├── NotFound              404
├── MethodNotAllowed      405
├── NotAcceptable         406
├── Conflict              409
│   └── StillReferredTo
├── Moved                 409: another database owns the table
├── UnsupportedMediaType  415
├── KeyReused             422
└── Unavailable           503: whoever must be asked does not answer
"""

from typing import ClassVar

from extracted.chassis.rendering import Json


class ApiError(Exception):
    """A refusal with a status and a body."""

    status: ClassVar[int]
    detail: ClassVar[str] = ""

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or self.detail)
        self.body: Json = {"detail": detail or self.detail}
        self.headers: dict[str, str] = {}


class ParseError(ApiError):
    """The body cannot be read."""

    status = 400
    detail = "Malformed request."


class ValidationError(ApiError):
    """The body or the query says something that cannot be."""

    status = 400
    detail = "Invalid input."

    def __init__(self, errors: Json) -> None:
        super().__init__()
        self.body = errors


class BadIdentity(ApiError):
    """The identity token is not one the monolith signed for this service."""

    status = 401
    detail = "Incorrect authentication credentials."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail)
        # RFC 9110 15.5.2: a 401 names a challenge.
        self.headers = {"WWW-Authenticate": "Strangler-Identity"}


class NotAuthenticated(ApiError):
    """Nobody is signed in and somebody must be."""

    status = 403
    detail = "Authentication credentials were not provided."


class PermissionDenied(ApiError):
    """Whoever is signed in may not do this."""

    status = 403
    detail = "You do not have permission to perform this action."


class NotFound(ApiError):
    """There is nothing here."""

    status = 404
    detail = "Not found."


class MethodNotAllowed(ApiError):
    """The path exists, the method does not."""

    status = 405

    def __init__(self, method: str) -> None:
        super().__init__(f'Method "{method}" not allowed.')


class NotAcceptable(ApiError):
    """The client accepts no JSON."""

    status = 406
    detail = "Could not satisfy the request Accept header."


class Conflict(ApiError):
    """The rows there are do not allow it."""

    status = 409

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.body = {"detail": detail, "code": "conflict"}


class StillReferredTo(Conflict):
    """Other rows need this one, here or in another part's database."""

    def __init__(self) -> None:
        super().__init__("Other records still refer to this one; it cannot be deleted.")


class UnsupportedMediaType(ApiError):
    """The body is no JSON."""

    status = 415

    def __init__(self, content_type: str) -> None:
        super().__init__(f'Unsupported media type "{content_type}" in request.')


class Moved(ApiError):
    """A fence stands before the table: another database owns it. Nothing of the request was kept."""

    status = 409

    def __init__(self, table: str, group: str, epoch: int) -> None:
        super().__init__(
            f"The table {table} of group {group} is written elsewhere since epoch {epoch}, and this database"
            " refuses. Nothing of this request was kept; sent to the owner it can succeed."
        )
        self.body = {"detail": str(self), "code": "moved"}
        self.headers = {
            "X-Strangler-Moved": f"{group}; epoch={epoch}; effect=none",
            "Cache-Control": "no-store",
        }


class KeyReused(ApiError):
    """An Idempotency-Key came with a request other than its first one."""

    status = 422
    detail = "This Idempotency-Key was used for another request."


class Unavailable(ApiError):
    """Another part has to be asked first, and does not answer. Nothing was done."""

    status = 503
    detail = "Service temporarily unavailable, try again later."

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": "5"}
