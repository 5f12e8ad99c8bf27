"""What all tests share: generated examples without a clock, the monolith's database in a file."""

from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import settings as hypothesis_settings

# how long an example takes is the machine's affair
hypothesis_settings.register_profile("kit", deadline=None)
hypothesis_settings.load_profile("kit")

UNIT = Path(__file__).parent / "unit"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Keep the shortest for the end, so that no process is left alone with a long one; else as shuffled."""
    items.sort(key=lambda item: UNIT in item.path.parents)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory, django_db_modify_db_settings_parallel_suffix):
    """Let SQLite test in a file: only there do two connections wait for each other as in production."""
    default = settings.DATABASES["default"]
    if default["ENGINE"].endswith("sqlite3"):
        default.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
