"""Where an installation keeps its files."""

from pathlib import Path

import pytest

from strangler.errors import NoInstallation
from strangler.installation import find_installation


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy" / "routes.toml").write_text("")
    return tmp_path


def test_a_directory_without_a_table_above_it_is_refused(tmp_path):
    with pytest.raises(NoInstallation, match=r"neither .* nor a directory above") as refusal:
        find_installation(tmp_path, {})
    assert "STRANGLER_ROOT" in refusal.value.next


def test_a_named_table_that_is_not_there_is_refused(root):
    with pytest.raises(NoInstallation, match=r"other\.toml is not there"):
        find_installation(root, {"STRANGLER_TABLE": str(root / "other.toml")})


def test_the_nearest_directory_upwards_is_the_installation(root):
    deep = root / "a" / "b"
    deep.mkdir(parents=True)
    place = find_installation(deep, {})
    assert (place.root, place.table, place.var) == (root, root / "proxy" / "routes.toml", root / "var")


def test_the_environment_can_name_each_place(root, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "t.toml").write_text("")
    environ = {
        "STRANGLER_ROOT": str(root),
        "STRANGLER_TABLE": str(other / "t.toml"),
        "STRANGLER_VAR": str(other / "v"),
    }
    place = find_installation(other, environ)
    assert (place.root, place.table, place.var) == (root, other / "t.toml", other / "v")
    assert place.audit == other / "v" / "audit.jsonl"
