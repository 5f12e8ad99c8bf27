"""The pages in docs/ say what the code says."""

import re
from collections.abc import Iterator
from pathlib import Path

from strangler.cli.reference import reference
from strangler.errors import StranglerError

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
ROW = re.compile(r"^\| (S\d{3}) \| (\d) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def named_errors(base: type[StranglerError] = StranglerError) -> Iterator[type[StranglerError]]:
    for error in base.__subclasses__():
        if "id" in vars(error):
            yield error
        yield from named_errors(error)


def test_the_command_page_is_the_commands_own_help():
    assert (DOCS / "cli.md").read_text() == reference(), "run: python -m strangler.cli.reference"


def test_every_refusal_has_an_id_of_its_own():
    ids = [error.id for error in named_errors()]
    assert len(ids) == len(set(ids))


def test_every_refusal_has_its_entry_with_its_exit_code():
    entries = [(id_, int(exit_)) for id_, exit_, *_ in ROW.findall((DOCS / "errors.md").read_text())]
    assert sorted(entries) == sorted((error.id, error.exit_code) for error in named_errors())


def test_the_pages_name_only_refusals_that_exist():
    known = {error.id for error in named_errors()}
    for page in [*DOCS.glob("*.md"), ROOT / "README.md"]:
        assert set(re.findall(r"\bS\d{3}\b", page.read_text())) <= known, page.name
