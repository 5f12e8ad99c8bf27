"""The gunicorn application that runs ProxyWorkers: pre-fork, graceful reload, signals, TLS."""

from typing import Any

from gunicorn.app.base import BaseApplication

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


def serve(settings: Settings, *, bind: str, admin: str | None, workers: int) -> None:
    """Run the proxy until it is stopped by a signal."""
    ProxyApplication(
        settings,
        {
            "bind": [bind, *([admin] if admin else [])],
            "workers": workers,
            "worker_class": "proxy.worker.ProxyWorker",
            "proc_name": "strangler-proxy",
            "graceful_timeout": 30,
            "backlog": 2048,
            "control_socket_disable": True,  # ours are in the control folder
        },
    ).run()
