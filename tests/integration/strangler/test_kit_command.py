"""The command: exit codes, JSON, and what a person reads."""

import json

import pytest
from click.testing import CliRunner
from fake_worker import status_answer
from rich.cells import cell_len

from strangler.cli import main


@pytest.fixture
def run(place):
    environ = {
        "STRANGLER_ROOT": str(place.root),
        "STRANGLER_TABLE": str(place.table),
        "STRANGLER_VAR": str(place.var),
        "STRANGLER_ACTOR": "ann@shop",
        "COLUMNS": "80",
    }
    return lambda *arguments: CliRunner(env=environ).invoke(main, arguments, catch_exceptions=False)


def test_a_refusal_says_id_found_and_next_on_stderr(run):
    refused = run("flip", "catalog.products", "service")
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert refused.stderr == (
        "S203 route 'catalog.products' is at monolith; it cannot go straight to service\n"
        "     next: strangler flip catalog.products        (to shadow)\n"
    )


def test_a_refusal_under_json_is_an_object_with_id_message_and_next(run):
    refused = run("flip", "catalog.product", "service", "--json")
    assert refused.exit_code == 2
    assert json.loads(refused.stdout)["error"].keys() == {"id", "message", "next"}
    assert json.loads(refused.stdout)["error"]["id"] == "S203"


def test_wrong_usage_exits_as_a_refusal_does(run):
    assert run("flip", "catalog.products", "sercive").exit_code == 2
    assert run("filp").exit_code == 2


def test_a_worker_that_keeps_silent_is_no_success(run, hire):
    hire(101, lambda verb: None)
    assert run("flip", "catalog.products").exit_code == 3


def test_a_flip_prints_what_moved_who_acknowledged_and_the_undo(run, hire):
    hire(101)
    hire(102)
    done = run("flip", "catalog.products")
    assert done.exit_code == 0
    first, undo = done.stdout.splitlines()
    assert first.startswith("catalog.products: monolith → shadow  version ")
    assert "acknowledged by 2 workers in" in first
    assert undo == "undo: strangler back catalog.products monolith"


def test_a_flip_without_a_proxy_says_so(run):
    assert "no proxy is running" in run("flip", "catalog.products").stdout


def test_nothing_to_do_is_said_and_is_no_failure(run):
    done = run("back", "catalog.products", "monolith")
    assert done.exit_code == 0
    assert "is at monolith already; nothing was changed" in done.stdout


def test_a_smaller_share_is_pointed_out(run):
    run("flip", "catalog.products", "canary", "--skip", "--force", "--reason", "test", "--percent", "50")
    assert "the share is smaller than before" in run("flip", "catalog.products", "--percent", "10").stdout


def test_routes_shows_stage_owner_and_last_move(run):
    run("flip", "catalog.products")
    shown = run("routes")
    assert shown.exit_code == 0
    assert "flip by ann@shop" in " ".join(shown.stdout.split())
    rows = {row["name"]: row for row in json.loads(run("routes", "--json").stdout)["routes"]}
    assert rows["catalog.products"]["stage"] == "shadow"
    assert rows["catalog.products"]["last"]["who"] == "ann@shop"
    assert rows["catalog.product"]["last"] is None


def test_history_tells_every_change_of_a_route(run):
    run("flip", "catalog.products", "--reason", "a clean week")
    run("flip", "catalog.product")
    shown = run("history", "catalog.products").stdout
    assert "flip catalog.products: monolith → shadow" in shown
    assert "reason: a clean week" in shown
    assert "catalog.product:" not in shown
    assert len(json.loads(run("history", "--json").stdout)["events"]) == 2


def test_history_names_a_tampered_line_and_fails(run, place):
    run("flip", "catalog.products")
    run("back", "catalog.products")
    lines = place.audit.read_text().splitlines(keepends=True)
    place.audit.write_text(lines[0] + lines[1] + lines[2].replace("ann@shop", "bob@shop") + lines[3])
    checked = run("history")
    assert checked.exit_code == 1
    assert "line 3 of the audit" in checked.stdout


def test_a_broken_record_never_stops_a_step_back(run, place):
    run("flip", "catalog.products")
    place.audit.write_text(place.audit.read_text()[:-30])
    assert run("back", "catalog.products").exit_code == 0
    assert run("history").exit_code == 1


def test_status_works_when_everything_is_down(run):
    shown = run("status")
    assert shown.exit_code == 0
    assert "the stack is not running" in shown.stdout
    assert json.loads(run("status", "--json").stdout)["running"] is False


def test_status_sums_what_each_target_answered_over_the_workers(run, hire):
    hire(101)
    hire(102)
    routes = {row["name"]: row for row in json.loads(run("status", "--json").stdout)["routes"]}
    assert routes["catalog.products"]["counts"] == {"monolith": {"requests": 14, "errors": 2}}


def test_status_shows_in_how_many_workers_a_breaker_is_open(run, hire):
    hire(101)
    hire(102)
    upstreams = {each["name"]: each for each in json.loads(run("status", "--json").stdout)["upstreams"]}
    assert upstreams["catalog"]["breakers"] == {"": {"open": 2}}
    assert upstreams["monolith"]["breakers"] == {}
    assert "breaker open in 2 of 2 workers" in run("status").stdout


def test_status_hears_a_worker_that_knows_no_breakers(run, hire):
    answer = status_answer(101, "an older one")
    del answer["breakers"]
    hire(101, lambda verb: answer)
    upstreams = json.loads(run("status", "--json").stdout)["upstreams"]
    assert [each["breakers"] for each in upstreams] == [{}, {}]


def test_status_sums_the_last_minutes_over_the_workers(run, hire):
    hire(101)
    hire(102)
    routes = {row["name"]: row for row in json.loads(run("status", "--json").stdout)["routes"]}
    assert routes["catalog.products"]["recent"] == {
        "60": {"monolith": {"requests": 4, "errors": 0}},
        "300": {"monolith": {"requests": 6, "errors": 2}},
    }
    assert routes["catalog.product"]["recent"] == {"60": {}, "300": {}}
    shown = run("status").stdout
    assert "last 1 · 5 min" in shown
    assert "monolith 4 · 6" in shown


def test_status_lists_what_no_route_names_most_frequent_first(run, hire):
    hire(101)
    hire(102)
    assert json.loads(run("status", "--json").stdout)["unmatched"] == [
        {"method": "GET", "path": "/orders/{id}/", "requests": 8},
        {"method": "POST", "path": "/only-101/", "requests": 5},
        {"method": "POST", "path": "/only-102/", "requests": 5},
    ]
    assert "GET /orders/{id}/" in run("status").stdout


def test_status_bears_a_worker_that_tells_no_last_minutes(run, hire, place):
    hire(101, lambda verb: _without(status_answer(101, "0" * 12), "recent", "unmatched"))
    told = json.loads(run("status", "--json").stdout)
    assert (told["silent"], told["unmatched"], told["routes"][0]["recent"]) == ([], [], {})


def _without(answer, *names):
    return {key: value for key, value in answer.items() if key not in names}


def test_status_shows_a_rejected_table_with_its_reason(run, place, hire):
    hire(101)
    place.control.joinpath("last-good.toml").write_text(place.table.read_text())
    place.table.write_text(place.table.read_text().replace('"GET"', '"GTE"'))
    shown = run("status").stdout
    assert "is rejected; the last good one serves on" in shown
    assert "GTE" in shown
    assert "catalog.products" in shown


def test_status_names_a_worker_that_keeps_silent(run, hire):
    hire(101, lambda verb: None)
    assert "worker 101: no answer within" in run("status").stdout


@pytest.mark.parametrize("verb", ["routes", "status", "history", "doctor"])
def test_reports_fit_eighty_columns_of_a_table(run, hire, verb):
    hire(101)
    run("flip", "catalog.products")
    tables = [line for line in run(verb).stdout.splitlines() if line.startswith(" ")]
    assert all(cell_len(line.rstrip()) <= 80 for line in tables)


def test_outside_of_any_installation_the_command_says_where_to_go(tmp_path):
    refused = CliRunner(env={"STRANGLER_ROOT": str(tmp_path)}).invoke(main, ["routes"])
    assert refused.exit_code == 2
    assert "S101" in refused.stderr


def test_status_tells_of_a_group_that_waits_and_of_a_copy_that_lags(run, hire):
    hire(101)
    hire(102)
    (group,) = json.loads(run("status", "--json").stdout)["groups"]
    assert (group["parked"], group["lag"], group["held"], group["suspended"]) == (4, 12.5, True, True)
    shown = run("status").stdout
    assert "copy 12.5 s behind" in shown
    assert "writes are held, 4 wait" in shown


def test_a_header_is_signed_with_the_proxys_secret(run, place):
    place.control.mkdir(parents=True)
    (place.control / "secret").write_text("s" * 64)
    answer = json.loads(run("sign", "target", "service", "--minutes", "5", "--json").stdout)
    assert answer["header"] == "X-Strangler-Target"
    assert answer["value"].startswith("service.")
    assert run("sign", "debug").stdout.startswith("X-Strangler-Debug: ")
    assert "ssss" not in run("sign", "debug").output


def test_nothing_is_signed_without_the_secret_or_for_no_side(run):
    refused = run("sign", "debug")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("S113 ")
    assert run("sign", "target").exit_code == run("sign", "debug", "service").exit_code == 2
