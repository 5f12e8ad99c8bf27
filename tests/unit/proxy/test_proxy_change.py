"""A change says all that makes one table another, and what it is applied to becomes that other one."""

import logging
from itertools import pairwise, product

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from proxy.change import TableChange, change_between, changed_table
from proxy.decide import Router
from proxy.guard import Guards
from proxy.metrics import Metrics
from proxy.routes import RouteTable
from proxy.table import parse_table

PATHS = ("/a/", "/a", "/b/{x}/", "/b/c/", "/b/{x}/d", "/b/{rest...}", "/{x}/{y}/", "/{rest...}")
ASKED = [
    (method.encode(), path)
    for method, path in product(
        ("GET", "HEAD"),
        (b"/a/", b"/a", b"/b/1/", b"/b/c/", b"/b/1/d", b"/b/", b"/b/1/2/3", b"/q/r/", b"/", b"/z"),
    )
]
BREAKERS = ("", "breaker = { volume = 3 }", "breaker = { enabled = false }")


@st.composite
def tables(draw: st.DrawFn) -> RouteTable:
    """Return a sound table of a few of the routes above."""
    ports = {name: draw(st.sampled_from((1, 2))) for name in ("monolith", "s", "t")}
    parts = ["version = 1\n"]
    parts += [f'[upstreams.{name}]\nurl = "http://{name}:{port}"\n' for name, port in ports.items()]
    groups = draw(st.lists(st.sampled_from("gh"), min_size=1, unique=True))
    for name in groups:
        service, owner = draw(st.sampled_from("st")), draw(st.sampled_from(("monolith", "service")))
        parts.append(f'[groups.{name}]\nservice = "{service}"\ntables = ["{name}"]\nowner = "{owner}"\n')
    for path in draw(st.lists(st.sampled_from(PATHS), unique=True)):
        name = draw(st.sampled_from((f"r{PATHS.index(path)}", f"other{PATHS.index(path)}")))
        stage = draw(st.sampled_from(("monolith", "shadow", "service")))
        methods = draw(st.sampled_from(('["GET"]', '["GET", "HEAD"]')))
        parts.append(
            f'[[routes]]\nname = "{name}"\ngroup = "{draw(st.sampled_from(groups))}"\npath = "{path}"\n'
            f'methods = {methods}\nstage = "{stage}"\n{draw(st.sampled_from(BREAKERS))}\n'
        )
    return parse_table("".join(parts), "f")


@given(tables(), tables())
def test_a_change_makes_one_table_the_other(before: RouteTable, after: RouteTable) -> None:
    assert changed_table(before, change_between(before, after)) == after


@given(tables(), tables())
def test_a_change_survives_being_told(before: RouteTable, after: RouteTable) -> None:
    change = change_between(before, after)
    assert msgspec.json.decode(msgspec.json.encode(change), type=TableChange) == change


@given(st.lists(tables(), min_size=2, max_size=4))
def test_a_changed_router_decides_as_one_made_anew(versions: list[RouteTable]) -> None:
    router = Router(versions[0])
    for before, after in pairwise(versions):
        older, found = router, [router.find(*asked) for asked in ASKED]
        router, anew = router.changed(change_between(before, after)), Router(after)
        for asked in ASKED:
            assert router.find(*asked) == anew.find(*asked)
        for route in after.routes.values():
            assert router.choices(route) == anew.choices(route)
        assert [older.find(*asked) for asked in ASKED] == found  # requests that began with it end with it


@given(st.lists(tables(), min_size=2, max_size=4))
def test_changed_guards_are_those_made_anew(versions: list[RouteTable]) -> None:
    guards, router = Guards(logging.getLogger("test"), Metrics(None)), Router(versions[0])
    guards.adopt(router)
    for before, after in pairwise(versions):
        change = change_between(before, after)
        router = router.changed(change)
        guards.adopt(router, change)
        anew = Guards(logging.getLogger("test"), Metrics(None))
        anew.adopt(Router(after))
        for route in after.routes.values():
            one, other = guards.of(route), anew.of(route)
            assert (one.rules, one.max_body, one.instead, one.upstream) == (
                other.rules, other.max_body, other.instead, other.upstream,
            )  # fmt: skip
            assert (one.breaker is None) == (other.breaker is None)
        assert _named(guards) == _named(anew)


def _named(guards: Guards) -> set[tuple[str, str, object]]:
    return {(each.upstream, each.route, each.options) for each in guards.breakers()}


def test_a_flip_is_told_in_one_route() -> None:
    text = "".join(
        f'[[routes]]\nname = "r{n}"\ngroup = "g"\npath = "/{n}/"\nmethods = ["GET"]\nstage = "monolith"\n'
        for n in range(50)
    )
    head = 'version = 1\n[upstreams.monolith]\nurl = "http://h:1"\n[upstreams.s]\nurl = "http://h:2"\n'
    head += '[groups.g]\nservice = "s"\ntables = ["t"]\nowner = "monolith"\n'
    before = parse_table(head + text, "f")
    after = parse_table(head + text.replace('"monolith"', '"shadow"', 1), "f")
    change = change_between(before, after)
    assert [route.name for route in change.routes] == ["r0"]
    assert change == TableChange(before.version, after.version, routes=change.routes)
