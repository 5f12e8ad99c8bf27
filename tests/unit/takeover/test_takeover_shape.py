from strangler.takeover.shape import Pair, Shape, parents_first


def pair(table: str, *refers_to: str) -> Pair:
    shape = Shape(table, {"id": "integer"}, ("id",), frozenset(refers_to))
    return Pair(shape, shape)


def order(*pairs: Pair) -> list[str]:
    return [each.table for each in parents_first(pairs)]


def test_parents_come_before_their_children():
    assert order(pair("line", "order", "product"), pair("order", "user"), pair("product")) == [
        "order",
        "product",
        "line",
    ]


def test_a_table_may_refer_to_itself():
    assert order(pair("category", "category")) == ["category"]


def test_tables_in_a_circle_keep_the_order_of_names():
    assert order(pair("b", "a"), pair("a", "b")) == ["a", "b"]


def test_columns_are_named_in_one_order_whatever_the_database_says():
    shape = Shape("t", {"b": "text", "a": "text"}, ("a",), frozenset())
    assert shape.names == ("a", "b")
