"""How gunicorn serves the catalog: threads behind the routing proxy, addresses from the environment.

gunicorn --config extracted/catalog/gunicorn.conf.py 'extracted.catalog.app:serve()'
"""

# ruff: noqa: N999 - the name gunicorn looks for

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from environs import Env

_env = Env()

pythonpath = str(Path(__file__).resolve().parents[2])
worker_class = "gthread"
bind = _env.str("CATALOG_BIND", "127.0.0.1:8101")
workers = _env.int("CATALOG_WORKERS", 2)
threads = _env.int("CATALOG_THREADS", 4)
# Longer than the proxy keeps an idle connection, so that it is never the service that closes first.
keepalive = 75
timeout = 60
accesslog = None
errorlog = "-"
# Several stacks may run on one machine; gunicorn's own control socket is one file a user.
control_socket_disable = True
# The application alone decides whether a request was HTTPS; gunicorn must not guess too.
secure_scheme_headers: dict[str, str] = {}

# Workers add their figures up through files here. prometheus_client looks for the variable once, when it is
# imported, so it must not be imported above.
METRICS = "PROMETHEUS_MULTIPROC_DIR"
_own_metrics = None if METRICS in os.environ else tempfile.mkdtemp(prefix="catalog-metrics-")
if _own_metrics:
    os.environ[METRICS] = _own_metrics


def child_exit(_server: Any, worker: Any) -> None:
    """Take a worker that ended out of the live figures."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Take the figures away with the service."""
    if _own_metrics:
        shutil.rmtree(_own_metrics, ignore_errors=True)
