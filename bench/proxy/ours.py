"""Our own proxy as a peer. Pure: routes in, routing table out."""

from collections.abc import Sequence

from bench.proxy.workload import BenchRoute


def table(origin_port: int, routes: Sequence[BenchRoute]) -> str:
    """Return routes.toml: every route moved to the service, everything else to the monolith."""
    head = f"""version = 1
[upstreams.monolith]
url = "http://127.0.0.1:{origin_port}"
[upstreams.service]
url = "http://127.0.0.1:{origin_port}"
[groups.bench]
service = "service"
tables = ["bench_thing"]
owner = "monolith"
"""
    return head + "".join(map(_route, routes))


def _route(route: BenchRoute) -> str:
    return f"""[[routes]]
name = "{route.name}"
group = "bench"
path = "{route.template}"
methods = ["GET", "HEAD"]
stage = "service"
"""
