"""Take one request through DRF's order of refusals: Accept, identity, permission, method, then the action.

A resource is a path with an action for each method; what a row or a form is, the service says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import quote

from flask import Request

from extracted.chassis.errors import (
    ApiError,
    MethodNotAllowed,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
)
from extracted.chassis.fields import Field, describe
from extracted.chassis.identity import HEADER, Identity, IdentityReader
from extracted.chassis.media import JSON, MediaType, accepted_json, indent_of
from extracted.chassis.parsing import parse_json
from extracted.chassis.query import QueryParams
from extracted.chassis.rendering import Json

MAX_BODY_BYTES = 2_621_440  # Django's DATA_UPLOAD_MAX_MEMORY_SIZE
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

# django/utils/encoding.py iri_to_uri: what is left as it stands in a query string.
QUERY_SAFE = "/#%[]=:;$&()+,!?*@'~"
# django/utils/encoding.py escape_uri_path: what is left as it stands in a path.
PATH_SAFE = "/:@&+$,-_.!~*'()"


class BodyTooLarge(Exception):
    """The body is beyond Django's limit; its answer is a page, not JSON."""


@dataclass(frozen=True)
class Call:
    """One request as an action sees it. `key` is the last segment of an item's path."""

    request: Request
    identity: Identity
    method: str
    key: str = ""

    @property
    def safe(self) -> bool:
        """Whether the method only reads."""
        return self.method in SAFE_METHODS

    @cached_property
    def query(self) -> QueryParams:
        """The parameters of the query string."""
        return QueryParams.parse(self.request.query_string)

    @property
    def url(self) -> str:
        """The absolute address that was asked for, as the client knows it."""
        # The Host header as it came: werkzeug's `host` drops a default port, Django keeps it.
        host = self.request.headers.get("Host") or self.request.host
        path = quote(self.request.path, safe=PATH_SAFE)
        query = quote(self.request.environ.get("QUERY_STRING", ""), safe=QUERY_SAFE)
        return f"{self.request.scheme}://{host}{path}" + (f"?{query}" if query else "")

    def receive(self) -> None:
        """Take the whole body in, so that no transaction waits for a slow client; too large ones stay out."""
        if (self.request.content_length or 0) <= MAX_BODY_BYTES:
            self.request.get_data()

    def data(self) -> Any:
        """Return what the body says, an empty object where there is none; raise ApiError or BodyTooLarge."""
        if not self.request.content_length:
            return {}
        if self.request.content_length > MAX_BODY_BYTES:
            raise BodyTooLarge
        return parse_json(self.request.get_data(), self.request.headers.get("Content-Type", ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back. `body` None sends none; `per_user` says that the answer may differ by user."""

    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)
    per_user: bool = True
    indent: int | None = None


Action = Callable[[Call], Answer]


class Resource(Protocol):
    """A path of the API."""

    title: str
    description: str
    fields: Mapping[str, Field]
    actions: Mapping[str, Action]

    def permits(self, call: Call) -> bool:
        """Whether the caller may use the method at all."""

    def locate(self, call: Call) -> None:
        """Raise ApiError where the row does not exist or the caller may not touch it."""


def answer(resource: Resource, request: Request, key: str, identities: IdentityReader) -> Answer:
    """Answer one request. Every ApiError becomes an answer; nothing else is caught."""
    media = None
    identified = False
    try:
        media = _negotiate(request)
        identified = True
        call = Call(request, identities.read(request.headers.get(HEADER)), request.method, key)
        given = _act(resource, call)
    except ApiError as refusal:
        given = Answer(refusal.status, refusal.body, refusal.headers)
    return replace(
        given,
        headers={"Allow": ", ".join(allowed(resource)), **given.headers},
        per_user=identified,
        indent=indent_of(media) if media else None,
    )


def allowed(resource: Resource) -> list[str]:
    """Return the methods of a resource in the order in which DRF lists them."""
    order = ("GET", "POST", "PUT", "PATCH", "DELETE")
    return [method for method in order if method in resource.actions] + ["HEAD", "OPTIONS"]


def _negotiate(request: Request) -> MediaType:
    wanted = QueryParams.parse(request.query_string).get("format")
    if wanted and wanted != "json":
        raise NotFound
    media = accepted_json(request.headers.get("Accept", "*/*"))
    if media is None:
        raise NotAcceptable
    return media


def _act(resource: Resource, call: Call) -> Answer:
    _require_permission(resource, call)
    if call.method == "OPTIONS":
        return Answer(200, _metadata(resource, call))
    action = resource.actions.get("GET" if call.method == "HEAD" else call.method)
    if action is None:
        raise MethodNotAllowed(call.method)
    return action(call)


def _require_permission(resource: Resource, call: Call) -> None:
    if not resource.permits(call):
        raise PermissionDenied if call.identity.authenticated else NotAuthenticated


def _metadata(resource: Resource, call: Call) -> dict[str, Any]:
    """Say what DRF's SimpleMetadata says; the fields only to whoever may write them."""
    metadata: dict[str, Any] = {
        "name": resource.title,
        "description": resource.description,
        "renders": [JSON],
        "parses": [JSON],
    }
    actions = {
        method: describe(resource.fields)
        for method in ("POST", "PUT")
        if method in resource.actions and _may_write(resource, replace(call, method=method))
    }
    return metadata | ({"actions": actions} if actions else {})


def _may_write(resource: Resource, call: Call) -> bool:
    try:
        _require_permission(resource, call)
        if call.method == "PUT":
            resource.locate(call)
    except ApiError:
        return False
    return True
