"""Our own proxy as a peer. Pure: routes in, routing table out."""

from collections.abc import Sequence
from pathlib import Path

from bench.proxy.workload import BenchRoute
from proxy.routes import Stage


def table(
    monolith_port: int, service_port: int, routes: Sequence[BenchRoute], stage: Stage = Stage.SERVICE
) -> str:
    """Return routes.toml: every route at `stage`, everything else at the monolith."""
    head = f"""version = 1
[upstreams.monolith]
url = "http://127.0.0.1:{monolith_port}"
[upstreams.service]
url = "http://127.0.0.1:{service_port}"
[groups.bench]
service = "service"
tables = ["bench_thing"]
owner = "monolith"
"""
    return head + "".join(_route(route, stage) for route in routes)


def _route(route: BenchRoute, stage: Stage) -> str:
    return f"""[[routes]]
name = "{route.name}"
group = "bench"
path = "{route.template}"
methods = ["GET", "HEAD"]
stage = "{stage}"
"""


def command(
    python: str, table_file: Path, control: Path, *, port: int, workers: int, extra: Sequence[str] = ()
) -> list[str]:
    """Return the command that starts our proxy."""
    return [
        python, "-m", "proxy", "--table", str(table_file), "--workers", str(workers),
        "--bind", f"127.0.0.1:{port}", "--control", str(control), *extra,
    ]  # fmt: skip
