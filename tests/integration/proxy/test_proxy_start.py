"""A proxy that cannot start says why in words and exits with 2."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from raw_client import fetch
from recording_origin import Origin, fresh
from running_proxy import EVERY_STAGE, ROOT, RunningProxy, table

from tests.ports import free_port


@pytest.fixture
def refusal(tmp_path: Path, monolith: Origin, service: Origin) -> Callable[..., str]:
    """Start a proxy that must refuse; return what it says."""
    sound = table(monolith.url, service.url, *EVERY_STAGE)

    def starting(text: str | bytes | None, *options: str) -> str:
        file = tmp_path / "routes.toml"
        if text is not None:
            file.write_bytes((text or sound).encode() if isinstance(text, str) else text)
        defaults = ["--bind", f"127.0.0.1:{free_port()}", "--control", str(tmp_path / "control")]
        command = [sys.executable, "-m", "proxy", "--table", str(file), *defaults, *options]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        assert "gunicorn" not in done.stderr
        return done.stderr

    return starting


def test_a_bad_table_names_file_key_value_and_what_is_wanted(
    refusal: Callable[..., str], monolith: Origin, service: Origin
) -> None:
    text = table(monolith.url, service.url, *EVERY_STAGE).replace("percent = 10", "percent = 10.001")
    said = refusal(text)
    assert "routes.toml is not a sound routing table:" in said
    assert "routes[4].percent: found 10.001, wanted a canary's share from 0.01 to 100" in said


def test_a_table_that_is_not_there_is_named(refusal: Callable[..., str]) -> None:
    assert "routes.toml" in refusal(None)


def test_a_table_that_is_no_text_is_named(refusal: Callable[..., str]) -> None:
    assert "routes.toml" in refusal(b"\xff\xfe")


@pytest.mark.parametrize("option", ["--bind", "--admin"])
def test_a_taken_address_is_said_plainly(refusal: Callable[..., str], option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal("", option, f"127.0.0.1:{port}")
    assert said == f"127.0.0.1:{port} is taken by another process; wanted a free address\n"


@pytest.mark.parametrize("option", ["--bind", "--admin"])
@pytest.mark.parametrize("text", ["nonsense", "127.0.0.1:", "127.0.0.1:http", ":8000", "127.0.0.1:70000"])
def test_an_address_that_is_none_is_said_plainly(refusal: Callable[..., str], option: str, text: str) -> None:
    assert f"found '{text}', wanted HOST:PORT" in refusal("", option, text)


def test_an_admin_address_by_name_never_serves_clients(
    tmp_path: Path, monolith: Origin, service: Origin
) -> None:
    port = free_port()
    text = table(monolith.url, service.url, *EVERY_STAGE)
    running = RunningProxy(tmp_path, text, "--admin", f"localhost:{port}", workers=1)
    try:
        path = fresh("/monolith/")
        assert fetch(port, path).status == 404
        assert fetch(port, "/healthz").status == 200
        assert monolith.asked(path) == []
    finally:
        running.stop()
