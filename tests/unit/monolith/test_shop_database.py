"""The database address decides the engine and its tuning."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from shop.database import database, sqlite_file


@pytest.mark.parametrize("url", ["mysql://root@localhost/shop", "nonsense://x", "", "shop.sqlite3"])
def test_an_address_of_another_engine_is_refused_by_name(url):
    with pytest.raises(ImproperlyConfigured, match="MONOLITH_DATABASE_URL"):
        database(url)


def test_sqlite_waits_for_the_write_lock_at_begin():
    config = database("sqlite:////srv/shop.sqlite3")
    assert config["NAME"] == "/srv/shop.sqlite3"
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in config["OPTIONS"]["init_command"]


def test_postgresql_connections_are_kept_and_checked():
    config = database("postgresql://shop:secret@db.example:5433/shop")
    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db.example", 5433, "shop")
    assert config["CONN_MAX_AGE"] > 0
    assert config["CONN_HEALTH_CHECKS"]


def test_the_folder_of_the_default_database_is_made(tmp_path):
    assert sqlite_file(tmp_path / "var" / "x.sqlite3") == f"sqlite:///{tmp_path}/var/x.sqlite3"
    assert (tmp_path / "var").is_dir()
