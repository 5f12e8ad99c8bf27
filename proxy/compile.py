"""`python -m proxy.compile`: compile the data path with mypyc, into the place where `proxy.compiled` looks.

Compiled the proxy takes about half the CPU. Without a C compiler nothing is done and nothing is wrong.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from proxy.compiled import MODULES, PREFIX, folder

_SOURCES = Path(__file__).parent


def main() -> int:
    """Compile, unless that is done already. Exit 0 where no compiler is: there is nothing wrong with that."""
    place = folder()
    if place.is_dir():
        return 0
    missing = _missing()
    if missing:
        print(f"the proxy runs interpreted, at about twice the CPU: {missing}")
        return 0
    print("compiling the proxy's data path (once; most of a minute)")
    with tempfile.TemporaryDirectory() as work:
        made = Path(work)
        _compile(made)
        _keep(made, place)
    return 0


def _missing() -> str:
    """Return what a compilation lacks here, empty for nothing."""
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"no C compiler ({compiler})"
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        return "no Python.h"
    if importlib.util.find_spec("mypyc") is None:
        return "no mypyc"
    return ""


def _compile(work: Path) -> None:
    sources = work / _SOURCES.name
    shutil.copytree(_SOURCES, sources, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "mypyc", *(f"{_SOURCES.name}/{module}.py" for module in MODULES)]
    options = {"MYPYC_OPT_LEVEL": "2", "MYPYC_DEBUG_LEVEL": "0"}
    done = subprocess.run(  # noqa: S603 - a fixed command
        command, cwd=work, env=os.environ | options, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(
            f"mypyc failed; the proxy runs interpreted\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )


def _keep(work: Path, place: Path) -> None:
    """Put the results in their place, all or none, and remove those of other sources."""
    staged = place.with_suffix(f".{os.getpid()}")
    (staged / _SOURCES.name).mkdir(parents=True)
    for shared in work.glob("*.so"):
        shutil.move(shared, staged)
    for module in (work / _SOURCES.name).glob("*.so"):
        shutil.move(module, staged / _SOURCES.name)
    for old in place.parent.glob(f"{PREFIX}*"):
        if old != staged:
            shutil.rmtree(old)
    staged.rename(place)


if __name__ == "__main__":
    sys.exit(main())
