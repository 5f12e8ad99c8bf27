"""What nginx and Envoy are told in order to send a copy of every request elsewhere. Pure."""

from typing import Any

from bench.envoy import address, cluster, listener, virtual_host
from bench.nginx import NGINX_FORWARDING, nginx_main, nginx_upstream

CANDIDATE = "candidate"


def nginx_config(port: int, control_port: int, candidate_port: int | None, directory: str) -> str:
    """Return nginx.conf: `mirror` where there is a candidate."""
    upstreams = [nginx_upstream("control", control_port)]
    locations = ["        location / { proxy_pass http://control; }"]
    if candidate_port is not None:
        upstreams.append(nginx_upstream(CANDIDATE, candidate_port))
        locations = [
            "        location / { mirror /mirrored; proxy_pass http://control; }",
            f"        location = /mirrored {{ internal; proxy_pass http://{CANDIDATE}$request_uri; }}",
        ]
    parts = [*upstreams, NGINX_FORWARDING, "    server {", f"        listen 127.0.0.1:{port} backlog=1024;"]
    return nginx_main(directory, "\n".join([*parts, *locations, "    }"]))


def envoy_config(port: int, admin_port: int, control_port: int, candidate_port: int | None) -> dict[str, Any]:
    """Return a static Envoy configuration: `request_mirror_policies` where there is a candidate."""
    route: dict[str, Any] = {"cluster": "monolith"}
    clusters = [cluster("monolith", control_port)]
    if candidate_port is not None:
        everything = {"default_value": {"numerator": 100}}
        route["request_mirror_policies"] = [{"cluster": CANDIDATE, "runtime_fraction": everything}]
        clusters.append(cluster(CANDIDATE, candidate_port))
    routing = {"virtual_hosts": [virtual_host([{"match": {"prefix": "/api/"}, "route": route}])]}
    return {
        "admin": {"address": address(admin_port)},
        "static_resources": {
            "listeners": [listener(port, {"route_config": routing})],
            "clusters": clusters,
        },
    }
