"""The shop as a process: how it starts, refuses to start, and answers the proxy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MONOLITH = Path(__file__).resolve().parents[3] / "monolith"


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=MONOLITH,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MONOLITH_DEBUG", "perhaps", "Not a valid boolean"),
        ("MONOLITH_PAYMENTS_FAILURE", "explode", "Must be one of"),
        ("MONOLITH_DATABASE_URL", "mysql://localhost/shop", "sqlite:///FILE or postgresql"),
        ("MONOLITH_LOG_LEVEL", "LOUD", "Not a valid log level"),
    ],
)
def test_a_wrong_environment_stops_the_start_and_is_named(name, value, said):
    ended = manage("check", **{name: value})
    assert ended.returncode != 0
    assert name in ended.stderr.splitlines()[-1]
    assert said in ended.stderr


def test_every_model_change_has_its_migration():
    ended = manage("makemigrations", "--check", "--dry-run")
    assert ended.returncode == 0, ended.stdout


def test_the_api_schema_is_complete_and_valid():
    ended = manage("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull)
    assert ended.returncode == 0, ended.stderr


def test_the_health_question_costs_no_query_and_no_cookie(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert not answer.cookies
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert client.post("/healthz").status_code == 405


def test_the_schema_names_every_part_of_the_api(client, db):
    paths = client.get("/api/schema/").text
    for part in ("products", "stock", "cart", "orders", "payments", "accounts"):
        assert f"/api/{part}/" in paths


def test_static_files_are_served_without_collecting_them(client, db):
    answer = client.get("/static/admin/css/base.css")
    assert answer.status_code == 200
    answer.close()


def test_an_unknown_host_is_refused(client, db):
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
