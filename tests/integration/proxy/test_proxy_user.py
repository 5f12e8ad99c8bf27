"""The proxy needs no root: started as root it becomes another user for good. It listens to this machine alone
unless it is told otherwise.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from raw_client import fetch
from recording_origin import Origin, fresh
from running_proxy import EVERY_STAGE, ROOT, RunningProxy, table, until

from proxy.__main__ import _parser
from proxy.addresses import address

NOBODY = "nobody"
SYSTEM_PYTHON = shutil.which("python{}.{}".format(*sys.version_info), path="/usr/bin:/usr/local/bin")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def _closed_to_others(path: Path) -> bool:
    return any(not each.stat().st_mode & stat.S_IXOTH for each in path.parents)


OUR_OWN_IS_CLOSED = _closed_to_others(Path(os.__file__))


class OpenProxy(RunningProxy):
    """The proxy under a Python that every user may run: root's own may lie where nobody else can read."""

    python = (OUR_OWN_IS_CLOSED and SYSTEM_PYTHON) or sys.executable


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="proxy-user-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def as_nobody(folder: Path, monolith: Origin, service: Origin) -> Iterator[RunningProxy]:
    control = folder / "control"
    control.mkdir(mode=0o700)
    (control / "last-good.toml").write_text("what an earlier run as root left")
    options = ("--user", NOBODY, "--access-log", str(control / "access.jsonl"))
    if OUR_OWN_IS_CLOSED and SYSTEM_PYTHON is None:
        pytest.skip("found no Python of this version that every user may run")
    text = table(monolith.url, service.url, *EVERY_STAGE)
    running = OpenProxy(folder, text, *options, PYTHONPATH=sysconfig.get_path("purelib"))
    yield running
    running.stop()


def _status(pid: int, name: str) -> set[str]:
    """Return the words of a line of proc(5)'s `status`."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return set(next(line for line in lines if line.startswith(f"{name}:")).split()[1:])


@as_root
def test_master_and_workers_run_as_the_user_with_its_groups_alone(as_nobody: RunningProxy) -> None:
    user = pwd.getpwnam(NOBODY)
    for pid in {as_nobody.process.pid, *as_nobody.pids()}:
        assert _status(pid, "Uid") == {str(user.pw_uid)}
        assert _status(pid, "Gid") == {str(user.pw_gid)}
        assert _status(pid, "Groups") == set(map(str, os.getgrouplist(NOBODY, user.pw_gid)))
        assert _status(pid, "CapEff") == {"0" * 16}


@as_root
def test_as_another_user_it_serves_flips_reloads_and_replaces_workers(
    as_nobody: RunningProxy, service: Origin
) -> None:
    running, path = as_nobody, fresh("/monolith/")
    at_service = running.table.read_text().replace('stage = "monolith"', 'stage = "service"', 1)
    assert [worker["rejected"] for worker in running.apply(at_service)] == [None, None]
    assert (running.control / "last-good.toml").read_text() == at_service
    before = running.pids()
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(running.pids() - before) == 1, "the dead worker is replaced")
    before = running.pids()
    running.process.send_signal(signal.SIGHUP)
    until(lambda: len(running.pids() - before) == 2, "new workers answer")
    assert fetch(running.port, path).status == 200
    assert len(service.asked(path)) == 1
    assert fetch(running.admin_port, "/healthz").status == 200


def _refused(folder: Path, *options: str, user: str | None = None, python: str = OpenProxy.python) -> str:
    file = folder / "routes.toml"
    file.write_text('version = 1\n[upstreams.monolith]\nurl = "http://127.0.0.1:1"\n')
    command = [python, "-m", "proxy", "--table", str(file), "--control", str(folder / "control")]
    done = subprocess.run(
        [*command, "--bind", "127.0.0.1:0", *options],
        cwd=ROOT,
        user=user,
        env=os.environ | {"PYTHONPATH": sysconfig.get_path("purelib")},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.skipif(os.geteuid() != 0 or not OUR_OWN_IS_CLOSED, reason="all may run this Python")
def test_a_user_that_cannot_run_this_python_is_refused(folder: Path) -> None:
    assert "wanted a Python that all may run" in _refused(folder, "--user", NOBODY, python=sys.executable)


def test_an_unknown_user_is_refused(folder: Path) -> None:
    assert "found no user 'no-such-user'" in _refused(folder, "--user", "no-such-user")


def test_a_table_that_the_user_cannot_read_is_refused_at_the_start(folder: Path) -> None:
    folder.chmod(0o700)
    if os.geteuid() == 0:
        assert "cannot read the routing table" in _refused(folder, "--user", NOBODY)


def test_a_user_without_the_right_to_become_another_is_told(folder: Path) -> None:
    folder.chmod(0o777)
    user = NOBODY if os.geteuid() == 0 else None
    assert "only root can become another user" in _refused(folder, "--user", "root", user=user)


def test_it_listens_on_loopback_unless_told(folder: Path) -> None:
    host, _ = address(_parser().get_default("bind"))
    assert ip_address(host).is_loopback
    assert _parser().get_default("admin") is None
