"""The origin behind every proxy: nginx answering one fixed JSON document with a Django application's headers.

It costs next to nothing, so that what is measured is the proxy. It also tells which request headers reached
it, so that every peer can be shown to do the same work.
"""

import json

from bench.nginx import nginx_main

BODY = json.dumps(
    {
        "id": 4711,
        "name": "Espresso machine, two groups",
        "category": {"id": 12, "name": "Kitchen"},
        "price": "1249.00",
        "in_stock": True,
        "rating": "4.6",
        "url": "/api/products/4711/",
        "tags": ["coffee", "steel"],
    },
).ljust(216)

ORIGIN_HEADER = "X-Origin"  # names the one of several origins that answered
SEEN_PATH = "/seen"
SEEN = ("X-Request-ID", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")


def upstream_config(port: int, directory: str, name: str = "") -> str:
    """Return the configuration of the origin: the fixed answer on every path, the headers on `/seen`.

    With a `name` every answer says it.
    """
    named = f"add_header {ORIGIN_HEADER} {name};" if name else ""
    return nginx_main(
        directory,
        f"""
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        default_type application/json;
        location = {SEEN_PATH} {{ return 200 '{_seen_json()}'; }}
        location / {{
            add_header Vary "Accept, Cookie";
            add_header Allow "GET, HEAD, OPTIONS";
            add_header X-Frame-Options DENY;
            add_header X-Content-Type-Options nosniff;
            add_header Referrer-Policy same-origin;
            add_header Cross-Origin-Opener-Policy same-origin;
            {named}
            return 200 '{BODY}';
        }}
    }}""",
    )


def _seen_json() -> str:
    return json.dumps({name: "$http_" + name.lower().replace("-", "_") for name in SEEN})
