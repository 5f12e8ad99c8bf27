"""Numbers outlive whoever counted them, and nothing that happens to their files stops a count."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proxy.tallies import Tallies, read_tallies


def _add(tallies: Tallies, name: str, *numbers: int) -> None:
    start = tallies.start((name,))
    for column, number in enumerate(numbers):
        tallies.cells.view[start + column] += number


def _read(path: Path, width: int = 2) -> dict[str, list[int]]:
    return {name: row.tolist() for (name,), row in read_tallies(path, width)}


def test_what_is_counted_is_read_at_once(tmp_path: Path) -> None:
    tallies = Tallies(tmp_path / "t", 2)
    _add(tallies, "a", 1, 2)
    _add(tallies, "b", 3, 4)
    _add(tallies, "a", 1, 1)
    assert _read(tmp_path / "t") == {"a": [2, 3], "b": [3, 4]}


def test_whoever_comes_next_counts_on(tmp_path: Path) -> None:
    _add(Tallies(tmp_path / "t", 2), "a", 1, 2)
    _add(Tallies(tmp_path / "t", 2), "b", 5, 5)
    _add(Tallies(tmp_path / "t", 2), "a", 1, 2)
    assert _read(tmp_path / "t") == {"a": [2, 4], "b": [5, 5]}


def test_any_number_of_names_keep_their_numbers(tmp_path: Path) -> None:
    tallies = Tallies(tmp_path / "t", 2)
    for number in range(1000):
        _add(tallies, f"n{number}", number, 1)
    assert _read(tmp_path / "t") == {f"n{number}": [number, 1] for number in range(1000)}


def test_a_name_torn_by_a_crash_takes_no_numbers_with_it(tmp_path: Path) -> None:
    _add(Tallies(tmp_path / "t", 2), "a", 1, 2)
    with (tmp_path / "t.names").open("ab") as names:
        names.write(b'["hal')
    assert _read(tmp_path / "t") == {"a": [1, 2]}
    _add(Tallies(tmp_path / "t", 2), "b", 3, 4)
    assert _read(tmp_path / "t") == {"a": [1, 2], "b": [3, 4]}


def test_nothing_was_counted_where_no_file_is(tmp_path: Path) -> None:
    assert _read(tmp_path / "t") == {}


def test_without_its_folder_it_counts_in_memory(tmp_path: Path) -> None:
    tallies = Tallies(tmp_path / "gone" / "t", 2)
    _add(tallies, "a", 1, 2)
    assert tallies.cells.view[:2].tolist() == [1, 2]


@contextmanager
def _no_file_grows(size: int) -> Iterator[None]:
    """Let writes past `size` bytes of a file fail, as those to a full disk do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_stops_no_count_and_spoils_no_other(tmp_path: Path) -> None:
    tallies = Tallies(tmp_path / "t", 2)
    _add(tallies, "a", 1, 2)
    with _no_file_grows(1024):  # as many bytes as there are
        for number in range(200):
            _add(tallies, f"n{number}", number, 1)
    _add(tallies, "a", 1, 1)
    assert tallies.cells.view[:2].tolist() == [2, 3]
    assert [tallies.cells.view[start] for _, start in tallies.rows()] == [2, *range(200)]
    assert _read(tmp_path / "t")["a"] == [1, 2]
    _add(Tallies(tmp_path / "t", 2), "later", 9, 9)
    kept = _read(tmp_path / "t")
    assert kept.pop("later") == [9, 9]
    assert all(kept[f"n{number}"] in ([number, 1], [0, 0]) for number in range(200) if f"n{number}" in kept)
