"""A table takes another's place whole, and only that of the version that was meant."""

import threading
from pathlib import Path

import pytest

from proxy.routes import version_of
from proxy.table_swap import SwapRefused, swap

TABLE = """version = 1
[upstreams.monolith]
url = "http://127.0.0.1:1"
# {}
"""
OLD, NEW = TABLE.format("old"), TABLE.format("new")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    table = tmp_path / "routes.toml"
    table.write_text(OLD)
    table.chmod(0o640)
    return table


def test_the_version_that_was_meant_is_replaced(file: Path) -> None:
    swap(file, NEW, version_of(OLD))
    assert file.read_text() == NEW
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["routes.toml"]


def test_another_version_is_left_alone(file: Path) -> None:
    with pytest.raises(SwapRefused, match=version_of(OLD)):
        swap(file, NEW, "0" * 12)
    assert file.read_text() == OLD


def test_what_is_done_is_not_done_again(file: Path) -> None:
    swap(file, NEW, version_of(OLD))
    inode = file.stat().st_ino
    swap(file, NEW, version_of(OLD))
    assert file.stat().st_ino == inode


def test_a_table_that_is_not_sound_is_left_out(file: Path) -> None:
    with pytest.raises(SwapRefused, match="not sound"):
        swap(file, "version = 2", version_of(OLD))
    assert file.read_text() == OLD


def test_a_file_that_cannot_be_replaced_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(SwapRefused, match=r"cannot be replaced: .*No such file"):
        swap(tmp_path / "none.toml", NEW, version_of(OLD))


def test_of_many_who_saw_the_same_version_one_wins(file: Path) -> None:
    texts = [TABLE.format(number) for number in range(16)]
    refused: list[SwapRefused] = []
    together = threading.Barrier(len(texts))

    def swapping(text: str) -> None:
        together.wait()
        try:
            swap(file, text, version_of(OLD))
        except SwapRefused as error:
            refused.append(error)

    threads = [threading.Thread(target=swapping, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == len(texts) - 1
    assert file.read_text() in texts
