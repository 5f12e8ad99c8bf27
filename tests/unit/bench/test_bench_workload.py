"""The equal work that every proxy in the benchmark is given."""

import pytest

from bench.proxy import haproxy, ours
from bench.proxy.envoy import config as envoy_config
from bench.proxy.nginx import config as nginx_config
from bench.proxy.peers import PEERS
from bench.proxy.workload import bench_routes
from bench.upstream import BODY, upstream_config
from proxy.routes import Stage
from proxy.table import parse_table


def test_half_the_routes_are_templates_and_each_sample_matches_its_own() -> None:
    routes = bench_routes(50)
    assert sum(route.prefix is not None for route in routes) == 25
    assert all(route.sample.startswith(route.prefix or route.template) for route in routes)


@pytest.mark.parametrize("count", [50, 5000])
def test_our_table_is_sound_and_sends_every_route_to_the_service(count: int) -> None:
    table = parse_table(ours.table(20001, 20002, bench_routes(count)), "routes.toml")
    assert len(table.routes) == count
    assert {route.stage for route in table.routes.values()} == {Stage.SERVICE}


def test_every_peer_is_given_every_route() -> None:
    routes = bench_routes(50)
    haproxy_maps = "".join(haproxy.maps(routes).values())
    envoy_routes = str(envoy_config(20001, 20002, 20003, routes, "/run/access"))
    nginx_routes = nginx_config(20001, 20002, routes, "/run/bench")
    for route in routes:
        match = route.prefix or route.template
        assert f"{match} " in nginx_routes
        assert f"{match} " in haproxy_maps
        assert f"'{match}'" in envoy_routes


def test_the_compared_proxies_have_the_same_number_of_routes() -> None:
    assert {len(PEERS[name].routes) for name in ("nginx", "haproxy", "envoy", "ours")} == {50}


def test_every_peer_writes_an_access_log() -> None:
    routes = bench_routes(2)
    assert "access_log /run/bench/access.jsonl" in nginx_config(20001, 20002, routes, "/run/bench")
    assert "/run/access" in str(envoy_config(20001, 20002, 20003, routes, "/run/access"))
    assert "\n    log global" in haproxy.config(20001, 20002, 20003, "/run/bench")


def test_the_origin_answers_216_bytes() -> None:
    assert len(BODY) == 216
    assert BODY in upstream_config(20001, "/run/bench")


def test_the_load_asks_for_routes_from_all_over_the_table() -> None:
    peer = PEERS["ours-5000-asked-50"]
    assert len(peer.paths) == 50
    assert peer.paths[-1] == peer.routes[-1].sample
    assert len(PEERS["ours-5000"].paths) == 5000
