"""Say whether the process lives (`/healthz`) and whether it can answer (`/readyz`: its database does)."""

from flask import Flask, Response
from sqlalchemy.exc import SQLAlchemyError

from extracted.chassis.database import Database
from extracted.chassis.rendering import Json, render_json


def add_health(app: Flask, database: Database) -> None:
    """Answer both questions. `/healthz` never touches the database: a slow one must not restart workers."""

    @app.get("/healthz")
    def healthz() -> Response:
        return _json(200, {"status": "ok"})

    @app.get("/readyz")
    def readyz() -> Response:
        try:
            database.ping()
        except SQLAlchemyError as fault:
            app.logger.warning("database does not answer", exc_info=fault)
            return _json(503, {"status": "unavailable", "database": "unreachable"})
        return _json(200, {"status": "ok", "database": "ok"})


def _json(status: int, body: Json) -> Response:
    return Response(render_json(body), status, content_type="application/json")
