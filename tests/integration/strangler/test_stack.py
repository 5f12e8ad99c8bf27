"""The whole stack up and down: what is refused, what is cleaned up, what lives on."""

import contextlib
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from stand_in import StandIn, build

from strangler.errors import (
    AddressDisagrees,
    AlreadyRunning,
    BrokenTable,
    MigrationFailed,
    NoStackFile,
    PartFailed,
    PathTooLong,
    PortTaken,
)
from strangler.installation import Installation
from strangler.locking import exclusive
from strangler.ports import is_free
from strangler.stack import down, up
from strangler.status import look
from strangler.supervising import running_pid, supervisor


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    built = build(tmp_path)
    yield built
    down(built.place)


def start(stand_in: StandIn, **more):
    return up(stand_in.place, stand_in.environ, who="ann", **more)


def nothing_runs(stand_in: StandIn) -> bool:
    ports_free = all(is_free(stand_in.address(name)) for name in stand_in.ports)
    return running_pid(stand_in.place) is None and ports_free


def part_pids(stand_in: StandIn) -> dict[str, int | None]:
    with supervisor(stand_in.place) as running:
        return {part.name: part.pid for part in running.parts()}


def test_a_taken_port_is_refused_with_the_process_that_holds_it(stand_in):
    taken = socket.create_server(("127.0.0.1", stand_in.ports["catalog"]))
    with taken, pytest.raises(PortTaken, match=rf"where catalog must listen.*pid {os.getpid()}") as refusal:
        start(stand_in)
    assert stand_in.address("catalog") in refusal.value.message
    assert running_pid(stand_in.place) is None


def test_a_broken_table_starts_nothing(stand_in):
    stand_in.place.table.write_text(stand_in.place.table.read_text().replace('"GET"', '"GTE"'))
    with pytest.raises(BrokenTable, match="GTE"):
        start(stand_in)
    assert not stand_in.place.logs.exists()


def test_an_address_other_than_the_tables_is_refused(stand_in):
    stand_in.environ["CATALOG_BIND"] = "127.0.0.1:2"
    with pytest.raises(AddressDisagrees, match=r"CATALOG_BIND is 127\.0\.0\.1:2") as refusal:
        start(stand_in)
    assert refusal.value.next.startswith("unset CATALOG_BIND")


def test_a_failed_migration_starts_nothing_and_says_what_it_said(stand_in):
    (stand_in.place.root / "migrate.py").write_text("raise SystemExit('no such table: catalog_product')")
    with pytest.raises(MigrationFailed, match=r"(?s)catalog.*no such table") as refusal:
        start(stand_in)
    assert "exit code 1" in refusal.value.message
    assert nothing_runs(stand_in)


def test_a_part_that_dies_at_its_start_takes_everything_down_with_its_last_words(stand_in):
    stand_in.misbehave("catalog", "dies")
    with pytest.raises(PartFailed, match=r"(?s)catalog ended at once.*no configuration found"):
        start(stand_in)
    assert nothing_runs(stand_in)


def test_a_part_that_never_gets_well_takes_everything_down(stand_in):
    stand_in.misbehave("monolith", "unwell")
    with pytest.raises(PartFailed, match=r"monolith does not answer in time.*503"):
        start(stand_in, seconds=2)
    assert nothing_runs(stand_in)


def test_an_old_runs_last_words_are_not_shown_again(stand_in):
    stand_in.place.logs.mkdir(parents=True)
    (stand_in.place.logs / "catalog.log").write_text("an old complaint\n")
    stand_in.misbehave("catalog", "dies")
    with pytest.raises(PartFailed) as refusal:
        start(stand_in)
    assert "an old complaint" not in refusal.value.message


def test_a_missing_stack_file_is_refused(stand_in):
    stand_in.place.stack_file.unlink()
    with pytest.raises(NoStackFile, match="is not there"):
        start(stand_in)


def test_a_stack_file_without_parts_is_refused(stand_in):
    stand_in.place.stack_file.write_text("[supervisord]\n")
    with pytest.raises(NoStackFile, match="names no part"):
        start(stand_in)


def test_a_stack_file_that_the_supervisor_refuses_is_refused_in_its_words(stand_in):
    text = stand_in.place.stack_file.read_text()
    stand_in.place.stack_file.write_text(text.replace("autorestart = true", "autorestart = perhaps"))
    with pytest.raises(NoStackFile, match="perhaps"):
        start(stand_in)
    assert nothing_runs(stand_in)


def test_a_folder_too_deep_for_sockets_is_refused(stand_in):
    place = stand_in.place
    deep = Installation(place.root, place.table, place.root / ("deep" * 30))
    with pytest.raises(PathTooLong, match="bytes"):
        up(deep, stand_in.environ, who="ann")


def test_a_stack_that_is_being_started_is_not_started_again(stand_in):
    with exclusive(stand_in.place.stack_lock, "bob"), pytest.raises(AlreadyRunning, match="started by bob"):
        start(stand_in)


def test_every_part_answers_when_up_returns_and_none_runs_when_down_returns(stand_in):
    started = start(stand_in)
    assert started.addresses == {
        "proxy": stand_in.address("proxy"),
        "proxy admin": stand_in.address("admin"),
        "monolith": stand_in.address("monolith"),
        "catalog": stand_in.address("catalog"),
    }
    with pytest.raises(AlreadyRunning):
        start(stand_in)
    status = look(stand_in.place)
    assert status.running
    assert {part.name for part in status.parts} == {"proxy", "monolith", "catalog", "comparer"}
    assert [upstream.fault for upstream in status.upstreams] == ["", ""]
    assert down(stand_in.place).pid is not None
    assert nothing_runs(stand_in)
    assert down(stand_in.place).pid is None


def test_the_proxy_has_ended_before_what_is_behind_it_is_told_to(stand_in):
    stand_in.misbehave("proxy", "lingers")
    start(stand_in)
    down(stand_in.place)
    log = (stand_in.place.logs / "supervisord.log").read_text()
    ended = re.findall(r"stopped: (\w+)", log)
    assert (ended[0], {*ended[1:3]}, ended[3]) == ("proxy", {"monolith", "catalog"}, "comparer")


def test_a_killed_part_is_started_again_while_the_others_live_on(stand_in):
    start(stand_in)
    before = part_pids(stand_in)
    killed = psutil.Process(before["catalog"])
    os.kill(killed.pid, signal.SIGKILL)
    after = wait_for_other_pid(stand_in, "catalog", killed.pid)
    assert {name: pid for name, pid in after.items() if name != "catalog"} == {
        name: pid for name, pid in before.items() if name != "catalog"
    }


def wait_for_other_pid(stand_in: StandIn, name: str, old: int) -> dict[str, int | None]:
    pause = threading.Event()
    for _ in range(200):
        pids = part_pids(stand_in)
        if pids[name] not in (None, old):
            return pids
        pause.wait(0.05)
    raise AssertionError(f"{name} was not started again")


def test_one_part_can_be_stopped_and_started_alone(stand_in):
    start(stand_in)
    with supervisor(stand_in.place) as running:
        running.stop("catalog")
        assert is_free(stand_in.address("catalog"))
        assert not is_free(stand_in.address("monolith"))
        running.start("catalog")
    assert part_pids(stand_in)["catalog"]


def test_two_stacks_live_side_by_side(stand_in, tmp_path_factory):
    other = build(tmp_path_factory.mktemp("other"))
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(down, other.place)
        start(stand_in)
        start(other)
        down(stand_in.place)
        assert look(other.place).running
        assert not look(stand_in.place).running


def test_a_database_defaults_to_a_file_of_this_installation(stand_in):
    start(stand_in)
    assert (stand_in.place.var / "migrated").read_text() == f"sqlite:///{stand_in.place.var}/catalog.sqlite3"


def test_a_pid_file_left_behind_is_no_running_stack(stand_in):
    stand_in.place.var.mkdir()
    stand_in.place.supervisor_pid.write_text(str(os.getpid()))
    assert running_pid(stand_in.place) is None
    assert down(stand_in.place).pid is None
