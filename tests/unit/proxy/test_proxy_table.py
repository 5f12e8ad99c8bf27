"""A table that contradicts itself is refused with file, key, value and what is wanted."""

import pytest

from proxy.routes import BreakerOptions, FallbackOptions, Owner, PinOptions, Stage
from proxy.table import TableError, parse_table

UPSTREAMS = """
[upstreams.monolith]
url = "http://127.0.0.1:8001"
[upstreams.catalog]
url = "http://127.0.0.1:8101"
health = "/healthz"
"""
GROUP = """
[groups.catalog]
service = "catalog"
tables = ["catalog_product"]
owner = "monolith"
"""
ROUTE = """
[[routes]]
name = "catalog.products"
group = "catalog"
path = "/api/products/"
methods = ["GET", "HEAD"]
stage = "monolith"
"""
SOUND = "version = 1\n" + UPSTREAMS + GROUP + ROUTE


def _changed(old: str, new: str) -> str:
    assert old in SOUND
    return SOUND.replace(old, new)


def _problems(text: str) -> list[str]:
    with pytest.raises(TableError) as refusal:
        parse_table(text, "routes.toml")
    assert str(refusal.value).startswith("routes.toml: ")
    return [str(problem) for problem in refusal.value.problems]


def _canary(percent: str) -> str:
    return _changed('stage = "monolith"', f'stage = "canary"\npercent = {percent}')


def _route(name: str, path: str, methods: str = '["GET"]', extra: str = "") -> str:
    return (
        f'[[routes]]\nname = "{name}"\ngroup = "catalog"\npath = "{path}"\n'
        f'methods = {methods}\nstage = "monolith"\n{extra}'
    )


NAMES = "an id of a-z, 0-9, '.', '_', '-'"
METHODS = "a list of different methods of GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE"
STAGES = "one of monolith, shadow, canary, service, retired"
STATUSES = "a list of different statuses from 500 to 599"
PERCENT = "a canary's share from 0.01 to 100 in steps of 0.01"
WRITES = "writes to move together with the tables' owner, by 'strangler takeover'"

REFUSED = {
    # what stands there: (text, the whole problem)
    "no version": (
        SOUND.replace("version = 1\n", ""),
        "version: found nothing, wanted 1",
    ),
    "another version": (
        _changed("version = 1", "version = 2"),
        "version: found another version, wanted 1",
    ),
    "a version that is true": (
        _changed("version = 1", "version = true"),
        "version: found True, wanted 1",
    ),
    "no monolith": (
        _changed("upstreams.monolith", "upstreams.orders"),
        "upstreams.monolith: found nothing, wanted the upstream that answers what no route names",
    ),
    "an unknown key at the top": (
        "colour = 1\n" + SOUND,
        "colour: found an unknown key, wanted one of version, upstreams, groups, routes",
    ),
    "an unknown key with a near name": (
        SOUND + 'metods = ["GET"]\n',
        "routes[0].metods: found an unknown key, wanted 'methods'",
    ),
    "an unknown key of an upstream": (
        _changed("health =", "healthy ="),
        "upstreams.catalog.healthy: found an unknown key, wanted 'health'",
    ),
    "an unknown key of a group": (
        _changed("owner =", 'onwer = "x"\nowner ='),
        "groups.catalog.onwer: found an unknown key, wanted 'owner'",
    ),
    "an unknown key of a shadow": (
        SOUND + "shadow = { percentage = 1 }\n",
        "routes[0].shadow.percentage: found an unknown key, wanted 'percent'",
    ),
    "an unknown timeout": (
        SOUND + "timeouts = { read = 1 }\n",
        "routes[0].timeouts.read: found an unknown key, wanted 'head'",
    ),
    "a total shorter than one try": (
        SOUND + "timeouts = { connect = 2, head = 8, total = 9 }\n",
        "routes[0].timeouts.total: found 9, wanted a number from 10 to 7200",
    ),
    "an unknown key of a fallback": (
        SOUND + "fallback = { off = true }\n",
        "routes[0].fallback.off: found an unknown key, wanted one of enabled, on, max_body",
    ),
    "a fallback on a status that is no failure": (
        SOUND + "fallback = { on = [404] }\n",
        f"routes[0].fallback.on: found [404], wanted {STATUSES}",
    ),
    "a fallback on a status twice": (
        SOUND + "fallback = { on = [503, 503] }\n",
        f"routes[0].fallback.on: found [503, 503], wanted {STATUSES}",
    ),
    "a fallback on texts": (
        SOUND + 'fallback = { on = ["503"] }\n',
        f"routes[0].fallback.on: found ['503'], wanted {STATUSES}",
    ),
    "a fallback that is neither on nor off": (
        SOUND + "fallback = { enabled = 1 }\n",
        "routes[0].fallback.enabled: found 1, wanted true or false",
    ),
    "a fallback of huge bodies": (
        SOUND + "fallback = { max_body = 20_000_000 }\n",
        "routes[0].fallback.max_body: found 20000000, wanted a whole number from 0 to 10485760",
    ),
    "a fallback of half a byte": (
        SOUND + "fallback = { max_body = 0.5 }\n",
        "routes[0].fallback.max_body: found 0.5, wanted a whole number from 0 to 10485760",
    ),
    "a fallback that is no table": (
        SOUND + "fallback = false\n",
        "routes[0].fallback: found False, wanted a table",
    ),
    "an unknown key of a breaker": (
        SOUND + "breaker = { windows = 1 }\n",
        "routes[0].breaker.windows: found an unknown key, wanted 'window'",
    ),
    "an unknown key of a retreat": (
        SOUND + "retreat = { error = 1 }\n",
        "routes[0].retreat.error: found an unknown key, wanted 'errors'",
    ),
    "a retreat past more than all": (
        SOUND + "retreat = { diffs = 101 }\n",
        "routes[0].retreat.diffs: found 101, wanted a number from 0 to 100",
    ),
    "a gate that nothing could close": (
        SOUND + "gate = { min_samples = 0 }\n",
        "routes[0].gate.min_samples: found 0, wanted a whole number from 1 to 10000000",
    ),
    "circumstances that no request has": (
        SOUND + 'gate = { cover = ["GET 4xx", "4xx GET"] }\n',
        (
            "routes[0].gate.cover: found ['GET 4xx', '4xx GET'], wanted a list of circumstances, each of a"
            " method, a status class and a role, as 'GET 4xx staff' or 'HEAD'"
        ),
    ),
    "an unknown key of a pin": (
        SOUND + "pin = { second = 1 }\n",
        "routes[0].pin.second: found an unknown key, wanted 'seconds'",
    ),
    "a pin that ends before it begins": (
        SOUND + "pin = { seconds = 0 }\n",
        "routes[0].pin.seconds: found 0, wanted a number from 1 to 3600",
    ),
    "a pin that is no switch": (
        SOUND + "pin = { enabled = 1 }\n",
        "routes[0].pin.enabled: found 1, wanted true or false",
    ),
    "a websocket that is no switch": (
        SOUND + 'websocket = "yes"\n',
        "routes[0].websocket: found 'yes', wanted true or false",
    ),
    "a rehearsal that is no switch": (
        SOUND + "shadow = { percent = 10, rehearse = 1 }\n",
        "routes[0].shadow.rehearse: found 1, wanted true or false",
    ),
    "a rehearsal of reads": (
        SOUND + "shadow = { percent = 10, rehearse = true }\n",
        (
            "route 'catalog.products', shadow.rehearse: found true beside methods that only read"
            " (GET, HEAD), wanted only on a route that writes"
        ),
    ),
    "a rehearsal of nothing": (
        SOUND + _route("w", "/w/", '["POST"]', "shadow = { rehearse = true }\n"),
        "route 'w', shadow.rehearse: found true of 0 %, wanted a shadow.percent above 0 beside it",
    ),
    "a breaker that opens at nothing": (
        SOUND + "breaker = { percent = 0 }\n",
        "routes[0].breaker.percent: found 0, wanted a number from 1 to 100",
    ),
    "a breaker without a volume": (
        SOUND + "breaker = { volume = 0 }\n",
        "routes[0].breaker.volume: found 0, wanted a whole number from 1 to 1000000",
    ),
    "a breaker with too large a budget": (
        SOUND + "breaker = { budget = 101 }\n",
        "routes[0].breaker.budget: found 101, wanted a number from 0 to 100",
    ),
    "a URL that is none": (
        _changed("http://127.0.0.1:8101", "127.0.0.1:8101"),
        "upstreams.catalog.url: found '127.0.0.1:8101', wanted http://HOST:PORT",
    ),
    "a URL with a path": (
        _changed("http://127.0.0.1:8101", "http://127.0.0.1:8101/api"),
        "upstreams.catalog.url: found 'http://127.0.0.1:8101/api', wanted http://HOST:PORT",
    ),
    "a URL with a password": (
        _changed("http://127.0.0.1:8101", "http://u:p@127.0.0.1:8101"),
        "upstreams.catalog.url: found 'http://u:p@127.0.0.1:8101', wanted http://HOST:PORT",
    ),
    "a URL with a wild port": (
        _changed(":8101", ":81010"),
        "upstreams.catalog.url: found 'http://127.0.0.1:81010', wanted http://HOST:PORT",
    ),
    "a URL over TLS": (
        _changed("http://127.0.0.1:8101", "https://127.0.0.1:8101"),
        "upstreams.catalog.url: found 'https://127.0.0.1:8101', wanted http://HOST:PORT",
    ),
    "an empty URL": (
        _changed("http://127.0.0.1:8101", ""),
        "upstreams.catalog.url: found '', wanted http://HOST:PORT",
    ),
    "a health path without a slash": (
        _changed('"/healthz"', '"healthz"'),
        "upstreams.catalog.health: found 'healthz', wanted a path such as '/healthz'",
    ),
    "an upstream that is no table": (
        "upstreams.orders = 1\n" + SOUND,
        "upstreams.orders: found 1, wanted a table",
    ),
    "an upstream with a wild name": (
        _changed("[upstreams.catalog]", '[upstreams."Cata log"]\nurl = "http://a:1"\n[upstreams.catalog]'),
        "upstreams.Cata log: found 'Cata log', wanted a name of a-z, 0-9, '.', '_', '-'",
    ),
    "an unknown service": (
        _changed('service = "catalog"', 'service = "catalogue"'),
        (
            "groups.catalog.service: found 'catalogue', wanted an upstream other than 'monolith'"
            " (did you mean 'catalog'?)"
        ),
    ),
    "the monolith as a service": (
        _changed('service = "catalog"', 'service = "monolith"'),
        "groups.catalog.service: found 'monolith', wanted an upstream other than 'monolith'",
    ),
    "an empty service": (
        _changed('service = "catalog"', 'service = ""'),
        "groups.catalog.service: found '', wanted an upstream other than 'monolith'",
    ),
    "an unknown owner": (
        _changed('owner = "monolith"', 'owner = "monolit"'),
        "groups.catalog.owner: found 'monolit', wanted 'monolith' or 'service' (did you mean 'monolith'?)",
    ),
    "no tables": (
        _changed('tables = ["catalog_product"]', "tables = []"),
        "groups.catalog.tables: found [], wanted a list of different table names",
    ),
    "a table twice": (
        _changed('["catalog_product"]', '["t", "t"]'),
        "groups.catalog.tables: found ['t', 't'], wanted a list of different table names",
    ),
    "tables that are numbers": (
        _changed('["catalog_product"]', "[1]"),
        "groups.catalog.tables: found [1], wanted a list of different table names",
    ),
    "a table in two groups": (
        SOUND + '[groups.other]\nservice = "catalog"\ntables = ["catalog_product"]\nowner = "service"\n',
        "groups.other.tables: found 'catalog_product', wanted no table that group 'catalog' has",
    ),
    "a route without a name": (
        _changed('name = "catalog.products"\n', ""),
        f"routes[0].name: found nothing, wanted {NAMES}",
    ),
    "an empty name": (
        _changed('"catalog.products"', '""'),
        f"routes[0].name: found '', wanted {NAMES}",
    ),
    "a wild name": (
        _changed("catalog.products", "Catalog products"),
        f"routes[0].name: found 'Catalog products', wanted {NAMES}",
    ),
    "a name twice": (
        SOUND + ROUTE.replace("/api/products/", "/api/others/"),
        "routes[1].name: found 'catalog.products', wanted a name no other route has",
    ),
    "an unknown group": (
        _changed('group = "catalog"', 'group = "catlog"'),
        "routes[0].group: found 'catlog', wanted the name of a group (did you mean 'catalog'?)",
    ),
    "an empty group": (
        _changed('group = "catalog"', 'group = ""'),
        "routes[0].group: found '', wanted the name of a group",
    ),
    "a stage misspelt": (
        _changed('stage = "monolith"', 'stage = "shadwo"'),
        f"routes[0].stage: found 'shadwo', wanted {STAGES} (did you mean 'shadow'?)",
    ),
    "an empty stage": (
        _changed('stage = "monolith"', 'stage = ""'),
        f"routes[0].stage: found '', wanted {STAGES}",
    ),
    "a stage that is a number": (
        _changed('stage = "monolith"', "stage = 1"),
        f"routes[0].stage: found 1, wanted {STAGES}",
    ),
    "an empty path": (
        _changed('"/api/products/"', '""'),
        "routes[0].path: found '', wanted a path template such as '/api/products/{id}/'",
    ),
    "a path without a slash": (
        _changed('"/api/products/"', '"api/"'),
        "routes[0].path: found 'api/', wanted a path that begins with '/'",
    ),
    "a path with a bad template": (
        _changed('"/api/products/"', '"/api/{id/"'),
        "routes[0].path: found '/api/{id/', wanted '{name}' as a whole segment, '{name...}' as the last one",
    ),
    "a rest in the middle": (
        _changed('"/api/products/"', '"/api/{rest...}/x"'),
        "routes[0].path: found '/api/{rest...}/x', wanted '{rest...}' only as the last segment",
    ),
    "an unknown method": (
        _changed('["GET", "HEAD"]', '["GET", "FETCH"]'),
        f"routes[0].methods: found ['GET', 'FETCH'], wanted {METHODS}",
    ),
    "a method in lower case": (
        _changed('["GET", "HEAD"]', '["get"]'),
        f"routes[0].methods: found ['get'], wanted {METHODS}",
    ),
    "a method twice": (
        _changed('["GET", "HEAD"]', '["GET", "GET"]'),
        f"routes[0].methods: found ['GET', 'GET'], wanted {METHODS}",
    ),
    "no methods": (
        _changed('["GET", "HEAD"]', "[]"),
        f"routes[0].methods: found [], wanted {METHODS}",
    ),
    "methods that are a text": (
        _changed('["GET", "HEAD"]', '"GET"'),
        f"routes[0].methods: found 'GET', wanted {METHODS}",
    ),
    "a canary without a percent": (
        _changed('stage = "monolith"', 'stage = "canary"'),
        f"routes[0].percent: found nothing, wanted {PERCENT}",
    ),
    "a canary of 0": (_canary("0"), f"routes[0].percent: found 0, wanted {PERCENT}"),
    "a canary of 100.5": (_canary("100.5"), f"routes[0].percent: found 100.5, wanted {PERCENT}"),
    "a canary of -1": (_canary("-1"), f"routes[0].percent: found -1, wanted {PERCENT}"),
    "a canary of 10.001": (_canary("10.001"), f"routes[0].percent: found 10.001, wanted {PERCENT}"),
    "a canary of 0.001": (_canary("0.001"), f"routes[0].percent: found 0.001, wanted {PERCENT}"),
    "a canary of nan": (_canary("nan"), f"routes[0].percent: found nan, wanted {PERCENT}"),
    "a canary of inf": (_canary("inf"), f"routes[0].percent: found inf, wanted {PERCENT}"),
    "a canary of a text": (_canary('"10"'), f"routes[0].percent: found '10', wanted {PERCENT}"),
    "a canary of true": (_canary("true"), f"routes[0].percent: found True, wanted {PERCENT}"),
    "a percent without a canary": (
        SOUND + "percent = 10\n",
        "routes[0].percent: found a percent at stage monolith, wanted none; only a canary has one",
    ),
    "a shadow's percent over 100": (
        SOUND + "shadow = { percent = 101 }\n",
        "routes[0].shadow.percent: found 101, wanted a number from 0 to 100",
    ),
    "a shadow's percent that is true": (
        SOUND + "shadow = { percent = true }\n",
        "routes[0].shadow.percent: found True, wanted a number from 0 to 100",
    ),
    "a shadow that is a number": (
        SOUND + "shadow = 100\n",
        "routes[0].shadow: found 100, wanted a table",
    ),
    "a timeout of nothing": (
        SOUND + "timeouts = { head = 0 }\n",
        "routes[0].timeouts.head: found 0, wanted a number from 0.01 to 3600",
    ),
    "routes that are a table": (
        "version = 1\n" + UPSTREAMS + GROUP + "[routes.x]\n",
        "routes: found {'x': {}}, wanted an array of tables",
    ),
    "two routes of one path": (
        SOUND + _route("other", "/api/products/"),
        "route 'other': found GET /api/products/, wanted a path that 'catalog.products' does not have",
    ),
    "two templates of one shape": (
        SOUND + _route("one", "/a/{x}/") + _route("other", "/a/{y}/"),
        "route 'other': found GET /a/{y}/, wanted a path that 'one' does not have",
    ),
    "a write at the service before its tables": (
        _changed('["GET", "HEAD"]\nstage = "monolith"', '["GET", "POST"]\nstage = "service"'),
        (
            "route 'catalog.products': found methods that write (GET, POST) at stage service"
            f" while group 'catalog' is owned by the monolith, wanted {WRITES}"
        ),
    ),
    "a write in a canary before its tables": (
        _canary("10").replace('"HEAD"', '"DELETE"'),
        (
            "route 'catalog.products': found methods that write (GET, DELETE) at stage canary"
            f" while group 'catalog' is owned by the monolith, wanted {WRITES}"
        ),
    ),
    "a write left behind by its tables": (
        _changed('owner = "monolith"', 'owner = "service"').replace('"HEAD"', '"PUT"'),
        (
            "route 'catalog.products': found methods that write (GET, PUT) at stage monolith"
            f" while group 'catalog' is owned by the service, wanted {WRITES}"
        ),
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_table_with_this_fault_is_refused(kind: str) -> None:
    text, problem = REFUSED[kind]
    assert _problems(text) == [problem]


@pytest.mark.parametrize("text", ["version = ", "[a", 'a = "', "a = 1\na = 2", "a = " + "[" * 9999])
def test_text_that_is_no_toml_is_refused(text: str) -> None:
    (problem,) = _problems(text)
    assert problem.startswith("TOML: found ")
    assert problem.endswith(", wanted valid TOML")


def test_every_problem_is_named_at_once() -> None:
    text = _changed('stage = "monolith"', 'stage = "x"').replace('owner = "monolith"', 'owner = "y"')
    assert [problem.partition(":")[0] for problem in _problems(text)] == [
        "groups.catalog.owner",
        "routes[0].stage",
    ]


def test_a_sound_table_is_read_whole() -> None:
    table = parse_table(SOUND + "timeouts = { head = 5 }\nshadow = { percent = 2.5 }\n", "routes.toml")
    route = table.routes["catalog.products"]
    assert (route.path, route.methods, route.stage) == ("/api/products/", ("GET", "HEAD"), Stage.MONOLITH)
    assert (route.timeouts.connect, route.timeouts.head, route.shadow_percent) == (1.0, 5.0, 2.5)
    assert table.service_of(route).url == "http://127.0.0.1:8101"
    assert (table.service_of(route).host, table.service_of(route).port) == ("127.0.0.1", 8101)
    assert table.monolith.health is None
    assert table.groups["catalog"].owner is Owner.MONOLITH


def test_a_short_route_falls_back_and_shares_its_services_breaker() -> None:
    route = parse_table(SOUND, "f").routes["catalog.products"]
    assert (route.fallback.enabled, route.fallback.on, route.fallback.max_body) == (True, (), 65536)
    assert route.breaker is None
    assert route.timeouts.total == 60


def test_fallback_and_breaker_are_read_whole() -> None:
    text = SOUND + (
        "fallback = { enabled = false, on = [502, 503], max_body = 0 }\n"
        "breaker = { percent = 30, volume = 5, window = 60, open = 1.5, slow = 2, budget = 10 }\n"
    )
    route = parse_table(text, "f").routes["catalog.products"]
    assert route.fallback == FallbackOptions(False, (502, 503), 0)
    assert route.breaker == BreakerOptions(True, 30, 5, 60, 1.5, 2, 10)


def test_a_pin_is_read_whole_and_on_by_default() -> None:
    assert parse_table(SOUND, "f").routes["catalog.products"].pin == PinOptions(True, 10)
    text = SOUND + "pin = { enabled = false, seconds = 2.5 }\n"
    assert parse_table(text, "f").routes["catalog.products"].pin == PinOptions(False, 2.5)


def test_a_breaker_with_nothing_said_is_the_routes_own() -> None:
    assert parse_table(SOUND + "breaker = {}\n", "f").routes["catalog.products"].breaker == BreakerOptions()


def test_a_long_head_timeout_lengthens_the_total() -> None:
    route = parse_table(SOUND + "timeouts = { head = 100 }\n", "f").routes["catalog.products"]
    assert route.timeouts.total == 101


@pytest.mark.parametrize("percent", ["0.01", "10", "33.33", "99.99", "100", "0.07", "0.29", "57.01"])
def test_a_canary_takes_hundredths(percent: str) -> None:
    assert parse_table(_canary(percent), "f").routes["catalog.products"].percent == float(percent)


def test_a_shadow_stage_shadows_everything_unless_told() -> None:
    whole = parse_table(_changed('stage = "monolith"', 'stage = "shadow"'), "f")
    assert whole.routes["catalog.products"].shadow_percent == 100
    assert parse_table(SOUND, "f").routes["catalog.products"].shadow_percent == 0


def test_one_path_may_have_a_route_for_each_method() -> None:
    table = parse_table(SOUND + _route("writes", "/api/products/", '["POST"]'), "f")
    assert list(table.routes) == ["catalog.products", "writes"]


@pytest.mark.parametrize("owner_and_stage", [("monolith", "shadow"), ("service", "service")])
def test_writes_may_be_where_their_tables_are(owner_and_stage: tuple[str, str]) -> None:
    owner, stage = owner_and_stage
    text = _changed('owner = "monolith"', f'owner = "{owner}"').replace('"HEAD"', '"POST"')
    assert parse_table(text.replace('stage = "monolith"', f'stage = "{stage}"'), "f")


def test_reads_may_move_before_their_tables() -> None:
    assert parse_table(_changed('stage = "monolith"', 'stage = "service"'), "f")


def test_the_version_names_the_exact_text() -> None:
    versions = {parse_table(SOUND + ending, "f").version for ending in ("", "\n", "# a comment\n")}
    assert len(versions) == 3
    assert parse_table(SOUND, "f").version == parse_table(SOUND, "other").version


def test_a_table_cannot_be_changed() -> None:
    table = parse_table(SOUND, "f")
    with pytest.raises(TypeError):
        table.routes["x"] = table.routes["catalog.products"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        table.routes["catalog.products"].stage = Stage.SERVICE  # type: ignore[misc]


REHEARSED = SOUND + _route("w", "/w/", '["POST"]', "shadow = { percent = 10, rehearse = true }\n")


def test_a_rehearsal_without_a_key_is_refused_by_whoever_would_have_to_ask_for_it() -> None:
    with pytest.raises(TableError) as refusal:
        parse_table(REHEARSED, "routes.toml", rehearses=False)
    (problem,) = refusal.value.problems
    assert (problem.key, problem.found) == ("route 'w', shadow.rehearse", "true without a key")
    assert "STRANGLER_REHEARSAL_KEY" in problem.wanted
    assert "next: strangler down && strangler up" in problem.wanted


def test_a_writing_route_may_have_its_writes_rehearsed() -> None:
    route = parse_table(REHEARSED, "routes.toml").routes["w"]
    assert (route.rehearse, route.shadow_percent) == (True, 10.0)
