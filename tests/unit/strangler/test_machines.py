"""Which machines the environment names, and what is refused as none."""

import pytest

from strangler.errors import BadMachines
from strangler.machines import Machine, machines_of

KEY = {"STRANGLER_ADMIN_KEY": "k" * 32}


@pytest.mark.parametrize(
    "named",
    [
        "10.0.0.2:8009",
        "http://",
        "ftp://m:8009",
        "http://m:8009/control",
        "http://me:secret@m:8009",
        "http://m:8009,http://m:8009/",
        "http://m:8009?x=1",
        "http://m:99999",
    ],
)
def test_what_is_no_admin_address_is_refused(named: str) -> None:
    with pytest.raises(BadMachines, match="STRANGLER_PROXIES") as refusal:
        machines_of({"STRANGLER_PROXIES": named} | KEY)
    assert "secret" not in refusal.value.message


def test_machines_without_their_key_are_refused() -> None:
    with pytest.raises(BadMachines, match="STRANGLER_ADMIN_KEY is not set"):
        machines_of({"STRANGLER_PROXIES": "http://m:8009"})


@pytest.mark.parametrize("named", ["", " ", ","])
def test_one_machine_needs_neither(named: str) -> None:
    assert machines_of({"STRANGLER_PROXIES": named}).all == ()


def test_machines_are_named_by_host_and_port_and_never_show_their_key() -> None:
    machines = machines_of({"STRANGLER_PROXIES": " http://a:1 , https://b:2/"} | KEY)
    assert machines.all == (Machine("http://a:1"), Machine("https://b:2"))
    assert [machine.name for machine in machines.all] == ["a:1", "b:2"]
    assert "kkk" not in repr(machines)
