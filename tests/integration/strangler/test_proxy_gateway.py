"""What a cutover asks of the proxies before it touches anything: everybody answers, at the table in force."""

import pytest

from strangler.errors import ProxySilent
from strangler.takeover.proxy_gateway import ProxyGateway


def test_nobody_is_missed_where_every_worker_serves_the_table_in_force(place, ann, hire):
    workers = [hire(101), hire(102)]
    ProxyGateway(place, ann).require_answers("catalog")
    assert [worker.asked for worker in workers] == [["version"], ["version"]]


def test_a_silent_worker_is_refused_by_its_pid(place, ann, hire):
    hire(101)
    hire(102, lambda verb: None)
    with pytest.raises(ProxySilent, match="worker 102: no answer within") as refusal:
        ProxyGateway(place, ann).require_answers("catalog")
    assert "101" not in refusal.value.message
    assert "strangler apply" in refusal.value.next


def test_a_worker_that_missed_a_change_of_the_table_is_refused(place, ann, hire):
    hire(101)
    place.table.write_text(place.table.read_text() + "# edited by hand\n")
    hire(102)
    with pytest.raises(ProxySilent, match="worker 101: serves version") as refusal:
        ProxyGateway(place, ann).require_answers("catalog")
    assert "102" not in refusal.value.message
