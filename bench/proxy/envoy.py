"""Envoy as a peer. Pure: routes in, configuration out."""

from collections.abc import Sequence
from typing import Any

from bench.envoy import address, cluster, listener, virtual_host
from bench.proxy.workload import BenchRoute


def config(
    port: int, admin_port: int, origin_port: int, routes: Sequence[BenchRoute], log: str
) -> dict[str, Any]:
    """Return a static Envoy configuration: one listener, one route list, two clusters on the same origin."""
    routing = {
        "route_config": {"virtual_hosts": [virtual_host([route_to(each, "service") for each in routes])]}
    }
    return {
        "admin": {"address": address(admin_port)},
        "static_resources": {
            "listeners": [listener(port, routing, log)],
            "clusters": [cluster("monolith", origin_port), cluster("service", origin_port)],
        },
    }


def route_to(route: BenchRoute, target: str) -> dict[str, Any]:
    """Return a route that sends what it matches to the cluster `target`."""
    match = {"path": route.template} if route.prefix is None else {"prefix": route.prefix}
    return {"match": match, "route": {"cluster": target}}
