"""The catalog with one route more, which writes and then waits for somebody who never comes."""

import os
import socket

from flask import Flask
from sqlalchemy import update

from extracted.catalog.app import serve as serve_catalog
from extracted.catalog.models import Category

PAUSE = "TEST_PAUSE_PORT"


def serve() -> Flask:
    """Return the application that gunicorn serves."""
    app = serve_catalog()

    @app.post("/pause/")
    def pause() -> str:
        with app.extensions["database"].writing() as session:
            session.execute(update(Category).values(name="rehearsed"))
            with socket.create_connection(("127.0.0.1", int(os.environ[PAUSE]))) as somebody:
                somebody.recv(1)
        return "done"

    return app
