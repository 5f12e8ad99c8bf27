"""The proxies that let the monolith answer: how each is configured and started."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.envoy import command as envoy_command
from bench.fallback import configs
from bench.proxy import ours
from bench.tools import HAPROXY, NGINX


@dataclass(frozen=True, slots=True)
class Setting:
    """What a peer is started with."""

    port: int
    service_port: int
    monolith_port: int
    folder: Path
    python: str


def _nginx(setting: Setting, *, non_idempotent: bool = False) -> list[str]:
    config = setting.folder / "nginx.conf"
    config.write_text(
        configs.nginx_config(
            setting.port,
            setting.service_port,
            setting.monolith_port,
            str(setting.folder),
            non_idempotent=non_idempotent,
        )
    )
    return [NGINX.path(), "-p", str(setting.folder), "-c", str(config)]


def _nginx_non_idempotent(setting: Setting) -> list[str]:
    return _nginx(setting, non_idempotent=True)


def _haproxy(setting: Setting) -> list[str]:
    config = setting.folder / "haproxy.cfg"
    config.write_text(configs.haproxy_config(setting.port, setting.service_port, setting.monolith_port))
    return [HAPROXY.path(), "-db", "-f", str(config)]


def _envoy(setting: Setting) -> list[str]:
    config = setting.folder / "envoy.json"
    config.write_text(
        json.dumps(configs.envoy_config(setting.port, setting.service_port, setting.monolith_port))
    )
    return envoy_command(config, workers=1)


def _ours(setting: Setting) -> list[str]:
    table = setting.folder / "routes.toml"
    table.write_text(configs.ours_table(setting.service_port, setting.monolith_port))
    return ours.command(setting.python, table, setting.folder, port=setting.port, workers=1)


# Both of nginx's: which of its documented settings repeat a write differs.
PEERS: dict[str, Callable[[Setting], list[str]]] = {
    "nginx": _nginx,
    "nginx-non-idempotent": _nginx_non_idempotent,
    "haproxy": _haproxy,
    "envoy": _envoy,
    "ours": _ours,
}
"""Each writes its configuration and returns the command to start with."""
