"""What the idle benchmark concludes, and that every proxy has room for the connections."""

import json
import resource
import subprocess
import sys

import pytest

from bench.idle.judge import Sample, ratios, summarise
from bench.idle.limits import SPARE
from bench.idle.report import document, table, verdicts
from bench.proxy import haproxy, nginx
from bench.proxy.workload import bench_routes

MIB = 1024 * 1024


def sample(peer: str, grown: float, *, number: int = 1, connections: int = 1024) -> Sample:
    return Sample(peer, number, connections, 10 * MIB, int((10 + grown) * MIB), 1.0, 0.01)


def test_memory_is_counted_for_each_connection_over_what_there_was_before() -> None:
    assert sample("ours", 2.0).each_kib == 2.0


def test_the_median_of_the_rounds_counts() -> None:
    rounds = [sample("ours", grown, number=number) for number, grown in enumerate((1.0, 9.0, 2.0), 1)]
    assert summarise(rounds)["ours"].each_kib == 2.0


def test_ratios_compare_ours_with_every_peer_that_grew() -> None:
    rows = summarise([sample("nginx", 1.0), sample("haproxy", 0.0), sample("ours", 3.0)])
    assert ratios(rows) == {"nginx": 3.0}
    assert ratios(summarise([sample("nginx", 1.0)])) == {}


def test_fewer_connections_than_wanted_are_said() -> None:
    (line,) = verdicts([sample("ours", 1.0, connections=400)], 10_000)
    assert line.startswith("400 connections instead of 10,000")
    assert verdicts([sample("ours", 1.0)], 1024) == []


def test_the_document_and_the_table_keep_everything() -> None:
    samples = [sample("nginx", 1.0), sample("ours", 2.0), sample("ours", 3.0, number=2)]
    assert len(json.loads(json.dumps(document({}, samples)))["samples"]) == 3
    assert table(samples).row_count == 2


def test_nginx_and_haproxy_are_given_the_room() -> None:
    routes = bench_routes(2)
    assert "worker_connections 12345;" in nginx.config(20001, 20002, routes, "/run/bench", 12345)
    assert "maxconn 12345\n" in haproxy.config(20001, 20002, 20003, "/run/bench", 12345)


@pytest.mark.parametrize(("hard", "room"), [(2000, 1000), (SPARE + 300, 300)])
def test_the_limit_is_raised_as_far_as_it_may_be(hard: int, room: int) -> None:
    if 0 < resource.getrlimit(resource.RLIMIT_NOFILE)[1] < hard:
        pytest.skip(f"wanted {hard} open files to be allowed here")
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (256, {hard}));"
        "from bench.idle.limits import room_for; print(room_for(1000))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == room
