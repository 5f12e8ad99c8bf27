"""One proxy in front of two recording origins, for every test that leaves it as it was."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from listening_comparer import Comparer
from recording_origin import Origin
from running_proxy import EVERY_STAGE, RunningProxy, table


@pytest.fixture(scope="session")
def monolith() -> Iterator[Origin]:
    origin = Origin("monolith")
    yield origin
    origin.close()


@pytest.fixture(scope="session")
def service() -> Iterator[Origin]:
    origin = Origin("service")
    yield origin
    origin.close()


@pytest.fixture(scope="session")
def proxy(
    tmp_path_factory: pytest.TempPathFactory, monolith: Origin, service: Origin
) -> Iterator[RunningProxy]:
    text = table(monolith.url, service.url, *EVERY_STAGE)
    running = RunningProxy(tmp_path_factory.mktemp("proxy"), text)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def comparer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Comparer, Path]]:
    path = tmp_path_factory.mktemp("comparer") / "pairs.sock"
    comparing = Comparer(path)
    yield comparing, path
    comparing.close()


@pytest.fixture
def start(tmp_path: Path, monolith: Origin, service: Origin) -> Iterator[Callable[..., RunningProxy]]:
    """Start a proxy of the test's own: routes, then `options` and `workers`."""
    started: list[RunningProxy] = []

    def starting(*routes: str, options: tuple[str, ...] = (), workers: int = 2) -> RunningProxy:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        text = table(monolith.url, service.url, *(routes or EVERY_STAGE))
        started.append(RunningProxy(folder, text, *options, workers=workers))
        return started[-1]

    yield starting
    for running in started:
        running.stop()
