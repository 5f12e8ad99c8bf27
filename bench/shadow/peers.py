"""The proxies that make copies: how each is started, and what each itself counted of its copies."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.envoy import command as envoy_command
from bench.proxy import ours
from bench.proxy.workload import bench_routes
from bench.shadow.configs import CANDIDATE, envoy_config, nginx_config
from bench.tools import NGINX
from proxy.routes import Stage
from strangler.workers import worker_statuses

ROUTES = bench_routes(50)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a peer is started with. `candidate_port` is None where no copy is to be made."""

    port: int
    admin_port: int
    control_port: int
    candidate_port: int | None
    comparer: Path
    folder: Path
    python: str


@dataclass(frozen=True, slots=True)
class Copies:
    """What a proxy counted of its copies: answered, failed, dropped because there was no room."""

    answered: int
    failed: int
    dropped: int

    def since(self, before: "Copies") -> "Copies":
        """Return what was added after `before`."""
        return Copies(
            self.answered - before.answered, self.failed - before.failed, self.dropped - before.dropped
        )


class Peer(Protocol):
    """A proxy that sends a copy of each request to a candidate."""

    def command(self) -> list[str]:
        """Write the configuration; return the command to start with."""

    def copies(self) -> Copies | None:
        """Return what it counted so far, None for a proxy that does not count copies."""


class Ours:
    """Our proxy at the stage `shadow`, every pair sent to a comparer."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def command(self) -> list[str]:
        setting = self._setting
        table = setting.folder / "routes.toml"
        stage = Stage.MONOLITH if setting.candidate_port is None else Stage.SHADOW
        candidate = setting.candidate_port or setting.control_port
        table.write_text(ours.table(setting.control_port, candidate, ROUTES, stage))
        extra = ["--pairs", str(setting.comparer)]
        return ours.command(setting.python, table, setting.folder, port=setting.port, workers=1, extra=extra)

    def copies(self) -> Copies | None:
        counts = [status.shadow for status in worker_statuses(self._setting.folder).answers]
        return Copies(*(sum(count[name] for count in counts) for name in ("sent", "failed", "dropped")))


class Envoy:
    """Envoy with `request_mirror_policies` at 100 %."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def command(self) -> list[str]:
        setting = self._setting
        config = setting.folder / "envoy.json"
        config.write_text(
            json.dumps(
                envoy_config(setting.port, setting.admin_port, setting.control_port, setting.candidate_port)
            )
        )
        return envoy_command(config, workers=1)

    def copies(self) -> Copies | None:
        asked = f"format=json&type=Counters&filter=cluster.{CANDIDATE}."
        address = f"http://127.0.0.1:{self._setting.admin_port}/stats?{asked}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            stats = {stat["name"]: stat["value"] for stat in json.load(answer)["stats"]}

        def count(name: str) -> int:
            return int(stats.get(f"cluster.{CANDIDATE}.{name}", 0))

        dropped = count("upstream_rq_pending_overflow")  # Envoy counts each as its own 503 too
        return Copies(count("upstream_rq_2xx"), count("upstream_rq_5xx") - dropped, dropped)


class Nginx:
    """nginx with `mirror`."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def command(self) -> list[str]:
        setting = self._setting
        config = setting.folder / "nginx.conf"
        config.write_text(
            nginx_config(setting.port, setting.control_port, setting.candidate_port, str(setting.folder))
        )
        return [NGINX.path(), "-p", str(setting.folder), "-c", str(config)]

    def copies(self) -> Copies | None:
        return None


PEERS: dict[str, Callable[[Setting], Peer]] = {"nginx": Nginx, "envoy": Envoy, "ours": Ours}
