"""Which writers a cutover takes along: those whose requests a writing route of the group names."""

import pytest

from proxy.table import parse_table
from strangler.takeover.seen import Seen, require_no_other_writers, writers

TABLE = parse_table(
    """
version = 1
[upstreams.monolith]
url = "http://127.0.0.1:8001"
[upstreams.catalog]
url = "http://127.0.0.1:8101"
[groups.catalog]
service = "catalog"
tables = ["catalog_product"]
owner = "monolith"
[[routes]]
name = "catalog.edit"
group = "catalog"
path = "/api/products/{pk}/"
methods = ["PATCH", "DELETE"]
stage = "monolith"
[[routes]]
name = "catalog.product"
group = "catalog"
path = "/api/products/{pk}/"
methods = ["GET", "HEAD"]
stage = "monolith"
""",
    "routes.toml",
)


def seen(process: str, role: str = "shop", application: str = "gunicorn") -> Seen:
    times = "2024-05-01T02:00:00Z"
    return Seen("catalog_product", process, role, application, "10.0.0.3", 1, times, times)


@pytest.mark.parametrize(
    ("process", "route"),
    [
        ("request PATCH /api/products/{pk}/", "catalog.edit"),
        ("request GET /api/products/{pk}/", None),  # a read that writes moves with no writing route
        ("request POST /cart/", None),
        ("request POST before its view", None),
        ("admin catalog_product_changelist deactivate", None),
        ("command nightly", None),
        ("program celery", None),
        ("", None),
    ],
)
def test_only_requests_of_writing_routes_are_taken_along(process, route):
    (writer,) = writers(TABLE, "catalog", [seen(process)])
    assert writer.route == route


def test_one_name_is_one_writer_whatever_its_connections():
    rows = [seen("command nightly"), seen("command nightly", application="psql"), seen("", "root", "")]
    found = writers(TABLE, "catalog", rows)
    assert [writer.name for writer in found] == ["command nightly", "somebody as root from 10.0.0.3"]


def test_the_refusal_says_the_command_that_acknowledges():
    found = writers(TABLE, "catalog", [seen("command nightly"), seen("request PATCH /api/products/7/")])
    with pytest.raises(Exception, match="command nightly") as refusal:
        require_no_other_writers("catalog", found, [], forced=False)
    assert refusal.value.next == "strangler takeover cutover catalog --known 'command nightly'"
    require_no_other_writers("catalog", found, ["command nightly"], forced=False)
