"""Give every answer the form in which Django sends it: headers, redirects, conditional GET, error pages.

The middleware order of the monolith shows: a 304 or 301 is made outside of the one that sets
X-Frame-Options, so neither carries it.
"""

from http.client import responses
from urllib.parse import quote

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, RequestRedirect, Rule

from extracted.chassis.conditional import Outcome, etag_of, evaluate
from extracted.chassis.identity import IdentityReader
from extracted.chassis.rendering import render_json
from extracted.chassis.resource import PATH_SAFE, QUERY_SAFE, Answer, BodyTooLarge, Resource, answer

HTML = "text/html; charset=utf-8"
# The monolith looks at the session for whatever it answers, the page for a missing address included.
PER_USER = {"Vary": "Cookie"}

PAGE = """
<!doctype html>
<html lang="en">
<head>
  <title>{title}</title>
</head>
<body>
  <h1>{title}</h1><p>{details}</p>
</body>
</html>
"""
PAGES = {
    400: ("Bad Request (400)", ""),
    404: ("Not Found", "The requested resource was not found on this server."),
    500: ("Server Error (500)", ""),
}


class KeyConverter(BaseConverter):
    """One path segment without a dot, as DRF's routers match it."""

    regex = "[^/.]+"


def speak_like_django(app: Flask) -> None:
    """Make `app` answer as Django would whatever no resource answers, and finish every answer."""
    app.url_map.converters["key"] = KeyConverter
    app.url_map.merge_slashes = False
    app.before_request(_redirect_to_slash)
    app.register_error_handler(HTTPException, _page_of)
    app.register_error_handler(BodyTooLarge, lambda _fault: _page(400))
    app.register_error_handler(Exception, lambda fault: _defect(app, fault))
    app.after_request(_finish)


def mount(app: Flask, path: str, resource: Resource, identities: IdentityReader) -> None:
    """Answer every method at `path` by `resource`."""

    def view(key: str = "") -> Response:
        return _response(answer(resource, request, key, identities))

    # A bare rule, not `add_url_rule`: every method must reach the resource, which refuses in DRF's order.
    app.url_map.add(Rule(path, endpoint=path))
    app.view_functions[path] = view


def _response(given: Answer) -> Response:
    body = b"" if given.body is None else render_json(given.body, given.indent)
    response = Response(body, given.status, dict(given.headers), content_type="application/json")
    if not body:
        del response.headers["Content-Type"]
    if given.per_user:
        response.headers.update(PER_USER)
    return response


def _redirect_to_slash() -> Response | None:
    if not isinstance(request.routing_exception, RequestRedirect):
        return None
    query = quote(request.environ.get("QUERY_STRING", ""), safe=QUERY_SAFE)
    target = quote(request.path, safe=PATH_SAFE) + "/"
    return _empty(301, {"Location": f"{target}?{query}" if query else target, **PER_USER})


def _page_of(fault: HTTPException) -> Response | HTTPException:
    return _page(fault.code) if fault.code in PAGES else fault


def _page(status: int) -> Response:
    title, details = PAGES[status]
    return Response(PAGE.format(title=title, details=details), status, PER_USER, content_type=HTML)


def _defect(app: Flask, fault: Exception) -> Response:
    app.logger.error("unhandled", exc_info=fault)
    return _page(500)


def _finish(response: Response) -> Response:
    if response.status_code != 301:
        response.headers["X-Frame-Options"] = "DENY"
    response = _conditional(request, response)
    # werkzeug shouts the reason phrase, Django does not.
    response.status = f"{response.status_code} {responses[response.status_code]}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return response


def _conditional(request: Request, response: Response) -> Response:
    if request.method != "GET":
        return response
    etag = etag_of(response.get_data())
    if etag is not None:
        response.headers["ETag"] = etag
    if not 200 <= response.status_code < 300:
        return response
    kept = {name: value for name, value in response.headers.items() if name in {"ETag", "Vary"}}
    match evaluate(dict(request.headers), etag):
        case Outcome.NOT_MODIFIED:
            response = _empty(304, kept)
            del response.headers["Content-Type"]
        case Outcome.PRECONDITION_FAILED:
            response = _empty(412, {name: value for name, value in kept.items() if name == "Vary"})
    return response


def _empty(status: int, headers: dict[str, str]) -> Response:
    response = Response(status=status, headers=headers, content_type=HTML)
    # Django makes these outside of the middleware that counts the bytes.
    response.automatically_set_content_length = False
    return response
