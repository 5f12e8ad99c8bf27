"""Envoy as a peer. Pure: routes in, configuration out (JSON, as its own YAML would be read)."""

from collections.abc import Sequence
from typing import Any

from bench.proxy.workload import BenchRoute

HTTP = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "envoy.extensions.filters.http.router.v3.Router"


def config(port: int, admin_port: int, origin_port: int, routes: Sequence[BenchRoute]) -> dict[str, Any]:
    """Return a static Envoy configuration: one listener, one route list, two clusters on the same origin."""
    return {
        "admin": {"address": _address(admin_port)},
        "static_resources": {
            "listeners": [{"name": "clients", "address": _address(port), "filter_chains": [_chain(routes)]}],
            "clusters": [_cluster("monolith", origin_port), _cluster("service", origin_port)],
        },
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _chain(routes: Sequence[BenchRoute]) -> dict[str, Any]:
    manager = {
        "@type": f"type.googleapis.com/{HTTP}",
        "stat_prefix": "clients",
        "use_remote_address": True,  # sets X-Forwarded-For and -Proto itself; the request id is on by default
        "route_config": {"virtual_hosts": [_virtual_host(routes)]},
        "http_filters": [
            {"name": "router", "typed_config": {"@type": f"type.googleapis.com/{ROUTER}"}},
        ],
    }
    return {"filters": [{"name": "http", "typed_config": manager}]}


def _virtual_host(routes: Sequence[BenchRoute]) -> dict[str, Any]:
    fallback = {"match": {"prefix": "/"}, "route": {"cluster": "monolith"}}
    return {
        "name": "all",
        "domains": ["*"],
        "request_headers_to_add": [
            {"header": {"key": "X-Forwarded-Host", "value": "%REQ(:AUTHORITY)%"}},
        ],
        "routes": [*map(_route, routes), fallback],
    }


def _route(route: BenchRoute) -> dict[str, Any]:
    match = {"path": route.template} if route.prefix is None else {"prefix": route.prefix}
    return {"match": match, "route": {"cluster": "service"}}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
