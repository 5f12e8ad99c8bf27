"""A Django project of one view, for gunicorn: it says what it saw and which URL pattern led there."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from echo import HEADER, ROUTES, told

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="tests",
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATA_UPLOAD_MAX_MEMORY_SIZE=None,
)


def echo(request: HttpRequest, **_: str) -> HttpResponse:
    """Answer any request."""
    assert request.resolver_match is not None
    body = request.META["wsgi.input"].read()  # Django itself takes a chunked body for an empty one
    environ = request.META | {"PATH_INFO": request.META["echo.path"]}
    said = told(environ, body, request.resolver_match.view_name)
    return HttpResponse(b"seen", headers={HEADER: said})


def _pattern(name: str, template: str) -> object:
    start, rest, _ = template.partition("{rest...}")
    if rest:
        return re_path(rf"(?s)^{start[1:]}(?P<rest>.*)$", echo, name=name)
    return path(template[1:].replace("{id}", "<str:id>"), echo, name=name)


urlpatterns = [
    *(_pattern(name, template) for name, template in ROUTES.items()),
    re_path(r"(?s)^.*$", echo, name="-"),
]
django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Keep the path as gunicorn gave it: Django replaces it by what it decodes to."""
    environ["echo.path"] = environ["PATH_INFO"]
    answer: Iterable[bytes] = django(environ, start_response)
    return answer
