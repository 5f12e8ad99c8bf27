"""Health and metrics live at the admin address alone, and add all workers up."""

import re

from raw_client import Client, fetch, head
from recording_origin import Origin, fresh
from running_proxy import RunningProxy, until


def _count(proxy: RunningProxy, route: str, target: str, status_class: str) -> float:
    """Return a route's requests as the metrics say them."""
    text = fetch(proxy.admin_port, "/metrics").body.decode()
    labels = f'route="{route}",status_class="{status_class}",target="{target}"'
    found = re.search(rf"^strangler_request_seconds_count{{{labels}}} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_health_is_answered_at_the_admin_address(proxy: RunningProxy) -> None:
    got = fetch(proxy.admin_port, "/healthz")
    assert (got.status, got.body) == (200, b'{"status":"ok"}')


def test_other_paths_are_not_found_at_the_admin_address(proxy: RunningProxy) -> None:
    assert fetch(proxy.admin_port, "/service/x").status == 404


def test_clients_cannot_reach_the_admins_paths(proxy: RunningProxy, monolith: Origin) -> None:
    for path in ("/healthz", "/metrics"):
        before = len(monolith.asked(path))
        assert fetch(proxy.port, path).body == b'{"from":"monolith"}'
        assert len(monolith.asked(path)) == before + 1


def test_metrics_add_all_workers_up(proxy: RunningProxy) -> None:
    while not all("retired" in worker["counts"] for worker in proxy.ask("status")):
        fetch(proxy.port, fresh("/retired/"))
    total = proxy.total("retired")
    until(lambda: _count(proxy, "retired", "service", "2xx") == total, "metrics show both workers' requests")


def test_the_proxys_own_answers_are_counted_by_their_error(proxy: RunningProxy) -> None:
    def refused() -> float:
        text = fetch(proxy.admin_port, "/metrics").body.decode()
        found = re.search(r'^strangler_proxy_errors_total{error="bad_host"} (\S+)$', text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    before = refused()
    with Client(proxy.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: @\r\n\r\n")
        assert client.answer().status == 400
    until(lambda: refused() == before + 1, "the refusal is counted")


def test_a_half_question_holds_nobody_up(proxy: RunningProxy) -> None:
    with Client(proxy.admin_port) as slow:
        slow.send(head("GET", "/healthz")[:10])
        assert fetch(proxy.admin_port, "/healthz").status == 200
