"""A Flask application of one view, for gunicorn: it says what it saw and which URL rule led there."""

from echo import HEADER, ROUTES, told
from flask import Flask, Response, request

application = Flask(__name__)


@application.before_request
def echo() -> Response:
    """Answer any request, before Flask redirects or refuses."""
    view = request.url_rule.endpoint if request.url_rule is not None else "-"
    return Response(b"seen", headers={HEADER: told(request.environ, request.get_data(), view)})


METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
for name, template in ROUTES.items():
    start, rest, _ = template.partition("{rest...}")
    rule = f"{start}<path:rest>" if rest else template.replace("{id}", "<id>")
    application.add_url_rule(rule, name, methods=METHODS)
    if rest:
        application.add_url_rule(start, name, methods=METHODS)  # <path:rest> is never empty
