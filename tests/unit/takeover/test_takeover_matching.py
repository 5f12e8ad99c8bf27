"""What does not fit between a table and those that it is split to is named, all of it at once."""

from dataclasses import replace

import pytest

from strangler.takeover.engines import Engine
from strangler.takeover.mapping import PartMapping, TableMapping
from strangler.takeover.matching import misfits
from strangler.takeover.shape import Shape


def shape(table: str, key: str, never_null: str = "", **columns: str) -> Shape:
    return Shape(table, columns, (key,), frozenset(), never_null=frozenset(never_null.split()))


ITEM = shape(
    "item",
    "id",
    "id name stock",
    id="bigint",
    name="text",
    legacy="text",
    stock="integer",
    place="text",
    code="text",
)
PRODUCT = shape("product", "id", id="bigint", title="text")
PARTS = {
    "product_stock": shape(
        "product_stock", "product_id", product_id="bigint", stock="integer", location="text", unit="text"
    ),
    "product_code": shape("product_code", "id", id="bigint", code="text"),
}
STOCK = PartMapping(
    ("stock", "place"), {"id": "product_id", "place": "location"}, {"stock": 5}, {"unit": "piece"}
)
SPLIT = {"product_stock": STOCK, "product_code": PartMapping(("code",))}
MAPPING = TableMapping("product", {"name": "title"}, ("legacy",), split=SPLIT)


def named(split=None, monolith=ITEM, **parts: Shape) -> list[str]:
    """Return what does not fit, each with what is wanted."""
    mapping = replace(MAPPING, split=SPLIT if split is None else split)
    engines = Engine.POSTGRESQL, Engine.POSTGRESQL
    return [
        f"{found}; {wanted}"
        for found, wanted in misfits(monolith, PRODUCT, mapping, engines, {**PARTS, **parts})
    ]


def test_a_split_that_fits_is_not_spoken_of():
    assert named() == []


@pytest.mark.parametrize(
    ("mapping", "said", "wanted"),
    [
        (
            {"product_stock": replace(STOCK, columns=("stok",))},
            "split of stok, which the monolith does not have",
            "one of code, id",
        ),
        (
            {"product_stock": STOCK, "product_code": PartMapping(("code", "stock"))},
            "stock is split off 2 times, to product_stock, product_code",
            "one table for it",
        ),
        (
            {"product_code": PartMapping(("id", "code"))},
            "id is split off, and part of the key",
            "the key goes to every part",
        ),
        ({"product_code": PartMapping(("legacy",))}, "legacy is dropped and split off", "one of both"),
        (
            {"product_code": PartMapping(("name",))},
            "name is renamed, and split off",
            "split.product_code.rename",
        ),
        (
            {"product_code": PartMapping(("code",), {"stock": "code"})},
            "product_code: rename of stock, which it does not take",
            "one of id, code",
        ),
        (
            {"product_code": PartMapping(("code",), default={"stock": 1})},
            "product_code: default of stock, which it does not take",
            "one of code",
        ),
        (
            {"product_code": PartMapping(("code",), constant={"colour": "x"})},
            "product_code: constant of colour, which it does not have",
            "one of code, id",
        ),
        (
            {"product_code": PartMapping(("code", "place"))},
            "product_code: other columns in each database (no place in the service)",
            "a mapping",
        ),
        (
            {"product_stock": replace(STOCK, constant={})},
            "product_stock: other columns in each database (nothing for the service's unit)",
            "a mapping",
        ),
        ({"product_code": PartMapping(("code",))}, "(no place in the service, no stock", "a mapping"),
        (
            {"product_stock": replace(STOCK, rename={"id": "location", "place": "product_id"})},
            "product_stock: the key is (id) in the monolith, (product_id) in the service",
            "the same key",
        ),
        (
            {"product_stock": replace(STOCK, default={})},
            "product_stock: stock is NOT NULL in the monolith's database, and has no default",
            "default = { stock = VALUE }",
        ),
        (
            {"product_stock": replace(STOCK, default={"stock": "many"})},
            "product_stock: 'many' for the monolith's stock, which is integer",
            "a value of type integer",
        ),
        (
            {"product_stock": replace(STOCK, constant={"unit": 5})},
            "product_stock: 5 for the service's unit, which is",
            "a value of type",
        ),
    ],
)
def test_a_split_that_does_not_fit_is_named(mapping, said, wanted):
    found = named(split=mapping)
    assert any(said in text and wanted in text for text in found), found


def test_a_default_must_fit_on_both_sides():
    narrow = replace(PARTS["product_stock"], columns={**PARTS["product_stock"].columns, "stock": "boolean"})
    assert named(product_stock=narrow) == [
        "product_stock: 5 for the service's stock, which is boolean; a value of type boolean"
    ]


def test_a_column_that_only_the_part_never_leaves_null_wants_a_default_too():
    strict = replace(PARTS["product_code"], never_null=frozenset({"code"}))
    [said] = named(product_code=strict)
    assert said.startswith("product_code: code is NOT NULL in the service's database, and has no default;")
    assert "default = { code = VALUE }" in said


@pytest.mark.parametrize("whose", ["monolith", "service"])
def test_a_column_that_no_two_rows_may_share_is_named(whose):
    unique = {"uniques": (("stock",),)}
    changed = (
        {"monolith": replace(ITEM, **unique)}
        if whose == "monolith"
        else {"product_stock": replace(PARTS["product_stock"], **unique)}
    )
    [said] = named(**changed)
    assert said.startswith("product_stock: stock is unique and never NULL;")


def test_a_key_that_a_part_sorts_otherwise_is_named():
    other = replace(PARTS["product_code"], collations={"id": '"C"'})
    assert named(product_code=other) == [
        'product_code: the key\'s id has the collation "C"; the usual one, as in product'
    ]


def test_names_that_are_too_long_together_are_named():
    long = "p" * 60
    split = {"product_stock": STOCK, long: PartMapping(("code",))}
    [said] = named(split, **{long: replace(PARTS["product_code"], table=long)})
    assert said == f"{long}: code and its table's name have 65 bytes; 63 at most"
