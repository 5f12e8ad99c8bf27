"""Compiled code is used for the sources it was made from alone, and believes nothing that may change."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mypy import build, nodes, types
from mypy.modulefinder import BuildSource
from mypy.options import Options

from proxy.compiled import INTERPRETED, MODULES, folder

ROOT = Path(__file__).parents[3]
ASK = "import proxy.compiled, proxy.exchange; print(proxy.compiled.in_use())"


def _in_use(root: Path, **environment: str) -> bool:
    clean = {name: value for name, value in os.environ.items() if name != INTERPRETED}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=root,
        env=clean | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout == "True\n"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the package, with what was compiled of it."""
    shutil.copytree(ROOT / "proxy", tmp_path / "proxy")
    return tmp_path


def test_what_was_compiled_from_these_sources_is_used(copied: Path) -> None:
    assert _in_use(copied) is folder().is_dir()


@pytest.mark.parametrize("module", ["exchange", "window"])
def test_a_changed_source_is_interpreted_again(copied: Path, module: str) -> None:
    with (copied / "proxy" / f"{module}.py").open("a") as source:
        source.write("\n")
    assert not _in_use(copied)


def test_the_environment_can_ask_for_the_sources(copied: Path) -> None:
    assert not _in_use(copied, **{INTERPRETED: "1"})


def test_no_attribute_is_taken_for_none_that_a_call_may_have_set() -> None:
    # mypy narrows `self.x` after `self.x = None`, over calls too, and compiled code insists on it
    options = Options()
    options.export_types = options.preserve_asts = options.ignore_missing_imports = True
    options.incremental = False
    sources = [BuildSource(str(ROOT / "proxy" / f"{module}.py"), f"proxy.{module}") for module in MODULES]
    result = build.build(sources, options)
    assert result.errors == []
    believed = [
        (node.name, node.line)
        for node, found in result.types.items()
        if isinstance(node, nodes.MemberExpr) and isinstance(types.get_proper_type(found), types.NoneType)
    ]
    assert believed == []
