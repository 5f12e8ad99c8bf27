"""Let Django itself say who sent a request, and whether it may be believed: its sessions, REST framework's
authenticators as the asked view declares them, its CSRF rules. Nothing of that is decided here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import Resolver404, resolve
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Asked:
    """The view that would answer a request here, None where none would."""

    view: Callable[..., Any] | None = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def judge(request: HttpRequest) -> Any:
    """Return the user who sent `request`, or the HttpResponse with which Django refuses it.

    The request must have passed the middleware, and bear the method and path it is judged by. A token in a
    form's body is not seen: CSRF tokens count in their header alone.
    """
    asked = _asked(request.path_info)
    view = _rest_view(asked)
    return _by_django(request, asked) if view is None else _by_rest_framework(request, view, asked)


def _asked(path: str) -> Asked:
    try:
        match = resolve(path)
    except Resolver404:
        return Asked()
    return Asked(match.func, match.args, match.kwargs)


def _rest_view(asked: Asked) -> Any:
    """Return a REST framework view to judge by: the asked one, or one with the project's defaults."""
    if not apps.is_installed("rest_framework"):
        return None
    from rest_framework.views import APIView  # a project without REST framework must not need it

    if asked.view is None:
        return APIView()
    kind = getattr(asked.view, "cls", None)
    if kind is None or not issubclass(kind, APIView):
        return None
    view = kind(**getattr(asked.view, "initkwargs", {}))
    actions = getattr(asked.view, "actions", None) or {}
    view.action_map = {"head": actions.get("get"), **actions}
    return view


def _by_rest_framework(request: HttpRequest, view: Any, asked: Asked) -> Any:
    view.args, view.kwargs = asked.args, dict(asked.kwargs)
    view.request = asking = view.initialize_request(request, *asked.args, **asked.kwargs)
    view.headers = view.default_response_headers
    view.format_kwarg = view.get_format_suffix(**asked.kwargs)
    try:
        return asking.user
    except Exception as fault:  # the view knows its refusals, and raises the rest again
        response = view.handle_exception(fault)
        return view.finalize_response(asking, response, *asked.args, **asked.kwargs)


def _by_django(request: HttpRequest, asked: Asked) -> Any:
    for check in _csrf_checks():
        check.process_request(request)
        refusal = check.process_view(request, asked.view, asked.args, asked.kwargs)
        if refusal is not None:
            return refusal
    return getattr(request, "user", None)


def _csrf_checks() -> list[Any]:
    """Return the project's own CSRF middleware, as it is installed."""
    kinds = [import_string(name) for name in settings.MIDDLEWARE]
    checks = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, CsrfViewMiddleware)]
    return [kind(lambda _request: HttpResponse()) for kind in checks]
