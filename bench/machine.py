"""What a benchmark ran on: processor, kernel, versions of the programs. Read-only."""

import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.tools import Tool
from strangler.errors import ToolMissing


def machine_facts(python: str, tools: Sequence[Tool]) -> dict[str, Any]:
    """Return processor, cores, kernel, what `python` is, and the version that each installed tool prints."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": _python(python),
        "tools": {tool.command: _version(tool) for tool in tools},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "unknown")


def _python(path: str) -> str:
    code = "import platform; print(platform.python_implementation(), platform.python_version())"
    printed = subprocess.run([path, "-c", code], capture_output=True, text=True, check=True)
    return f"{printed.stdout.strip()} at {path}"


def _version(tool: Tool) -> str:
    try:
        path = tool.path()
    except ToolMissing:
        return "not installed"
    # wrk and nginx print theirs to stderr, and wrk exits 1 after it
    flag = "--version" if tool.command == "envoy" else "-v"
    printed = subprocess.run([path, flag], capture_output=True, text=True, check=False)
    return (printed.stdout or printed.stderr).strip().partition("\n")[0]
