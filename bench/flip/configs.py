"""What nginx and Envoy are told when the first of their routes moves. Pure."""

from collections.abc import Sequence
from typing import Any

from bench.envoy import ROUTE_CONFIGURATION, cluster, listener, virtual_host
from bench.flip.side import Side
from bench.nginx import NGINX_FORWARDING, nginx_main, nginx_upstream
from bench.proxy.envoy import route_to
from bench.proxy.nginx import location
from bench.proxy.workload import BenchRoute


def nginx_config(
    port: int,
    origins: dict[Side, int],
    routes: Sequence[BenchRoute],
    to: Side,
    *,
    directory: str,
    workers: int,
) -> str:
    """Return nginx.conf with the first route at `to` and the others at the monolith."""
    locations = [location(routes[0], to), *(location(route, Side.MONOLITH) for route in routes[1:])]
    upstreams = "\n".join(nginx_upstream(side, origins[side]) for side in Side)
    http = f"""{upstreams}
{NGINX_FORWARDING}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{ proxy_pass http://{Side.MONOLITH}; }}
{chr(10).join(locations)}
    }}"""
    return nginx_main(directory, http, workers)


def envoy_config(port: int, origins: dict[Side, int], routes_file: str) -> dict[str, Any]:
    """Return Envoy's static part. Its routes come from `routes_file`, which it watches."""
    source = {"path_config_source": {"path": routes_file}, "resource_api_version": "V3"}
    return {
        "node": {"id": "bench", "cluster": "bench"},
        "static_resources": {
            "listeners": [listener(port, {"rds": {"route_config_name": "routes", "config_source": source}})],
            "clusters": [cluster(side, origins[side]) for side in Side],
        },
    }


def envoy_routes(routes: Sequence[BenchRoute], to: Side) -> dict[str, Any]:
    """Return the file with the first route at `to` and the others at the monolith."""
    table = [route_to(routes[0], to), *(route_to(route, Side.MONOLITH) for route in routes[1:])]
    return {
        "version_info": str(to),
        "resources": [
            {"@type": ROUTE_CONFIGURATION, "name": "routes", "virtual_hosts": [virtual_host(table)]},
        ],
    }
