"""nginx as a peer. Pure: routes in, configuration out."""

from collections.abc import Sequence

from bench.nginx import NGINX_FORWARDING, nginx_main, nginx_upstream
from bench.proxy.workload import BenchRoute


def config(
    port: int, origin_port: int, routes: Sequence[BenchRoute], directory: str, connections: int = 1024
) -> str:
    """Return nginx.conf: exact and prefix locations to one upstream, everything else to the other."""
    locations = "\n".join(location(route, "service") for route in routes)
    return nginx_main(
        directory,
        f"""
{nginx_upstream("monolith", origin_port)}
{nginx_upstream("service", origin_port)}
{NGINX_FORWARDING}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location = /nginx-status {{ stub_status; }}
        location / {{ proxy_pass http://monolith; }}
{locations}
    }}""",
        connections=connections,
        access_log=f"{directory}/access.jsonl",
    )


def location(route: BenchRoute, target: str) -> str:
    """Return the location of a route that sends what it matches to the upstream `target`."""
    match = f"= {route.template}" if route.prefix is None else f"^~ {route.prefix}"
    return f"        location {match} {{ proxy_pass http://{target}; }}"
