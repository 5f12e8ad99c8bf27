"""Two machines, each with a proxy of its own: a step forward is made on both or on none, and seen."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from recording_origin import Origin
from running_proxy import STEADY, RunningProxy, route, table

from proxy.routes import Owner, Stage, version_of
from strangler.actor import Actor
from strangler.audit import Audit, Outcome
from strangler.cli import main
from strangler.doctor import examine
from strangler.errors import (
    ChangeUndone,
    KeyRefused,
    MachineDiffers,
    MachineUnreachable,
    NotAcknowledged,
    UndoIncomplete,
)
from strangler.flip import back, flip
from strangler.installation import Installation
from strangler.machines import Machine, Machines
from strangler.pushing import push
from strangler.status import look
from strangler.steps import Forward
from strangler.takeover.proxy_gateway import ProxyGateway
from tests.ports import free_port

KEY = "k" * 32
ANN = Actor("ann@shop", lambda: datetime(2026, 3, 1, 12, tzinfo=UTC))
Start = Callable[[str], RunningProxy]


@pytest.fixture
def text(monolith: Origin, service: Origin) -> str:
    return table(monolith.url, service.url, route("data", "monolith", STEADY))


@pytest.fixture
def begin(tmp_path: Path, text: str) -> Iterator[Start]:
    """Start the proxy of a machine, by its name."""
    started: list[RunningProxy] = []

    def starting(name: str) -> RunningProxy:
        folder = tmp_path / name
        folder.mkdir()
        started.append(RunningProxy(folder, text, STRANGLER_ADMIN_KEY=KEY))
        return started[-1]

    yield starting
    for running in started:
        running.stop()


@pytest.fixture
def here(begin: Start) -> RunningProxy:
    return begin("here")


@pytest.fixture
def there(begin: Start) -> RunningProxy:
    return begin("there")


def _place(here: RunningProxy, *ports: int, key: str = KEY) -> Installation:
    """Return this machine's installation, which knows others by the ports of their admin addresses."""
    var = here.folder / "var"
    var.mkdir(exist_ok=True)
    if not (var / "proxy").exists():
        (var / "proxy").symlink_to(here.control)
    others = Machines(tuple(Machine(f"http://127.0.0.1:{port}") for port in ports), key)
    return Installation(root=here.folder, table=here.table, var=var, machines=others)


def _versions(*machines: RunningProxy) -> set[str]:
    """Return every version that some worker serves or some file is at."""
    served = {worker["version"] for machine in machines for worker in machine.ask("version")}
    return served | {version_of(machine.table.read_text()) for machine in machines}


def _there_and_back(place: Installation, number: int) -> Any:
    if number % 2:
        return back(place, "data", Stage.MONOLITH, "", ANN)
    return flip(place, "data", Forward(), ANN)


def test_forty_flips_are_acknowledged_by_both_machines(here: RunningProxy, there: RunningProxy) -> None:
    place = _place(here, there.admin_port)
    for number in range(40):
        moved = _there_and_back(place, number)
        assert set(moved.acknowledged) == here.pids()
        assert moved.machines == (f"127.0.0.1:{there.admin_port}",)
        assert _versions(here, there) == {moved.version}


def test_a_cutover_is_refused_while_a_machine_does_not_answer(
    here: RunningProxy, there: RunningProxy
) -> None:
    gateway = ProxyGateway(_place(here, there.admin_port), ANN)
    gateway.require_answers("catalog")
    there.stop()
    with pytest.raises(MachineUnreachable, match=rf"127\.0\.0\.1:{there.admin_port}.*Connection refused"):
        gateway.require_answers("catalog")


def test_a_machine_that_stops_in_the_middle_stops_the_flips_and_gets_the_table_later(
    here: RunningProxy, there: RunningProxy, begin: Start, text: str
) -> None:
    place = _place(here, there.admin_port)
    for number in range(4):
        _there_and_back(place, number)
    before = here.table.read_text()
    there.stop()
    with pytest.raises(MachineUnreachable, match=rf"127\.0\.0\.1:{there.admin_port}.*Connection refused"):
        flip(place, "data", Forward(), ANN)
    assert here.table.read_text() == before
    flip(_place(here), "data", Forward(), ANN)
    with pytest.raises(NotAcknowledged, match=str(there.admin_port)):
        back(place, "data", None, "", ANN)
    assert here.table.read_text() == before  # going back waits for nobody
    flip(_place(here), "data", Forward(), ANN)
    again = begin("again")  # it comes back with the table it had
    place = _place(here, again.admin_port)
    with pytest.raises(MachineDiffers, match=version_of(text)):
        flip(place, "data", Forward(force=True, reason="a test"), ANN)
    (machine,) = look(place).machines
    assert (machine.serves(version_of(here.table.read_text())), machine.versions) == (
        False,
        (version_of(text),),
    )
    pushed = push(place, ANN)
    assert (pushed.everywhere, pushed.took) == (True, (f"127.0.0.1:{again.admin_port}",))
    assert push(place, ANN).took == ()
    assert _versions(here, again) == {pushed.version}
    assert look(place).machines[0].serves(pushed.version)


class FakeMachine:
    """Answers `version` as a machine does, and `replace` as the test says: a status and what is told."""

    def __init__(self, table: Path, replace: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]) -> None:
        self.asked: list[dict[str, Any]] = []
        self.version = version_of(table.read_text())
        machine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                machine.asked.append(question)
                status, told = replace(question) if question["verb"] == "replace" else (200, machine.told())
                body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class says so
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def told(self) -> dict[str, Any]:
        answer = {"pid": 7, "version": self.version, "rejected": None}
        return {"workers": [{"pid": 7, "answer": answer}]}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def test_a_machine_that_does_not_take_it_undoes_the_change_everywhere(
    here: RunningProxy, there: RunningProxy
) -> None:
    """The third machine's disk is full; it takes the old table back, for that it has."""

    def full(question: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if version_of(question["text"]) == fake.version:
            return 200, fake.told()
        return 409, {"error": "its table cannot be replaced: No space left on device"}

    fake = FakeMachine(here.table, full)
    place, before = _place(here, there.admin_port, fake.port), _versions(here, there)
    try:
        with pytest.raises(ChangeUndone, match=rf"127\.0\.0\.1:{fake.port}: .*No space left"):
            flip(place, "data", Forward(), ANN)
    finally:
        fake.close()
    assert _versions(here, there) == before == {fake.version}
    change, outcome = Audit(place.audit).read().lines
    assert outcome.record.of == change.number
    assert (outcome.record.outcome, outcome.record.behind) == (Outcome.UNDONE, (f"127.0.0.1:{fake.port}",))
    flip(_place(here, there.admin_port), "data", Forward(), ANN)
    assert not Audit(place.audit).read().faults


def test_a_machine_that_is_lost_in_the_middle_is_named_as_not_known(
    here: RunningProxy, there: RunningProxy
) -> None:
    def lost(question: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {"workers": [{"pid": 7, "silent": "no answer within 5 s"}]}

    fake = FakeMachine(here.table, lost)
    place = _place(here, there.admin_port, fake.port)
    try:
        with pytest.raises(
            UndoIncomplete, match=rf"confirmed version \w+: 127\.0\.0\.1:{fake.port}"
        ) as refusal:
            flip(place, "data", Forward(), ANN)
    finally:
        fake.close()
    assert "strangler apply" in refusal.value.next
    assert _versions(here, there) == {fake.version}


def test_another_key_is_refused_before_anything_changes(here: RunningProxy, there: RunningProxy) -> None:
    before = _versions(here, there)
    with pytest.raises(KeyRefused, match=str(there.admin_port)) as refusal:
        flip(_place(here, there.admin_port, key="x" * 32), "data", Forward(), ANN)
    assert "x" * 32 not in refusal.value.message
    assert _versions(here, there) == before


def test_a_machine_that_was_edited_by_hand_is_not_written_over_by_a_flip(
    here: RunningProxy, there: RunningProxy
) -> None:
    there.apply(there.table.read_text() + "# edited\n")
    edited = there.table.read_text()
    place = _place(here, there.admin_port)
    with pytest.raises(MachineDiffers):
        flip(place, "data", Forward(), ANN)
    flip(_place(here), "data", Forward(), ANN)
    with pytest.raises(NotAcknowledged):
        back(place, "data", None, "", ANN)
    assert there.table.read_text() == edited
    assert push(place, ANN).everywhere  # but by this, which is what it is for
    assert there.table.read_text() == here.table.read_text()


def test_a_machine_whose_file_is_not_sound_gets_a_sound_one(here: RunningProxy, there: RunningProxy) -> None:
    there.apply("version = 2")
    place = _place(here, there.admin_port)
    (machine,) = look(place).machines
    assert "rejected" in machine.fault
    assert push(place, ANN).everywhere
    assert look(place).machines[0].fault == ""


def _typed(place: Installation, *words: str) -> Result:
    """Type a `strangler` command where the environment names the other machines."""
    environ = {
        "STRANGLER_ROOT": str(place.root),
        "STRANGLER_TABLE": str(place.table),
        "STRANGLER_VAR": str(place.var),
        "STRANGLER_PROXIES": ",".join(machine.url for machine in place.machines.all),
        "STRANGLER_ADMIN_KEY": place.machines.key,
    }
    return CliRunner().invoke(main, words, env=environ)


def test_status_and_apply_say_which_machine_is_behind(here: RunningProxy, there: RunningProxy) -> None:
    place, dead = _place(here, there.admin_port), _place(here, there.admin_port, free_port())
    there.apply(there.table.read_text() + "# edited\n")
    behind = _typed(dead, "status").output
    assert f"machine 127.0.0.1:{there.admin_port} is behind: serves " in behind
    assert f"machine {dead.machines.all[1].name} is behind: " in behind
    partly = _typed(dead, "apply")
    assert partly.exit_code == 3
    assert f"127.0.0.1:{there.admin_port}: took it" in partly.output
    whole = _typed(place, "apply")
    assert (whole.exit_code, "had it" in whole.output) == (0, True)
    assert "is behind" not in _typed(place, "status").output
    told = json.loads(_typed(place, "status", "--json").output)["machines"]
    assert [(each["workers"], each["fault"]) for each in told] == [(2, "")]


def test_a_hold_and_its_release_reach_both_machines(here: RunningProxy, there: RunningProxy) -> None:
    place = _place(here, there.admin_port)
    gateway = ProxyGateway(place, ANN)

    def held() -> set[bool]:
        return {worker["groups"]["reads"]["held"] for each in (here, there) for worker in each.ask("status")}

    gateway.hold("reads")
    assert held() == {True}
    gateway.route("reads", Owner.SERVICE)
    assert _versions(here, there) == {version_of(here.table.read_text())}
    gateway.release("reads")
    assert held() == {False}


def test_a_change_of_owner_waits_for_no_machine(here: RunningProxy, there: RunningProxy) -> None:
    place = _place(here, there.admin_port)
    there.stop()
    with pytest.raises(NotAcknowledged, match=str(there.admin_port)):
        ProxyGateway(place, ANN).route("reads", Owner.SERVICE)
    assert {worker["version"] for worker in here.ask("version")} == {version_of(here.table.read_text())}


def test_the_doctor_has_a_finding_for_every_machine(here: RunningProxy, there: RunningProxy) -> None:
    place = _place(here, there.admin_port, free_port())
    found = {each.subject: each for each in examine(place, {}) if each.subject.startswith("machine ")}
    well, dead = (found[f"machine {machine.name}"] for machine in place.machines.all)
    assert (well.well, well.found) == (True, f"2 serve version {version_of(here.table.read_text())}")
    assert not dead.well
    assert dead.next.startswith("strangler apply")
