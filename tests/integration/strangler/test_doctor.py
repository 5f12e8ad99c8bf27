"""What the doctor finds, and that one fault hides no other."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_worker import FakeWorker
from stand_in import StandIn, build

from strangler.doctor import Finding, examine
from strangler.stack import down, up


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    built = build(tmp_path)
    yield built
    down(built.place)


def findings(stand_in: StandIn) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(stand_in.place, stand_in.environ)}


def problems(stand_in: StandIn) -> set[str]:
    return {subject for subject, finding in findings(stand_in).items() if not finding.well}


def test_a_database_that_was_never_migrated_is_a_problem(stand_in):
    assert problems(stand_in) == {"database catalog"}


def test_a_running_stack_is_well(stand_in):
    up(stand_in.place, stand_in.environ, who="ann")
    assert problems(stand_in) == set()


def test_a_broken_table_does_not_hide_a_broken_audit(stand_in):
    stand_in.place.table.write_text("version = 2\n")
    stand_in.place.var.mkdir()
    stand_in.place.audit.write_text("not a record\n")
    assert problems(stand_in) == {"table", "audit"}


def test_a_taken_port_is_named_with_its_part(stand_in):
    up(stand_in.place, stand_in.environ, who="ann")
    elsewhere = stand_in.place.root / "elsewhere"
    orphaned = type(stand_in.place)(stand_in.place.root, stand_in.place.table, elsewhere)
    found = {finding.subject: finding for finding in examine(orphaned, stand_in.environ)}
    assert f"{stand_in.address('catalog')} (catalog) by pid" in found["ports"].found


def test_workers_on_different_versions_are_a_problem(stand_in):
    workers = [FakeWorker(stand_in.place.control, 101, stand_in.place.table)]
    stand_in.place.table.write_text(stand_in.place.table.read_text() + "# edited\n")
    workers.append(FakeWorker(stand_in.place.control, 102, stand_in.place.table))
    try:
        assert "serve different versions" in findings(stand_in)["workers"].found
    finally:
        for worker in workers:
            worker.close()


def test_sockets_of_dead_workers_are_named_with_their_removal(stand_in):
    FakeWorker(stand_in.place.control, 101, stand_in.place.table).close()
    finding = findings(stand_in)["sockets"]
    assert finding.next == f"rm {stand_in.place.control}/worker-101.sock"


def test_a_package_at_another_version_than_pinned_is_a_problem(stand_in):
    (stand_in.place.root / "requirements.txt").write_text("# [kit]\nclick==0.0.1\n")
    assert "0.0.1 is pinned" in findings(stand_in)["packages"].found
