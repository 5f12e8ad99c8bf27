"""The gunicorn application that runs ProxyWorkers: pre-fork, graceful reload, signals, TLS."""

import socket
from typing import Any

from gunicorn.app.base import BaseApplication

from proxy.addresses import BACKLOG
from proxy.settings import Settings


class ProxyApplication(BaseApplication):
    """Hands the settings to the workers. There is no WSGI application."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self._settings = settings
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Settings:  # type: ignore[override] # what our own worker class takes for an application
        return self._settings


def serve(settings: Settings, *, clients: socket.socket, admin: socket.socket | None, workers: int) -> None:
    """Run the proxy on listening sockets, which it takes over, until it is stopped by a signal."""
    sockets = [clients] if admin is None else [clients, admin]
    ProxyApplication(
        settings,
        {
            "bind": [f"fd://{sock.detach()}" for sock in sockets],
            "workers": workers,
            "worker_class": "proxy.worker.ProxyWorker",
            "proc_name": "strangler-proxy",
            "graceful_timeout": 30,
            "backlog": BACKLOG,
            "control_socket_disable": True,  # ours are in the control folder
        },
    ).run()
