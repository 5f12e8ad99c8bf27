"""An origin's refusal is understood in its exact words, and in no others."""

import pytest

from proxy.moved import Moved, read_moved


def test_a_refusal_names_group_epoch_and_effect() -> None:
    assert read_moved(b"catalog; epoch=2; effect=none") == Moved("catalog", 2, without_effect=True)
    assert read_moved(b"catalog; epoch=12; effect=unknown") == Moved("catalog", 12, without_effect=False)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"catalog",
        b"catalog; epoch=2",
        b"catalog; effect=none; epoch=2",
        b"catalog; epoch=two; effect=none",
        b"catalog; epoch=2; effect=nothing",
        b"catalog; epoch=2; effect=none; more",
        b"Catalog; epoch=2; effect=none",
        b"; epoch=2; effect=none",
    ],
)
def test_nothing_else_is_taken_for_one(value: bytes) -> None:
    assert read_moved(value) is None
