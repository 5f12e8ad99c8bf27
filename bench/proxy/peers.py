"""The proxies that are measured: how each is configured and started.

Every peer gets the same routes, a request id on each request, X-Forwarded-For, -Proto and -Host, counters and
access log on, one worker, keep-alive on both sides. Where a peer has a cheaper form than a template (nginx,
HAProxy and Envoy match by prefix), it gets the cheaper one: if it errs, it errs in favour of others.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.envoy import command as envoy_command
from bench.proxy import envoy, haproxy, nginx, ours
from bench.proxy.workload import BenchRoute, bench_routes
from bench.tools import HAPROXY, NGINX

ACCESS_LOG = "access.jsonl"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a peer is started with: addresses, routes, a folder, the interpreter of ours, its connections."""

    port: int
    admin_port: int
    origin_port: int
    routes: Sequence[BenchRoute]
    folder: Path
    python: str
    connections: int = 1024  # at once, at least


@dataclass(frozen=True, slots=True)
class Peer:
    """A proxy under measurement. `prepare` writes its configuration, returns the command to start it.

    The load asks for `asked` of its routes, evenly spread over the table, or for all.
    """

    name: str
    routes: tuple[BenchRoute, ...]
    prepare: Callable[[Setting], list[str]]
    asked: int = 0

    @property
    def paths(self) -> list[str]:
        """What the load asks for."""
        step = len(self.routes) // self.asked if self.asked else 1
        return [route.sample for route in self.routes[step - 1 :: step]]


def _nginx(setting: Setting) -> list[str]:
    config = setting.folder / "nginx.conf"
    connections = setting.connections + 64  # those to the origin count too
    config.write_text(
        nginx.config(setting.port, setting.origin_port, setting.routes, str(setting.folder), connections)
    )
    return [NGINX.path(), "-p", str(setting.folder), "-c", str(config)]


def _haproxy(setting: Setting) -> list[str]:
    for file, text in haproxy.maps(setting.routes).items():
        (setting.folder / file).write_text(text)
    config = setting.folder / "haproxy.cfg"
    config.write_text(
        haproxy.config(
            setting.port,
            setting.admin_port,
            setting.origin_port,
            str(setting.folder),
            setting.connections + 64,
        )
    )
    return [HAPROXY.path(), "-db", "-f", str(config)]


def _envoy(setting: Setting) -> list[str]:
    config = setting.folder / "envoy.json"
    config.write_text(
        json.dumps(
            envoy.config(
                setting.port,
                setting.admin_port,
                setting.origin_port,
                setting.routes,
                str(setting.folder / ACCESS_LOG),
            )
        )
    )
    return envoy_command(config, workers=1)


def _ours(setting: Setting) -> list[str]:
    table = setting.folder / "routes.toml"
    table.write_text(ours.table(setting.origin_port, setting.origin_port, setting.routes))
    log = str(setting.folder / ACCESS_LOG)
    extra = ["--admin", f"127.0.0.1:{setting.admin_port}", "--access-log", log]
    return ours.command(setting.python, table, setting.folder, port=setting.port, workers=1, extra=extra)


PEERS = {
    peer.name: peer
    for peer in (
        Peer("nginx", bench_routes(50), _nginx),
        Peer("haproxy", bench_routes(50), _haproxy),
        Peer("envoy", bench_routes(50), _envoy),
        Peer("ours", bench_routes(50), _ours),
        Peer("ours-5000", bench_routes(5000), _ours),
        Peer("ours-5000-asked-50", bench_routes(5000), _ours, asked=50),
        Peer("nginx-5000", bench_routes(5000), _nginx),
        Peer("envoy-5000", bench_routes(5000), _envoy),
    )
}
