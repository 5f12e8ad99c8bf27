"""How gunicorn serves the catalog: threads behind the routing proxy, addresses from the environment.

gunicorn --config extracted/catalog/gunicorn.conf.py 'extracted.catalog.app:serve()'
"""

# ruff: noqa: N999 - the name gunicorn looks for

import os
import tempfile
from pathlib import Path
from typing import Any

from environs import Env
from prometheus_client import multiprocess

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
# The application alone decides whether a request was HTTPS; gunicorn must not guess too.
secure_scheme_headers: dict[str, str] = {}

# Workers add their figures up through files here; prometheus_client reads the variable when imported.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="catalog-metrics-"))


def child_exit(_server: Any, worker: Any) -> None:
    """Take a worker that ended out of the live figures."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
