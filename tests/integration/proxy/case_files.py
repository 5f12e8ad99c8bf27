r"""Requests and answers as files: `\r\n`, `\0` and `\xNN` are spelled out, real line ends do not count."""

from pathlib import Path

CASES = Path(__file__).parents[2] / "cases" / "proxy"


def read_case(file: Path) -> bytes:
    """Return the bytes that a case file spells."""
    text = file.read_text().replace("\n", "")
    return text.encode("ascii").decode("unicode_escape").encode("latin-1")


def case_files(folder: str, pattern: str = "*.http") -> list[Path]:
    """Return the requests of a folder of cases, or its other files."""
    return sorted((CASES / folder).glob(pattern))
