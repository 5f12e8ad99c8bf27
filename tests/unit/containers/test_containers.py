"""What docker-compose.yml and the Dockerfiles promise, checked against the files they depend on."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from proxy.table import parse_table

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PARTS = ("proxy", "monolith", "extracted/catalog", "strangler")
OWN = [name for name in COMPOSE["services"] if name not in {"postgres", "rabbitmq"}]


def dockerfile(part: str) -> str:
    return (ROOT / part / "Dockerfile").read_text()


def test_the_proxy_is_the_only_door_and_it_is_on_loopback() -> None:
    ports = {name: part["ports"] for name, part in COMPOSE["services"].items() if "ports" in part}
    assert list(ports) == ["proxy"]
    assert all(port.startswith("127.0.0.1:") for port in ports["proxy"])


@pytest.mark.parametrize("part", PARTS)
def test_no_image_runs_as_root(part: str) -> None:
    assert re.findall(r"^USER (\S+)", dockerfile(part), re.MULTILINE) == ["strangler"]
    assert "--uid 10001" in dockerfile(part)


@pytest.mark.parametrize("name", OWN)
def test_a_container_cannot_write_its_image_or_gain_privileges(name: str) -> None:
    part = COMPOSE["services"][name]
    assert part["read_only"] is True
    assert part["cap_drop"] == ["ALL"]
    assert part["security_opt"] == ["no-new-privileges:true"]


def test_every_secret_comes_from_the_environment_with_a_development_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    named = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)(:-)?", text)
    assert {name for name, _ in named} == {
        "POSTGRES_PASSWORD",
        "RABBITMQ_PASSWORD",
        "MONOLITH_DB_PASSWORD",
        "CATALOG_DB_PASSWORD",
        "MONOLITH_SECRET_KEY",
        "STRANGLER_SECRET",
    }
    assert all(default for _, default in named)


def test_every_upstream_of_the_table_has_its_name_between_containers() -> None:
    table = parse_table((ROOT / "proxy" / "routes.toml").read_text(), "routes.toml")
    for name, upstream in table.upstreams.items():
        assert name in COMPOSE["services"]
        address = f"{upstream.host}:{upstream.port}"
        assert f's#//{address}"#//{name}:{upstream.port}"#' in dockerfile("proxy")


@pytest.mark.parametrize("part", PARTS)
def test_an_image_installs_a_group_whose_libraries_are_all_pinned(part: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    group: object = project
    for key in re.findall(r"\['([\w-]+)'\]", dockerfile(part).partition("['project']")[2].partition(",")[0]):
        assert isinstance(group, dict)
        group = group[key]
    assert isinstance(group, list)
    assert set(group) <= pinned


@pytest.mark.parametrize("part", PARTS)
def test_an_image_can_copy_what_it_names(part: str) -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0:1] == "!"}
    for line in re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+)$", dockerfile(part), re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists()
            assert source.split("/")[0] in allowed


def test_every_part_that_runs_on_one_machine_has_a_container() -> None:
    parts = re.findall(r"^\[program:([\w-]+)\]", (ROOT / "supervisord.conf").read_text(), re.MULTILINE)
    assert set(parts) <= set(COMPOSE["services"])
