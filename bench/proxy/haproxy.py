"""HAProxy as a peer. Pure: routes in, configuration and map files out."""

from collections.abc import Sequence

from bench.proxy.workload import BenchRoute

STATIC_MAP = "static.map"
PREFIX_MAP = "prefix.map"
# What an access log of ours says, as far as HAProxy knows it.
LOGGED = "".join(
    (
        r"{\"time\":\"%tr\",\"request_id\":\"%[var(txn.id)]\",\"client\":\"%ci\",",
        r"\"method\":\"%HM\",\"path\":\"%HPO\",\"status\":%ST,\"bytes\":%B,",
        r"\"target\":\"%b\",\"connect\":%Tc,\"first_byte\":%Tr,\"total\":%Ta}",
    )
)


def maps(routes: Sequence[BenchRoute]) -> dict[str, str]:
    """Return the two map files, path or prefix to backend, by file name."""
    return {
        STATIC_MAP: "".join(f"{route.template} service\n" for route in routes if route.prefix is None),
        PREFIX_MAP: "".join(f"{route.prefix} service\n" for route in routes if route.prefix is not None),
    }


def config(port: int, admin_port: int, origin_port: int, directory: str, connections: int = 4096) -> str:
    """Return haproxy.cfg: both maps are looked up in turn, what neither knows goes to the monolith."""
    return f"""global
    nbthread 1
    no strict-limits
    maxconn {connections}
    log stdout format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
    option http-keep-alive
    http-reuse always
frontend clients
    bind 127.0.0.1:{port} backlog 1024
    log global
    log-format "{LOGGED}"
    option forwardfor
    http-request set-var(txn.id) uuid()
    http-request set-header X-Request-ID %[var(txn.id)]
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    http-request set-var(txn.target) path,map_str({directory}/{STATIC_MAP})
    acl known var(txn.target) -m found
    http-request set-var(txn.target) path,map_beg({directory}/{PREFIX_MAP}) unless known
    use_backend %[var(txn.target)] if known
    default_backend monolith
frontend admin
    bind 127.0.0.1:{admin_port}
    stats enable
    stats uri /stats
backend monolith
    server origin 127.0.0.1:{origin_port}
backend service
    server origin 127.0.0.1:{origin_port}
"""
