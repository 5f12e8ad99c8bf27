"""The gunicorn application that runs ProxyWorkers: pre-fork, graceful reload, signals, TLS."""

import logging
import os
import socket
from typing import Any

from gunicorn.app.base import BaseApplication

from proxy.addresses import BACKLOG
from proxy.settings import Settings
from proxy.tls import Certificate


class ProxyApplication(BaseApplication):
    """Hands the settings to the workers. There is no WSGI application."""

    def __init__(self, settings: Settings, options: dict[str, Any], certificate: Certificate | None) -> None:
        self._settings = settings
        self._certificate = certificate
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def reload(self) -> None:
        """Read what a reload may have changed. The workers read the table themselves."""
        super().reload()
        if self._certificate is not None:
            self._certificate.renew(logging.getLogger("gunicorn.error"))

    def load(self) -> Settings:  # type: ignore[override] # what our own worker class takes for an application
        return self._settings


def serve(
    settings: Settings,
    *,
    clients: socket.socket,
    admin: socket.socket | None,
    workers: int,
    certificate: Certificate | None = None,
) -> None:
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
            "user": os.geteuid(),  # gunicorn's defaults are whoever imported it
            "group": os.getegid(),
            "backlog": BACKLOG,
            "control_socket_disable": True,  # ours are in the control folder
        }
        | (_tls(certificate) if certificate is not None else {}),
        certificate,
    ).run()


def _tls(certificate: Certificate) -> dict[str, Any]:
    place = certificate.place
    return {
        "certfile": str(place.chain),
        "keyfile": str(place.key) if place.key is not None else None,
        "ssl_context": lambda _config, _default: certificate.context,
    }
