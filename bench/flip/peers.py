"""The proxies whose routes are moved: how each is started, and how its users move a route.

All have the same 50 routes and four workers. Ours is moved by the very functions behind `strangler flip` and
`strangler back`, audit and locks included; Envoy by moving a file over the one it watches; nginx by HUP.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from bench.envoy import command as envoy_command
from bench.flip.configs import envoy_config, envoy_routes, nginx_config
from bench.flip.side import Side
from bench.proxy import ours
from bench.proxy.workload import bench_routes
from bench.tools import NGINX
from proxy.routes import Stage
from strangler.actor import Actor, utc_now
from strangler.errors import PeerFailed
from strangler.flip import back, flip
from strangler.installation import Installation
from strangler.steps import Forward
from strangler.workers import worker_statuses

ROUTES = bench_routes(50)
WORKERS = 4
START_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What a peer is started with: its address, both origins', a folder, the interpreter of ours."""

    port: int
    origins: dict[Side, int]
    folder: Path
    python: str


@dataclass(frozen=True, slots=True)
class Told:
    """When the workers were told of the new table, and the seconds until all had acknowledged it.

    None where workers acknowledge nothing.
    """

    at: float
    acknowledged: float | None


class Peer(Protocol):
    """A proxy whose first route is moved."""

    def command(self) -> list[str]:
        """Write the configuration with the route at the monolith; return the command to start with."""

    def wait(self) -> None:
        """Return when all workers serve."""

    def move(self, pid: int, to: Side) -> Told:
        """Move the route."""


class Ours:
    """Our proxy, moved by the kit."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        folder = setting.folder
        self._place = Installation(root=folder, table=folder / "routes.toml", var=folder / "var")
        self._actor = Actor("bench", self._now)
        self._recorded = 0.0  # the last record of a flip is its outcome, made when the workers have answered

    def command(self) -> list[str]:
        setting, place = self._setting, self._place
        origins = setting.origins
        place.control.mkdir(parents=True)
        place.table.write_text(
            ours.table(origins[Side.MONOLITH], origins[Side.SERVICE], ROUTES, Stage.MONOLITH)
        )
        return ours.command(setting.python, place.table, place.control, port=setting.port, workers=WORKERS)

    def wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while (found := len(worker_statuses(self._place.control).answers)) < WORKERS:
            if time.monotonic() > deadline:
                raise PeerFailed(f"{found} of ours' workers serve, wanted {WORKERS}", next="make bench")
            time.sleep(0.05)

    def move(self, pid: int, to: Side) -> Told:
        route = ROUTES[0].name
        if to is Side.SERVICE:
            asked = Forward(stage=Stage.SERVICE, skip=True, force=True, reason="benchmark")
            moved = flip(self._place, route, asked, self._actor)
        else:
            moved = back(self._place, route, Stage.MONOLITH, "benchmark", self._actor)
        if len(moved.acknowledged) != WORKERS:
            raise PeerFailed(
                f"{len(moved.acknowledged)} workers acknowledged, wanted {WORKERS}", next="make bench"
            )
        return Told(self._recorded - moved.seconds, moved.seconds)

    def _now(self) -> datetime:
        self._recorded = time.monotonic()
        return utc_now()


class Envoy:
    """Envoy, moved by a file moved over its own."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._routes = setting.folder / "routes.json"

    def command(self) -> list[str]:
        self._put(Side.MONOLITH)
        config = self._setting.folder / "envoy.json"
        config.write_text(
            json.dumps(envoy_config(self._setting.port, self._setting.origins, str(self._routes)))
        )
        return envoy_command(config, workers=WORKERS)

    def wait(self) -> None:
        """It listens when its workers serve."""

    def move(self, pid: int, to: Side) -> Told:
        return Told(self._put(to), None)

    def _put(self, to: Side) -> float:
        temporary = self._routes.with_suffix(".new")
        temporary.write_text(json.dumps(envoy_routes(ROUTES, to)))
        told = time.monotonic()
        temporary.replace(self._routes)
        return told


class Nginx:
    """nginx, moved by a reload."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._config = setting.folder / "nginx.conf"

    def command(self) -> list[str]:
        self._put(Side.MONOLITH)
        return [NGINX.path(), "-p", str(self._setting.folder), "-c", str(self._config)]

    def wait(self) -> None:
        """Its workers stand within milliseconds of its listening."""

    def move(self, pid: int, to: Side) -> Told:
        self._put(to)
        told = time.monotonic()
        os.kill(pid, signal.SIGHUP)
        return Told(told, None)

    def _put(self, to: Side) -> None:
        setting = self._setting
        self._config.write_text(
            nginx_config(
                setting.port, setting.origins, ROUTES, to, directory=str(setting.folder), workers=WORKERS
            )
        )


PEERS: dict[str, Callable[[Setting], Peer]] = {"nginx": Nginx, "envoy": Envoy, "ours": Ours}
