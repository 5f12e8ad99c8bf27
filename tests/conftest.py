"""What all tests share: generated examples without a clock, the monolith's database in a file."""

import pytest
from django.conf import settings
from hypothesis import settings as hypothesis_settings

# how long an example takes is the machine's affair
hypothesis_settings.register_profile("kit", deadline=None)
hypothesis_settings.load_profile("kit")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory, django_db_modify_db_settings_parallel_suffix):
    """Let SQLite test in a file: only there do two connections wait for each other as in production."""
    default = settings.DATABASES["default"]
    if default["ENGINE"].endswith("sqlite3"):
        default.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")
