"""nginx as a peer. Pure: routes in, configuration out."""

from collections.abc import Sequence

from bench.proxy.workload import BenchRoute
from bench.tools import nginx_main


def config(port: int, origin_port: int, routes: Sequence[BenchRoute], directory: str) -> str:
    """Return nginx.conf: exact and prefix locations to one upstream, everything else to the other."""
    locations = "\n".join(map(_location, routes))
    return nginx_main(
        directory,
        f"""
    upstream monolith {{ server 127.0.0.1:{origin_port}; keepalive 64; keepalive_requests 1000000000; }}
    upstream service {{ server 127.0.0.1:{origin_port}; keepalive 64; keepalive_requests 1000000000; }}
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Request-ID $request_id;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location = /nginx-status {{ stub_status; }}
        location / {{ proxy_pass http://monolith; }}
{locations}
    }}""",
    )


def _location(route: BenchRoute) -> str:
    match = f"= {route.template}" if route.prefix is None else f"^~ {route.prefix}"
    return f"        location {match} {{ proxy_pass http://service; }}"
