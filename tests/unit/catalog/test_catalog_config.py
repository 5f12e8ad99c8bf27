import pytest
from environs import EnvError

from extracted.catalog.config import DEFAULT_DATABASE, read_config

NAMES = (
    "CATALOG_DATABASE_URL",
    "STRANGLER_IDENTITY_PUBLIC_KEY",
    "STRANGLER_REHEARSAL_KEY",
    "CATALOG_LOG_LEVEL",
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CATALOG_DATABASE_URL", "mysql://x"),
        ("CATALOG_DATABASE_URL", "not an address"),
        ("STRANGLER_IDENTITY_PUBLIC_KEY", "not a key"),
        ("STRANGLER_REHEARSAL_KEY", "short"),
        ("CATALOG_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(EnvError, match=name):
        read_config()


def test_nothing_needs_to_be_set(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    config = read_config()
    assert config.database_url == DEFAULT_DATABASE
    assert config.public_key is None
    assert config.rehearsal_key is None
