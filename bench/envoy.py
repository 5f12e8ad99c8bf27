"""Envoy's command, and the parts of its configuration that every benchmark needs (in JSON)."""

from pathlib import Path
from typing import Any

from bench.tools import ENVOY

_TYPES = "type.googleapis.com/envoy"
_HTTP = f"{_TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = f"{_TYPES}.extensions.filters.http.router.v3.Router"
_FILE_LOG = f"{_TYPES}.extensions.access_loggers.file.v3.FileAccessLog"
ROUTE_CONFIGURATION = f"{_TYPES}.config.route.v3.RouteConfiguration"


def address(port: int) -> dict[str, Any]:
    """Return a port of the loopback address."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def access_log(file: str) -> dict[str, Any]:
    """Return an access log that says what ours does, as far as Envoy knows it."""
    said = {
        "time": "%START_TIME%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "method": "%REQ(:METHOD)%",
        "path": "%REQ(:PATH)%",
        "status": "%RESPONSE_CODE%",
        "bytes": "%BYTES_SENT%",
        "target": "%UPSTREAM_CLUSTER%",
        "first_byte": "%RESPONSE_DURATION%",
        "total": "%DURATION%",
    }
    typed = {"@type": _FILE_LOG, "path": file, "log_format": {"json_format": said}}
    return {"name": "file", "typed_config": typed}


def listener(port: int, routing: dict[str, Any], log: str = "") -> dict[str, Any]:
    """Return a listener for clients; `routing` is its `route_config` or its `rds`."""
    manager = {
        "@type": _HTTP,
        "stat_prefix": "clients",
        "use_remote_address": True,  # sets X-Forwarded-For and -Proto itself; the request id is on by default
        **routing,
        "access_log": [access_log(log)] if log else [],
        "http_filters": [{"name": "router", "typed_config": {"@type": _ROUTER}}],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {"name": "clients", "address": address(port), "filter_chains": [chain]}


def virtual_host(routes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the host of all requests; what `routes` do not match goes to the monolith."""
    return {
        "name": "all",
        "domains": ["*"],
        "request_headers_to_add": [
            {"header": {"key": "X-Forwarded-Host", "value": "%REQ(:AUTHORITY)%"}},
        ],
        "routes": [*routes, {"match": {"prefix": "/"}, "route": {"cluster": "monolith"}}],
    }


def cluster(name: str, port: int) -> dict[str, Any]:
    """Return an upstream with one address."""
    endpoint = {"endpoint": {"address": address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def command(config: Path, *, workers: int) -> list[str]:
    """Return the command that starts Envoy. Raises ToolMissing."""
    return [
        ENVOY.path(), "--config-path", str(config),
        "--concurrency", str(workers), "--log-level", "error", "--disable-hot-restart",
    ]  # fmt: skip
