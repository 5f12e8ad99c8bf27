"""The page on fallback names every option, with the default that the code has."""

import re
from dataclasses import fields
from pathlib import Path

from proxy.routes import BreakerOptions, FallbackOptions, Timeouts
from proxy.table import parse_table

PAGE = Path(__file__).parents[3] / "docs" / "fallback.md"
ROW = re.compile(r"^\| `(fallback|breaker|timeouts)\.(\w+)` \| .+ \| (.+) \|$", re.MULTILINE)
WORDS = {"true": True, "none": ()}
TABLE = """version = 1
[upstreams.monolith]
url = "http://127.0.0.1:1"
[upstreams.catalog]
url = "http://127.0.0.1:2"
[groups.catalog]
service = "catalog"
tables = ["t"]
owner = "monolith"
[[routes]]
name = "r"
group = "catalog"
path = "/r/"
methods = ["GET"]
stage = "service"
"""


def test_the_page_names_every_option_with_its_default() -> None:
    told = {
        (table, key): WORDS[value] if value in WORDS else float(value)
        for table, key, value in ROW.findall(PAGE.read_text())
    }
    options = {"fallback": FallbackOptions(), "breaker": BreakerOptions(), "timeouts": Timeouts()}
    held = {
        (table, each.name): getattr(value, each.name)
        for table, value in options.items()
        for each in fields(value)
    }
    assert told == held


def test_the_pages_example_is_a_sound_table() -> None:
    example = PAGE.read_text().partition("```toml\n")[2].partition("```")[0]
    assert parse_table(TABLE + example, "f").routes["r"].fallback.on == (502, 503)
