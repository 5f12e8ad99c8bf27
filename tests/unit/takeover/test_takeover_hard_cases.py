"""The page of hard cases names tests that exist, and leaves none of the fifteen without one."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ROW = re.compile(r"^\| (\d+) \|.*$", re.MULTILINE)
NAMED = re.compile(r"`(test_\w+)`")


def test_every_hard_case_names_tests_that_exist():
    page = (ROOT / "docs" / "takeover.md").read_text(encoding="utf-8").partition("## Fifteen hard cases")[2]
    named = {int(row[1]): NAMED.findall(row[0]) for row in ROW.finditer(page)}
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert list(named) == list(range(1, 16))
    assert all(named.values())
    assert [name for names in named.values() for name in names if f"def {name}(" not in sources] == []
