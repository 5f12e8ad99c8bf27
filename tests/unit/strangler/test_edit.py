"""Writing a route's position into the table's text."""

from proxy.routes import Stage
from proxy.table import parse_table
from strangler.edit import moved
from strangler.steps import Position

TABLE = """\
# the state of the migration
version = 1

[upstreams.monolith]   # mandatory
url = "http://127.0.0.1:8001"

[upstreams.catalog]
url = "http://127.0.0.1:8101"

[groups.catalog]
service = "catalog"
tables = ["catalog_product"]
owner = "monolith"     # until the takeover

[[routes]]
name  = "catalog.products"
group = "catalog"
path  = "/api/products/"
methods = [
    "GET",   # reads only
    "HEAD",
]
stage = "monolith"     # asked for by Ann, 2026-03-01

# the detail page
[[routes]]
name = "catalog.product"
group = "catalog"
path = "/api/products/{id}/"
methods = ["GET", "HEAD"]
stage = "canary"
percent = 25.0         # agreed with support
"""


def test_only_the_routes_own_stage_line_changes():
    text = moved(TABLE, "catalog.products", Position(Stage.SHADOW))
    assert text == TABLE.replace('stage = "monolith"     # asked', 'stage = "shadow"     # asked')


def test_a_canary_gets_its_percent_beside_its_stage():
    text = moved(TABLE, "catalog.products", Position(Stage.CANARY, 0.05))
    route = parse_table(text, "t").routes["catalog.products"]
    assert (route.stage, route.percent) == (Stage.CANARY, 0.05)
    assert "\npercent = 0.05\n\n# the detail page\n" in text


def test_there_and_back_gives_the_same_text():
    there = moved(TABLE, "catalog.products", Position(Stage.CANARY, 10.0))
    assert moved(there, "catalog.products", Position(Stage.MONOLITH)) == TABLE


def test_a_comment_on_the_percent_survives_leaving_the_canary():
    text = moved(TABLE, "catalog.product", Position(Stage.SERVICE))
    assert "# agreed with support" in text
    assert parse_table(text, "t").routes["catalog.product"].percent == 0


def test_a_percent_stays_out_of_the_routes_own_subtables():
    table = TABLE + "\n[routes.timeouts]\nhead = 5\n\n# the end\n"
    there = moved(table, "catalog.product", Position(Stage.MONOLITH)).replace("percent = 0 ", "# percent ")
    text = moved(there, "catalog.product", Position(Stage.CANARY, 5.0))
    assert parse_table(text, "t").routes["catalog.product"].percent == 5
    assert text.endswith("\n[routes.timeouts]\nhead = 5\n\n# the end\n")
