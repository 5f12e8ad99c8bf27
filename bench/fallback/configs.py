"""What each proxy is told in order to let the monolith answer when the service fails. Pure.

Everybody gives the service the same time to connect and to begin its answer, asks once more at most, treats
no connection, no answer and 503 as failures, and stops asking a service that goes on failing: each by its own
means.
"""

from typing import Any

from bench.envoy import address, listener, virtual_host
from bench.nginx import NGINX_FORWARDING, nginx_main

PATH = "/api/things/"
CONNECT_SECONDS, HEAD_SECONDS = 0.1, 0.3
_CONNECT, _HEAD = (f"{round(seconds * 1000)}ms" for seconds in (CONNECT_SECONDS, HEAD_SECONDS))


def nginx_config(
    port: int, service_port: int, monolith_port: int, directory: str, *, non_idempotent: bool
) -> str:
    """Return nginx.conf: the monolith is the service's `backup`; a failed service rests, 10 s by default."""
    also = " non_idempotent" if non_idempotent else ""
    http = f"""    upstream service {{
        server 127.0.0.1:{service_port};
        server 127.0.0.1:{monolith_port} backup;
        keepalive 64;
    }}
{NGINX_FORWARDING}
    proxy_connect_timeout {_CONNECT};
    proxy_read_timeout {_HEAD};
    proxy_next_upstream error timeout http_503{also};
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location {PATH} {{ proxy_pass http://service; }}
    }}"""
    return nginx_main(directory, http)


def haproxy_config(port: int, service_port: int, monolith_port: int) -> str:
    """Return haproxy.cfg: the first server is the service; a retry goes to the next, as `redispatch` says."""
    return f"""global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout connect {_CONNECT}
    timeout server {_HEAD}
    timeout client 60s
    timeout http-keep-alive 60s
    http-reuse always
    retries 1
    retry-on all-retryable-errors
    option redispatch 1
frontend clients
    bind 127.0.0.1:{port} backlog 1024
    option forwardfor
    http-request set-header X-Request-ID %[uuid()]
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    default_backend service
backend service
    balance first
    default-server check inter 5s observe layer7 error-limit 10 on-error mark-down
    server service 127.0.0.1:{service_port} maxconn 1000
    server monolith 127.0.0.1:{monolith_port} maxconn 1000
"""


def envoy_config(port: int, service_port: int, monolith_port: int) -> dict[str, Any]:
    """Return Envoy's configuration: the monolith has the second priority, which a retry goes to."""
    priorities = "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3"
    retry = {
        "retry_on": "connect-failure,reset,5xx",
        "num_retries": 1,
        "per_try_timeout": f"{HEAD_SECONDS}s",
        "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.001s"},
        "retry_priority": {
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": {"@type": f"{priorities}.PreviousPrioritiesConfig", "update_frequency": 1},
        },
    }
    route = {"match": {"prefix": PATH}, "route": {"cluster": "monolith", "retry_policy": retry}}
    endpoints = [
        {"priority": number, "lb_endpoints": [{"endpoint": {"address": address(each)}}]}
        for number, each in enumerate((service_port, monolith_port))
    ]
    both = {
        "name": "monolith",  # which the routes of every benchmark's host end in
        "type": "STATIC",
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "load_assignment": {"cluster_name": "monolith", "endpoints": endpoints},
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "outlier_detection": {
            "consecutive_5xx": 10,
            "interval": "0.5s",
            "base_ejection_time": "5s",
            "max_ejection_percent": 100,
        },
    }
    routing = {"route_config": {"virtual_hosts": [virtual_host([route])]}}
    return {"static_resources": {"listeners": [listener(port, routing)], "clusters": [both]}}


def ours_table(service_port: int, monolith_port: int) -> str:
    """Return routes.toml: the service answers, owns what it writes, and the monolith stands behind reads."""
    patience = f"connect = {CONNECT_SECONDS}, head = {HEAD_SECONDS}, total = 5"
    return f"""version = 1
[upstreams.monolith]
url = "http://127.0.0.1:{monolith_port}"
[upstreams.service]
url = "http://127.0.0.1:{service_port}"
[groups.things]
service = "service"
tables = ["bench_thing"]
owner = "service"
[[routes]]
name = "bench.things"
group = "things"
path = "{PATH}{{id}}"
methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
stage = "service"
timeouts = {{ {patience} }}
fallback = {{ on = [503] }}
"""
