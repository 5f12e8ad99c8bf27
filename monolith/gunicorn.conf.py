"""How gunicorn serves the shop: threads behind the routing proxy, addresses from the environment.

gunicorn --config monolith/gunicorn.conf.py shop.wsgi
"""

from pathlib import Path

from environs import Env

_env = Env()

pythonpath = str(Path(__file__).resolve().parent)
worker_class = "gthread"
bind = _env.str("MONOLITH_BIND", "127.0.0.1:8001")
workers = _env.int("MONOLITH_WORKERS", 2)
threads = _env.int("MONOLITH_THREADS", 4)
# Longer than the proxy keeps an idle connection, so that it is never the monolith that closes first.
keepalive = 75
timeout = 60
accesslog = None
errorlog = "-"
# Django alone decides whether a request was HTTPS (SECURE_PROXY_SSL_HEADER); gunicorn must not guess too.
secure_scheme_headers = {}
# Its default place is one file per user, which two stacks on one machine would fight over.
control_socket_disable = True
