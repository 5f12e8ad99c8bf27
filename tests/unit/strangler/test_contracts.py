"""The import contracts name whatever they must guard."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_no_part_of_the_kit_is_left_out_of_what_a_monolith_must_not_import() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each["id"] == "installed-part-stands-alone")
    above, below = contract["layers"]
    kit = {file.stem for file in (ROOT / "strangler").glob("[a-z]*.py")}
    kit |= {file.parent.name for file in (ROOT / "strangler").glob("*/__init__.py")}
    assert set(above.split(" : ")) == kit - {below}
