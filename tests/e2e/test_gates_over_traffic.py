"""The catalog's every read passes its gate over the demo's traffic, live and asked again."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from demo.place import Place
from demo.story import READS
from demo.traffic import PASSWORD, Traffic
from proxy.routes import GateOptions
from strangler.compare.findings import Subject
from strangler.compare.reading import Reader
from strangler.compare.rule_book import RuleBook
from strangler.compare.rule_list import list_rules
from strangler.compare.verdict import Verdict
from strangler.evidence import known_of
from strangler.gate import Gate, Passage, ask_gate
from strangler.gates import gates
from tests.e2e.conftest import PRODUCTS, new_place
from tests.e2e.test_first_flip import installation, wait_for

ROLES = ("anonymous", "user", "staff")
WANTED = GateOptions().min_samples
COVER = ", ".join(f'"GET 2xx {role}"' for role in ROLES)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The stack after traffic of everybody, until no gate wants any more of it."""
    place = new_place(tmp_path_factory.mktemp("g") / "var")
    place.strangler("up")
    try:
        place.manage("seed", "--products", str(PRODUCTS), "--orders", "40", "--seed", "7")
        place.strangler("takeover", "start", "catalog", "--execute")
        file = place.var / "routes.toml"
        reads = 'methods = ["GET", "HEAD"]\n'
        file.write_text(file.read_text().replace(reads, f"{reads}gate = {{ cover = [{COVER}] }}\n"))
        for route in READS:
            place.strangler("flip", route, "shadow")
        with Traffic(place.url, PRODUCTS, visitors=4, customers=1, staff=1) as traffic:

            def every_gate_passes() -> bool:
                assert [sample for sample in traffic.samples.cut() if sample.problem] == []
                return set(_passages(place).values()) == {Passage.PASS}

            wait_for(every_gate_passes, seconds=180)
        yield place
    finally:
        place.strangler("down")


def _passages(place: Place) -> dict[str, Passage]:
    answers = gates(installation(place), None, datetime.now(UTC))
    return {each.route: each.gate.passage for each in answers if each.gate}


def _signed_in(place: Place, name: str) -> str:
    with requests.Session() as session:
        credentials = {"username": name, "password": PASSWORD}
        session.post(f"{place.url}/api/accounts/login/", json=credentials, timeout=10).raise_for_status()
        return f"Cookie: sessionid={session.cookies['sessionid']}"


def test_every_read_passes_its_gate_on_live_pairs_of_every_role(compared: Place) -> None:
    assert _passages(compared) == dict.fromkeys(READS, Passage.PASS)


def test_no_pair_differs_and_every_expected_one_names_its_rule(compared: Place) -> None:
    named = {rule.name for rule in list_rules(RuleBook(), ())}
    with Reader(compared.var / "compare.sqlite3") as reader:
        verdicts = {count.verdict for count in reader.counts()}
        expected = {
            each.finding.name for each in reader.findings() if each.finding.subject is Subject.EXPECTED
        }
        kept = [each.judged.comparison for each in reader.kept(None)]
    assert verdicts <= {Verdict.MATCH, Verdict.EXPECTED}
    assert expected <= named
    unnamed = [each for each in kept if each.verdict is Verdict.EXPECTED and not each.forgiven]
    assert unnamed == []


def test_the_recorded_corpus_passes_again_as_every_role(compared: Place, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    compared.strangler("compare", "record", str(corpus))
    environment = {
        **compared.environment,
        "STRANGLER_ROLE_USER": _signed_in(compared, "customer1"),
        "STRANGLER_ROLE_STAFF": _signed_in(compared, "staff1"),
    }
    again = Place(compared.var, environment)
    store = tmp_path / "again.sqlite3"
    options = ("--rate", "0", "--store", str(store), "--json")
    cells = json.loads(again.strangler("compare", "replay", str(corpus), *options))["matrix"]
    assert {(cell["route"], cell["role"]) for cell in cells} == {(r, role) for r in READS for role in ROLES}
    assert {verdict for cell in cells for verdict in cell["verdicts"]} <= {"MATCH", "EXPECTED"}
    by_replay = [_gate_by(store, route) for route in READS]
    assert {gate.diffs + gate.unknown for gate in by_replay} == {0}
    assert all(gate.passage is Passage.PASS for gate in by_replay if gate.samples >= WANTED)


def _gate_by(store: Path, route: str) -> Gate:
    options = GateOptions()
    return ask_gate(options, known_of(store, route, options.fresh, datetime.now(UTC).timestamp()))
